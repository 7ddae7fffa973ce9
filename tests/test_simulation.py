"""The simulated province: the same for a seed, whole over its nights, and told truly by its files."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from test_truth import assert_carried, assert_identities
from tthc.domain.dossier import Channel, Dossier, PaymentMethod, ServiceLevel, Status
from tthc.domain.errors import Misconfigured
from tthc.domain.text import clean, fold
from tthc.domain.working_days import working_index
from tthc.reference.lists import read_calendar_overrides, read_status_words
from tthc.reference.manual import read_indicators
from tthc.reference.procedures import read_procedures
from tthc.reference.units import Places, read_places
from tthc.settings import settings
from tthc.simulation.dirt import RULES
from tthc.simulation.lists import COLUMNS, FIRST_ROW, MARK
from tthc.simulation.province import LISTS, SOURCES, Province, draw_province
from tthc.simulation.readings import day_of
from tthc.simulation.simulate import default_start, simulate
from tthc.simulation.summaries import last_closed_quarter, period_title
from tthc.simulation.truth import true_figures

ARGUMENTS: dict[str, Any] = {"province": "42", "dossiers": 1000, "seed": 7, "start": date(2026, 3, 12), "nights": 3}
PERSONAL = {"person", "identity", "telephone"}
Located = tuple[str, str, int, dict[str, Any]]  # source, file, row, canonical cells


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate(**ARGUMENTS, out=tmp_path_factory.mktemp("province"))


@pytest.fixture(scope="module")
def province() -> Province:
    return draw_province(settings(), **ARGUMENTS)


def truth_of(night: Path) -> dict[str, Any]:
    return read_truth(night / "truth.json", (night / "truth.json").stat().st_mtime_ns)


@cache
def read_truth(path: Path, written: int) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


# Reading the files back, as plainly as they can be read.


@cache
def named(heading: str) -> str:
    """The canonical column of a heading, however it is written."""
    return next(name for name, *headings in COLUMNS if fold(heading) in map(fold, headings))


def list_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Row number and canonical cells of every row of a list that has a dossier."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows: list[Any] = list(csv.reader(handle))
    else:
        rows = [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]
    first = FIRST_ROW[path.parent.name]
    names = [named(heading) for heading in rows[first - 2]]
    for number, row in enumerate(rows[first - 1 :], start=first):
        cells = dict(zip(names, row, strict=True))
        if cells["dossier_code"] and cells["procedure_code"]:
            yield number, {name: cell for name, cell in cells.items() if cell not in (None, "")}


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same of an array of records."""
    for number, record in enumerate(json.loads(path.read_text(encoding="utf-8")), start=1):
        asked = record["DanhSachHoSoBoSung"]
        result = bool(record["DanhSachGiayToKetQua"])
        cells = {
            "dossier_code": record["MaHoSo"],
            "procedure_code": record["MaTTHC"],
            "field_name": record["TenLinhVuc"],
            "unit_name": record["DonViXuLy"],
            "person": record["ChuHoSo"],
            "submitted_at": record["NgayNopHoSo"],
            "received_at": record["NgayTiepNhan"],
            "due_at": record["NgayHenTra"],
            "finished_at": record["NgayKetThucXuLy"],
            "returned_at": record["NgayTra"],
            "channel": record["KenhThucHien"],
            "status": record["TrangThaiHoSo"],
            "supplement_count": len(asked) or "",
            "supplement_requested_at": asked[-1]["NgayBoSung"] if asked else "",
            "fee_amount": sum(int(fee["Gia"]) for fee in record["DanhSachLePhi"]) if record["DanhSachLePhi"] else "",
            "payment_method": "Trực tuyến" if record["DuocThanhToanTrucTuyen"] in {"1", "2"} else "",
            "components_digitised": record["HoSoCoThanhPhanSoHoa"],
            "result_digitised": "1" if result else "",
            "result_electronic": "1" if result else "",
            "data_reused": record["TaiLieuNop"][0]["DuocTaiSuDung"],
        }
        yield number, {name: cell for name, cell in cells.items() if cell != ""}


@cache
def rows_of(night: Path) -> list[Located]:
    """Every row of a night that has a dossier."""
    found = []
    for source in SOURCES:
        for path in sorted((night / source).iterdir()):
            rows = list_rows(path) if source in LISTS else json_rows(path)
            found += [(source, path.name, number, cells) for number, cells in rows]
    return found


def broken_rows(truth: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(one["source_id"], one["file"], one["row_no"]) for one in truth["dirt"]}


