"""Which rows of a list speak of one dossier, and what becomes of unwanted rows, older states and events of one case."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa

from tthc.domain.text import code_key
from tthc.reference.layout import Derivation, Layout
from tthc.staging.columns import NO_VALUE, clean_column, holds, parse_dates, part_of, translated

PLACE = ("file_no", "sheet", "row_no")
_HOMOGLYPHS = str.maketrans("ÐƉðɖ", "ĐĐđđ")
# Excel is made to take a code for text by an apostrophe before it, or by the formula ="…".
_KEPT_AS_TEXT = re.compile(r"""'(.+)|="(.+)\"""")
_FLOAT_CODE = re.compile(r"([0-9]+)[.,]0")
_SIXTEEN_DIGITS = r"[0-9]{16}[.,]0"
_TIME = r"^(?:18[0-9-]{8}T)?([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)$"
TRANSLATED = ("unit_name", "field_name", "procedure_code", "procedure_name")


@dataclass(slots=True)
class Texts:
    """Rows as cleaned text: `place` (file_no, sheet, row_no) and one column of texts, None for nothing, a canonical
    column. `dropped`: file_no → reason → rows left out. `told`: file_no → warning → rows."""

    place: pd.DataFrame
    cells: dict[str, pd.Series]
    dropped: dict[int, Counter[str]] = field(default_factory=dict)
    told: dict[int, Counter[str]] = field(default_factory=dict)

    def cell(self, name: str) -> pd.Series:
        """A column, empty where neither the file nor the layout has it."""
        return self.cells.get(name, pd.Series([None] * len(self.place), dtype=object))

    def keep(self, mask: pd.Series, reason: str) -> None:
        """Leave out the other rows, and count them."""
        if not mask.all():
            _count(self.dropped, self.place.loc[~mask, "file_no"], reason)
            self.place = self.place[mask].reset_index(drop=True)
            self.cells = {name: cells[mask].reset_index(drop=True) for name, cells in self.cells.items()}


def texts_of(table: pa.Table, layout: Layout) -> Texts:
    """The rows of a table that speak of dossiers, one row a dossier unless they contradict each other."""
    texts = Texts(
        place=table.select(list(PLACE)).to_pandas(),
        cells={
            name: clean_column(table.column(name), layout, layout.column(name))
            for name in table.column_names
            if name not in PLACE
        },
    )
    for column in layout.columns:
        if column.part and column.name in texts.cells:
            cells = part_of(texts.cells[column.name], column.part)
            texts.cells[column.name] = cells.where(cells.ne(NO_VALUE), None) if column.name == "dossier_code" else cells
    for name, constant in layout.constants.items():
        texts.cells[name] = pd.Series([constant] * table.num_rows, dtype=object)
    for condition in layout.only_rows:
        texts.keep(holds(texts.cell(condition.column), condition), "NOT_WANTED")
    _mend(texts, layout)
    for column in layout.columns:
        if column.codes and column.name in TRANSLATED:
            texts.cells[column.name] = translated(texts.cell(column.name), column)
    if "sheet" in layout.unit_from:
        texts.cells["sheet"] = texts.place["sheet"].astype(object)
    # A condition sees the cells as they stand in the file, whatever another condition takes away.
    masks = {c.name: holds(texts.cell(c.when.column), c.when) for c in layout.columns if c.when}
    for name, mask in masks.items():
        texts.cells[name] = texts.cell(name).where(mask, None)
    for column in layout.columns:
        if column.codes and column.helper:
            texts.cells[column.name] = translated(texts.cell(column.name), column)
    for name, derivation in layout.derived.items():
        if derivation.join:
            texts.cells[name] = _joined([texts.cell(part) for part in derivation.join])
    if layout.code_parts != ("dossier_code",):
        parts = pd.DataFrame({name: texts.cell(name).fillna("") for name in layout.code_parts})
        whole = parts.agg("/".join, axis=1).astype(object)
        known = texts.cell("dossier_code").notna() if "dossier_code" in parts else parts.astype(bool).any(axis=1)
        texts.cells["dossier_code"] = whole.where(known, None)
    if layout.several_rows:
        _combine(texts, layout)
    for name, derivation in layout.derived.items():
        if derivation.when_present or derivation.first_of:
            texts.cells[name] = _following(derivation, texts)
    return texts


def _joined(cells: Sequence[pd.Series]) -> pd.Series:
    """One text of several, where the first is filled. A time behind the real date of a workbook is its time."""
    whole = cells[0].astype("str")
    for more in cells[1:]:
        more = more.astype("str")
        day, time = whole.str.removesuffix("T00:00:00"), more.str.extract(_TIME, expand=False).astype("str")
        real = whole.notna() & day.ne(whole) & time.notna()
        whole = (whole + " " + more.fillna("")).str.rstrip()
        time = time[real].str.zfill(5)
        whole[real] = day[real] + "T" + time.where(time.str.count(":").ne(1), time + ":00")
    return whole.astype(object).where(whole.notna(), None)


