"""What an analyst may do: read every view of schema mart, as the contract names them, and nothing else."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from exports import counts, csv_list, dossier, form_06a
from tthc import cli, pipeline
from tthc.settings import settings as read_settings
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

# The public contract: view → columns in order, with the type where one is promised ("" where none is).
_KEY = (
    "period_calendar text, period_kind text, period_label text, period_start date, period_end date, as_of date, "
    "unit_level text, unit_code text, unit_name text, basis text, field_code text, metric_id text, profile text, "
)
_KPI = _KEY + (
    "numerator bigint, denominator bigint, rate numeric(9,6), units_expected integer, units_reported integer, "
    "status text, flags text[], definition_version text, publication_id bigint"
)
_REPORTED = (
    "period_calendar text, period_kind text, period_label text, period_start date, period_end date, unit_code text, "
    "unit_name text, field_code text, measure text, measure_name text, profile text, counters text, reported bigint, "
    "recomputed bigint, difference bigint, source_id text, report text, file_name text, sheet text, row_no integer, "
    "night date, publication_id bigint"
)
_FORM = (
    "period_calendar text, period_kind text, period_label text, period_start date, period_end date, as_of date, "
    "unit_level text, unit_code text, unit_name text, basis text, field_code text, field_name text, received_total bigint, "
    "received_online bigint, received_direct bigint, carried_over bigint, resolved_total bigint, resolved_early bigint, "
    "resolved_on_time bigint, resolved_late bigint, in_progress_total bigint, in_progress_in_time bigint, "
    "in_progress_overdue bigint, withdrawn bigint, stopped bigint, flags text[], publication_id bigint"
)
_VS_TARGET = (
    _KPI + ", target_id text, comparator text, target_value numeric(6,5), met boolean, gap numeric(9,6), "
    "source_document text, source_line integer, note text, conflict boolean, conflicts_with text, "
    "overdue_open bigint, in_progress bigint"
)
_RANKING = (
    "period_calendar text, period_kind text, period_label text, province_code text, metric_id text, profile text, "
    "basis text, unit_code text, unit_name text, numerator bigint, denominator bigint, rate numeric(9,6), lower_bound, "
    "upper_bound, rank integer, band text, ranked boolean, status text, flags text[], minimum_count integer, "
    "overdue_open bigint, in_progress bigint"
)
_SUBMITTED = "submission_id bigint, version integer, "
CONTRACT = {
    "kpi": _KPI,
    "kpi_history": _KPI,
    "kpi_vs_target": _VS_TARGET,
    "kpi_compared": _KPI
    + "".join(
        f", {who}_label text, {who}_numerator bigint, {who}_denominator bigint, {who}_rate numeric(9,6), "
        f"{who}_flags text[], {who}_comparable boolean, {who}_remark text, {who}_points numeric(9,4)"
        for who in ("previous", "last_year")
    ),
    "kpi_public": "period_calendar text, period_kind text, period_label text, period_start date, period_end date, "
    "unit_level text, unit_code text, unit_name text, metric_id text, profile text, numerator bigint, denominator bigint, "
    "rate numeric(9,6), suppressed boolean, minimum_count integer, definition_version text, publication_id bigint",
    "kpi_by_definition": _KEY + "definition_version text, valid_from date, valid_to date, is_in_force boolean, "
    "numerator bigint, denominator bigint, rate numeric(9,6), flags text[], publication_id bigint",
    "rule": "rule_id text, suite text, severity text, owner text, vi text, en text, why_vi text, why text",
    "definition": "metric_id text, profile text, definition_version text, valid_from date, valid_to date, title text",
    "target": "target_id text, unit_code text, metric_id text, profile text, field_code text, comparator text, "
    "target_value numeric(6,5), valid_from date, valid_to date, is_of_former_unit boolean, conflict boolean, conflicts_with text, "
    "source_document text, source_line integer, note text",
    "ranking": _RANKING,
    "form_06a": _FORM,
    "submission": "submission_id bigint, period_calendar text, period_kind text, period_label text, unit_code text, "
    "version integer, is_newest boolean, is_interim boolean, as_of date, publication_id bigint, units_expected integer, "
    "units_reported integer, waiver text, submitted_by text, reason text, submitted_at timestamp with time zone",
    "submitted_kpi": _SUBMITTED + _KPI,
    "submitted_kpi_vs_target": _SUBMITTED + _VS_TARGET,
    "submitted_form_06a": _SUBMITTED + _FORM,
    "submitted_ranking": _SUBMITTED + _RANKING,
    "submission_difference": "submission_id bigint, period_calendar text, period_kind text, period_label text, "
    "version integer, is_interim boolean, unit_code text, basis text, field_code text, metric_id text, profile text, "
    "submitted_numerator bigint, submitted_denominator bigint, current_numerator bigint, current_denominator bigint",
    "index_766": "period_calendar text, period_kind text, period_label text, unit_code text, group_code text, "
    "component_id text, numerator, denominator, points numeric(6,3), max_points, missing boolean, publication_id bigint",
    "index_766_total": "period_calendar text, period_kind text, period_label text, unit_code text, group_code text, "
    "points numeric(6,3), max_points_told numeric(6,3), max_points numeric(6,3), components_told integer, "
    "components_missing integer, band text, publication_id bigint",
    "manual_input": "period_calendar text, period_kind text, period_label text, unit_code text, metric_id text, "
    "numerator, denominator, source_id text, night date, file_name text, file_sha256 text, sheet text, row_no integer, "
    "publication_id bigint",
    "flow_day": "day date, unit_code text, field_code text, received, resolved_early, resolved_on_time, resolved_late",
    "dossier_status_day": "night date, unit_code text, field_code text, open, overdue, due_within_3_working_days, paused",
    "coverage": "period_calendar text, period_label text, night date, source_id text, unit_code text, expected boolean, "
    "state text, reported_at timestamp with time zone, due_on date",
    "expected_reporter": "source_id text, unit_code text, every text, working_days integer, since date, until date",
    "quarantine": "unit_code text, source_id text, rule_id text, rows_quarantined integer, first_night date, last_night date",
    "incident": "incident_id bigint, rule_id text, source_id text, unit_code text, severity text, state text, "
    "opened_on date, last_seen_on date, resolved_on date, nights integer, snoozed_until timestamp with time zone, "
    "is_group boolean, group_id bigint, subject text",
    "data_quality": "night date, source_id text, unit_code text, file_name text, file_sha256 text, verdict text, "
    "reason text, rule_id text, rows_read, rows_accepted, rows_quarantined, rows_dropped, rows_duplicate",
    "restatement": "publication_id bigint, period_calendar text, period_kind text, period_label text, unit_code text, "
    "basis text, field_code text, metric_id text, profile text, old_numerator bigint, old_denominator bigint, "
    "new_numerator bigint, new_denominator bigint, cause text, cause_ref text",
    "reported": _REPORTED,
    "reported_difference": _REPORTED,
    "source_difference": "period_calendar text, period_kind text, period_label text, period_start date, period_end date, "
    "unit_level text, unit_code text, unit_name text, field_code text, dossiers bigint, only_province bigint, "
    "only_nation bigint, in_both bigint, differing bigint, status_differs bigint, unit_differs bigint, "
    "procedure_differs bigint, received_differs bigint, due_differs bigint, finished_differs bigint, night date, "
    "publication_id bigint",
    "source_report_difference": "period_calendar text, period_kind text, period_label text, period_start date, "
    "period_end date, unit_code text, unit_name text, field_code text, measure text, measure_name text, "
    "province_reported bigint, nation_reported bigint, difference bigint, province_source_id text, province_report text, "
    "province_file_name text, province_row_no integer, province_night date, nation_source_id text, nation_report text, "
    "nation_file_name text, nation_row_no integer, nation_night date, publication_id bigint",
    "judgement": "night date, source_id text, suite text, position integer, rule_id text, rows_judged bigint, "
    "rows_failed bigint",
    "publication": "publication_id bigint, published_at timestamp with time zone, night date, is_current boolean, "
    "based_on text",
}
_VIETNAMESE = re.compile(r"[àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ]", re.IGNORECASE)


@pytest.fixture(scope="module")
def embedded(warehouses: Warehouses) -> Iterator[Warehouse]:
    """The embedded server as `tthc` itself uses it, without a URL, with some figures of every kind in it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("TTHC_")}
    with mock.patch.dict(os.environ, {**others, "TTHC_HOME": str(warehouses.home)}, clear=True):
        settings = read_settings()
    pipeline.init(settings)
    made = Warehouse(settings, warehouses.readers)
    rows = [
        dossier("H42-260105-0001", finished_at="09/01/2026", status="9"),
        dossier("H42-260105-0002", unit_name="xã Không Có"),
        dossier("H42-260105-0003"),
    ]
    form = form_06a([("Hộ tịch", counts(direct=3, early=1, in_time=2))], unit="xã Cổ Đạm")
    made.load(date(2026, 3, 20), {"mot_cua_csv/a.csv": csv_list(rows), "tong_hop_06a_xlsx/a.xlsx": form})
    made.load(date(2026, 3, 21), {"mot_cua_csv/a.csv": csv_list(rows[:1])})
    yield made


