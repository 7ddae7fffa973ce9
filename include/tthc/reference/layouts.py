"""What an export looks like: layouts read from `layouts/*.toml`, one per file form a portal writes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.domain.period import PeriodCalendar
from tthc.reference.files import directories, read_toml
from tthc.reference.measures import Identity, Measure, identity_of, read_measures
from tthc.settings import Settings

FEEDS = ("dossier", "summary_06a", "summary", "procedure_catalogue")
SUMMARIES = ("summary_06a", "summary")
KINDS = ("csv", "xlsx", "json")
# What a column of each feed may mean. "row_no" of the contract (STT) is not among them: rows are numbered by the file.
CANONICAL = {
    "dossier": {
        "dossier_code", "procedure_code", "procedure_name", "field_name", "unit_name", "submitted_at", "received_at",
        "due_at", "finished_at", "returned_at", "channel", "service_level", "status", "supplement_count",
        "supplement_requested_at", "fee_amount", "payment_method", "paid_at", "components_digitised",
        "result_digitised", "result_electronic", "data_reused",
    },
    "summary_06a": {
        "unit_code", "unit_name", "field_name", "row_mark", "received_total", "received_online", "received_direct",
        "carried_over", "resolved_total", "resolved_early", "resolved_on_time", "resolved_late", "in_progress_total",
        "in_progress_in_time", "in_progress_overdue",
    },
    # and every measure of measures.csv
    "summary": {"unit_code", "unit_name", "field_name", "row_mark"},
    "procedure_catalogue": {"procedure_code", "procedure_name", "field_name"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How a JSON column is taken out of a nested field: count, last, sum or present of a list, or any_of."""

    how: str
    list: str = ""
    item: str = ""
    any_of: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One canonical column: the headings it may stand under and how its text is understood.

    `measure`: what a column of figures counts, in the feeds that summarise; it follows from the name.
    """

    name: str
    headings: tuple[str, ...]
    required: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    take: Taken | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A file form as data; CONTRIBUTING.md explains each setting with examples."""

    id: str
    title: str
    feed: str
    kind: str
    columns: tuple[Column, ...]
    ignored: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    derived: dict[str, dict[str, str]] = field(default_factory=dict)
    unit_from: tuple[str, ...] = ("unit_name",)
    encodings: tuple[str, ...] = ("utf-8",)
    delimiters: tuple[str, ...] = (",", ";", "\t")
    sheet: str = ""
    header_within: int = 20
    header_depth: int = 1
    titles: dict[str, str] = field(default_factory=dict)
    file_name: dict[str, str] = field(default_factory=dict)
    period_calendar: str = ""
    section_marks: tuple[str, ...] = ()
    identities: tuple[Identity, ...] = ()
    date_formats: tuple[str, ...] = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
    time_zone: str = ""
    null_words: tuple[str, ...] = ()
    total_words: tuple[str, ...] = ("Tổng số", "Tổng cộng", "Cộng")
    thousands: str = "."
    decimal: str = ","
    valid_from: date | None = None
    valid_to: date | None = None


_LISTS = {
    "ignored", "personal", "unit_from", "encodings", "delimiters", "date_formats", "null_words", "total_words",
    "section_marks",
}  # fmt: skip


def _column(layout_id: str, name: str, raw: dict[str, Any]) -> Column:
    unknown = set(raw) - {"headings", "required", "codes", "take"}
    if unknown:
        raise ReferenceFault(f"layout {layout_id!r}, column {name!r}: {sorted(unknown)} is not a setting of a column")
    take = raw.get("take")
    return Column(
        name=name,
        headings=tuple(raw.get("headings", ())),
        required=bool(raw.get("required", False)),
        codes={str(word): str(code) for word, code in raw.get("codes", {}).items()},
        take=Taken(
            how=take["how"], list=take.get("list", ""), item=take.get("item", ""), any_of=tuple(take.get("any_of", ()))
        )
        if take
        else None,
    )


def _layout(raw: dict[str, Any], where: str, measures: dict[str, Measure]) -> Layout:
    known = {f.name for f in fields(Layout)}
    unknown = set(raw) - known
    if unknown:
        raise ReferenceFault(f"{where}: {sorted(unknown)} is not a setting of a layout; known are {sorted(known)}")
    missing = {"id", "title", "feed", "kind", "columns"} - set(raw)
    if missing:
        raise ReferenceFault(f"{where}: {sorted(missing)} must be filled")
    if raw["feed"] not in FEEDS or raw["kind"] not in KINDS:
        raise ReferenceFault(f"{where}: feed must be one of {FEEDS} and kind one of {KINDS}")
    canonical = CANONICAL[raw["feed"]] | (set(measures) if raw["feed"] == "summary" else set())
    strange = {*raw["columns"], *raw.get("constants", {}), *raw.get("derived", {})} - canonical
    if strange:
        known_names = ", ".join(sorted(canonical))
        raise ReferenceFault(f"{where}: {sorted(strange)} is no column of feed {raw['feed']}; known are {known_names}")
    values: dict[str, Any] = {key: tuple(value) if key in _LISTS else value for key, value in raw.items()}
    columns = [_column(raw["id"], name, column) for name, column in raw["columns"].items()]
    if raw["feed"] in SUMMARIES:
        columns = [replace(column, measure=measures.get(column.name)) for column in columns]
        _check_summary(raw, where)
    values["columns"] = tuple(columns)
    values["identities"] = tuple(identity_of(text, where=where) for text in raw.get("identities", ()))
    if strange := {name for identity in values["identities"] for name in identity.names} - set(raw["columns"]):
        raise ReferenceFault(f"{where}: identities name {sorted(strange)}, which are no columns of this layout")
    return Layout(**values)


def _check_summary(raw: dict[str, Any], where: str) -> None:
    """A summary says whose figures it tells and of which period."""
    told = {*raw["columns"], *raw.get("titles", {}), *raw.get("file_name", {})}
    if "period" not in told or not told & {"unit_name", "unit_code"}:
        raise ReferenceFault(f"{where}: a summary takes its period and its unit from columns, titles or file_name")
    if raw.get("period_calendar", "VPCP_15_14") not in set(PeriodCalendar):
        raise ReferenceFault(f"{where}: period_calendar must be one of {[str(name) for name in PeriodCalendar]}")


def read_layouts(settings: Settings) -> dict[str, Layout]:
    """All layouts by id. `extends = "<id>"` starts from another layout's settings and columns."""
    measures = read_measures(settings)
    raws: dict[str, tuple[dict[str, Any], str]] = {}
    for directory in directories(settings):
        for path in sorted((directory / "layouts").glob("*.toml")):
            raw = read_toml(path)
            raws[raw.get("id", path.stem)] = ({"id": path.stem} | raw, str(path))

    def whole(layout_id: str, seen: tuple[str, ...]) -> dict[str, Any]:
        if layout_id not in raws or layout_id in seen:
            raise ReferenceFault(
                f"layout {seen[-1]!r} extends {layout_id!r}, which does not exist or extends it in turn"
            )
        raw = dict(raws[layout_id][0])
        if base_id := raw.pop("extends", None):
            base = whole(base_id, (*seen, layout_id))
            raw = base | raw | {"columns": base["columns"] | raw.get("columns", {})}
        return raw

    return {layout_id: _layout(whole(layout_id, ()), where, measures) for layout_id, (_, where) in raws.items()}