def _following(derivation: Derivation, texts: Texts) -> pd.Series:
    """What follows from whether other columns are filled."""
    if derivation.when_present:
        present = texts.cell(derivation.when_present).notna()
        return present.map({True: derivation.then, False: derivation.otherwise}).astype(object)
    found = texts.cell(derivation.first_of[0])
    for name in derivation.first_of[1:]:
        found = found.where(found.notna(), texts.cell(name))
    return found.where(found.notna(), derivation.otherwise or None).astype(object)


def _mend(texts: Texts, layout: Layout) -> None:
    """What exporters do to letters and codes: Ð for Đ is told and mended, "12345.0" and '12345 are 12345."""
    for name, cells in texts.cells.items():
        words = [word for word in cells.dropna().unique() if word.translate(_HOMOGLYPHS) != word]
        if words:
            _count(texts.told, texts.place.loc[cells.isin(words), "file_no"], "HOMOGLYPH")
            texts.cells[name] = cells.replace({word: word.translate(_HOMOGLYPHS) for word in words})
    for name in ("unit_name", "dossier_code"):
        if name in texts.cells:
            bare = texts.cells[name].str.replace(_KEPT_AS_TEXT, lambda m: m[1] or m[2], regex=True)
            cells = texts.cells[name] = bare.astype(object).where(bare.notna(), None)
            if name == "dossier_code" and layout.kind in {"xlsx", "xls"}:
                cells = texts.cells[name] = _rounded_told(cells, texts.place["file_no"])
            floats = cells.str.fullmatch(_FLOAT_CODE).fillna(False).astype(bool)
            if floats.any():
                texts.cells[name] = cells.where(~floats, cells.str.replace(r"[.,]0$", "", regex=True))


def _rounded_told(codes: pd.Series, file_no: pd.Series) -> pd.Series:
    """Excel makes the sixteenth digit of a number 0. Where it is 0 in all such codes of a workbook they are written as
    longer ones, 2.6e+15, and refused; another digit proves that a program wrote them all, and whole."""
    long = codes.str.fullmatch(_SIXTEEN_DIGITS).fillna(False).astype(bool)
    if not long.any():
        return codes
    exact = file_no[long & ~codes.str.match(r"[0-9]{15}0").fillna(False).astype(bool)].unique()
    rounded = long & ~file_no.isin(exact)
    return codes.where(~rounded, codes[rounded].map(lambda code: f"{float(code[:16]):e}"))


def _combine(texts: Texts, layout: Layout) -> None:
    """Several rows of one dossier become one: the latest, or for events the first or last filled cell a column.

    Rows come in the order of `row_at`, those of one moment as they stand in the file. A row without a code, or with a
    moment that cannot be read, stays for itself and is refused later.
    """
    days, moments, unreadable = parse_dates(texts.cell("row_at"), layout, layout.column("row_at"))
    frame = texts.place.assign(**texts.cells, order=moments.fillna(days), at=range(len(texts.place)))
    code = texts.cell("dossier_code").map(code_key, na_action="ignore")
    alone = code.isna() | unreadable
    frame["key"] = code.where(~alone, None)
    ordered = frame[~alone].sort_values(["order", "at"], kind="stable", na_position="first")
    groups = ordered.groupby(["file_no", "key"], sort=False)
    latest = ordered[~ordered.duplicated(["file_no", "key"], keep="last")].set_index(["file_no", "key"])
    if layout.several_rows == "events":
        for name in texts.cells:
            derivation = layout.derived.get(name)
            column = layout.column(derivation.join[0] if derivation and derivation.join else name)
            picked = groups[name].first() if column and column.pick == "first" else groups[name].last()
            latest[name] = picked.reindex(latest.index)
    whole = pd.concat([latest.reset_index(), frame[alone]], ignore_index=True).sort_values("at", ignore_index=True)
    reason = "EVENT" if layout.several_rows == "events" else "OLDER_STATE"
    gone = frame.loc[~frame["at"].isin(whole["at"]), "file_no"]
    _count(texts.dropped, gone, reason)
    texts.place = whole[list(PLACE)]
    texts.cells = {name: whole[name].astype(object).where(whole[name].notna(), None) for name in texts.cells}


def _count(counts: dict[int, Counter[str]], file_numbers: pd.Series, reason: str) -> None:
    for number, rows in file_numbers.value_counts().items():
        counts.setdefault(int(str(number)), Counter())[reason] += int(rows)