@contextmanager
def analyst(embedded: Warehouse, *, database: str = "tthc") -> Iterator[psycopg.Connection[Any]]:
    """A session of the role a BI tool is given, with what it may change of its own settings changed."""
    from tthc.warehouse import server

    url = sa.make_url(server.url(embedded.settings.home))
    password = (embedded.settings.home / "analyst.password").read_text(encoding="utf-8")
    with psycopg.connect(
        host=url.host, port=url.port, dbname=database, user="tthc_analyst", password=password, autocommit=True
    ) as connection:
        yield connection


@pytest.fixture
def role(embedded: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with analyst(embedded) as connection:
        yield connection


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_has_the_columns_and_types_of_the_contract(embedded: Warehouse, view: str) -> None:
    rows = embedded.query(
        "select attname, format_type(atttypid, atttypmod) as type from pg_attribute "
        "where attrelid = to_regclass('mart.' || :view) and attnum > 0 and not attisdropped order by attnum",
        view=view,
    )
    seen = {row["attname"]: row["type"] for row in rows}
    # a comma within "numeric(9,6)" parts no columns
    parts = [part.strip().partition(" ") for part in re.split(r",(?![^(]*\))", CONTRACT[view])]
    promised = {name: kind for name, _, kind in parts}
    assert {name: seen.get(name) for name, kind in promised.items() if kind} == {
        name: kind for name, kind in promised.items() if kind
    }
    assert set(promised) <= set(seen)


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_and_each_of_its_columns_is_explained_in_vietnamese(embedded: Warehouse, view: str) -> None:
    rows = embedded.query(
        "select 'the view' as name, obj_description(to_regclass('mart.' || :view), 'pg_class') as comment union all "
        "select attname, col_description(attrelid, attnum) from pg_attribute "
        "where attrelid = to_regclass('mart.' || :view) and attnum > 0",
        view=view,
    )
    assert [row["name"] for row in rows if not _VIETNAMESE.search(row["comment"] or "")] == []


def test_mart_holds_the_contract_and_nothing_beside_it(embedded: Warehouse) -> None:
    rows = embedded.query("select relname from pg_class where relnamespace = 'mart'::regnamespace")
    assert {row["relname"] for row in rows} == set(CONTRACT)


@pytest.mark.parametrize("view", CONTRACT)
def test_the_analyst_reads_the_view(role: psycopg.Connection[Any], view: str) -> None:
    role.execute(f"select * from {view} limit 5".encode()).fetchall()  # the search path is mart


def test_the_analyst_sees_figures(role: psycopg.Connection[Any]) -> None:
    for view in ("kpi", "form_06a", "data_quality", "flow_day", "publication"):
        (found,) = role.execute(f"select count(*) from {view}".encode()).fetchone() or (0,)
        assert found > 0, view


OUTSIDE = "nspname not in ('pg_catalog', 'information_schema', 'mart') and nspname not like 'pg_toast%' and nspname not like 'pg_temp%'"


def test_no_relation_outside_mart_can_be_read_or_written(embedded: Warehouse) -> None:
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    tables = [*(f"has_table_privilege('tthc_analyst', c.oid, '{right}')" for right in rights)]
    columns = [
        f"has_any_column_privilege('tthc_analyst', c.oid, '{right}')" for right in ("SELECT", "INSERT", "UPDATE")
    ]
    rows = embedded.query(
        "select nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace "
        f"where {OUTSIDE} and relkind in ('r', 'v', 'm', 'f', 'p') and ({' or '.join([*tables, *columns])})"
    )
    assert rows == []
    sequences = embedded.query(
        "select relname from pg_class c where relkind = 'S' and "
        "(has_sequence_privilege('tthc_analyst', c.oid, 'USAGE') or "
        "has_sequence_privilege('tthc_analyst', c.oid, 'SELECT') or "
        "has_sequence_privilege('tthc_analyst', c.oid, 'UPDATE'))"
    )
    assert sequences == []


def test_in_mart_there_is_nothing_but_reading(embedded: Warehouse) -> None:
    rows = embedded.query(
        "select relname from pg_class c where relnamespace = 'mart'::regnamespace and ("
        + " or ".join(
            f"has_table_privilege('tthc_analyst', c.oid, '{right}')"
            for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
        )
        + ")"
    )
    assert rows == []


def test_no_schema_is_open_but_mart_and_none_can_be_built_in(embedded: Warehouse) -> None:
    rows = embedded.query(
        "select nspname, has_schema_privilege('tthc_analyst', oid, 'USAGE') as usage, "
        "has_schema_privilege('tthc_analyst', oid, 'CREATE') as create from pg_namespace "
        "where nspname not like 'pg_temp%' and nspname not like 'pg_toast_temp%'"
    )
    assert {row["nspname"] for row in rows if row["usage"]} <= {"mart", "pg_catalog", "information_schema", "public"}
    assert [row["nspname"] for row in rows if row["create"]] == []
    assert embedded.query("select 1 from pg_class where relnamespace = 'public'::regnamespace") == []


def test_the_analyst_calls_three_functions_that_read_and_no_other(embedded: Warehouse) -> None:
    """They borrow their owner's rights, so where they look for names is fixed and nothing told becomes SQL."""
    rows = embedded.query(
        "select nspname || '.' || proname as name, prosecdef, provolatile, proconfig, prosrc, "
        "has_schema_privilege('tthc_analyst', n.oid, 'USAGE') "
        "and has_function_privilege('tthc_analyst', p.oid, 'EXECUTE') as callable "
        "from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname not in ('pg_catalog', 'information_schema')"
    )
    ours = [row for row in rows if row["callable"] or row["prosecdef"]]
    assert {row["name"] for row in ours} == {"mart.explain", "mart.figures_of", "mart.kpi_to_date"}
    for row in ours:
        assert row["provolatile"] == "s"
        assert "search_path=pg_catalog, pg_temp" in row["proconfig"]
        assert "execute" not in row["prosrc"].lower()


def test_the_analyst_goes_from_a_figure_to_rows_and_from_a_row_to_figures(role: psycopg.Connection[Any]) -> None:
    behind = "select source_id, row_no, dossier_key is null, file_sha256 from explain(%s, %s, %s) where in_numerator"
    ((source, row_no, is_form, sha256),) = role.execute(behind, ("resolved", "18373", "2026-01")).fetchall()
    assert (source, row_no, is_form) == ("mot_cua_csv", 2, False)
    ((source, row_no, is_form, form),) = role.execute(behind, ("received", "18394", "2026-Q1")).fetchall()
    assert (source, row_no, is_form) == ("tong_hop_06a_xlsx", 8, True)
    figures = "select outcome, counted_row_no, metric_id from figures_of(%s, null, %s) where basis is distinct from %s"
    for asked, outcome, counted in (((sha256, 2), "counted", 2), ((form, 8), "counted", None)):
        told = role.execute(figures, (*asked, "current_boundary")).fetchall()
        assert {row[:2] for row in told} == {(outcome, counted)}
        assert {"received", "resolved"} <= {row[2] for row in told}
    newest = "select file_sha256 from data_quality where source_id = 'mot_cua_csv' and night = '2026-03-21' limit 1"
    (again,) = role.execute(newest.encode()).fetchone() or ("",)
    told = role.execute(figures, (again, 2, "current_boundary")).fetchall()
    assert {row[:2] for row in told} == {("repeated", 2)}
    assert role.execute(figures, (sha256, 3, "")).fetchall() == [("refused", None, None)]
    assert role.execute(figures, (sha256, 99, "")).fetchall() == []


@pytest.mark.parametrize(
    "arguments",
    ["'happiness', '42', '2026-01'", "'received', '42', '2026-77'", "'received', '42', '2026-01', basis => 'x'"],
)
def test_a_question_about_no_figure_is_answered_in_a_sentence(role: psycopg.Connection[Any], arguments: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"no metric|no period|basis is"):
        role.execute(f"select * from explain({arguments})".encode())


def test_the_role_is_nobodys_superior_and_member_of_nothing(embedded: Warehouse) -> None:
    (row,) = embedded.query(
        "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, "
        "(select count(*) from pg_auth_members where member = pg_roles.oid) as memberships "
        "from pg_roles where rolname = 'tthc_analyst'"
    )
    assert not any(row.values())


FORBIDDEN = [
    "update mart.flow_day set received = 0",
    "delete from mart.flow_day",
    "insert into mart.flow_day (day) values (current_date)",
    "select * from core.dossier",
    "select * from core.delivery",
    "select * from ref.unit",
    "select * from rollup.counter",
    "select * from alerts.incident",
    "create temporary table mine (a int)",
    "create table mine (a int)",
    "create table public.mine (a int)",
    "create view public.mine as select 1",
    "create schema mine",
    "create function public.mine() returns int language sql as 'select 1'",
    "drop view mart.kpi",
    "comment on view mart.kpi is 'mine'",
    "truncate rollup.counter",
    "set role tthc",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "copy (select 1) to program 'true'",
    "copy mart.kpi to '/nowhere'",
    "select * from pg_authid",
    "select * from pg_shadow",
    "alter system set work_mem = '1GB'",
    "create extension dblink",
    "create database mine",
    "create role mine",
    "select pg_advisory_lock(7447001)",
    "select pg_try_advisory_lock(7447001)",
    "select pg_advisory_xact_lock_shared(1, 2)",
    "do $$ begin lock table core.writer in access share mode; end $$",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'mine')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_analyst_is_refused(role: psycopg.Connection[Any], statement: str) -> None:
    """Also after undoing what a role may undo for itself."""
    role.execute("set default_transaction_read_only = off")
    role.execute("set transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        role.execute(statement.encode())


def test_by_default_the_analyst_reads_only_and_not_for_ever(role: psycopg.Connection[Any]) -> None:
    shown = {
        name: (role.execute(f"show {name}".encode()).fetchone() or ("",))[0]
        for name in ("transaction_read_only", "statement_timeout", "idle_in_transaction_session_timeout", "search_path")
    }
    assert shown == {
        "transaction_read_only": "on",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "1min",
        "search_path": "mart",
    }


def test_the_password_is_its_owners_alone_and_nobody_logs_in_without_it(embedded: Warehouse) -> None:
    path: Path = embedded.settings.home / "analyst.password"
    assert path.stat().st_mode & 0o777 == 0o600
    with analyst(embedded) as connection, pytest.raises(psycopg.OperationalError):
        info = connection.info
        psycopg.connect(host=info.host, port=info.port, dbname="tthc", user="tthc_analyst", password="wrong")


def test_a_new_view_is_readable_after_the_next_init_and_the_rights_stay(embedded: Warehouse) -> None:
    pipeline.init(embedded.settings)
    with analyst(embedded) as connection:
        connection.execute(b"select count(*) from kpi")
        connection.execute(b"set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(b"create temporary table mine (a int)")


def test_an_analyst_who_forgets_to_commit_does_not_stop_the_night(
    embedded: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTHC_HOME", str(embedded.settings.home))
    with analyst(embedded) as connection:
        connection.autocommit = False
        for view in CONTRACT:
            connection.execute(f"select count(*) from {view}".encode())
        folder = embedded.drop({"mot_cua_csv/b.csv": csv_list([dossier("H42-260105-0009")])})
        began = time.monotonic()
        told = CliRunner().invoke(cli.app, ["load", "--drop", str(folder), "--as-of", "2026-03-22"])
        assert told.exit_code == 0, told.output
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_the_analyst_enters_the_warehouse_and_no_other_database(embedded: Warehouse, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"), analyst(embedded, database=database):
        pass


def test_the_analyst_makes_no_temporary_table_in_any_database_of_the_server(embedded: Warehouse) -> None:
    """Nor in one it may not enter today: the right stands at the database, for everybody."""
    rows = embedded.query(
        "select datname, has_database_privilege('tthc_analyst', datname, 'temporary') as makes_tables, "
        "has_database_privilege('tthc_analyst', datname, 'create') as makes_schemas from pg_database "
        "where datallowconn and datname in (current_database(), 'postgres', 'template1')"
    )
    assert len(rows) == 3
    assert {(row["makes_tables"], row["makes_schemas"]) for row in rows} == {(False, False)}


def test_no_lock_that_an_analyst_may_take_keeps_a_writer_waiting(embedded: Warehouse) -> None:
    """Whatever advisory lock, row or view somebody holds who may only read, the writers' place is free."""
    with analyst(embedded) as connection:
        connection.execute(b"begin")
        for view in CONTRACT:
            connection.execute(f"select * from mart.{view} limit 1".encode())
        rows = [dossier("H42-260105-0011")]
        assert embedded.load(date(2026, 3, 22), {"mot_cua_csv/z.csv": csv_list(rows)}).files == {"loaded": 1}
        pipeline.init(embedded.settings)  # nothing has changed: the reader is not disturbed
        connection.execute(b"select count(*) from mart.kpi")


def test_a_transaction_somebody_forgot_does_not_hold_up_new_views(embedded: Warehouse) -> None:
    """The views have changed: whoever forgot to commit is sent away, and may set no timeout against it."""
    with pytest.raises(psycopg.OperationalError), analyst(embedded) as connection:
        connection.execute(b"set idle_in_transaction_session_timeout = 0")
        connection.execute(b"begin")
        for view in CONTRACT:
            connection.execute(f"select * from mart.{view} limit 1".encode())
        with connect.transaction(embedded.settings) as owner:
            owner.execute(sa.text("comment on schema mart is 'older'"))
        pipeline.init(embedded.settings)
        connection.execute(b"select 1")
    with analyst(embedded) as connection:
        connection.execute(b"select count(*) from mart.kpi")
