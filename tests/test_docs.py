"""The pages are true: built ones equal their regeneration, links lead somewhere, what can happen is documented."""

from __future__ import annotations

import ast
import json
import re
import runpy
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

from tthc.cli import app
from tthc.domain.period import PeriodCalendar
from tthc.reference.channels import Channel, Policy, Recipient
from tthc.reference.corrections import Correction
from tthc.reference.counters import counters
from tthc.reference.kpis import read_metrics
from tthc.reference.layouts import Column, Layout
from tthc.reference.manual import read_indicators
from tthc.reference.portals import Limits, Login, Paging, Portal
from tthc.reference.questions import questions
from tthc.reference.sources import Source
from tthc.rollups import functions
from tthc.serving import wording
from tthc.serving.rule_catalogue import everything
from tthc.settings import settings
from tthc.staging.layout_check import check_layout
from warehouses import Warehouse

CHECKOUT = Path(__file__).resolve().parents[1]
FOREIGN = {"DuocThanhToanTrucTuyen", "*", ">=", ">", "=", "NgayNopHoSo", "NgayTra", "NgayKetThucXuLy", "DuocTaiSuDung", "--interim", "explain",
           "figures_of", "max_working_days"}  # fmt: skip
PACKAGE = CHECKOUT / "include" / "tthc"
BUILD: dict[str, Any] = runpy.run_path(str(CHECKOUT / "scripts" / "build_docs.py"))
PAGES = sorted(
    page
    for folder in (".", "docs", "docs/decisions", "include/reference", "examples")
    for page in (CHECKOUT / folder).glob("*.md")
)
# Capitals in the code of staging and landing that are no reason and no rule.
NO_REASONS = {"CALENDAR", "COMPLETE", "GET", "NA", "POST", "SC_PAGE_SIZE", "GX_ANALYTICS_ENABLED", "NFC", "NFD", "UTC"}


