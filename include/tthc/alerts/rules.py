"""Every rule and reason that can open an incident: of the suites, the tables of words, and the reasons listed here."""

from __future__ import annotations

from dataclasses import dataclass

from tthc.alerts.dispatch import CHANNEL_FAILED, STEP_FAILED, STEP_KILLED
from tthc.alerts.incidents import CHANGED, DIFFERS
from tthc.alerts.reporters import MISSING
from tthc.alerts.reviews import OVERDUE, UNUSED
from tthc.settings import EXPECTATIONS
from tthc.staging import expectations
from tthc.staging.parse import RULES, WARNINGS

_SEVERITY = {
    expectations.QUARANTINE: "error",
    expectations.HOLD: "error",
    expectations.REJECT: "error",
    expectations.WARNING: "warning",
    expectations.WITHHOLD: "critical",
}

# Why a whole file is not loaded (FileRefused and what stages it).
_FILE_REASONS = """
    CONTAINER DUPLICATE_COLUMN ENCODING ENCRYPTED EXTENT FIELD_NAME FILE_CORRUPT FILE_EMPTY FILE_TRUNCATED HEADER
    IDENTITY JSON_DEPTH JSON_SHAPE JSON_SYNTAX LEGACY_XLS MACRO MEMORY_LIMIT MISSING_COLUMN MISSING_TITLE NO_LAYOUT
    NUMBER_FORMAT PERCENT PERIOD RAGGED READER_DIED READER_TIMEOUT REPEATED_ROW ROW_LIMIT SEVERAL_SHEETS
    TOTAL_MISMATCH TYPE_MISMATCH UNCOMPRESSED_LIMIT UNKNOWN_UNIT WRONG_UNIT XML_ENTITY ZIP_PATH
    SEVERAL_TABLES
"""
FILE_REASONS = frozenset(_FILE_REASONS.split())
# Why a portal's delivery is not believed (PortalFailed).
_PORTAL_REASONS = """
    ADDRESS ANSWER BUSY CHECKSUM DATA_MOVED ENCODING GROWING HTML LOGIN PAGES_SHRANK PAGE_MISSING PAGE_REPEATED
    PAGE_SKIPPED REDIRECT SHAPE SLOW STATUS TIMEOUT TLS TOO_LARGE TOTAL TRUNCATED UNPROVEN UNREACHABLE WRONG_UNIT
"""
PORTAL_REASONS = frozenset(f"PORTAL_{name}" for name in _PORTAL_REASONS.split())
# What is seen over several deliveries, or of the run itself.
_OF_THE_WHOLE = {
    "SCHEMA_DRIFT": "warning",
    "PROCEDURE_UNKNOWN": "warning",
    DIFFERS: "warning",
    CHANGED: "warning",
    MISSING: "warning",
    UNUSED: "warning",
    OVERDUE: "error",
    CHANNEL_FAILED: "error",
    STEP_FAILED: "error",
    STEP_KILLED: "error",
}


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """A rule by its id, the suite it stands in ("" for what no suite decides), and the severity of its incidents."""

    rule_id: str
    suite: str
    severity: str


def known_rules() -> tuple[Known, ...]:
    """All rules, each once. Raises ExpectationsNotRun for an empty suite and KeyError for a severity nobody knows."""
    found = {Known(rule_id, "", "error") for rule_id in RULES}
    for path in EXPECTATIONS.glob("*.json"):
        found |= {Known(rule.rule_id, path.stem, _SEVERITY[rule.severity]) for rule in expectations.suite(path.stem)}
    others = dict.fromkeys(FILE_REASONS | PORTAL_REASONS, "error") | dict.fromkeys(WARNINGS, "warning") | _OF_THE_WHOLE
    named = {rule.rule_id for rule in found}
    found |= {Known(rule_id, "", severity) for rule_id, severity in others.items() if rule_id not in named}
    return tuple(sorted(found))
