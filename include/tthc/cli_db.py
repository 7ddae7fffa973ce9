"""The commands `tthc db …`: the way to the warehouse, and the embedded server where there is no other."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tthc.settings import settings

db = typer.Typer(no_args_is_help=True, help="The embedded server, when no TTHC_WAREHOUSE_URL is set.")


def say(line: str) -> None:
    """A line of progress, apart from what a command prints."""
    print(line, file=sys.stderr, flush=True)


@db.command("url")
def db_url(
    analyst: Annotated[bool, typer.Option(help="The read-only role for BI tools.")] = False,
) -> None:
    """Print the connection string (it holds the password)."""
    import sqlalchemy as sa

    from tthc.serving.views import analyst_password
    from tthc.warehouse.connect import warehouse_url

    current = settings()
    url = sa.make_url(warehouse_url(current)).set(drivername="postgresql")
    if analyst:
        if current.warehouse_url:
            say("TTHC_WAREHOUSE_URL is set: grant tthc_analyst to a login of your own and use that one")
            raise typer.Exit(2)
        url = url.set(username="tthc_analyst", password=analyst_password(current))
    print(url.render_as_string(hide_password=False))


@db.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def db_psql(context: typer.Context) -> None:
    """Open psql on the warehouse; further arguments are psql's own."""
    import sqlalchemy as sa

    from tthc.warehouse import server
    from tthc.warehouse.connect import warehouse_url

    current = settings()
    url = sa.make_url(warehouse_url(current)).set(drivername="postgresql")
    program = server.binary("psql", None if current.warehouse_url else current.home)
    password = str(url.password or "")
    shown = url.set(password=None).render_as_string(hide_password=False)
    os.execve(program, [str(program), shown, *context.args], {**os.environ, "PGPASSWORD": password})


@db.command("start")
def db_start() -> None:
    """Start the embedded server."""
    from tthc.warehouse import server

    server.start(settings().home)
    say("the embedded server is running")


@db.command("stop")
def db_stop() -> None:
    """Stop the embedded server."""
    from tthc.warehouse import server

    say("stopped" if server.stop(settings().home) else "it was not running")
