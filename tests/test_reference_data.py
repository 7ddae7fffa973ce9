"""The shipped reference data hold together: counts, keys, validity, successions, targets."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[1] / "include" / "reference"
KEYS = {
    "units": ("unit_code", "valid_from"),
    "unit_successions": ("old_code", "new_code", "effective_date"),
    "agencies": ("alias", "unit_code", "valid_from"),
    "procedures": ("procedure_code",),
    "statuses": ("alias",),
    "calendar": ("date",),
    "targets": ("target_id",),
    "manual_indicators": ("indicator",),
    "index_766": ("component_id",),
    "unit_differences": ("subject", "unit_code"),
}
COUNTED = {
    ("on_time", "TT01_06A"), ("online_submission", "*"), ("online_submission_full", "*"),
    ("online_submission_offered", "*"),
    ("online_payment", "*"), ("digitised_result", "*"), ("digitised_result_received", "*"), ("digitised_full", "*"),
    ("reuse", "*"),
}  # fmt: skip
STATUS_WORDS = {
    "Mới đăng ký", "Được tiếp nhận", "Không được tiếp nhận", "Đang xử lý", "Yêu cầu bổ sung giấy tờ",
    "Yêu cầu thực hiện nghĩa vụ tài chính", "Công dân yêu cầu rút hồ sơ", "Dừng xử lý", "Đã xử lý xong",
    "Đã trả kết quả",
}  # fmt: skip
ISLANDS_WITHOUT_OLD_COMMUNES = {"11948", "19742", "20333", "21548", "26732"}
LAST_OLD_DAY, FIRST_NEW_DAY = "2025-06-30", "2025-07-01"
Row = dict[str, str]


def read(name: str) -> list[Row]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def units() -> list[Row]:
    return read("units")


@pytest.fixture(scope="module")
def successions() -> list[Row]:
    return read("unit_successions")


def today(units: list[Row], level: str) -> list[Row]:
    return [row for row in units if row["level"] == level and not row["valid_to"]]


def old(units: list[Row], level: str) -> list[Row]:
    return [row for row in units if row["level"] == level and row["valid_to"] == LAST_OLD_DAY]


@pytest.mark.parametrize("name", KEYS)
def test_a_file_is_small_nfc_trimmed_and_ends_its_lines_with_lf(name: str) -> None:
    content = (REFERENCE / f"{name}.csv").read_bytes()
    assert len(content) < 2_000_000
    assert b"\r" not in content
    text = content.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert unicodedata.is_normalized("NFC", text)
    rows = read(name)
    assert [row for row in rows if None in row or None in row.values()] == []  # a cell too many or too few
    cells = {cell for row in rows for cell in row.values()}
    assert [cell for cell in cells if cell != " ".join(cell.split())] == []


@pytest.mark.parametrize(("name", "key"), KEYS.items())
def test_a_key_occurs_once(name: str, key: tuple[str, ...]) -> None:
    counted = Counter(tuple(row[column] for column in key) for row in read(name))
    assert [found for found, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("name", KEYS)
def test_no_agency_code_is_invented(name: str) -> None:
    assert "H27" not in (REFERENCE / f"{name}.csv").read_text("utf-8")


def test_today_there_are_34_provinces_and_3321_communes(units: list[Row]) -> None:
    communes = today(units, "commune")
    assert len(today(units, "province")) == 34
    assert Counter(row["kind"] for row in communes) == {"xã": 2599, "phường": 709, "đặc khu": 13}
    counts = Counter(row["province_code"] for row in communes)
    assert {code: counts[code] for code in ("24", "31", "38", "42", "79")} == {
        "24": 99, "31": 114, "38": 166, "42": 69, "79": 168,
    }  # fmt: skip


def test_before_july_2025_there_were_63_provinces_and_10035_communes(units: list[Row]) -> None:
    assert len(old(units, "province")) == 63
    assert len(old(units, "commune")) == 10035


def test_tien_dien_kept_the_code_of_the_township_it_replaced(units: list[Row]) -> None:
    spans = [row for row in units if row["unit_code"] == "18373"]
    assert {(row["kind"], row["name"], row["valid_from"], row["valid_to"]) for row in spans} == {
        ("thị trấn", "Tiên Điền", "", LAST_OLD_DAY),
        ("xã", "Tiên Điền", FIRST_NEW_DAY, ""),
    }


def test_tien_dien_is_four_whole_old_communes(successions: list[Row]) -> None:
    into = {(row["old_code"], row["is_partial"]) for row in successions if row["new_code"] == "18373"}
    assert into == {(code, "false") for code in ("18373", "18376", "18379", "18382")}


def test_anh_son_of_nghi_son_went_into_cac_son_and_not_into_its_namesake(successions: list[Row]) -> None:
    assert [row["new_code"] for row in successions if row["old_code"] == "16579"] == ["16591"]


def test_communes_and_provinces_retyped_in_2026_have_a_row_for_each_kind(units: list[Row]) -> None:
    starts: dict[str, list[Row]] = defaultdict(list)
    for row in units:
        if row["valid_from"] > FIRST_NEW_DAY:
            starts[row["level"]].append(row)
    assert Counter(row["parent_code"] for row in starts["commune"]) == {"24": 12, "75": 10}
    assert {row["kind"] for row in starts["commune"]} == {"phường"}
    assert {row["unit_code"]: row["valid_from"] for row in starts["province"]} == {
        "22": "2026-09-01", "24": "2026-09-20", "75": "2026-04-30",
    }  # fmt: skip


def test_spans_of_a_unit_follow_each_other_without_overlap(units: list[Row]) -> None:
    spans: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for row in units:
        opens = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
        closes = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
        assert opens <= closes, row
        spans[row["unit_code"]].append((opens, closes))
    for code, found in spans.items():
        found.sort()
        for (_, closes), (opens, _) in pairwise(found):
            assert opens == closes + timedelta(days=1), code


def test_a_unit_belongs_to_a_province_of_its_time_and_of_today(units: list[Row]) -> None:
    present = {row["unit_code"] for row in today(units, "province")}
    former = {row["unit_code"] for row in old(units, "province")}
    for row in units:
        assert row["province_code"] in present, row
        if row["level"] != "province":
            assert row["parent_code"] in (former if row["valid_to"] == LAST_OLD_DAY else present), row


def test_a_commune_is_named_without_its_kind_and_no_two_of_a_province_share_a_full_name(units: list[Row]) -> None:
    communes = [row for row in units if row["level"] == "commune"]
    doubled = {row["unit_code"] for row in communes if row["name"].casefold().startswith(f"{row['kind']} ")}
    assert doubled == {"19780"}  # phường Phường Đúc, the old commune's real name
    named = Counter((row["province_code"], row["kind"], row["name"]) for row in communes if not row["valid_to"])
    assert max(named.values()) == 1


def test_a_succession_leads_from_an_old_unit_to_a_unit_of_the_same_level(
    units: list[Row], successions: list[Row]
) -> None:
    before = {row["unit_code"]: row for row in units if row["valid_to"] == LAST_OLD_DAY}
    after = {row["unit_code"]: row for row in units if row["valid_from"] == FIRST_NEW_DAY}
    for row in successions:
        source, target = before[row["old_code"]], after[row["new_code"]]
        assert source["level"] == target["level"]
        assert source["province_code"] == target["province_code"]
        assert row["effective_date"] == FIRST_NEW_DAY


def test_every_old_unit_has_a_successor_and_every_new_commune_but_the_islands_a_predecessor(
    units: list[Row], successions: list[Row]
) -> None:
    ended = {row["unit_code"] for level in ("province", "commune") for row in old(units, level)}
    assert ended == {row["old_code"] for row in successions}
    present = {row["unit_code"] for level in ("province", "commune") for row in today(units, level)}
    assert present - {row["new_code"] for row in successions} == ISLANDS_WITHOUT_OLD_COMMUNES


def test_a_succession_is_partial_exactly_where_an_old_unit_has_several(successions: list[Row]) -> None:
    count = Counter(row["old_code"] for row in successions)
    assert [row for row in successions if (row["is_partial"] == "true") != (count[row["old_code"]] > 1)] == []
    assert {row["weight"] for row in successions} == {""}
    assert Counter(count.values()) == {1: 9593 + 63, 2: 370, 3: 56, 4: 15, 5: 1}


def test_every_split_is_listed_for_review_with_the_reading_we_keep(successions: list[Row]) -> None:
    kept = defaultdict(set)
    for row in successions:
        kept[row["old_code"]].add(row["new_code"])
    listed = {row["unit_code"]: row for row in read("unit_differences") if row["subject"] == "split"}
    assert len(listed) == 471
    for code, row in listed.items():
        assert set(row["kept"].split()) == kept[code] <= set(row["vietnamadminunits"].split())
        assert row["reason"]
    assert {code for code, news in kept.items() if len(news) > 1} <= set(listed)


def test_departments_and_aliases_lead_to_known_units(units: list[Row]) -> None:
    departments = [row for row in units if row["level"] == "department"]
    assert {row["parent_code"] for row in departments} == {"42"}
    assert all(row["unit_code"].startswith("42-") and row["source"] for row in departments)
    known = {row["unit_code"] for row in units}
    aliases = read("agencies")
    assert {row["unit_code"] for row in aliases} <= known
    assert not {row["alias"] for row in aliases} & {row["name"] for row in units}


def test_a_status_is_known_by_its_number_and_by_its_words() -> None:
    statuses = {row["alias"]: row["status"] for row in read("statuses")}
    numbers = {str(number) for number in range(1, 11)}
    assert {alias: code for alias, code in statuses.items() if alias.isdecimal()} == {n: n for n in numbers}
    assert {alias for alias in statuses if not alias.isdecimal()} == STATUS_WORDS
    assert statuses["Đã xử lý xong"] == "9"


def test_the_swap_of_january_2026_is_in_the_calendar() -> None:
    days = {row["date"]: row["is_working"] for row in read("calendar")}
    assert days["2026-01-02"] == "false"
    assert days["2026-01-10"] == "true"
    assert all(row["source"] for row in read("calendar"))


def test_procedures_are_well_formed_varied_and_say_what_is_assumed() -> None:
    procedures = read("procedures")
    assert len(procedures) >= 60
    assert len({row["field_name"] for row in procedures}) >= 10
    for row in procedures:
        code = row["procedure_code"]
        assert code[0].isdecimal() and code[1] == "." and len(code) == 8 and code[2:].isdecimal(), row
        assert row["procedure_name"] and row["field_name"] and not row["field_code"], row
        assert int(row["max_working_days"]) > 0, row
        assert "assumed: " in row["source"], row
    assert {row["service_level"] for row in procedures} == {"toan_trinh", "mot_phan", "thong_tin"}
    for column in ("fee_bearing", "yields_result"):
        assert {row[column] for row in procedures} == {"true", "false"}


def test_targets_parse_and_name_only_metrics_that_measure_them() -> None:
    for row in read("targets"):
        assert row["comparator"] in {">=", ">", "="}, row
        value = Decimal(row["value"])
        assert 0 < value <= 1 and value == round(value, 5), row
        assert date.fromisoformat(row["period_from"]) <= date.fromisoformat(row["period_to"]), row
        assert int(row["source_line"]) > 0 and row["indicator"] and row["document"], row
        stated = row["metric_id"] in {one["indicator"] for one in read("manual_indicators")} and row["profile"] == "*"
        assert stated or (row["metric_id"], row["profile"]) in COUNTED or row["ambiguity_note"], row
        assert bool(row["metric_id"]) == bool(row["profile"]), row
        assert row["level_scope"] in {"own", "xã", "huyện", "tỉnh"}, row


def test_a_target_ends_with_the_unit_it_was_set_for(units: list[Row]) -> None:
    targets = read("targets")
    assert {row["unit_code"] for row in targets} == {"18373", "11779", "16579", ""}
    for row in targets:
        spans = [unit for unit in units if unit["unit_code"] == row["unit_code"]]
        if spans:
            assert any(
                unit["valid_from"] <= row["period_from"] and (unit["valid_to"] or "9999-12-31") >= row["period_to"]
                for unit in spans
            ), row


def test_targets_that_contradict_each_other_stand_side_by_side_with_a_note() -> None:
    on_time = [row for row in read("targets") if row["unit_code"] == "16579" and row["metric_id"] == "on_time"]
    assert {(row["comparator"], row["value"]) for row in on_time} == {(">=", "0.98"), (">", "0.98")}
    assert all(re.match("Mâu thuẫn: .+ / Conflict: ", row["ambiguity_note"]) for row in on_time)


def rows_of_section_8(page: str) -> dict[str, set[int]]:
    """Number of a plan → the lines of its text that the tables of domain.md §8 name, one for each row."""
    part = page.partition("## 8. ")[2].partition("Target model")[0]
    found: dict[str, set[int]] = {}
    for plan, table in re.findall(r"\*\*(\d{3})_[^\n]*\n(.*?)(?=\n\*\*\d{3}_|\Z)", part, re.DOTALL):
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
        ]
        if rows:
            place = rows[0].index("line")
            found[plan] = {
                int(re.split(r"\D", row[place])[0]) for row in rows[2:] if "counts asked" not in " ".join(row)
            }
    return found


def test_every_row_of_the_plans_tables_has_a_target_with_a_metric(shared: Path) -> None:
    """Those of the fields, and of neighbours of TTHC, too; what only the plan's own words make unmeasurable says so."""
    told = rows_of_section_8((shared / "domain.md").read_text(encoding="utf-8"))
    assert {plan: len(lines) >= 8 for plan, lines in told.items()} == dict.fromkeys(("000", "001", "002", "003"), True)
    targets = read("targets")
    for plan, lines in told.items():
        for line in lines:
            mine = [row for row in targets if row["target_id"].startswith(plan) and near(row, line)]
            assert mine, (plan, line)
            assert all(row["metric_id"] or row["ambiguity_note"] for row in mine), (plan, line)
    assert all(row["metric_id"] for row in targets)