def sound_rows(night: Path) -> list[Located]:
    """Rows that are not seeded dirt; repeated ones are still repeated."""
    broken = broken_rows(truth_of(night))
    return [row for row in rows_of(night) if row[:3] not in broken]


@cache
def status_words() -> dict[str, int]:
    return {fold(word): int(number) for word, number in read_status_words(settings()).items()}


@cache
def places_of_42() -> Places:
    return read_places(settings())


def parsed(cells: dict[str, Any], unit_code: str) -> Dossier:
    """A row as a dossier."""
    channels = {"Trực tiếp": 1, "Trực tuyến": 2, "Bưu chính công ích (BCCI)": 3, "1": 1, "2": 2, "3": 3}
    levels = {"Toàn trình": "toan_trinh", "Một phần": "mot_phan", "Cung cấp thông tin": "thong_tin"}
    payments = {"Trực tuyến": "online", "Tiền mặt": "cash", "Chuyển khoản": "transfer"}

    def word(name: str, known: dict[str, Any]) -> Any:
        return {fold(text): code for text, code in known.items()}[fold(cells[name])] if name in cells else None

    def number(name: str) -> int | None:
        return int(str(cells[name]).replace(".", "")) if name in cells else None

    moments = {name: moment(cells[name]) for name in cells if name.endswith("_at")}
    yes = {
        name: fold(cells[name]) in {"có", "x", "1"}
        for name in cells
        if name.endswith(("_digitised", "_electronic", "_reused"))
    }
    method = word("payment_method", payments)
    level, channel = word("service_level", levels), word("channel", channels)
    return Dossier(
        dossier_code=cells["dossier_code"],
        procedure_code=cells["procedure_code"],
        field_name=clean(cells["field_name"]),
        unit_code=unit_code,
        status=Status(status_words()[fold(cells["status"])]),
        channel=Channel(channel) if channel else None,
        service_level=ServiceLevel(level) if level else None,
        supplement_count=number("supplement_count"),
        fee_amount=number("fee_amount"),
        payment_method=PaymentMethod(method) if method else None,
        **moments,
        **yes,
    )


def moment(cell: str | datetime) -> date | datetime:
    """A date cell of any layout; midnight is a day."""
    if isinstance(cell, str):
        form = "%Y%m%d%H%M%S" if cell.isdecimal() else " ".join(["%d/%m/%Y", *CLOCKS[cell.count(":")]])
        cell = datetime.strptime(cell, form)
    return cell if cell.time() != time.min else cell.date()


CLOCKS: dict[int, list[str]] = {0: [], 1: ["%H:%M"], 2: ["%H:%M:%S"]}


# What must hold.


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    few = ARGUMENTS | {"dossiers": 200, "nights": 2}
    for first, second in zip(simulate(**few, out=tmp_path / "a"), simulate(**few, out=tmp_path / "b"), strict=True):
        files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
        assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
        assert all((first / file).read_bytes() == (second / file).read_bytes() for file in files)


def test_another_seed_is_another_province() -> None:
    other = draw_province(settings(), **ARGUMENTS | {"seed": 8})
    assert other.lives != draw_province(settings(), **ARGUMENTS).lives


@pytest.mark.parametrize("nights", [1, 5])
def test_a_province_has_as_many_dossiers_as_asked_for_however_many_nights(nights: int) -> None:
    drawn = draw_province(settings(), **ARGUMENTS | {"nights": nights})
    codes = {life.states[0][1].dossier_code for life in drawn.lives}
    assert len(codes) == ARGUMENTS["dossiers"]
    assert all(life.state_on(drawn.last_night) for life in drawn.lives)


def test_every_dossier_is_exported_and_last_in_its_final_state(nights: list[Path], province: Province) -> None:
    last_told: dict[str, Status] = {}
    for night in nights:
        for _, file, _, cells in sound_rows(night):
            last_told[cells["dossier_code"]] = parsed(cells, Path(file).stem).status
    final = {life.states[0][1].dossier_code: life.state_on(province.last_night) for life in province.lives}
    assert last_told == {code: state.status for code, state in final.items() if state}


def test_a_night_tells_only_what_was_known_by_then(nights: list[Path]) -> None:
    first, last = truth_of(nights[0]), truth_of(nights[-1])
    assert first["dossiers"] < last["dossiers"] == ARGUMENTS["dossiers"]
    for night in nights:
        for _, _, _, cells in sound_rows(night):
            told = [moment(cells[name]) for name in ("received_at", "finished_at", "returned_at") if name in cells]
            assert all(day_of(one) <= date.fromisoformat(night.name) for one in told)


