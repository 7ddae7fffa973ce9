"""Text becomes types: one declared parser per column, applied to whole columns; what cannot be understood says why.

`Parsed.rows` has one row a data row that could be understood, with the columns of `DOSSIER_COLUMNS`. Days are
midnights (`_on`); moments with a time of day stand beside them (`_at`), empty where the cell named a day only.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tthc.domain.text import code_key, fold, may_tell_of_a_person
from tthc.reference.corrections import Correction
from tthc.reference.layout import Derivation, Layout
from tthc.reference.layout_faults import CODE_VALUES, is_pattern
from tthc.reference.manual import Indicator
from tthc.reference.rules import NOTE, ROW, words_of
from tthc.reference.units import Places
from tthc.staging.columns import NO_VALUE, parse_codes, parse_dates, parse_whole_numbers
from tthc.staging.days_after import days_after
from tthc.staging.dossier_rows import PLACE, texts_of
from tthc.staging.find_unit import units_of
from tthc.staging.reader import Reading

DATES = ("submitted", "received", "due", "finished", "returned", "supplement_requested", "paid")
CODED = ("status", "channel", "service_level", "payment_method")
FLAGS = ("components_digitised", "result_digitised", "result_electronic", "data_reused")
DOSSIER_COLUMNS = (
    "file_no", "sheet", "row_no", "dossier_key", "code_on", "code_root", "procedure_code", "procedure_name",
    "field_name", "unit_code", *CODED, *(f"{name}_on" for name in DATES), *(f"{name}_at" for name in DATES),
    "supplement_count", "fee_amount", *FLAGS, "earliest",
)  # fmt: skip

_CONTROL = r"[\x{0001}-\x{0008}\x{000e}-\x{001f}\x{007f}-\x{0084}\x{0086}-\x{009f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_YES = ("có", "x", "1", "true", "✓", "✔", "đúng")
_NO = ("không", "0", "false")
# In a code: neither printable ASCII nor a letter of Latin, as Vietnamese has them.
_STRANGE = re.compile("[^\x21-\x7e\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1ea0-\u1ef9]")
_ROUNDED = r"^[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]+$"
_ROUNDED_OR_DATE = rf"{_ROUNDED}|^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:]{{8}}$"
_TWO_CODES = r"(?i)(?:[a-z][0-9]{2}(?:\.[0-9]+)*-[0-9]{6}-[0-9]+.*){2}"
# Several words, Vietnamese ones, or marks alone, without a digit: «chưa có», «########».
_WORDS = r"^(?:\PN*[^\x21-\x7e\pN]\PN*|[^\pNA-Za-z]*)$"
_MOST_DAYS = 3660  # that a term may have
_PROCEDURE = r"^[0-9]\.[0-9]{6}$"
# Of Excel, and what Google Sheets and LibreOffice show instead: #ERROR!, Err:502.
_FORMULA_ERROR = r"^(?:#N/A|#DIV/0!|#NAME\?|#[A-Z_]+!|#GETTING_DATA|Err:[0-9]{3})$"
# Code of an agency, whose first part is the province's or the ministry's; day; number: H42.14-260105-0001.
_NATIONAL_CODE = r"^(?P<root>[A-Z]\d{2})(?:\.\d+)*-\d{6}-\d+$"

# Rule id → what a clerk reads of a refused row, and of what is accepted and told all the same. Never the value itself.
RULES, WARNINGS = words_of(ROW), words_of(NOTE)


@dataclass(slots=True)
class Parsed:
    """`rows` and `refused` carry `file_no`; `refused` has one row per (row, rule) with the columns REFUSED, dossier_key
    and unit_code where the row lets them be known. `duplicates`: file_no → rows dropped because the file says the same
    twice. `dropped` and `told`: file_no → reason or warning → rows."""

    rows: pd.DataFrame
    refused: pd.DataFrame
    duplicates: dict[int, int]
    dropped: dict[int, Counter[str]] = field(default_factory=dict)
    told: dict[int, Counter[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """What parsing needs to know besides the layout: units, status words, key, province, the night, the corrections of
    the source, the indicators units state themselves and the days on which work differs from the rule."""

    places: Places
    status_words: dict[str, str]
    hmac_key: bytes
    province: str
    night: date
    corrections: tuple[Correction, ...] = ()
    indicators: Mapping[str, Indicator] = field(default_factory=dict)
    calendar: Mapping[date, bool] = field(default_factory=dict)


class _Refusals:
    def __init__(self, place: pd.DataFrame) -> None:
        self._place = place
        self._parts: list[pd.DataFrame] = []

    def add(self, mask: pd.Series, column: str, rule: str) -> None:
        if mask.any():
            self._parts.append(self._place[mask].assign(column=column, rule_id=rule))

    def indices(self) -> pd.Index:
        return pd.Index([]) if not self._parts else pd.concat(self._parts).index.unique()

    def frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The refusals, with whose row it is and of which dossier, as far as its other cells tell."""
        if not self._parts:
            return nothing_refused()
        found = pd.concat(self._parts)
        unreadable = found.index[found["column"].eq("dossier_code")]
        whose = rows.loc[found.index, ["dossier_key", "unit_code"]].astype(object)
        found["dossier_key"] = whose["dossier_key"].where(~found.index.isin(unreadable), None)
        found["unit_code"] = whose["unit_code"]
        return found.reset_index(drop=True)


