"""What can be said of a file form: the settings of a layout and of its columns, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tthc.reference.measures import Identity, Measure

FEEDS = ("dossier", "summary_06a", "summary", "manual_input", "procedure_catalogue")
SUMMARIES = ("summary_06a", "summary")
# Feeds whose rows are judged and refused one by one, each known by a key of its own.
KEYED = ("dossier", "manual_input")
KINDS = ("csv", "xlsx", "xls", "html", "json", "ndjson")
# What a column of each feed may mean. "row_no" of the contract (STT) is not among them: rows are numbered by the file.
CANONICAL = {
    "dossier": {
        "dossier_code", "procedure_code", "procedure_name", "field_name", "unit_name", "submitted_at", "received_at",
        "due_at", "finished_at", "returned_at", "channel", "service_level", "status", "supplement_count",
        "supplement_requested_at", "fee_amount", "payment_method", "paid_at", "components_digitised",
        "result_digitised", "result_electronic", "data_reused", "row_at",
    },
    "summary_06a": {
        "unit_code", "unit_name", "field_name", "row_mark", "received_total", "received_online", "received_direct",
        "carried_over", "resolved_total", "resolved_early", "resolved_on_time", "resolved_late", "in_progress_total",
        "in_progress_in_time", "in_progress_overdue",
    },
    # and every measure of measures.csv
    "summary": {"unit_code", "unit_name", "field_name", "row_mark"},
    "manual_input": {"indicator", "numerator", "denominator", "on_record"},
    "procedure_catalogue": {"procedure_code", "procedure_name", "field_name"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How a JSON column is taken out of a nested field: first, last, count or sum of a list, or any_of."""

    how: str
    list: str = ""
    item: str = ""
    any_of: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How a column follows from others of its row; one of the first four fields says in which way.

    `when_present`: `then` where that column is filled. `first_of`: the first of these columns that is filled. `join`:
    the texts of these columns, a space between; nothing where the first is empty. `after`: the day that comes `days`
    days (a number, or the column it stands in) after the day of that column, working days where `working`.
    `otherwise`: what the first two say of all other rows.
    """

    when_present: str = ""
    first_of: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    after: str = ""
    then: str = ""
    otherwise: str = ""
    days: str = ""
    working: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it follows from."""
        counted = () if not self.days or self.days.isdigit() else (self.days,)
        return (*filter(None, (self.when_present, self.after)), *self.first_of, *self.join, *counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Rows whose cell in `column` is, or is not, one of some words (compared folded; "" is an empty cell)."""

    column: str
    words: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One canonical column: the headings it may stand under and how its text is understood.

    `measure`: what a column of figures counts, in the feeds that summarise; it follows from the name.
    Empty `date_formats`, `thousands` and `decimal` mean those of the layout. A `helper` is read for conditions only.
    """

    name: str
    headings: tuple[str, ...]
    required: bool = False
    usual: bool = False
    helper: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    date_formats: tuple[str, ...] = ()
    null_words: tuple[str, ...] = ()
    thousands: str = ""
    decimal: str = ""
    decimals: int = 0
    part: str = ""
    pick: str = "last"
    when: Condition | None = None
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
    path: str = ""  # the file it was read from; not a setting
    ignored: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    derived: dict[str, Derivation] = field(default_factory=dict)
    unit_from: tuple[str, ...] = ("unit_name",)
    code_parts: tuple[str, ...] = ("dossier_code",)
    several_rows: str = ""
    only_rows: tuple[Condition, ...] = ()
    encodings: tuple[str, ...] = ("utf-8",)
    delimiters: tuple[str, ...] = (",", ";", "\t")
    records: str = ""
    record_fields: str = ""
    sheet: str = ""
    several_sheets: bool = False
    header_within: int = 20
    header_depth: int = 1
    titles: dict[str, str] = field(default_factory=dict)
    file_name: dict[str, str] = field(default_factory=dict)
    period_calendar: str = ""
    section_marks: tuple[str, ...] = ()
    identities: tuple[Identity, ...] = ()
    sections: dict[str, str] = field(default_factory=dict)
    total_words: tuple[str, ...] = ("Tổng số", "Tổng cộng", "Cộng", "Tổng số hồ sơ", "Tổng cộng số hồ sơ")
    subtotal_words: tuple[str, ...] = ("Cộng", "Tổng", "Lũy kế")
    footers: tuple[str, ...] = (
        r"người lập\b.*", r"lập biểu\b.*", r"thủ trưởng\b.*", r"xác nhận của\b.*", r"kế toán\b.*", r"ghi chú\b.*",
        r"(?:tm|kt|tl|tuq)\. .*", r"nơi nhận\b.*", r"(?:.{1,60},)? ?ngày .{0,6} ?tháng .{0,6} ?năm .*",
    )  # fmt: skip
    table_ends: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
    month_names: tuple[str, ...] = ()
    time_zone: str = ""
    source_zone: str = ""
    earliest: date = date(2010, 1, 1)
    holidays: str = "VN"
    null_words: tuple[str, ...] = ()
    yes_words: tuple[str, ...] = ()
    no_words: tuple[str, ...] = ()
    thousands: str = "."
    decimal: str = ","
    valid_from: date | None = None
    valid_to: date | None = None

    def column(self, name: str) -> Column | None:
        """The column of a canonical name, None where the layout has none."""
        return next((column for column in self.columns if column.name == name), None)