def test_a_dossier_stands_in_one_file_but_for_a_small_overlap(nights: list[Path]) -> None:
    repeated = {(one["source_id"], one["file"], one["row_no"]) for one in truth_of(nights[0])["duplicates"]}
    rows = [row for row in sound_rows(nights[0]) if row[:3] not in repeated]
    files = Counter(cells["dossier_code"] for _, _, _, cells in rows)
    twice = {code for code, count in files.items() if count > 1}
    assert set(files.values()) <= {1, 2} and len(twice) <= 0.02 * len(files)
    for code in twice:
        told = {
            source: parsed(cells, Path(file).stem) for source, file, _, cells in rows if cells["dossier_code"] == code
        }
        assert len(told) == 2 and "dvcqg_json" in told
        first, second = ({name: value or None for name, value in asdict(dossier).items()} for dossier in told.values())
        assert first == second


def test_the_files_of_a_single_night_make_the_true_figures(tmp_path: Path) -> None:
    """Everything counted is in the files: read back plainly, they give truth.json."""
    (night,) = simulate(**ARGUMENTS | {"nights": 1}, out=tmp_path)
    truth = truth_of(night)
    newest = {cells["dossier_code"]: parsed(cells, Path(file).stem) for _, file, _, cells in sound_rows(night)}
    overrides = read_calendar_overrides(settings())
    figures = true_figures(
        list(newest.values()),
        ARGUMENTS["start"],
        province="42",
        procedures=read_procedures(settings()),
        working_days=working_index(date(2025, 6, 1), ARGUMENTS["start"], overrides),
    )
    assert figures == truth["figures"]


def test_form_identities_hold_on_every_night(nights: list[Path]) -> None:
    for night in nights:
        forms = truth_of(night)["form_06a"]
        assert forms
        for form in forms:
            assert_identities(form)
        assert_carried(forms, date.fromisoformat(night.name))


def test_fields_and_units_add_up_to_their_totals(nights: list[Path]) -> None:
    forms = truth_of(nights[-1])["form_06a"]
    total, by_field, by_unit = Counter[Any](), Counter[Any](), Counter[Any]()
    for form in forms:
        period = form["period_calendar"], form["period_label"]
        if form["field_code"] != "*":
            by_field[*period, form["unit_code"]] += form["received_total"]
        else:
            total[*period, form["unit_code"]] += form["received_total"]
            by_unit[period] += form["received_total"] if form["unit_code"] != "42" else 0
    assert by_field == total
    assert all(total[*period, "42"] == count for period, count in by_unit.items())


def test_clean_states_are_plausible(province: Province) -> None:
    for life in province.lives:
        days = [began for began, _ in life.states]
        assert days == sorted(days)
        for began, state in life.states:
            received, due, finished = map(day_of, (state.received_at, state.due_at, state.finished_at))
            returned = day_of(state.returned_at)
            if state.status in {Status.REGISTERED, Status.NOT_ACCEPTED}:
                assert received is None
                continue
            assert received is not None and (due is None or due >= received)
            assert all(received <= day <= began for day in (finished, returned) if day)
            assert (finished is None) or state.status in {
                Status.WITHDRAWN,
                Status.STOPPED,
                Status.RESOLVED,
                Status.RETURNED,
            }
            assert (finished or returned) or state.status not in {Status.RESOLVED, Status.RETURNED}
            assert returned is None or state.status is Status.RETURNED


def test_units_are_named_as_they_were_on_the_day_of_receipt(nights: list[Path]) -> None:
    places = places_of_42()
    for source, file, _, cells in sound_rows(nights[-1]):
        on = day_of(moment(cells.get("received_at") or cells["submitted_at"]))
        assert on is not None
        assert places.choose(places.spans_of(clean(cells["unit_name"])), on) == Path(file).stem, (source, file)


def test_agency_prefixes_are_nobodys(nights: list[Path]) -> None:
    places = places_of_42()
    for *_, cells in rows_of(nights[0]):
        assert not places.spans_of_alias(cells["dossier_code"].split("-")[0])


def test_every_rule_is_broken_somewhere_and_never_by_a_dossier_that_counts(
    nights: list[Path], province: Province
) -> None:
    counted = {life.states[0][1].dossier_code for life in province.lives}
    for night in nights:
        truth = truth_of(night)
        rows = {row[:3]: row[3] for row in rows_of(night)}
        assert {one["rule_id"] for one in truth["dirt"]} == set(RULES) == set(truth["dirt_counts"])
        for one in truth["dirt"]:
            cells = rows[one["source_id"], one["file"], one["row_no"]]
            assert cells["dossier_code"] not in counted
            assert breaks(one["rule_id"], cells, date.fromisoformat(night.name))