REFUSED = (*PLACE, "column", "rule_id", "dossier_key", "unit_code")


def nothing_refused() -> pd.DataFrame:
    """An empty table of refusals."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in REFUSED})


def parse_dossiers(readings: Sequence[Reading], layout: Layout, meanings: Meanings) -> Parsed:
    """Type every column of dossier lists of one layout; `file_no` is the position in `readings`.

    Exact duplicates within a file are counted and dropped before anything is judged.
    """
    whole = pa.concat_tables(
        [_with_titles(reading, number) for number, reading in enumerate(readings)], promote_options="default"
    )
    table, duplicates = _without_duplicates(whole)
    texts = texts_of(table, layout)
    cell = texts.cell
    refusals = _Refusals(texts.place)
    for name, cells in texts.cells.items():
        _refuse_unreadable(cells, name, refusals)
    rows = texts.place.copy()
    from_1904 = rows["file_no"].map(dict(enumerate(reading.epoch_1904 for reading in readings)))

    for name in (*DATES, "row"):
        on, at, bad = parse_dates(cell(f"{name}_at"), layout, layout.column(f"{name}_at"), epoch_1904=from_1904)
        refusals.add(bad, f"{name}_at", "DATE_INVALID")
        if name != "row":
            rows[f"{name}_on"], rows[f"{name}_at"] = on, at
    returned_only = rows["finished_on"].isna()
    for name, derivation in layout.derived.items():
        if derivation.after:
            rows[f"{name.removesuffix('_at')}_on"] = _counted_days(derivation, rows, cell, refusals, layout, meanings)
    for name in CODED:
        words, otherwise = _words(layout, name, meanings)
        rows[name], bad = parse_codes(cell(name), words, required=name == "status", otherwise=otherwise)
        refusals.add(bad, name, f"UNKNOWN_{name.upper()}")
    rows["status"] = pd.to_numeric(rows["status"]).astype("Int16")
    rows["channel"] = pd.to_numeric(rows["channel"]).astype("Int16")
    # A dossier given back (10) without a finish is finished on the day it was given back.
    returned_only &= rows["status"].eq(10).fillna(False).astype(bool)
    for part in ("on", "at"):
        rows.loc[returned_only, f"finished_{part}"] = rows.loc[returned_only, f"returned_{part}"]
    for name in FLAGS:
        words, otherwise = _words(layout, name, meanings)
        rows[name], bad = parse_codes(cell(name), words, required=False, otherwise=otherwise)
        rows[name] = rows[name].map({"1": True, "0": False}).astype("boolean")
        refusals.add(bad, name, "UNKNOWN_FLAG")
    for name in ("supplement_count", "fee_amount"):
        rows[name], bad = parse_whole_numbers(cell(name), layout, layout.column(name))
        refusals.add(bad, name, "NUMBER_FORMAT")
        refusals.add(rows[name].fillna(0).lt(0), name, "RANGE")

    rows["procedure_code"] = _procedure_codes(cell("procedure_code"), layout)
    malformed = ~rows["procedure_code"].astype("str").str.match(_PROCEDURE).fillna(False).astype(bool)
    refusals.add(malformed & ("procedure_code" in texts.cells), "procedure_code", "CODE")
    rows["procedure_name"], named = cell("procedure_name"), cell("field_name")
    # "*" means all fields in every figure; no field has a name of a page, and a number of a person or dossier is of
    # columns that slipped: such a cell names no field.
    telling = named.isin([text for text in named.dropna().unique() if may_tell_of_a_person(text)])
    rows["field_name"] = named.where(named.ne("*") & named.fillna("").str.len().le(300) & ~telling, None)

    of_one_cell = layout.code_parts == ("dossier_code",)
    said = pa.array(cell("dossier_code"), pa.string())
    told_otherwise = _mask(pc.match_substring_regex(said, rf"{_FORMULA_ERROR}|^{re.escape(NO_VALUE)}$"))
    wordy = _mask(pc.match_substring_regex(said, _WORDS)) & ~told_otherwise & of_one_cell
    refusals.add(cell("dossier_code").isna() | wordy, "dossier_code", "DOSSIER_CODE_MISSING")
    rounded = _mask(pc.match_substring_regex(said, _ROUNDED_OR_DATE if of_one_cell else _ROUNDED))
    refusals.add(rounded, "dossier_code", "DOSSIER_CODE_ROUNDED")
    refusals.add(_mask(pc.match_substring_regex(said, _TWO_CODES)), "dossier_code", "CELL_SHAPE")
    for name in ("dossier_code", "procedure_name", "field_name"):  # every other column has words or a form of its own
        refusals.add(cell(name).eq(NO_VALUE).fillna(False).astype(bool), name, "CELL_SHAPE")
    refusals.add(_strange_codes(cell("dossier_code")), "dossier_code", "DOSSIER_CODE_LETTERS")
    rows["dossier_key"] = dossier_keys(cell("dossier_code"), meanings)
    codes = cell("dossier_code").map(code_key, na_action="ignore")
    rows["code_on"] = pd.to_datetime(
        codes.astype("str").str.extract(r"-([0-9]{6})-", expand=False), format="%y%m%d", errors="coerce"
    )
    roots = pc.extract_regex(pa.array(codes, pa.string()), _NATIONAL_CODE)
    rows["code_root"] = pd.Series(pc.struct_field(roots, "root").to_pandas(), dtype=object)
    counted = ~rows["status"].isin([1, 3]).fillna(False).astype(bool)
    refusals.add(cell("received_at").isna() & counted, "received_at", "RECEIVED_MISSING")
    rows["unit_code"], elsewhere = units_of(cell, rows["received_on"], layout, meanings.places, meanings.night)
    rows["earliest"] = pd.Timestamp(layout.earliest)
    refusals.add(elsewhere, "unit_name", "SCOPE")
    refusals.add(rows["unit_code"].isna() & ~elsewhere, "unit_name", "UNKNOWN_UNIT")

    ragged = pd.DataFrame(
        [(number, *row[:2], "", row[2]) for number, reading in enumerate(readings) for row in reading.ragged],
        columns=[*PLACE, "column", "rule_id"],
    )
    refused = pd.concat([ragged, refusals.frame(rows)], ignore_index=True).reindex(columns=list(REFUSED))
    refused = refused.astype(object).where(refused.notna(), None)
    understood = _said_once(rows.drop(index=refusals.indices()).reset_index(drop=True), duplicates)
    return Parsed(understood[list(DOSSIER_COLUMNS)], refused, duplicates, texts.dropped, texts.told)


def _with_titles(reading: Reading, number: int) -> pa.Table:
    """The rows with their file's number; what the form says once above the table is said of every row."""
    table, count = reading.table, reading.table.num_rows
    for name, value in reading.titles.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * count, pa.string()))
    return table.append_column("file_no", pa.array([number] * count, pa.int32()))


