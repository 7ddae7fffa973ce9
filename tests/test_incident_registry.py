"""A15: what code can refuse or fail with, the registry of rules and the runbook are one list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tthc.alerts.rules import FILE_REASONS, PORTAL_REASONS, known_rules
from tthc.settings import CHECKOUT

PACKAGE = CHECKOUT / "include" / "tthc"
# Deferred, not refused: it is no verdict of a file and opens nothing.
_OPENS_NOTHING = {"NOT_STABLE"}
_RAISED = {"FileRefused": FILE_REASONS | _OPENS_NOTHING, "PortalFailed": PORTAL_REASONS}
_IDS = {rule.rule_id for rule in known_rules()}


def raised(kind: str, source: str) -> Iterator[str]:
    """Reasons written out where an error of this kind is made."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind and node.args:
            first = node.args[0]
            for part in ast.walk(first):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def sources() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *(CHECKOUT / "plugins").rglob("*.py")])


@pytest.mark.parametrize("kind", _RAISED)
def test_every_reason_in_code_is_in_the_registry(kind: str) -> None:
    found = {reason for path in sources() for reason in raised(kind, path.read_text(encoding="utf-8"))}
    assert len(found) > 15
    assert found <= _RAISED[kind]


def test_a_reason_that_nobody_listed_is_found() -> None:
    code = 'def f(x):\n    raise FileRefused("NEW_REASON" if x else "OTHER_REASON", "chi tiết")\n'
    assert set(raised("FileRefused", code)) == {"NEW_REASON", "OTHER_REASON"}


def test_the_registry_lists_no_reason_that_code_does_not_know() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in sources() if path.name != "rules.py")
    assert {reason for reason in FILE_REASONS | PORTAL_REASONS if f'"{reason}"' not in code} == set()


def test_portal_reasons_made_in_any_way_are_in_the_registry() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "sources").glob("*.py"))
    code += (PACKAGE / "warehouse" / "fetches.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(PORTAL_[A-Z_]+)"', code)) == PORTAL_REASONS


def test_rules_that_incident_statements_name_are_in_the_registry() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "alerts" / "sql").glob("*.sql"))
    named = set(re.findall(r"'([A-Z]{3,}_[A-Z_]+)'", code)) - {"VPCP_15_14"}
    assert {"REPORTER_MISSING", "SUMMARY_DIFFERS"} <= named <= _IDS


def test_every_rule_of_the_registry_is_in_the_runbook() -> None:
    quoted = re.findall(r"`([^`\n]+)`", (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8"))
    assert _IDS - {word for text in quoted for word in re.findall(r"\w+", text)} == set()
