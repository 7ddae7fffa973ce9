"""What the warehouse holds of include/reference: every list replaced when its files have changed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from tthc.domain.period import periods_between
from tthc.domain.text import fold, sort_key
from tthc.domain.working_days import working_index
from tthc.reference.comparison import read_comparison
from tthc.reference.files import fingerprint
from tthc.reference.index_766 import read_index_bands, read_index_components
from tthc.reference.kpis import read_metrics
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_calendar_overrides, read_targets
from tthc.reference.manual import read_indicators
from tthc.reference.measures import read_measures
from tthc.reference.procedures import read_procedures
from tthc.reference.reporting import read_reporting
from tthc.reference.sources import read_sources
from tthc.reference.units import check_successions, read_places, read_successions, read_units
from tthc.settings import Settings
from tthc.warehouse import trust
from tthc.warehouse.definitions import keep
from tthc.warehouse.load import follow_catalogue

Tables = dict[str, list[dict[str, Any]]]  # table → its rows
_LAST_YEAR = 2036  # of reporting; no date is plausible five years after its night


def load_reference(connection: sa.Connection, settings: Settings) -> None:
    """Replace the reference tables when the files have changed, and remember a fingerprint of what was loaded."""
    in_force = fingerprint(settings)
    if connection.execute(sa.text("select fingerprint from ref.loaded")).scalar() == in_force:
        return
    tables = {
        **_places(settings),
        **_time(settings),
        **_sources(settings),
        **_comparison(settings),
        **_manual(settings),
    }
    trusted = trust.order(connection)
    for name, rows in tables.items():
        _replace(connection, name, rows)
    trust.follow(connection, trusted)
    _load_procedures(connection, settings)
    connection.execute(
        sa.text(
            "insert into ref.loaded (fingerprint, registry_id) values (:fingerprint, :registry_id) "
            "on conflict (singleton) do update set fingerprint = excluded.fingerprint, "
            "registry_id = excluded.registry_id, loaded_at = now()"
        ),
        {"fingerprint": in_force, "registry_id": keep(connection, read_metrics(settings))},
    )


def _places(settings: Settings) -> Tables:
    """Units of the province and what became of them."""
    successions, places = read_successions(settings), read_places(settings)
    check_successions(successions, places)
    followed = {unit.unit_code for unit in places.units if unit.level != "province"}
    return {
        "ref.unit": [
            {
                **{n: getattr(u, n) for n in ("unit_code", "level", "kind", "name", "full_name", "parent_code")},
                "province_code": settings.province if u.unit_code == settings.province else u.province_code,
                "sort_key": sort_key(u.name),
                "valid_from": u.valid_from or date.min,
                "valid_to": u.valid_to or date.max,
            }
            for u in read_units(settings)
            if u.province_code == settings.province or u.level == "province"
        ],
        "ref.unit_succession": [
            {n: getattr(s, n) for n in ("old_code", "new_code", "effective_date", "is_partial", "weight")}
            for s in successions
            if s.old_code in followed
        ],
    }


def _time(settings: Settings) -> Tables:
    """Working days and reporting periods."""
    return {
        "ref.calendar": _calendar(settings),
        "ref.period": [
            {
                "calendar": p.calendar,
                "kind": p.kind,
                "label": p.label,
                "start_on": p.start,
                "end_on": p.end,
                "last_month": p.last_month,
            }
            for p in periods_between(_first_year(settings), _LAST_YEAR)
        ],
    }


def _first_year(settings: Settings) -> int:
    """The year before the earliest one in which a dossier of any layout may lie."""
    return min(layout.earliest for layout in read_layouts(settings).values()).year - 1


def _sources(settings: Settings) -> Tables:
    """Who delivers what, and by when."""
    sources = read_sources(settings)
    reporting = read_reporting(settings, sources)
    names = ("source_id", "units", "every", "working_days")
    return {
        "ref.source": [
            {name: getattr(s, name) for name in ("title", "priority", "delivery", "level")} | {"source_id": s.id}
            for s in sources.values()
        ],
        "ref.expected_reporter": [
            {**{n: getattr(rule, n) for n in names}, "unit_codes": list(rule.unit_codes)} for rule in reporting.expected
        ],
        "ref.coverage_floor": [{"floor": reporting.coverage_floor}],
    }


def _comparison(settings: Settings) -> Tables:
    """Targets of plans, what reports count, and how figures are set beside each other."""
    return {
        "ref.target": [
            {
                **{
                    n: getattr(t, n)
                    for n in (
                        "target_id", "document", "unit_code", "level_scope", "metric_id", "profile", "field_code",
                        "comparator", "period_from", "period_to", "source_line", "indicator",
                    )
                },
                "target_value": t.value,
                "note": "; ".join(filter(None, (t.base_note, t.ambiguity_note))) or None,
            }
            for t in read_targets(settings)
        ],
        "ref.measure": [
            {
                "measure": m.id,
                **{n: getattr(m, n) for n in ("title", "kind", "additive", "profile", "recomputed")},
            }
            for m in read_measures(settings).values()
        ],
        "ref.comparison": [asdict(read_comparison(settings))],
    }  # fmt: skip


def _manual(settings: Settings) -> Tables:
    """What is handed in by hand, and the index that needs it."""
    return {
        "ref.manual_indicator": [
            {"indicator": i.id, "version": i.version, "title": i.title, "levels": list(i.levels), "summed": i.summed}
            for i in read_indicators(settings).values()
        ],
        "ref.index_component": [asdict(component) for component in read_index_components(settings)],
        "ref.index_band": [asdict(band) for band in read_index_bands(settings)],
    }


def _replace(connection: sa.Connection, name: str, rows: list[dict[str, Any]]) -> None:
    schema, table_name = name.split(".")
    columns = list(rows[0]) if rows else []
    table = sa.table(table_name, *(sa.column(column) for column in columns), schema=schema)
    connection.execute(sa.delete(table))
    if rows:
        copy_rows(connection, name, columns, (tuple(row[column] for column in columns) for row in rows))
    connection.execute(sa.text(f"analyze {name}"))  # without, a first publication is planned for empty tables


def copy_rows(connection: sa.Connection, table: str, columns: list[str], rows: Any) -> None:
    """COPY tuples into a table of ours; `table` and `columns` come from this code, never from a file."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _calendar(settings: Settings) -> list[dict[str, Any]]:
    first, last = date(_first_year(settings), 1, 1), date(_LAST_YEAR, 12, 31)
    index = working_index(first, last, read_calendar_overrides(settings))
    return [
        {"day": day, "is_working": count > index.get(day - timedelta(days=1), 0), "working_index": count}
        for day, count in index.items()
    ]


def _load_procedures(connection: sa.Connection, settings: Settings) -> None:
    """The registry replaces what it said before; where it is silent, the lists of the catalogue feed speak."""
    connection.execute(sa.text("delete from ref.procedure"))
    rows = [
        {
            "procedure_code": p.procedure_code,
            "procedure_name": p.procedure_name,
            "field_code": p.field_code,
            "field_name": p.field_name,
            "field_key": fold(p.field_name) if p.field_name else None,
            "service_level": p.service_level,
            "yields_result": p.yields_result,
            "max_working_days": p.max_working_days,
        }
        for p in read_procedures(settings).values()
    ]
    if rows:
        connection.execute(
            sa.text(
                "insert into ref.procedure (procedure_code, procedure_name, field_code, field_name, field_key, "
                "service_level, yields_result, max_working_days, origin) values (:procedure_code, :procedure_name, "
                ":field_code, :field_name, :field_key, :service_level, :yields_result, :max_working_days, 'registry')"
            ),
            rows,
        )
    follow_catalogue(connection)