def _without_duplicates(table: pa.Table) -> tuple[pa.Table, dict[int, int]]:
    """Rows of one file equal in every mapped column are one row, wherever they stand; rows of which nobody knows whose
    they are, without a code or with a failed formula for it, are not."""
    frame = table.drop_columns(["sheet", "row_no"]).to_pandas()
    repeated = frame.duplicated(keep="first")
    if "dossier_code" in frame:
        codes = frame.loc[repeated, "dossier_code"].fillna("").str.strip()
        repeated[codes.index[codes.eq("") | codes.str.match(_FORMULA_ERROR)]] = False
    counts = {int(str(number)): int(count) for number, count in frame.loc[repeated, "file_no"].value_counts().items()}
    return (table.filter(pa.array(~repeated)) if counts else table), counts


def _said_once(rows: pd.DataFrame, duplicates: dict[int, int]) -> pd.DataFrame:
    """Rows of one file that say the same in other words ("Có" and "x") are one row too; counted in `duplicates`."""
    several = rows[rows.duplicated(["file_no", "dossier_key"], keep=False)]
    if several.empty:
        return rows
    repeated = several[several.drop(columns=["sheet", "row_no"]).duplicated(keep="first")]
    for number, count in repeated["file_no"].value_counts().items():
        duplicates[int(str(number))] = duplicates.get(int(str(number)), 0) + int(count)
    return rows.drop(index=repeated.index).reset_index(drop=True)


