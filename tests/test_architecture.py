"""The house stays the house: directions of imports, sizes, one vocabulary, operable errors, honest suppressions, no
untested rule, nothing of the machine it was made on."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tthc.domain import errors
from tthc.settings import EXPECTATIONS
from tthc.staging.parse import RULES

CHECKOUT = Path(__file__).resolve().parents[1]
CODE = ("include", "plugins", "dags", "scripts", "tests")
MODULE_LINES, FUNCTION_LINES, NEVER = 250, 60, 450


def _modules(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]


def _name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@cache
def _tracked() -> list[Path]:
    """Every file of the repository, as git knows it; without git, what stands in its folders."""
    try:
        told = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return [*_modules(*CODE), *sorted((CHECKOUT / "docs").rglob("*.md"))]
    return [path for name in told.stdout.split("\0") if name and (path := CHECKOUT / name).is_file()]


def _texts() -> Iterator[tuple[Path, str]]:
    for path in _tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_imports_point_upstream() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run([program, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_modules_and_functions_stay_small() -> None:
    """Large ones are told as warnings, to be discussed; a monster fails."""
    monsters = []
    for path in _modules("include", "plugins", "dags"):
        source = path.read_text(encoding="utf-8")
        length = source.count("\n")
        if length > MODULE_LINES:
            warnings.warn(f"{_name(path)} has {length} lines", stacklevel=1)
        if length > NEVER:
            monsters.append(_name(path))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > FUNCTION_LINES:
                    warnings.warn(f"{_name(path)}, {node.name} has {size} lines", stacklevel=1)
    assert monsters == []


def test_a_module_opens_with_a_sentence_saying_what_it_decides() -> None:
    silent = [
        _name(path)
        for path in _modules(*CODE)
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_there_is_no_utils_and_no_work_left_for_later() -> None:
    assert [_name(path) for path in _modules(*CODE) if re.search(r"utils?|helpers?|misc|common", path.stem)] == []
    later = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|raise NotImplemented" + r"Error)\b")
    assert [_name(path) for path in _modules(*CODE) if later.search(path.read_text(encoding="utf-8"))] == []


def _classes_of_the_domain() -> list[str]:
    return [
        node.name
        for path in _modules("include/tthc/domain")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]


@pytest.mark.parametrize("name", _classes_of_the_domain())
def test_a_class_of_the_domain_is_in_the_glossary(name: str) -> None:
    glossary = (CHECKOUT / "GLOSSARY.md").read_text(encoding="utf-8")
    assert re.search(rf"\b{name}\b", glossary)


def _errors() -> list[type[BaseException]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.TthcError)]


@pytest.mark.parametrize("kind", _errors(), ids=lambda kind: kind.__name__)
def test_an_error_is_in_the_drawn_tree_and_in_the_runbook(kind: type[errors.TthcError]) -> None:
    assert errors.__doc__ and re.search(rf"(?:─ |^){kind.__name__}\b", errors.__doc__, re.MULTILINE)
    assert re.search(rf"\b{kind.__name__}\b", (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8"))
    assert kind.__doc__ and kind.exit_status in {1, 2, 3}


def test_every_error_raised_on_purpose_is_of_the_tree() -> None:
    strays = [
        f"{_name(path)}: {node.name}"
        for path in _modules("include")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any("Exception" in ast.unparse(base) for base in node.bases)
    ]
    assert strays == ["include/tthc/domain/errors.py: TthcError"]


_SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma:|fmt:\s*off)")
_REASONED = re.compile(
    r"#\s*noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*  \(.{8,}\)|#\s*type: ignore\[[a-z\-]+(?:,[a-z\-]+)*\]  (?:#|\().{8,}"
)


def test_a_suppression_names_its_rule_and_its_reason() -> None:
    bare = [
        f"{_name(path)}:{number}"
        for path in _modules(*CODE)
        if path.name != Path(__file__).name
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _SUPPRESSION.search(line) and not _REASONED.search(line)
    ]
    assert bare == []


def _rules_of_the_suites() -> set[str]:
    return {
        each["meta"]["rule"]
        for path in sorted(EXPECTATIONS.glob("*.json"))
        for each in json.loads(path.read_text(encoding="utf-8"))["expectations"]
    }


@cache
def _tests() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in _modules("tests") if path.name != Path(__file__).name)


@pytest.mark.parametrize("rule", sorted({*RULES, *_rules_of_the_suites()}))
def test_a_rule_is_named_in_a_test(rule: str) -> None:
    assert re.search(rf"\b{rule}\b", _tests())


def test_no_rule_lives_in_parsing_and_in_a_suite() -> None:
    assert set(RULES) & _rules_of_the_suites() == set()


def test_every_expectation_says_what_a_clerk_and_an_engineer_read() -> None:
    for path in EXPECTATIONS.glob("*.json"):
        for each in json.loads(path.read_text(encoding="utf-8"))["expectations"]:
            assert {"rule", "severity", "column", "owner", "vi", "en", "why_vi", "why"} <= set(each["meta"]), path.name
            assert each["meta"]["severity"] in {"quarantine", "warning", "hold", "reject", "withhold"}


def _index_hosts() -> set[str]:
    """Hosts of the package indexes this machine is set to use."""
    told = [value for name, value in os.environ.items() if re.search(r"INDEX_URL|REGISTRY|PROXY", name, re.IGNORECASE)]
    for path in (Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"):
        if path.is_file():
            config = configparser.ConfigParser(interpolation=None)
            config.read(path, encoding="utf-8")
            told += [value for section in config.values() for key, value in section.items() if "index-url" in key]
    hosts = {host for value in " ".join(told).split() if (host := urlsplit(value).hostname)}
    return {host for host in hosts if "." in host and not re.fullmatch(r"[\d.]+", host)}


def test_nothing_of_the_machine_it_was_made_on_is_in_the_repository() -> None:
    places = [r"/ro" + r"ot/", r"/wo" + r"rk/", r"/ho" + r"me/(?!airflow\b)\w", r"/Us" + r"ers/\w", r"/t" + r"mp/\w"]
    hosts = [re.escape(host) for host in _index_hosts()]
    told = re.compile("|".join([r"(?<![\w.~-])(?:" + "|".join(places) + ")", *hosts]))
    found = [f"{_name(path)}: {match.group()}" for path, text in _texts() if (match := told.search(text))]
    assert found == []


def test_locks_name_no_index() -> None:
    for path in CHECKOUT.glob("requirements*.lock"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(?:--index-url|--extra-index-url|-i |--find-links)|https?://", text, re.MULTILINE)
        assert "--hash=sha256:" in text
    assert not [path for path in _tracked() if path.name == "uv.lock"]


_MARKER = re.compile(r"tổng hợp|giả định|synthetic|không phải người thật", re.IGNORECASE)


def test_data_beside_the_tests_is_marked_as_synthetic() -> None:
    """Data of tests is written by code with a marker; a file of data would have to carry it."""
    data = [
        path
        for path in _tracked()
        if path.suffix in {".csv", ".json", ".xlsx", ".xls", ".parquet"}
        and path.relative_to(CHECKOUT).parts[0] == "tests"
    ]
    assert [_name(path) for path in data if not _MARKER.search(path.read_bytes()[:4000].decode(errors="ignore"))] == []
    exports = (CHECKOUT / "tests" / "exports.py").read_text(encoding="utf-8")
    assert _MARKER.search(exports)


def test_text_is_unicode_in_its_composed_form() -> None:
    import unicodedata

    assert [
        _name(path) for path, text in _texts() if not unicodedata.is_normalized("NFC", text) and path.suffix != ".lock"
    ] == []
