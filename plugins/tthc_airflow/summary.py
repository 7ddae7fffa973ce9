"""What `make run` shows at its end: figures beside targets, what was refused and why, where the rest lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from tthc.reference.kpis import read_metrics
from tthc.serving import wording
from tthc.serving.views import analyst_password
from tthc.settings import CHECKOUT, Settings
from tthc.warehouse.connect import transaction, warehouse_url

INCIDENT_LINES = 15

# The newest reporting year with figures beside targets: plans are for years, "2026" until its end is cumulative.
_PERIOD = """
select period_calendar, period_kind, period_label, period_start, period_end, as_of, status
from mart.kpi_vs_target
where period_calendar = 'VPCP_15_14' and period_kind = 'year'
order by period_end desc
limit 1
"""
_TARGETS = """
select own.unit_code, own.unit_name, own.source_document, own.metric_id, own.profile, own.numerator, own.denominator,
    own.comparator, own.target_value, own.met, own.conflicts_with, province.unit_name as province_name,
    province.numerator as province_numerator, province.denominator as province_denominator
from mart.kpi_vs_target as own
left join mart.kpi as province
    on province.unit_code = :province
    and (province.period_calendar, province.period_label, province.basis, province.field_code, province.metric_id,
        province.profile)
    = (own.period_calendar, own.period_label, own.basis, own.field_code, own.metric_id, own.profile)
where (own.period_calendar, own.period_label, own.basis) = (:calendar, :label, 'as_reported')
order by own.unit_code, own.source_document, own.source_line, own.target_id
"""
_OVERDUE = """
select unit_code, numerator, denominator
from mart.kpi
where (period_calendar, period_label, basis, field_code, metric_id)
    = (:calendar, :label, 'as_reported', '*', 'overdue_open')
"""
_DECLARED = "select count(*) from ref.target where document = :document"
_QUARANTINE = """
select rule_id, regexp_replace(reason, '^Cột «[^»]*»: ', '') as reason, count(*) as rows
from core.quarantine
where ordinal = 1
group by 1, 2
order by 3 desc, 1, 2
"""
_FILES = """
select verdict, case when verdict in ('held', 'rejected') then reason end as reason, count(*) as files
from mart.data_quality
where rule_id is null
group by 1, 2
order by 1, 2
"""
_INCIDENTS = """
select severity, rule_id, count(*) as incidents, min(subject) as subject
from alerts.incident
where state <> 'resolved' and group_id is null
group by severity, rule_id
order by array_position(array['critical', 'error', 'warning'], severity), rule_id
"""


def show(settings: Settings, log: Path) -> None:
    """Print the summary of the current publication to the terminal. Raises OutsideSystemFailed."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=False)
    with transaction(settings) as connection:
        _show_figures(console, connection, settings)
        _show_refusals(console, connection)
        _show_incidents(console, connection)
    _show_places(console, settings, log)


def _rows(connection: sa.Connection, statement: str, **parameters: Any) -> list[sa.RowMapping]:
    return list(connection.execute(sa.text(statement), parameters).mappings())


def _show_figures(console: Console, connection: sa.Connection, settings: Settings) -> None:
    period = next(iter(_rows(connection, _PERIOD)), None)
    if period is None:
        console.print("\nNo figure stands beside a target of a plan.")
        return
    key = {"calendar": period["period_calendar"], "label": period["period_label"]}
    titles = {(metric.id, metric.profile): metric.title for metric in read_metrics(settings)}
    rows = _rows(connection, _TARGETS, province=settings.province, **key)
    overdue = {row["unit_code"]: row for row in _rows(connection, _OVERDUE, **key)}
    title = wording.period_title(
        *(period[name] for name in ("period_kind", "period_label", "period_start", "period_end"))
    )
    console.print(f"\n[bold]Figures and targets[/]: {title}, số liệu đến ngày {wording.day(period['as_of'])}")
    for document in dict.fromkeys(row["source_document"] for row in rows):
        of_plan = [row for row in rows if row["source_document"] == document]
        table = Table(
            *("Chỉ số", "Mục tiêu", of_plan[0]["unit_name"], "Chênh lệch", "Đạt"),
            of_plan[0]["province_name"] or settings.province,
            title=document,
            title_justify="left",
        )
        for row in of_plan:
            table.add_row(*_target_cells(row, titles))
            if row["metric_id"] == "on_time":
                open_late = [overdue.get(code) for code in (row["unit_code"], settings.province)]
                own, province = (_share(late["numerator"], late["denominator"]) if late else "0" for late in open_late)
                table.add_row(titles["overdue_open", "TT01_06A"], "", own, "", "", province)
        console.print(table)
        declared = connection.execute(sa.text(_DECLARED), {"document": document}).scalar_one()
        waiting = declared - len(of_plan)
        console.print(
            f"{waiting} more of the plan's {declared} targets wait for a form: tthc export manual-input --help"
        )


