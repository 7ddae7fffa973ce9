"""Every rule that can open an incident, from where the rules themselves stand: suites and tables of words."""

from __future__ import annotations

from dataclasses import dataclass

from tthc.settings import EXPECTATIONS
from tthc.staging import expectations
from tthc.staging.parse import RULES

_SEVERITY = {
    expectations.QUARANTINE: "error",
    expectations.HOLD: "error",
    expectations.REJECT: "error",
    expectations.WARNING: "warning",
    expectations.WITHHOLD: "critical",
}


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """A rule by its id, the suite it stands in ("" for what parsing decides), and the severity of its incidents."""

    rule_id: str
    suite: str
    severity: str


def known_rules() -> tuple[Known, ...]:
    """All rules, each once. Raises ExpectationsNotRun for an empty suite and KeyError for a severity nobody knows."""
    found = {Known(rule_id, "", "error") for rule_id in RULES}
    for path in EXPECTATIONS.glob("*.json"):
        found |= {Known(rule.rule_id, path.stem, _SEVERITY[rule.severity]) for rule in expectations.suite(path.stem)}
    return tuple(sorted(found))