def breaks(rule_id: str, cells: dict[str, Any], night: date) -> bool:
    """Whether a row breaks the rule it is said to break."""
    if rule_id == "DATE_INVALID":
        return any("31/02" in str(cells[name]) or "0231" in str(cells[name])[4:8] for name in ("received_at", "due_at"))
    received, due, finished = (
        day_of(moment(cells[name])) if name in cells else None for name in ("received_at", "due_at", "finished_at")
    )
    assert received is not None
    status = fold(str(cells["status"]))
    return {
        "DUE_BEFORE_RECEIVED": due is not None and due < received,
        "FINISHED_BEFORE_RECEIVED": finished is not None and finished < received,
        "DATE_FUTURE": received > night,
        "UNKNOWN_STATUS": status not in status_words(),
        "UNKNOWN_UNIT": not places_of_42().spans_of(clean(cells["unit_name"])),
        "CODE_MALFORMED": not cells["procedure_code"].replace(".", "").isdecimal(),
        "FINISH_MISSING": status in {"9", fold("Đã xử lý xong")} and finished is None,
        "FINISH_UNEXPECTED": status in {"4", fold("Đang xử lý")} and finished is not None,
    }[rule_id]


def test_repeated_rows_are_exact_and_blank_rows_and_footers_are_where_they_are_said_to_be(nights: list[Path]) -> None:
    truth = truth_of(nights[0])
    rows = rows_of(nights[0])
    assert truth["duplicates"] and truth["blank_rows"] and truth["footers"]
    for one in truth["duplicates"]:
        same = [row for row in rows if row[:2] == (one["source_id"], one["file"])]
        cells = next(row[3] for row in same if row[2] == one["row_no"])
        assert sum(row[3] == cells for row in same) >= 2
    numbers = {(source, file, number) for source, file, number, _ in rows}
    for one in truth["blank_rows"] + truth["footers"]:
        assert (one["source_id"], one["file"], one["row_no"]) not in numbers
    assert sum(truth["rows"].values()) == len(rows)


def test_a_simulated_night_is_replaced_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    few = ARGUMENTS | {"nights": 1, "dossiers": 30, "out": tmp_path}
    (night,) = simulate(**few)
    (again,) = simulate(**few | {"seed": 9})
    assert night == again and sum(truth_of(night)["rows"].values()) == len(rows_of(night))
    (night / "truth.json").unlink()
    with pytest.raises(Misconfigured, match="not a simulation's"):
        simulate(**few)
    assert (night / "dvcqg_json").is_dir()


def test_without_dirt_nothing_is_broken(tmp_path: Path) -> None:
    (night,) = simulate(**ARGUMENTS | {"nights": 1, "dossiers": 60}, out=tmp_path, dirty=False)
    truth = truth_of(night)
    assert not any(truth[name] for name in ("dirt", "duplicates", "blank_rows", "footers"))


def test_persons_are_synthetic_and_files_say_so(nights: list[Path]) -> None:
    for *_, cells in rows_of(nights[0]):
        assert clean(cells["person"]).startswith("Người Giả Định ")
        assert str(cells.get("identity", "000000")).startswith("000000")
    for path in (nights[0] / "mot_cua_xlsx").iterdir():
        sheet = openpyxl.load_workbook(path).active
        assert sheet is not None and sheet.cell(2, 1).value == MARK and sheet.cell(4, 1).value is not None


def test_a_csv_has_a_byte_order_mark_and_every_contract_heading(nights: list[Path]) -> None:
    kinds = set()
    for path in (nights[0] / "mot_cua_csv").iterdir():
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        header = raw.decode("utf-8-sig").splitlines()[0]
        names = [named(heading) for heading in next(csv.reader([header]))]
        assert names == [name for name, *_ in COLUMNS]
        kinds |= {"no-break"} if "\u00a0" in header else {"upper"} if "TRẠNG THÁI" in header else {"plain"}
    assert {"plain", "no-break"} <= kinds


def test_a_workbook_mixes_real_dates_and_text(nights: list[Path]) -> None:
    rows = [cells for path in (nights[0] / "mot_cua_xlsx").iterdir() for _, cells in list_rows(path)]
    assert all(isinstance(cells["submitted_at"], str) for cells in rows)
    assert sum(isinstance(cells.get("received_at"), datetime) for cells in rows) > 0.9 * len(rows)