def _target_cells(row: sa.RowMapping, titles: dict[tuple[str, str], str]) -> list[str]:
    known = row["numerator"] is not None and row["denominator"]
    conflict = f" (mâu thuẫn, {row['conflicts_with']})" if row["conflicts_with"] else ""
    return [
        titles[row["metric_id"], row["profile"]] + conflict,
        wording.target(row["comparator"], row["target_value"]),
        _share(row["numerator"], row["denominator"]),
        wording.gap(row["numerator"], row["denominator"], row["target_value"]) if known else "",
        {True: "đạt", False: "chưa đạt", None: ""}[row["met"]],
        _share(row["province_numerator"], row["province_denominator"]) if row["province_name"] else "",
    ]


def _share(numerator: int | None, denominator: int | None) -> str:
    shown = wording.percent(numerator, denominator)
    return f"{shown} ({wording.count(numerator)}/{wording.count(denominator)})" if numerator is not None else shown


def _show_refusals(console: Console, connection: sa.Connection) -> None:
    rows = _rows(connection, _QUARANTINE)
    console.print(f"\n[bold]Quarantine[/]: {sum(row['rows'] for row in rows)} rows, by the first rule each failed")
    if rows:
        table = Table("Quy tắc", "Số dòng", "Lý do")
        for row in rows:
            table.add_row(row["rule_id"], str(row["rows"]), row["reason"])
        console.print(table)
    files = _rows(connection, _FILES)
    told = [f"{row['files']} {row['verdict']}" + (f" ({row['reason']})" if row["reason"] else "") for row in files]
    console.print(f"Files: {', '.join(told) or 'none'}")


def _show_incidents(console: Console, connection: sa.Connection) -> None:
    rules = _rows(connection, _INCIDENTS)
    by_severity: dict[str, int] = {}
    for rule in rules:
        by_severity[rule["severity"]] = by_severity.get(rule["severity"], 0) + rule["incidents"]
    told = ", ".join(f"{count} {severity}" for severity, count in by_severity.items())
    console.print(f"\n[bold]Open incidents[/]: {sum(by_severity.values())}" + (f" ({told}), by rule" if told else ""))
    for rule in rules[:INCIDENT_LINES]:
        several = f"{rule['rule_id']}: {rule['incidents']} sự cố / incidents, {rule['severity']}"
        console.print(f"  {rule['subject'] if rule['incidents'] == 1 else several}", markup=False)
    if len(rules) > INCIDENT_LINES:
        console.print(f"  … and {len(rules) - INCIDENT_LINES} rules more", markup=False)
    if rules:
        console.print(f"  {_command('incidents list')}", markup=False)


def _show_places(console: Console, settings: Settings, log: Path) -> None:
    url = sa.make_url(warehouse_url(settings)).set(drivername="postgresql")
    if settings.warehouse_url is None:
        url = url.set(username="tthc_analyst", password=analyst_password(settings))
    hidden = settings.warehouse_url is not None  # not a password of ours to show
    lines = {
        "Workbooks, messages": str(settings.out),
        "Web page": _command("serve"),
        "Read-only database": url.render_as_string(hide_password=hidden),
        "psql": _command("db psql"),
        "Where a figure comes from": _command("explain --help"),
        "Log of Airflow": str(log),
    }
    console.print()
    for name, text in lines.items():
        console.print(f"{name + ':':<27}{text}", markup=False, soft_wrap=True)


def _command(words: str) -> str:
    """The command as it can be pasted into a terminal that stands in the checkout."""
    program = Path(sys.executable).with_name("tthc")
    shown = program.relative_to(CHECKOUT) if program.is_relative_to(CHECKOUT) else program
    home = os.environ.get("TTHC_HOME")
    return (f"TTHC_HOME={home} " if home else "") + f"{shown} {words}"
