"""The data docs of a night say of every rule what it judged, stand alone, and hold no value; the web pages lead there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import date

import httpx
import pytest

from exports import STATUS_WORDS, csv_list, dossier
from tthc import pipeline
from tthc.serving.web import create_app
from tthc.settings import EXPECTATIONS
from tthc.staging import expectations
from tthc.staging.parse import RULES
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)


@pytest.fixture(scope="module")
def night(warehouses: Warehouses) -> Iterator[Warehouse]:
    """Two nights: on the second a row due before received, a row that cannot be read, and a warning."""
    sound = [dossier(f"H42.1-260105-{number:04d}") for number in range(20)]
    odd = [
        dossier("H42.1-260105-0100", due_at="01/01/2026"),
        dossier("H42.1-260105-0101", due_at="31/02/2026"),
        dossier("H42.1-260107-0102"),
        dossier("H42.1-260105-0103", status=STATUS_WORDS[7]),
    ]
    with warehouses.fresh() as made:
        made.load(date(2026, 4, 9), {"mot_cua_csv/a.csv": csv_list(sound)})
        made.load(NIGHT, {"mot_cua_csv/b.csv": csv_list([*sound[:19], *odd])})
        yield made


@pytest.fixture(scope="module")
def page(night: Warehouse) -> str:
    return (night.settings.out / "data-docs" / "2026-04-10.html").read_text(encoding="utf-8")


def numbers_of(page: str, rule: str) -> list[list[str]]:
    """Below the table of what failed."""
    below = page.partition("Đọc tệp: dòng không hiểu được")[2]
    rows = re.findall(rf"<tr><th scope=\"row\"><code>{rule}</code></th>(.*?)</tr>", below, re.DOTALL)
    return [re.findall(r">([\d.]+)</td>", row) for row in rows]


def test_every_rule_of_every_suite_asked_and_of_parsing_is_on_the_page(page: str) -> None:
    not_asked = {"manual_row", "dossier_source"}  # no such file and no second source came that night
    asked = {path.stem for path in EXPECTATIONS.glob("*.json")} - not_asked
    rules = {rule.rule_id for suite in asked for rule in expectations.suite(suite)}
    for rule in rules | set(RULES):
        assert f"<code>{rule}</code>" in page, rule


def test_rows_judged_and_failed_are_those_of_the_night(page: str) -> None:
    assert numbers_of(page, "DUE_BEFORE_RECEIVED") == [["22", "1"]]
    assert numbers_of(page, "CODE_DATE") == [["22", "1"]]
    assert numbers_of(page, "END_DATE_MISSING") == [["1", "1"]]
    assert numbers_of(page, "DATE_INVALID") == [["1", "1"]]


def test_a_rule_that_met_nothing_is_not_applicable_and_does_not_look_sound(night: Warehouse, page: str) -> None:
    assert numbers_of(page, "FINISH_MISSING") == [[]]
    assert "không áp dụng" in page
    (row,) = night.query(
        "select rows_judged, rows_failed from mart.judgement where rule_id = 'FINISH_MISSING' and night = :night",
        night=NIGHT,
    )
    assert row == {"rows_judged": 0, "rows_failed": 0}


def test_the_page_stands_alone_and_holds_no_value(page: str) -> None:
    assert not re.findall(r"https?:|//[a-z]|<script|<link|<img|@import|url\(|\ssrc=|\shref=", page)
    assert "H42.1" not in page
    assert page.startswith('<!doctype html>\n<html lang="vi">')
    assert len(re.findall(r"<table>", page)) == len(re.findall(r"</table>", page)) > 4


def test_what_failed_stands_above_everything_once(night: Warehouse, page: str) -> None:
    section = page.partition("Không đạt đêm này")[2].partition("</table>")[0]
    shown = re.findall(r"<code>(\w+)</code>", section)
    failed = {
        row["rule_id"]
        for row in night.query("select rule_id from mart.judgement where rows_failed > 0")
        + night.query("select rule_id from mart.data_quality where rows_quarantined > 0 and rule_id is not null")
    }
    assert failed
    assert set(shown) == failed


def test_a_second_publication_of_a_night_does_not_count_figures_twice(night: Warehouse) -> None:
    before = night.query("select * from mart.judgement where source_id = 'figures' order by night, position")
    with night.kept():
        pipeline.publish(night.settings, full=True)
    assert night.query("select * from mart.judgement where source_id = 'figures' order by night, position") == before
    assert {row["rule_id"] for row in before} == {rule.rule_id for rule in expectations.suite("figure")}


def get(warehouse: Warehouse, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(warehouse.settings), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_the_web_page_leads_to_the_same_page_and_to_the_catalogue(night: Warehouse, page: str) -> None:
    quality = get(night, "/quality").text
    assert 'href="/nights/2026-04-10.html"' in quality
    answer = get(night, "/nights/2026-04-10.html")
    assert answer.headers["content-disposition"].startswith("attachment")
    made_at = re.compile(r"lập lúc [^<]+")
    assert made_at.sub("", answer.text) == made_at.sub("", page)
    assert get(night, "/nights/tomorrow.html").status_code == 400


def test_the_catalogue_says_how_often_a_rule_failed_lately(night: Warehouse) -> None:
    catalogue = get(night, "/rules").text
    for rule in ("DUE_BEFORE_RECEIVED", "DATE_INVALID", "CODE_DATE"):
        (row,) = re.findall(rf"<tr><th scope=\"row\"><code>{rule}</code></th>(.*?)</tr>", catalogue, re.DOTALL)
        assert re.findall(r'<td class="n">(\d+)</td>', row) == ["1", "1"], rule
        assert "10/4/2026" in row
    (never,) = re.findall(r"<tr><th scope=\"row\"><code>DATE_RANGE</code></th>(.*?)</tr>", catalogue, re.DOTALL)
    assert re.findall(r'<td class="n">(\d+)</td>', never) == ["0", "0"]


def test_every_rule_id_of_a_night_is_in_the_catalogue_of_the_mart(night: Warehouse) -> None:
    told = {
        view: {row["rule_id"] for row in night.query(f"select distinct rule_id from mart.{view}")} - {None}
        for view in ("data_quality", "incident", "quarantine", "judgement")
    }
    catalogue = night.query("select rule_id, suite, owner, vi, en, why_vi, why from mart.rule")
    assert all(told.values())
    assert set().union(*told.values()) - {row["rule_id"] for row in catalogue} == set()
    assert all(len(str(cell)) > 2 for row in catalogue for cell in row.values())
    assert len({(row["rule_id"], row["suite"]) for row in catalogue}) == len(catalogue)
