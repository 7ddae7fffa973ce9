"""The web pages: mart's own figures, nothing but mart, nothing foreign in a page, and a sentence for every refusal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import httpx
import openpyxl
import pytest
import sqlalchemy as sa
from fastapi import Depends, FastAPI, HTTPException

from serving_warehouse import COMMUNE, FORMULA, HOSTILE_COMMUNE, MARKUP, NIGHT, ODD_FILE, PERSON, Night, the_night
from tthc.domain.errors import OutsideSystemFailed
from tthc.domain.text import without_person
from tthc.reference.kpis import TREATMENTS, read_metrics
from tthc.reference.questions import questions
from tthc.serving import figures, wording
from tthc.serving.quarantine_book import repair_deadlines
from tthc.serving.web import create_app, definitions
from tthc.serving.web.protection import HEADERS
from tthc.settings import settings
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = (
    "/",
    "/units/42",
    f"/units/{COMMUNE}",
    f"/units/{HOSTILE_COMMUNE}",
    "/targets",
    "/differences",
    "/coverage",
    "/quality",
    "/rules",
    "/definitions",
)
WITH_FIGURES = PAGES[:7]
QUARTER = "VPCP_15_14.2026-Q1"


@pytest.fixture(scope="module")
def night(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Night:
    return the_night(request.session, warehouses, tmp_path_factory)


@pytest.fixture(scope="module")
def app(night: Night) -> FastAPI:
    return create_app(night.warehouse.settings)


def get(app: FastAPI, path: str, *, root: str = "", method: str = "GET", host: str = "localhost") -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


class Outline(HTMLParser):
    """What a page consists of: attributes by tag, ids, text without markup, and whether every tag was closed."""

    _VOID = frozenset({"meta", "link", "br", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def shown(app: FastAPI, path: str) -> Outline:
    answer = get(app, path)
    assert answer.status_code == 200, answer.text
    return Outline(answer.text)


# What a page shows.


@pytest.mark.parametrize("path", WITH_FIGURES)
def test_every_page_with_figures_says_for_when_and_how_final_they_are(app: FastAPI, path: str) -> None:
    text = shown(app, f"{path}?period={QUARTER}").text
    assert "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)" in text
    assert "Số liệu đến hết ngày 14/3/2026" in text
    assert re.search(r"Trạng thái (Chính thức|Sơ bộ \(chưa đủ đơn vị\)|chưa rõ)", text)
    assert re.search(r"Đơn vị có dữ liệu (\d+/\d+|chưa rõ)", text)
    assert "Lần công bố số 1" in text


def test_the_overview_shows_the_figures_of_mart(app: FastAPI, night: Night) -> None:
    text = shown(app, "/?period=VPCP_15_14.2026-H1").text
    rows = night.warehouse.query(
        "select unit_name, numerator, denominator from mart.kpi where period_calendar = 'VPCP_15_14' "
        "and period_label = '2026-H1' and basis = 'as_reported' and field_code = '*' and metric_id = 'on_time' "
        "and profile = 'TT01_06A' and denominator > 0"
    )
    assert len(rows) > 50
    for row in rows:
        figure = f"{wording.percent(row['numerator'], row['denominator'])} {row['numerator']}/{row['denominator']}"
        pattern = re.escape(row["unit_name"]) + r" [\d.]+ [\d.]+ " + re.escape(figure)
        assert row["unit_name"] == "Tỉnh Hà Tĩnh" or re.search(pattern, text), row["unit_name"]
    assert "Tạm tính (kỳ chưa kết thúc)" in text


def test_open_overdue_stands_beside_on_time(app: FastAPI, night: Night) -> None:
    (row,) = night.warehouse.query(
        "select numerator, denominator from mart.kpi where period_calendar = 'VPCP_15_14' and period_label = '2026-Q1' "
        "and basis = 'as_reported' and field_code = '*' and metric_id = 'overdue_open' and unit_code = '42'"
    )
    text = shown(app, f"/?period={QUARTER}").text
    assert re.search(
        rf"Trước và đúng hạn [\d,]+% [\d./]+ Đang giải quyết đã quá hạn {row['numerator']} trên {row['denominator']} ",
        text,
    )


def test_every_commune_and_department_of_the_day_is_listed(app: FastAPI, night: Night) -> None:
    links = {str(link.get("href")) for link in shown(app, "/").of("a")}
    listed = {match.group(1) for link in links if (match := re.match(r"/units/([^?]+)", link))}
    valid = night.warehouse.query(
        "select unit_code from ref.unit where province_code = '42' and current_date between valid_from and valid_to"
    )
    assert listed == {row["unit_code"] for row in valid}


@pytest.mark.parametrize("period", ["2026-Q1", "2026-04", "2025-12"])
def test_a_unit_without_figures_still_says_whether_it_was_heard_from(app: FastAPI, night: Night, period: str) -> None:
    page = get(app, f"/?period=VPCP_15_14.{period}").text
    covered = night.warehouse.query(
        "select unit_code, units_reported || '/' || units_expected as told from rollup.coverage "
        "where calendar = 'VPCP_15_14' and label = :period and last_publication is null and unit_code <> '42'",
        period=period,
    )
    rows = [row for row in page.split("<tr>")[1:] if "/units/" in row]
    listed = {re.findall(r"/units/([^?]+)", row)[0]: re.findall(r'<td class="n">(\d/\d)</td>', row) for row in rows}
    assert listed == {row["unit_code"]: [row["told"]] for row in covered}
    assert {"0/1", "1/1"} <= {row["told"] for row in covered}


def test_targets_are_judged_as_mart_judges_them(app: FastAPI, night: Night) -> None:
    page = shown(app, f"/targets?period={QUARTER}")
    verdicts = Counter(str(one.get("class")) for one in page.of("span") if "verdict" in str(one.get("class")))
    rows = night.warehouse.query(
        "select met from mart.kpi_vs_target where period_calendar = 'VPCP_15_14' and period_label = '2026-Q1' "
        "and basis = 'as_reported' and met is not null"
    )
    assert (verdicts["verdict met"], verdicts["verdict missed"]) == (
        sum(row["met"] for row in rows),
        sum(not row["met"] for row in rows),
    )
    assert rows, "no target was assessed; the test proves nothing"
    unmeasured = night.warehouse.query("select from ref.target where unit_code = '42' and metric_id is null")
    assert ("chưa có chỉ tiêu hoặc đơn vị để đo" in page.text) == bool(unmeasured)


def test_quality_counts_what_mart_counts(app: FastAPI, night: Night) -> None:
    text = shown(app, "/quality").text
    for row in night.warehouse.query(
        "select rule_id, sum(rows_quarantined)::int as refused from mart.data_quality "
        "where rule_id is not null group by rule_id having sum(rows_quarantined) > 0"
    ):
        assert re.search(rf"\b{row['rule_id']} \D.*? {row['refused']} 0 0 ", text), row
    assert "đêm 10/4/2026" in text
    assert f"{ODD_FILE} {HOSTILE_COMMUNE} đã nạp, có dòng cách ly" in text


def test_quality_says_who_has_to_repair_by_when_and_what_goes_on(app: FastAPI, night: Night) -> None:
    text = shown(app, "/quality").text
    deadline = wording.day(repair_deadlines(night.warehouse.settings)(NIGHT))
    owners = night.warehouse.query("select unit_code, sum(rows_quarantined) as n from mart.quarantine group by 1")
    assert len(owners) > 2
    assert f"{FORMULA} 1 DUE_BEFORE_RECEIVED 10/4/2026 {deadline}" in text
    alive = night.warehouse.query("select * from alerts.incident where state <> 'resolved' and group_id is null")
    assert alive
    for one in alive:
        assert f"{without_person(one['subject'])} đang mở {wording.day(one['opened_on'])} 1 " in text


def test_coverage_opens_the_newest_quarter_in_which_units_report(app: FastAPI) -> None:
    """Though it is open: in the newest closed quarter nobody owed a report for a night yet."""
    opened = shown(app, "/coverage").text
    assert opened == shown(app, "/coverage?period=VPCP_15_14.2026-Q2").text
    assert opened != shown(app, f"/coverage?period={QUARTER}").text
    assert "Trong kỳ này chưa có lượt báo cáo nào được ghi nhận." not in opened


def test_coverage_names_every_unit_that_owes_a_report_with_its_last_day(app: FastAPI, night: Night) -> None:
    outline = shown(app, "/coverage?period=VPCP_15_14.2026-Q2")
    owed = night.warehouse.query(
        "select distinct source_id, unit_code, due_on, state from mart.coverage where night = :night", night=NIGHT
    )
    rows = [attributes for attributes in outline.of("span") if str(attributes.get("class")).startswith("verdict ")]
    assert len(rows) == len(owed) > 10
    assert {row["state"] for row in owed} == {str(row["class"]).split()[1] for row in rows}
    (due,) = {wording.day(row["due_on"]) for row in owed}
    assert outline.text.count(f"10/4/2026 {due}") == len(owed)
    assert "Số liệu của tỉnh là sơ bộ" in shown(app, f"/coverage?period={QUARTER}").text


def test_definitions_come_from_the_registry(app: FastAPI, night: Night) -> None:
    text = shown(app, "/definitions").text
    for metric in read_metrics(night.warehouse.settings):
        for part in (metric.title, metric.citation, metric.numerator, metric.denominator or "đây là số đếm"):
            assert " ".join(part.split()) in text


def test_definitions_answer_the_questions_and_draw_the_cases_of_the_documents(app: FastAPI) -> None:
    """Every question in both languages, and every drawn table of docs/definitions.md, told in Vietnamese."""
    outline = shown(app, "/definitions")
    for topic in questions():
        for said in (topic.title_vi, *(text for one in topic.asked for text in one[:4])):
            assert " ".join(said.replace("`", " ").split()) in " ".join(outline.text.split()), said
    assert outline.text.count("Ca mẫu: ") == sum(1 for topic in questions() for one in topic.asked if one.drawn) > 20
    tables = (CHECKOUT / "docs" / "definitions.md").read_text(encoding="utf-8").partition("\n## Cases\n")[2]
    assert tables.count("\n| --- |") == len([one for one in outline.of("table") if one.get("class") == "case"]) > 30
    told = [*definitions.TREATMENT_NAMES, *definitions.TREATMENT_WORDS]
    assert set(told) >= {name for name in TREATMENTS if name != "display"}
    assert set(told) >= {word for name, words in TREATMENTS.items() if name != "display" for word in words}
    for title, drawn in definitions.explanations(settings())["cases"]:
        shown_words = " ".join([title, *(word for one in drawn for line in (one.heading, *one.rows) for word in line)])
        assert not re.search(r"\b(received|overdue|early|late|carried|dossier|finished)\b(?! TT01)", shown_words), title


def test_a_withheld_figure_is_named_so(app: FastAPI, night: Night) -> None:
    mark = sa.text("update rollup.counter set flags = cast(:flags as text[]) where unit_code = '42-STP'")
    for flags in (["withheld"], []):
        with connect.transaction(night.warehouse.settings) as connection:
            connection.execute(mark, {"flags": flags})
        if flags:
            assert "Trước và đúng hạn TT01_06A" not in shown(app, "/units/42-STP").text
            assert "tạm giữ vì số liệu tự mâu thuẫn" in shown(app, "/units/42-STP").text
    assert "tạm giữ vì số liệu tự mâu thuẫn" not in shown(app, "/units/42-STP").text


def test_before_the_first_publication_the_page_says_so(warehouse: Warehouse) -> None:
    answer = get(create_app(warehouse.settings), "/")
    assert answer.status_code == 404
    assert "Chưa có số liệu nào được công bố" in answer.text
    assert "Chưa có tệp nào được gửi" in get(create_app(warehouse.settings), "/quality").text


# What a page is made of.


@pytest.mark.parametrize("path", [*PAGES, "/nope"])
def test_pages_are_whole_and_need_nothing_from_elsewhere(app: FastAPI, path: str) -> None:
    answer = get(app, path)
    page = Outline(answer.text)
    assert page.open == []
    assert page.of("html") == [{"lang": "vi"}]
    assert not [tag for tag, _ in page.seen if tag in {"script", "iframe", "object", "embed", "img", "style"}]
    for _, attributes in page.seen:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            assert str(attributes.get(name) or "/").startswith(("/", "#")), attributes
    ids = [str(attributes["id"]) for _, attributes in page.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(page.of("h1")) == 1


@pytest.mark.parametrize("path", PAGES)
def test_pages_can_be_heard_and_used_by_keyboard(app: FastAPI, path: str) -> None:
    page = shown(app, path)
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(heading.get("scope") for heading in page.of("th"))
    labelled = {label["for"] for label in page.of("label")}
    assert labelled == {select["id"] for select in page.of("select")}
    regions = [one for one in page.of("div") if one.get("class") == "scroll"]
    assert all(one.get("tabindex") == "0" and one.get("aria-label") and one.get("role") == "region" for one in regions)
    assert page.seen[[tag for tag, _ in page.seen].index("body") + 1] == ("a", {"class": "skip", "href": "#main"})


def test_hostile_names_are_shown_and_not_obeyed(app: FastAPI) -> None:
    for path in ("/", f"/units/{HOSTILE_COMMUNE}"):
        answer = get(app, path)
        assert MARKUP not in answer.text
        assert f"Xã {MARKUP}" in Outline(answer.text).text
    assert FORMULA in shown(app, "/").text


def test_nothing_of_a_person_is_on_a_page(app: FastAPI) -> None:
    told = "".join(get(app, path).text for path in PAGES)
    assert not [value for value in PERSON.values() if value in told]
    assert "H42." not in told


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/style.css", "GET", 200),
        ("/health", "GET", 200),
        ("/nope", "GET", 404),
        ("/form-06a", "GET", 400),
        (f"/form-06a?unit={COMMUNE}", "GET", 200),
        ("/", "POST", 405),
        ("/quality", "DELETE", 405),
    ],
)
def test_every_answer_is_protected(app: FastAPI, path: str, method: str, status: int) -> None:
    answer = get(app, path, method=method)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


# What a page refuses.


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?period=2031-Q1", "Chưa có số liệu công bố cho kỳ này"),
        ("/?period=LUNAR.2026-Q1", "Chưa có số liệu công bố cho kỳ này"),
        ("/?period=VPCP_15_14.2026-Q1';drop table x;--", "Chưa có số liệu công bố cho kỳ này"),
        ("/?basis=nobody", "Cách tính địa giới không đúng"),
        ("/units/99999", "Không có đơn vị mang mã này"),
        ("/units/..%2F..%2Fetc%2Fpasswd", "Không có trang này"),
        ("/units/42';select pg_sleep(9);--", "Không có đơn vị mang mã này"),
        ("/form-06a?unit=99999", "Không có đơn vị mang mã này"),
        ("/scorecard?unit=18373&period=never", "Chưa có số liệu công bố cho kỳ này"),
        ("/core.dossier", "Không có trang này"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(app: FastAPI, path: str, said: str) -> None:
    answer = get(app, path)
    assert answer.status_code == 404
    assert said in answer.text
    assert "drop table" not in answer.text and "99999" not in answer.text


def test_too_long_a_question_is_malformed(app: FastAPI) -> None:
    assert get(app, f"/?period={'9' * 41}").status_code == 400


def test_pages_read_mart_and_nothing_else(night: Night) -> None:
    for attempt in (
        "select count(*) from core.dossier",
        "select count(*) from ref.unit",
        "select count(*) from rollup.counter",
        "create temporary table x (a int)",
        "delete from mart.kpi",
    ):
        with pytest.raises(OutsideSystemFailed), figures.as_analyst(night.warehouse.settings) as connection:
            connection.execute(sa.text(attempt))


def test_an_outage_is_told_without_its_details(night: Night, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OutsideSystemFailed("password of the warehouse: synthetic")

    monkeypatch.setattr(figures, "periods", fail)
    answer = get(app, "/")
    assert answer.status_code == 503
    assert "Kho dữ liệu chưa trả lời" in answer.text and "synthetic" not in answer.text


def test_a_defect_shows_no_trace_and_keeps_the_protection(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("inner secret")

    monkeypatch.setattr(figures, "periods", fail)
    answer = get(app, "/")
    assert answer.status_code == 500
    assert "inner secret" not in answer.text and "Traceback" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_host_application_may_ask_for_a_login_first(night: Night) -> None:
    def nobody() -> None:
        raise HTTPException(403)

    app = create_app(night.warehouse.settings, dependencies=[Depends(nobody)])
    for path in (*PAGES, "/style.css", "/health", "/form-06a?unit=42", "/scorecard?unit=42"):
        assert get(app, path).status_code == 403, path


def test_below_another_address_every_link_stays_below_it(app: FastAPI) -> None:
    page = Outline(get(app, "/tthc/", root="/tthc").text)
    links = [str(a.get("href")) for tag in ("a", "link") for a in page.of(tag)] + [
        str(form["action"]) for form in page.of("form")
    ]
    assert len(links) > 80
    assert all(link.startswith(("/tthc/", "#")) for link in links)


# What can be downloaded, and the command.


@pytest.mark.parametrize(("kind", "sheet"), [("form-06a", "06a"), ("scorecard", "Phiếu điểm")])
def test_workbooks_are_offered_and_open(app: FastAPI, kind: str, sheet: str) -> None:
    offered = [
        str(a["href"]) for a in shown(app, f"/units/{COMMUNE}?period={QUARTER}").of("a") if kind in str(a["href"])
    ]
    (answer,) = [get(app, link) for link in offered]
    assert answer.headers["content-disposition"] == (
        f"attachment; filename*=UTF-8''{kind}_{COMMUNE}_VPCP_15_14_2026-Q1.xlsx"
    )
    assert sheet in openpyxl.load_workbook(BytesIO(answer.content)).sheetnames


def test_the_command_prints_its_address_and_answers_only_to_it(night: Night) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("TTHC_")}
    process = subprocess.Popen(
        [sys.executable, "-c", "from tthc.cli import main; main()", "serve"],
        env=others | night.warehouse.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert "Tổng quan tỉnh Hà Tĩnh" in answer.read().decode()
        foreign = urllib.request.Request(address, headers={"Host": "foreign.invalid"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(foreign, timeout=20)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
