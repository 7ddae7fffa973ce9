"""The two things other DAGs may wait for, declared once: an asset with two addresses would never trigger anybody."""

from __future__ import annotations

from airflow.sdk import Asset

DOSSIERS = Asset(name="core.dossier", uri="tthc://warehouse/core.dossier", group="tthc")
FIGURES = Asset(name="mart.kpi", uri="tthc://warehouse/mart.kpi", group="tthc")
