"""Drawn cases: a text table of dossiers and of the figures expected of them, run through the real pipeline.

A test marked `@pytest.mark.drawn(TABLE, night="10/04")` asks for the fixture `drawn` and calls `drawn.holds()`. All
drawings of a night are loaded together, each as the export of a commune of its own.

Columns of facts (any order, any subset): `dossier` its name; `trap` what it shows, "tiếng Việt / English", which is not
loaded; `told` the night of the export, where a dossier has several states; `received`, `due`, `finished`, `returned`;
`status` a number; `asked` requests for a supplement as "2: 14/01", number and day of the last; `channel` tt | trực tiếp
| bcci; `level`; `fee`; `paid` trực tuyến | tiền mặt | chuyển khoản; `parts`, `result`, `e-result`, `reused` x or empty;
`max` the procedure's longest time in working days; `yields` "no" for a procedure without a result; `from` csv (default),
xlsx or json. Days are `dd/mm`, of 2025 from September on, else of 2026.

Columns of expectations begin with `=`:
  `= 06A`      how form 06a of the report quarter counts it: "received" or "carried over", then "early", "on time",
               "withdrawn", "late", "in time", "stopped" or "overdue"; "-" nowhere; or the rule that quarantined it.
  `= 766`      "in time", "late" or "-", of the calendar quarter.
  `= <metric>[ <profile>]`  numerator/denominator of mart.kpi in the report quarter, "-" where there is no row; of the
               calendar quarter with `[c]` at the end, of another period with `[2026-03]` or `[c 2025]`.
A dossier is its own field (lĩnh vực), so each expectation is read from the published row of that one dossier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from exports import STATUS_WORDS, Row
from warehouses import Warehouse

_CHANNELS = {
    "tt": "Trực tuyến",
    "trực tuyến": "Trực tuyến",
    "trực tiếp": "Trực tiếp",
    "bcci": "Bưu chính công ích (BCCI)",
    "": "Trực tiếp",
}
_PAID = {"trực tuyến": "Trực tuyến", "tiền mặt": "Tiền mặt", "chuyển khoản": "Chuyển khoản"}
_LEVELS = {"toàn trình": "Toàn trình", "một phần": "Một phần", "thông tin": "Cung cấp thông tin"}
_FLAGS = {
    "parts": "components_digitised",
    "result": "result_digitised",
    "e-result": "result_electronic",
    "reused": "data_reused",
}
_DATES = {"received": "received_at", "due": "due_at", "finished": "finished_at", "returned": "returned_at"}
_FACTS = {
    "dossier",
    "trap",
    "told",
    "status",
    "asked",
    "channel",
    "level",
    "fee",
    "paid",
    "max",
    "yields",
    "from",
    *_FLAGS,
    *_DATES,
}
PROCEDURE_COLUMNS = "procedure_code,procedure_name,field_code,field_name,service_level,fee_bearing,yields_result,max_working_days,source"


def whole_date(text: str) -> str:
    """dd/mm[/yyyy][ hh:mm] with its year: 2025 from September on, else 2026."""
    day, _, clock = text.partition(" ")
    if day and day.count("/") == 1:
        day += "/2025" if int(day.split("/")[1]) >= 9 else "/2026"
    return f"{day} {clock}".strip()


def day_of(text: str) -> date:
    return datetime.strptime(whole_date(text), "%d/%m/%Y").date()


def lines_of(text: str) -> list[dict[str, str]]:
    """The rows of a drawn table, as a dictionary by heading each."""
    lines = [line for line in text.splitlines() if line.strip() and not re.fullmatch(r"[\s\-+]+", line)]
    header, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in rows]


def procedure_of(line: dict[str, str]) -> tuple[str, str]:
    """(code, row of procedures.csv) of a procedure with the limit and result a line asks for; no field of its own."""
    limit, yields = line.get("max", ""), line.get("yields") != "no"
    code = f"9.{2 - yields}{int(limit or 0):05d}"
    return code, f"{code},Thủ tục vẽ trong kiểm thử,,,,true,{str(yields).lower()},{limit},drawn in a test"


@dataclass(slots=True)
class Drawing:
    """One drawn table, and where it was loaded."""

    text: str
    unit_code: str
    unit_name: str
    number: int
    night: date
    warehouse: Warehouse | None = None
    lines: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = lines_of(self.text)
        unknown = {name for name in self.lines[0] if not name.startswith("=")} - _FACTS
        assert not unknown, f"columns {unknown} mean nothing"

    def code(self, line: dict[str, str]) -> str:
        """A dossier code that no other drawing has."""
        return f"H42.{self.number}-{day_of((line.get('received') or '01/01').split()[0]):%y%m%d}-{line['dossier']}"

    def field(self, line: dict[str, str]) -> str:
        return f"{self.number} {line['dossier']}"

    def file_name(self, line: dict[str, str]) -> str:
        source = {"": "mot_cua_csv", "csv": "mot_cua_csv", "xlsx": "mot_cua_xlsx", "json": "dvcqg_json"}[
            line.get("from", "")
        ]
        return f"{source}/{self.number:03d}.{source.rpartition('_')[2]}"

    def told(self, line: dict[str, str]) -> date:
        return day_of(line["told"]) if line.get("told") else self.night

    def row(self, line: dict[str, str]) -> Row:
        """A line as the words of a one-stop list."""
        asked, _, when = line.get("asked", "").partition(":")
        made: Row = {
            "dossier_code": self.code(line),
            "procedure_code": procedure_of(line)[0],
            "field_name": self.field(line),
            "unit_name": self.unit_name,
            **{name: whole_date(line.get(drawn, "")) for drawn, name in _DATES.items()},
            "channel": _CHANNELS[line.get("channel", "")],
            "service_level": _LEVELS.get(line.get("level", ""), ""),
            "status": STATUS_WORDS[int(line.get("status") or (9 if line.get("finished") else 4))],
            "supplement_count": asked.strip(),
            "supplement_requested_at": whole_date(when.strip()),
            "fee_amount": line.get("fee", ""),
            "payment_method": _PAID.get(line.get("paid", ""), ""),
        }
        for drawn, name in _FLAGS.items():
            made[name] = "Có" if line.get(drawn) == "x" else ""
        return made

    def holds(self) -> None:
        """Compare every expectation with what is published; all differences at once."""
        newest = {line["dossier"]: line for line in self.lines}
        wrong = []
        asked = 0
        for line in newest.values():
            for heading, wanted in line.items():
                if heading.startswith("="):
                    asked += 1
                    seen = self._seen(heading.removeprefix("=").strip(), line)
                    if seen != wanted:
                        wrong.append(f"{line['dossier']}, {heading}: drawn {wanted!r}, published {seen!r}")
        assert asked, "a drawing without an expectation"
        assert not wrong, "\n".join([*wrong, self.text])

    def _seen(self, expectation: str, line: dict[str, str]) -> str:
        found = re.fullmatch(r"(.+?)(?: \[(c)?\s*(\S+)?\])?", expectation)
        assert found
        name, civil, label = found.groups()
        calendar = "CALENDAR" if civil or name == "766" else "VPCP_15_14"
        key = {"unit": self.unit_code, "period": label or "2026-Q1", "calendar": calendar}
        if name == "06A":
            return self._in_form(line, key)
        metric, _, profile = ("on_time IDX766" if name == "766" else name).partition(" ")
        assert self.warehouse
        figure = self.warehouse.figure(metric, profile=profile or "*", field_code=self.field(line), **key)
        if name == "766":
            return {None: "-", (1, 1): "in time", (0, 1): "late"}[figure]
        if figure is None:
            return "-"
        return str(figure[0]) if figure[1] is None else f"{figure[0]}/{figure[1]}"

    def _in_form(self, line: dict[str, str], key: dict[str, str]) -> str:
        assert self.warehouse
        refused = self.warehouse.query(
            "select rule_id from core.quarantine join core.delivery using (delivery_id) "
            "where source_id || '/' || file_name = :name and row_no = :row and night = :night",
            name=self.file_name(line),
            row=self._row_no(line),
            night=self.told(line),
        )
        if refused:
            return refused[0]["rule_id"]
        rows = self.warehouse.query(
            "select * from mart.form_06a where unit_code = :unit and period_label = :period "
            "and period_calendar = :calendar and basis = 'as_reported' and field_code = :field",
            field=self.field(line),
            **key,
        )
        return _words(rows[0]) if rows else "-"

    def _row_no(self, line: dict[str, str]) -> int:
        together = [
            other
            for other in self.lines
            if (self.told(other), self.file_name(other)) == (self.told(line), self.file_name(line))
        ]
        return together.index(line) + (1 if self.file_name(line).endswith(".json") else 2)


def _words(row: dict[str, Any]) -> str:
    """A form row of one dossier in words; the identities of the form are looked at on the way."""
    assert row["received_total"] == row["received_online"] + row["received_direct"] + row["carried_over"]
    assert row["resolved_total"] == row["resolved_early"] + row["resolved_on_time"] + row["resolved_late"]
    assert row["in_progress_total"] == row["in_progress_in_time"] + row["in_progress_overdue"]
    assert row["received_total"] == row["resolved_total"] + row["in_progress_total"] == 1
    came = "carried over" if row["carried_over"] else "received"
    if row["resolved_total"]:
        names = {"resolved_early": "early", "resolved_late": "late"}
        how = next((word for name, word in names.items() if row[name]), "withdrawn" if row["withdrawn"] else "on time")
    else:
        how = "overdue" if row["in_progress_overdue"] else "stopped" if row["stopped"] else "in time"
    return f"{came}, {how}"
