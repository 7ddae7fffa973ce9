"""Every rule and reason that can open an incident: of the suites, and of `rules.csv`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tthc.reference.rules import DROPPED, FILE, NOTICE, PORTAL, told_rules
from tthc.settings import EXPECTATIONS
from tthc.staging import expectations

_SEVERITY = {
    expectations.QUARANTINE: "error",
    expectations.HOLD: "error",
    expectations.REJECT: "error",
    expectations.WARNING: "warning",
    expectations.WITHHOLD: "critical",
    "error": "error",
}
# Why a whole file is not loaded (FileRefused and what stages it), and why a portal's delivery is not believed.
FILE_REASONS = frozenset(one.rule_id for one in told_rules() if one.of == FILE)
PORTAL_REASONS = frozenset(one.rule_id for one in told_rules() if one.of == PORTAL)
_OPENS_NOTHING = {"CORRECTED"}  # somebody has reviewed it


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """A rule by its id, the suite it stands in ("" for what no suite decides), and the severity of its incidents."""

    rule_id: str
    suite: str
    severity: str


@cache
def meanings() -> dict[str, str]:
    """Rule → what is wrong, as a clerk reads it; of a rule that speaks of several columns all it may say."""
    found: dict[str, list[str]] = {}
    for path in sorted(EXPECTATIONS.glob("*.json")):
        for rule in expectations.suite(path.stem):
            found.setdefault(rule.rule_id, []).append(rule.vi)
    for one in told_rules():
        found.setdefault(one.rule_id, [one.vi])
    return {rule_id: "; ".join(dict.fromkeys(said)) for rule_id, said in found.items()}


def known_rules() -> tuple[Known, ...]:
    """All rules, each once. Raises ExpectationsNotRun for an empty suite and KeyError for a severity nobody knows."""
    found = set()
    for path in EXPECTATIONS.glob("*.json"):
        found |= {Known(rule.rule_id, path.stem, _SEVERITY[rule.severity]) for rule in expectations.suite(path.stem)}
    named = {rule.rule_id for rule in found}
    found |= {
        Known(one.rule_id, "", _SEVERITY[one.severity])
        for one in told_rules()
        if one.of not in {DROPPED, NOTICE} and one.rule_id not in named | _OPENS_NOTHING
    }
    return tuple(sorted(found))