def _refuse_unreadable(cells: pd.Series, name: str, refusals: _Refusals) -> None:
    words = pa.array(cells, pa.string())
    refusals.add(_mask(pc.match_substring(words, "\0")), name, "NUL_BYTE")
    refusals.add(_mask(pc.match_substring_regex(words, _FORMULA_ERROR)), name, "CELL_ERROR")
    refusals.add(_mask(pc.match_substring_regex(words, _CONTROL)), name, "CONTROL_CHAR")
    refusals.add(_mask(pc.match_substring(words, "\ufffd")), name, "REPLACEMENT_CHAR")


def _mask(found: pa.Array) -> pd.Series:
    return pd.Series(pc.fill_null(found, False).to_numpy(zero_copy_only=False))


def _words(layout: Layout, name: str, meanings: Meanings) -> tuple[dict[str, object], object]:
    """Word → code of a coded column, and the code of every other word (... where there is none)."""
    column = layout.column(name)
    words: dict[str, object] = dict(meanings.status_words) if name == "status" else {}
    if name in FLAGS:
        words = {**dict.fromkeys((*_YES, *layout.yes_words), "1"), **dict.fromkeys((*_NO, *layout.no_words), "0")}
    if name in layout.derived:
        words |= {code: code for code in CODE_VALUES[name]}
    if column is None:
        return words, ...
    own = {word if is_pattern(word) else fold(word): code for word, code in column.codes.items()}
    return {**{fold(word): code for word, code in words.items()}, **own}, (
        ... if column.otherwise is None else column.otherwise
    )


def _counted_days(
    derivation: Derivation,
    rows: pd.DataFrame,
    cell: Callable[[str], pd.Series],
    refusals: _Refusals,
    layout: Layout,
    meanings: Meanings,
) -> pd.Series:
    """The days that come so many days after others, None where either is unknown."""
    start = rows[f"{derivation.after.removesuffix('_at')}_on"]
    if derivation.days.isdigit():
        counts = pd.Series(int(derivation.days), index=rows.index, dtype="Int64")
    else:
        counts, bad = parse_whole_numbers(cell(derivation.days), layout, layout.column(derivation.days))
        refusals.add(bad, derivation.days, "NUMBER_FORMAT")
        odd = ~counts.between(0, _MOST_DAYS).fillna(True).astype(bool)
        refusals.add(odd, derivation.days, "RANGE")
        counts = counts.mask(odd)
    calendar = meanings.calendar if derivation.working else None
    return days_after(start, counts, calendar, layout.earliest, layout.holidays)


def _procedure_codes(cells: pd.Series, layout: Layout) -> pd.Series:
    """In a workbook the code 2.000930 may be a number, whose last zeros are lost."""
    if layout.kind not in {"xlsx", "xls"}:
        return cells
    form = rf"(\d){re.escape(layout.decimal)}(\d{{1,6}})"
    numbers = cells.str.fullmatch(form).fillna(False).astype(bool)
    padded = cells.str.replace(form, lambda match: f"{match[1]}.{match[2]:0<6}", regex=True)
    return cells.where(~numbers, padded)


def _strange_codes(codes: pd.Series) -> pd.Series:
    """Codes that hold what no keyboard of the desks writes; characters nobody sees and wide ones are no harm."""
    odd = _mask(pc.invert(pc.string_is_ascii(pa.array(codes, pa.string()))))
    return codes.isin([code for code in codes[odd] if _STRANGE.search(code_key(code))])


def dossier_keys(codes: pd.Series, meanings: Meanings) -> pd.Series:
    """Keyed hash of the normalised dossier code within its province, as the text of a UUID; None without a code.

    HMAC-SHA-256 cut to 128 bits. The code itself goes no further than this function.
    """

    def key(code: str) -> str:
        message = f"{meanings.province}|{code_key(code)}".encode()
        digest = hmac.digest(meanings.hmac_key, message, "sha256").hex()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    return codes.map(key, na_action="ignore")


def explain(rule_id: str, heading: str) -> str:
    """The sentence a clerk reads about a refused cell, without its value."""
    reason = RULES[rule_id]
    return f"Cột «{heading}»: {reason}" if heading else reason[:1].upper() + reason[1:]
