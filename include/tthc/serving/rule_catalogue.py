"""The rules as people read them: what is checked, why, how gravely, who can mend it, and how often it failed lately.

Those of the suites in `expectations/`, and those of `reference/rules.csv`: of reading, of portals, of the run itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.reference.rules import DROPPED, FILE, NOTE, NOTICE, PORTAL, ROW, WHOLE, told_rules
from tthc.serving.figures import statement
from tthc.staging import expectations
from tthc.staging.expectations import Rule
from tthc.staging.expected import of_cell

NIGHTS_SHOWN = 28
SUITES = {
    "dossier_row": ("Dòng hồ sơ", "Rows of dossiers"),
    "dossier_sender": ("Cách làm của nơi gửi", "What a sender does to all dossiers alike"),
    "dossier_source": ("Hồ sơ biết từ hai nguồn", "Dossiers known from two sources"),
    "manual_row": ("Dòng biểu nhập tay", "Rows of manual input"),
    "dossier_file": ("Tệp", "Files"),
    "report": ("Báo cáo đối chiếu với nhau", "Reports beside each other"),
    "figure": ("Số liệu", "Figures"),
}
# What an entry of rules.csv is about → how its table is called.
OUTSIDE = {
    ROW: ("Đọc tệp: dòng không hiểu được", "What cannot be understood"),
    NOTE: ("Đọc tệp: nhận và báo lại", "Accepted and told"),
    DROPPED: ("Đọc tệp: dòng bỏ qua có đếm", "Rows dropped and counted"),
    FILE: ("Cả tệp không được nạp", "Files that are not loaded"),
    NOTICE: ("Không phải lỗi", "No fault"),
    PORTAL: ("Cổng không giao được", "What a portal did not deliver"),
    WHOLE: ("Báo cáo, đơn vị, lượt chạy", "Reports, units, the run"),
}
SEVERITIES = {
    expectations.QUARANTINE: "cách ly dòng",
    expectations.WARNING: "cảnh báo",
    expectations.HOLD: "giữ tệp",
    expectations.REJECT: "từ chối tệp",
    expectations.WITHHOLD: "giữ số liệu",
    "dropped": "bỏ dòng, có đếm",
    "deferred": "để lượt sau",
    "none": "không phải lỗi",
    "error": "lỗi",
}
OWNERS = {"source": "nơi gửi", "engineer": "kỹ sư", "operations": "người trực"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule. `vi`, `en`: what is wrong, of each column it speaks of; `why_vi`, `why`: why it exists, likewise."""

    rule_id: str
    severity: str
    owner: str
    vi: tuple[str, ...]
    en: tuple[str, ...]
    expected_vi: str
    why_vi: tuple[str, ...]
    why: tuple[str, ...]
    source: str


def catalogue() -> dict[str, list[Entry]]:
    """Suite → its rules in order, each once."""
    found: dict[str, list[Entry]] = {}
    for name in SUITES:
        by_id: dict[str, list[Rule]] = {}
        for rule in expectations.suite(name):
            by_id.setdefault(rule.rule_id, []).append(rule)
        found[name] = [_entry(rules) for rules in by_id.values()]
    return found


def _entry(rules: Sequence[Rule]) -> Entry:
    first = rules[0]
    return Entry(
        rule_id=first.rule_id,
        severity=first.severity,
        owner=first.owner,
        vi=tuple(dict.fromkeys(rule.vi for rule in rules)),
        en=tuple(dict.fromkeys(rule.en for rule in rules)),
        expected_vi=first.expected_vi,
        why_vi=tuple(dict.fromkeys(rule.why_vi for rule in rules)),
        why=tuple(dict.fromkeys(rule.why for rule in rules)),
        source=first.source,
    )


def outside() -> dict[str, list[Entry]]:
    """What it is about → the rules no suite decides, in order."""
    found: dict[str, list[Entry]] = {of: [] for of in OUTSIDE}
    for one in told_rules():
        found[one.of].append(
            Entry(
                rule_id=one.rule_id,
                severity=one.severity,
                owner=one.owner,
                vi=(one.vi,),
                en=(one.en,),
                expected_vi=of_cell(one.rule_id, "", {}) if one.of == ROW else "",
                why_vi=(one.why_vi,),
                why=(one.why,),
                source="",
            )
        )
    return found


def everything() -> dict[str, list[Entry]]:
    """Suite, or what it is about → its rules: all there are."""
    return {**catalogue(), **outside()}


def lines() -> str:
    """The catalogue as rows of a VALUES list, for the view mart.rule."""
    rows = (
        (
            *(entry.rule_id, name, entry.severity, entry.owner, "; ".join(entry.vi), "; ".join(entry.en)),
            *("; ".join(entry.why_vi), "; ".join(entry.why)),
        )
        for name, entries in everything().items()
        for entry in entries
    )
    quoted = (", ".join("'" + text.replace("'", "''") + "'" for text in row) for row in rows)
    return ",\n    ".join(f"({row})" for row in quoted)


def lately(connection: sa.Connection) -> Mapping[str, Any]:
    """Rule → how often it failed in the last nights: rows_failed, nights, last_night. Absent: not once."""
    rows = connection.execute(statement("rules_lately"), {"nights": NIGHTS_SHOWN}).mappings()
    return {row["rule_id"]: row for row in rows}