def test_how_a_target_is_read_is_said_in_both_languages() -> None:
    """Notes are shown on Vietnamese pages and read by auditors who know English."""
    for row in read("targets"):
        vietnamese, _, english = row["ambiguity_note"].partition(" / ")
        if vietnamese:
            assert re.search("[ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵ]", vietnamese.lower()), row["target_id"]
            assert re.match('[A-Z"]', english), row["target_id"]
        assert not re.search(r"\b(also|line|lines|the|beside|level|plan)\b", row["base_note"]), row["target_id"]


def near(row: Row, line: int) -> bool:
    """Whether a target stands on a line of its plan, or says that its sentence begins there."""
    return abs(int(row["source_line"]) - line) <= 2 or re.search(rf"\b{line}\b", row["base_note"]) is not None


def test_kinds_of_satisfaction_are_not_mixed() -> None:
    indicators = {row["indicator"]: row for row in read("manual_indicators")}
    kinds = [name for name in indicators if name.startswith("satisfaction_")]
    assert {"satisfaction_portal", "satisfaction_desk", "satisfaction_sipas", "satisfaction_survey"} <= set(kinds)
    index = {row["component_id"]: row["metric_id"] for row in read("index_766")}
    assert index["5.4"] == "satisfaction_portal"
    promised = {row["metric_id"] for row in read("targets") if "hài lòng" in row["indicator"].lower()}
    assert promised & {"satisfaction_portal", "satisfaction_desk"} == set()


def test_every_component_of_the_index_is_told_by_a_metric_and_the_points_add_up() -> None:
    rows = read("index_766")
    assert sum(Decimal(row["max_points"]) for row in rows) == 100
    assert all(row["metric_id"] for row in rows)
    zero = {row["component_id"]: row["points_at_zero"] for row in rows if row["points_at_zero"]}
    assert zero == {"1.4": "0", "5.2": "6", "5.3": "6", "5.4": "0"}
    assert {row["component_id"]: row["not_for"] for row in rows if row["not_for"]} == {"1.2": "commune department"}