def test_records_hold_strings_only(nights: list[Path]) -> None:
    def strings(value: Any) -> bool:
        if isinstance(value, list):
            return all(map(strings, value))
        return all(map(strings, value.values())) if isinstance(value, dict) else isinstance(value, str)

    for path in (nights[0] / "dvcqg_json").iterdir():
        assert strings(json.loads(path.read_text(encoding="utf-8")))


def test_forms_06a_tell_the_last_closed_quarter_as_the_dossiers_do(nights: list[Path]) -> None:
    night = nights[-1]
    quarter = last_closed_quarter(date.fromisoformat(night.name))
    assert period_title(quarter) == "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"
    forms = {
        (form["unit_code"], form["field_code"]): form
        for form in truth_of(night)["form_06a"]
        if (form["period_calendar"], form["period_label"]) == (quarter.calendar.value, quarter.label)
    }
    paths = sorted((night / "tong_hop_06a_xlsx").iterdir())
    assert len(paths) == 5
    for path in paths:
        sheet = openpyxl.load_workbook(path).active
        assert sheet is not None
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        assert MARK in rows[0][0] and rows[1][0].startswith("Đơn vị: ")
        assert rows[2][0] == f"Kỳ báo cáo: {period_title(quarter)}"
        assert rows[6] == [f"({number})" for number in range(1, 14)]
        assert rows[-1][1] == "Tổng số"
        for row in rows[7:]:
            form = forms[path.stem, "*" if row[1] == "Tổng số" else row[1]]
            assert row[2:] == [form[name] for name in form if name.endswith("_total") or name in COUNTERS]


COUNTERS = {
    "received_online", "received_direct", "carried_over", "resolved_early", "resolved_on_time", "resolved_late",
    "in_progress_in_time", "in_progress_overdue",
}  # fmt: skip


def test_units_change_with_the_reform_of_july_2025(tmp_path: Path) -> None:
    written = simulate(province="42", dossiers=60, seed=1, start=date(2025, 6, 29), nights=4, out=tmp_path)
    assert truth_of(written[-1])["dossiers"] == 60
    drawn = draw_province(settings(), province="42", dossiers=60, seed=1, start=date(2025, 6, 29), nights=4)
    for life in drawn.lives:
        began, state = life.states[0]
        assert drawn.offices[state.unit_code].open_on(day_of(state.received_at) or began)


@pytest.mark.parametrize(
    ("today", "start"), [((2026, 3, 14), (2026, 3, 14)), ((2026, 3, 13), (2026, 2, 14)), ((2026, 1, 2), (2025, 12, 14))]
)
def test_the_first_night_is_by_default_the_close_of_a_period(
    today: tuple[int, int, int], start: tuple[int, int, int]
) -> None:
    assert default_start(date(*today)) == date(*start)


# What units state themselves.


def test_forms_of_manual_input_add_up_to_what_the_truth_says_is_stated(nights: list[Path]) -> None:
    """Twelve units and the province fill the form of the quarter; on a later night more of them have."""
    own = {one.id for one in read_indicators(settings()).values() if not one.summed}
    told: dict[tuple[str, str, str], list[int]] = {}
    for night in nights:
        for path in sorted((night / "nhap_tay").glob("*.xlsx")):
            rows = [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]
            assert str(rows[0][0]) == MARK
            (code,) = [str(row[0]).partition(": ")[2] for row in rows if str(row[0]).startswith("Mã đơn vị: ")]
            assert path.name == f"{code}.xlsx"
            label = "2026-Q1" if "Quý I/2026" in str(rows[3][0]) else "2025-Q4"
            for _, name, _, numerator, denominator, *_ in rows[6:]:
                for unit in {code, "42"} if name not in own and numerator is not None else set():
                    cell = told.setdefault((label, unit, name), [0, 0])
                    cell[:] = [cell[0] + numerator, cell[1] + denominator]
                if name in own and numerator is not None:
                    told[label, code, name] = [numerator, denominator]
        stated = truth_of(night)["stated"]
        assert {
            (one["period_label"], one["unit_code"], one["metric_id"]): [one["numerator"], one["denominator"]]
            for one in stated
        } == told
    assert len({unit for _, unit, _ in told}) > 5
    assert any(pair == [0, 0] for pair in told.values())
    assert all(0 <= numerator <= denominator for numerator, denominator in told.values())