def text_of(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def words_of(name: str) -> set[str]:
    """What stands in backquotes on a page, word by word."""
    return {word for quoted in re.findall(r"`([^`\n]+)`", text_of(name)) for word in re.findall(r"[\w*]+", quoted)}


def commands() -> Iterator[str]:
    def leaves(command: Any, path: str) -> Iterator[str]:
        for name, below in getattr(command, "commands", {}).items():
            yield from leaves(below, f"{path} {name}") if hasattr(below, "commands") else [f"{path} {name}"]

    yield from leaves(typer.main.get_command(app), "tthc")


# Built pages.


def test_the_built_pages_equal_their_regeneration() -> None:
    for path, wanted in BUILD["pages"]().items():
        assert path.read_text(encoding="utf-8") == wanted, f"{path.name} is stale; run scripts/build_docs.py"


def test_the_data_dictionary_shows_what_the_warehouse_has(warehouse: Warehouse) -> None:
    found = warehouse.query(
        "select c.relname, a.attname, format_type(a.atttypid, null) from pg_attribute a "
        "join pg_class c on c.oid = a.attrelid where c.relnamespace = 'mart'::regnamespace and c.relkind = 'v' "
        "and a.attnum > 0"
    )
    shown = {
        (view, column, BUILD["TYPE_OF"][column].partition("(")[0])  # a rate of numeric(9,6) may be null: numeric
        for view, columns in BUILD["views"]().items()
        for column in columns
    }
    assert {tuple(row.values()) for row in found} == shown


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_answers_speak_of_what_exists_and_say_the_same_names_in_both_languages() -> None:
    indicators, metrics = read_indicators(settings()), read_metrics(settings())
    names = {*indicators, *counters(), *wording.FLAGS, *wording.STATUSES, *BUILD["TYPE_OF"], *BUILD["views"]()}
    names |= {word for metric in metrics for word in (metric.id, metric.profile)} | set(PeriodCalendar)
    names |= {rule.rule_id for found in everything().values() for rule in found} | {
        *commands(),
        *functions.NAMES,
        "tthc explain",
        "tthc compare",
    }
    names |= {"missing", "nothing", "not_applicable", "event", "as_reported", "current_boundary", "holidays"}
    for topic in questions():
        for one in topic.asked:
            assert quoted(one.answer) == quoted(one.answer_vi), one.question
            for name in quoted(" ".join(one[:4])):
                plain = name.removeprefix("mart.").partition("(")[0].partition(" --")[0]
                exists = plain in names or (plain.partition(".")[0] in names and plain.partition(".")[2] in names)
                assert exists or (CHECKOUT / "include/reference" / plain).exists() or plain in FOREIGN, name


def test_no_two_headings_of_the_definitions_have_one_anchor_and_the_contents_lead_to_every_section() -> None:
    page = text_of("docs/definitions.md")
    headings = [slug(heading) for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    listed = re.findall(r"\]\(#([^)]+)\)", page.partition("\n## Contents\n")[2].partition("\n## ")[0])
    assert listed == [
        slug(one) for one in re.findall(r"^##\#? (.+)$", page.partition("\n## Contents\n")[2], re.MULTILINE)
    ]


# Links.


def slug(heading: str) -> str:
    """The anchor a heading gets: lower case, spaces to dashes, punctuation gone."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_vietnamese_on_the_pages_is_composed(page: Path) -> None:
    assert unicodedata.is_normalized("NFC", page.read_text(encoding="utf-8"))


def test_the_pages_cite_no_document_that_a_reader_does_not_have() -> None:
    for page in PAGES:
        assert not re.search(r"\b(domain|design|reliability|style) §", page.read_text(encoding="utf-8")), page.name


# The README.


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_readme_shows_both_commands(name: str) -> None:
    shown = text_of(name)
    assert "    make run " in shown
    assert "    make test " in shown


def test_both_readmes_show_the_same_commands_links_and_parts() -> None:
    english, vietnamese = text_of("README.md"), text_of("README.vi.md")
    for pattern in (r"\.venv/bin/tthc [a-z]+(?: [a-z-]+)*", r"\]\(([^)]+)\)", r"TTHC_[A-Z]+", r"\d+ s\] .+"):
        ours, theirs = re.findall(pattern, english), re.findall(pattern, vietnamese)
        assert [x for x in ours if "README" not in x] == [x for x in theirs if "README" not in x], pattern
    assert english.count("\n## ") == vietnamese.count("\n## ")


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in text_of("docs/commands.md")


def test_the_pages_name_no_command_that_does_not_exist() -> None:
    known = {*commands(), *(f"tthc {name}" for name in getattr(typer.main.get_command(app), "commands", ()))}
    for page in PAGES:
        if page.name in {"CHANGELOG.md", "commands.md"}:  # one also tells what is missing, the other is built
            continue
        for words in re.findall(r"(?:`|    |\$ |/)(tthc [a-z]+(?: [a-z0-9-]+)?)", page.read_text(encoding="utf-8")):
            assert words in known or words.rsplit(" ", 1)[0] in known, f"{page.name}: {words}"


# The runbook and the glossary.


def classes(source: Path) -> dict[str, list[str]]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def test_every_error_is_in_the_runbook_and_the_tree() -> None:
    ours = set(classes(PACKAGE / "domain" / "errors.py"))
    tree = ast.get_docstring(ast.parse(text_of("include/tthc/domain/errors.py"))) or ""
    assert ours == set(re.findall(r"[A-Z]\w+(?=$|\s{2,})", tree, re.MULTILINE)) & ours
    elsewhere = {name for path in PACKAGE.rglob("*.py") for name, bases in classes(path).items() if ours & set(bases)}
    assert not (ours | elsewhere) - words_of("docs/runbook.md")


def test_every_reason_and_rule_is_in_the_runbook() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for pattern in ("staging/*.py", "landing/*.py", "sources/*.py", "warehouse/fetches.py")
        for path in PACKAGE.glob(pattern)
    )
    sql = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "warehouse" / "sql").glob("*.sql"))
    reasons = set(re.findall(r'"([A-Z]{2}[A-Z_]*)"', code)) - NO_REASONS
    reasons |= set(re.findall(r"'([A-Z]{2}[A-Z_]*)'", sql))
    rules = {
        expectation["meta"]["rule"]
        for suite in (CHECKOUT / "expectations").glob("*.json")
        for expectation in json.loads(suite.read_text(encoding="utf-8"))["expectations"]
    }
    assert len(reasons) > 40
    assert not (reasons | rules) - words_of("docs/runbook.md")


def verdicts() -> set[str]:
    tables = text_of("include/tthc/warehouse/migrations/versions/0001_house.sql")
    (listed,) = re.findall(r"verdict in \(([^)]+)\)\)", tables)
    return set(re.findall(r"'(\w+)'", listed))


def test_every_verdict_is_in_runbook_and_glossary() -> None:
    assert len(verdicts()) == 6
    assert not verdicts() - words_of("docs/runbook.md")
    assert not verdicts() - words_of("GLOSSARY.md")


def test_the_glossary_has_every_class_of_the_domain_room_profile_calendar_and_metric() -> None:
    wanted = {name for path in (PACKAGE / "domain").glob("*.py") for name in classes(path)}
    wanted |= {room.name for room in PACKAGE.iterdir() if (room / "__init__.py").exists()}
    wanted |= {word for metric in read_metrics(settings()) for word in (metric.id, metric.profile)}
    wanted |= {"VPCP_15_14", "CALENDAR", "as_reported", "current_boundary", "dags", "tthc_airflow", "expectations"}
    assert not wanted - words_of("GLOSSARY.md")


# CONTRIBUTING.


def test_every_setting_of_layouts_columns_and_sources_is_explained() -> None:
    explained = words_of("CONTRIBUTING.md")
    for declared in (Layout, Column, Correction, Source, Portal, Login, Paging, Limits, Channel, Recipient, Policy):
        settings_of = set(declared.__dataclass_fields__) - {"columns", "name", "path", "priority"}
        assert not settings_of - explained, declared.__name__


def test_the_worked_example_does_what_the_page_says(tmp_path: Path) -> None:
    part = text_of("CONTRIBUTING.md").partition("## Every setting of a layout")[0]
    blocks = re.findall(r"^```(?:csv|toml)\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
    names = ("thang-3.csv", "sources.toml", "layouts/so_theo_doi_csv.toml", "agencies.csv", "statuses.csv")
    (tmp_path / "layouts").mkdir()
    for name, block in zip(names, blocks, strict=True):
        (tmp_path / name).write_text(block, encoding="utf-8")
    here = replace(settings(), reference_overlay=tmp_path)
    report = check_layout(here, tmp_path / "thang-3.csv", "so_theo_doi", date(2026, 3, 12))
    assert f"layout {report.layout_id}, verdict {report.verdict}" in part
    assert ", ".join(f"{count} {name}" for name, count in report.counts.items()) in part
    for column in report.columns:
        assert re.search(rf"│ {re.escape(column['heading'])} +│ {re.escape(column['fate'])} +│", part), column
    for problem in report.problems:
        assert f"│ {problem['cell']}   │ {problem['rule']} │ {problem['reason']} │" in part
