"""The rules as people read them: what is checked, why, how gravely, who can mend it, and how often it failed lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.serving.figures import statement
from tthc.staging import expectations
from tthc.staging.expectations import Rule
from tthc.staging.expected import of_cell
from tthc.staging.parse import RULES

NIGHTS_SHOWN = 28
SUITES = {
    "dossier_row": ("Dòng hồ sơ", "Rows of dossiers"),
    "dossier_sender": ("Cách làm của nơi gửi", "What a sender does to all dossiers alike"),
    "dossier_source": ("Hồ sơ biết từ hai nguồn", "Dossiers known from two sources"),
    "manual_row": ("Dòng biểu nhập tay", "Rows of manual input"),
    "dossier_file": ("Tệp", "Files"),
    "figure": ("Số liệu", "Figures"),
}
SEVERITIES = {
    expectations.QUARANTINE: "cách ly dòng",
    expectations.WARNING: "cảnh báo",
    expectations.HOLD: "giữ tệp",
    expectations.REJECT: "từ chối tệp",
    expectations.WITHHOLD: "giữ số liệu",
}
OWNERS = {"source": "nơi gửi", "engineer": "kỹ sư"}


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


def reading_rules() -> list[tuple[str, str, str]]:
    """(rule, what is wrong, what is expected) of cells and rows that cannot be understood; parsing refuses these."""
    return [(rule_id, vi, of_cell(rule_id, "", {})) for rule_id, vi in RULES.items()]


def lately(connection: sa.Connection) -> Mapping[str, Any]:
    """Rule → how often it failed in the last nights: rows_failed, nights, last_night. Absent: not once."""
    rows = connection.execute(statement("rules_lately"), {"nights": NIGHTS_SHOWN}).mappings()
    return {row["rule_id"]: row for row in rows}
