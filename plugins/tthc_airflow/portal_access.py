"""An Airflow connection as the access of a portal: `tthc_portal_<source>`, else what the environment gives."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from tthc.settings import PortalAccess, portal_access


def access_of(source_id: str) -> PortalAccess:
    """Login and password of the connection; a portal that wants a token finds it in the password.

    Host, port and schema (https unless it says http) stand in for the url of sources.toml, where a host is given.
    """
    try:
        connection = Connection.get(f"tthc_portal_{source_id}")
    except AirflowNotFoundException:
        return portal_access(source_id)
    host, password = connection.host or "", connection.password or ""
    if host and "://" not in host:
        host = f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")
    return PortalAccess(url=host, user=connection.login or "", password=password, token=password)
