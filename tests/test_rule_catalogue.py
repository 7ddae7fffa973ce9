"""The rule catalogue and the ids that code can emit are one list, in both directions, worded in two languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tthc.reference.counters import counters
from tthc.reference.rules import told_rules
from tthc.serving.rule_catalogue import OUTSIDE, OWNERS, SEVERITIES, everything, lines
from tthc.settings import CHECKOUT, EXPECTATIONS
from tthc.staging import expectations

PACKAGE = CHECKOUT / "include" / "tthc"
EMITTING = ("landing", "sources", "staging", "warehouse", "rollups", "alerts", "serving")
_ID = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*"
# Capital words of the code that are no rules: what each belongs to.
_NO_RULES = {
    "POST", "COMPLETE", "GX_ANALYTICS_ENABLED", "LC_ALL", "SC_PHYS_PAGES", "SC_PAGE_SIZE", "PG_VERSION", "SAMEORIGIN",
    "CALENDAR", "DASH", "VPCP_15_14", "TT01_06A", "IDX766", "TT01_06A_STRICT", "IDX766_STRICT",
}  # fmt: skip
_IDS = {entry.rule_id for entries in everything().values() for entry in entries}
_VIETNAMESE_LETTER = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9áàãéèíìóòõúùý]")


def emitted() -> set[str]:
    """Every capital word of at least four letters that stands as a text in code, in SQL or as the rule of a suite."""
    found = {rule.rule_id for path in EXPECTATIONS.glob("*.json") for rule in expectations.suite(path.stem)}
    for room in EMITTING:
        for path in (PACKAGE / room).rglob("*.py"):
            found |= words_of(path)
        for path in (PACKAGE / room).rglob("*.sql"):
            found |= set(re.findall(rf"'({_ID})'", path.read_text(encoding="utf-8")))
    return {word for word in found if len(word) > 3}


def words_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {text for text in texts if re.fullmatch(_ID, text)}


def made_of_names() -> set[str]:
    """UNKNOWN_STATUS and its like, which parsing makes of the name of a coded column."""
    from tthc.staging.parse import CODED

    return {f"UNKNOWN_{name.upper()}" for name in CODED}


def test_what_code_can_emit_is_in_the_catalogue() -> None:
    assert emitted() - _NO_RULES - _IDS == set()
    assert made_of_names() - _IDS == set()


def test_the_catalogue_has_no_rule_that_code_cannot_emit() -> None:
    assert _IDS - emitted() - made_of_names() == set()


def test_the_catalogue_and_the_runbook_speak_of_the_same_rules() -> None:
    text = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")
    quoted = {word for part in re.findall(r"`([^`\n]+)`", text) for word in re.findall(rf"\b{_ID}\b", part)}
    assert _IDS - quoted == set()
    assert {word for word in quoted if "_" in word and not word.startswith("TTHC_")} - _NO_RULES - _IDS == set()


def test_a_rule_that_nobody_listed_is_found(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text('file.findings.append(("NEW_RULE", "warning", 1, None))', encoding="utf-8")
    assert words_of(path) == {"NEW_RULE"}


def test_every_entry_says_who_why_and_what_in_two_languages() -> None:
    for name, entries in everything().items():
        assert entries, name
        for entry in entries:
            assert entry.severity in SEVERITIES
            assert entry.owner in OWNERS
            for words in (*entry.vi, *entry.why_vi):
                assert len(words) > 4
                assert _VIETNAMESE_LETTER.search(words), (entry.rule_id, words)
            for words in (*entry.en, *entry.why):
                assert len(words) > 5, entry.rule_id
                assert not _VIETNAMESE_LETTER.search(re.sub("Tết|Ð|Ɖ|Đ", "", words)), entry.rule_id


def test_no_rule_speaks_to_a_clerk_in_names_of_counters() -> None:
    names = re.compile(rf"\b(?:{'|'.join(name for name in counters() if '_' in name)})\b|\breceived\b|\bin_progress\b")
    told = {
        entry.rule_id
        for entries in everything().values()
        for entry in entries
        if names.search(" ".join((*entry.vi, entry.expected_vi, *entry.why_vi)))
    }
    assert told == set()


def test_an_entry_stands_once_and_the_view_quotes_what_it_holds() -> None:
    told = told_rules()
    assert len({(one.of, one.rule_id) for one in told}) == len(told)
    assert {one.of for one in told} == set(OUTSIDE)
    assert lines().count("\n") == sum(map(len, everything().values())) - 1
    assert "one unit''s dossiers" in lines()
