"""Four layouts, one truth: the same dossiers give the same figures whichever layout carries them; records and forms that
are odd or broken; and what is personal never goes further than the landing store. Lists are in test_intake_lists.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from exports import (
    FORM_COLUMNS,
    Row,
    counts,
    csv_list,
    csv_of,
    dossier,
    form_06a,
    json_list,
    record,
    table,
    workbook,
    xlsx_list,
)
from intake_cases import NIGHT, Case, check, load
from warehouses import Warehouse, Warehouses

QUARANTINED = "loaded_with_quarantine"


# One truth in four layouts
def _mixed() -> list[Row]:
    """Thirty dossiers of every kind, in words that all layouts can say: the level is the registry's."""
    rows = []
    statuses = ("4", "9", "10", "7", "8", "5", "6", "2", "1", "3")
    for number in range(30):
        status = statuses[number % 10]
        ended = status in {"9", "10", "7", "8"}
        paid = number % 3 == 0
        rows.append(
            dossier(
                f"H42.5-2601{number % 28 + 1:02d}-{number:04d}",
                procedure_code=("1.000656", "2.000930", "2.000815")[number % 3],
                unit_name=("UBND xã Tiên Điền", "xã Cổ Đạm", "Sở Nội vụ")[number % 3],
                field_name=("Hộ tịch", "Hòa giải ở cơ sở", "Chứng thực")[number % 3],
                channel=("Trực tiếp", "Trực tuyến", "Bưu chính công ích (BCCI)")[number // 2 % 3],
                received_at=f"{number % 28 + 1:02d}/01/2026 0{number % 9}:{number:02d}",
                due_at=f"{number % 28 + 1:02d}/02/2026 17:00" if number % 7 else "",
                finished_at=f"{(number * 5) % 28 + 1:02d}/02/2026 1{number % 9}:30" if ended else "",
                returned_at="05/03/2026" if status == "10" else "",
                status=status,
                supplement_count="2" if number % 10 == 5 else "1" if number % 4 == 0 else "",
                supplement_requested_at="20/02/2026" if number % 10 == 5 or number % 4 == 0 else "",
                fee_amount="50.000" if number % 2 else "",
                payment_method="Trực tuyến" if paid and number % 2 else "",
                components_digitised="Có" if number % 2 else "",
                result_digitised="Có" if number % 5 == 0 else "",
                result_electronic="Có" if number % 5 == 0 else "",
                data_reused="x" if number % 4 == 1 else "",
            )
        )
    return rows


FIGURES = (
    "select period_calendar, period_kind, period_label, period_start, period_end, as_of, unit_level, unit_code, "
    "unit_name, basis, field_code, metric_id, profile, numerator, denominator, rate, flags from mart.kpi"
)
FORMS = (
    "select period_calendar, period_label, unit_code, basis, field_code, field_name, received_total, received_online, "
    "received_direct, carried_over, resolved_total, resolved_early, resolved_on_time, resolved_late, "
    "in_progress_total, in_progress_in_time, in_progress_overdue, withdrawn, stopped from mart.form_06a"
)


def _sorted(warehouse: Warehouse, statement: str) -> list[str]:
    return sorted(repr(tuple(row.values())) for row in warehouse.query(statement))


@pytest.fixture(scope="module")
def by_csv(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        made.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(_mixed())})
        assert made.quarantine() == set()
        yield made


@pytest.mark.parametrize(
    "file",
    [
        ("mot_cua_xlsx/a.xlsx", xlsx_list(_mixed())),
        ("mot_cua_xlsx/a.xlsx", xlsx_list(_mixed(), dates="text")),
        ("dvcqg_json/a.json", json_list(_mixed())),
    ],
    ids=["workbook with real dates", "workbook with text", "records"],
)
def test_every_layout_of_dossiers_gives_the_same_figures(
    by_csv: Warehouse, warehouse: Warehouse, file: tuple[str, bytes]
) -> None:
    warehouse.load(NIGHT, dict([file]))
    assert _sorted(warehouse, FIGURES) == _sorted(by_csv, FIGURES)
    assert _sorted(warehouse, FORMS) == _sorted(by_csv, FORMS)
    assert len(_sorted(warehouse, FIGURES)) > 500


def test_the_form_filled_from_the_dossiers_gives_the_same_form(by_csv: Warehouse, warehouse: Warehouse) -> None:
    forms: dict[str, bytes] = {}
    where = "where period_calendar = 'VPCP_15_14' and period_label = '2026-Q1' and basis = 'as_reported'"
    for unit, name in (("18373", "UBND xã Tiên Điền"), ("18394", "xã Cổ Đạm"), ("42-SNV", "Sở Nội vụ")):
        rows = by_csv.query(f"select * from mart.form_06a {where} and unit_code = :unit", unit=unit)
        told = {row["field_code"]: {column: row[column] for column in FORM_COLUMNS} for row in rows}
        total = told.pop("*")
        forms[f"tong_hop_06a_xlsx/{unit}.xlsx"] = form_06a(list(told.items()), unit=name, total=total)
    warehouse.load(NIGHT, forms)
    columns = ", ".join(FORM_COLUMNS)
    statement = f"select unit_code, field_code, {columns} from mart.form_06a {where}"
    assert _sorted(warehouse, statement) == _sorted(by_csv, statement)
    metrics = (
        "select unit_code, field_code, metric_id, profile, numerator, denominator, rate from mart.kpi "
        f"{where} and (metric_id, profile) in (('received', 'TT01_06A'), ('resolved', 'TT01_06A'), "
        "('in_progress', 'TT01_06A'), ('on_time', 'TT01_06A'), ('overdue_open', 'TT01_06A'), ('online_submission', '*'))"
    )
    assert _sorted(warehouse, metrics) == _sorted(by_csv, metrics)


# Records
_numbers = count(500)
CASES: list[Case] = []


def records(name: str, change: dict[str, Any] | None = None, *, text: bytes | None = None, **expected: Any) -> None:
    """A file of one record with some fields changed; None takes a field away."""
    whole = {**record(dossier(f"H42.{next(_numbers)}-260105-1")), **(change or {})}
    content = json.dumps([{key: value for key, value in whole.items() if value is not ...}]).encode()
    expected.setdefault("rows", (1, 1, 0, 0, 0) if expected.get("verdict", "loaded") == "loaded" else None)
    CASES.append(Case(name, content if text is None else text, source="dvcqg_json", **expected))


def refused(name: str, change: dict[str, Any], rule: str) -> None:
    records(name, change, verdict=QUARANTINED, rows=(1, 0, 1, 0, 0), refused={1: [rule]})


records("plain", stated={1: {"unit_code": "18373", "status": 4, "channel": 1, "received_on": date(2026, 1, 5)}})
records(
    "numbers instead of texts",
    {"TrangThaiHoSo": 4, "KenhThucHien": 2, "NgayTiepNhan": 20260105080000},
    stated={1: {"status": 4, "channel": 2}},
)
records("twenty digits", {"MaHoSo": 12345678901234567890}, stated={1: {"status": 4}})
records(
    "nothing instead of empty", {"NgayNopHoSo": None, "NgayKetThucXuLy": None, "DanhSachLePhi": None, "TenTTHC": None}
)
records("fields left out", {"NgayNopHoSo": ..., "TaiLieuNop": ..., "DanhSachLePhi": ..., "HoSoCoThanhPhanSoHoa": ...})
records("no channel", {"KenhThucHien": ""}, stated={1: {"status": 4}})
records("an unlisted field", {"TruongMoi": "x"}, told={"SCHEMA_DRIFT"})
records("a day", {"NgayHenTra": "20260112000000"}, stated={1: {"due_on": date(2026, 1, 12), "due_at": None}})
records("a moment", {"NgayHenTra": "20260112170000"}, stated={1: {"due_at": datetime(2026, 1, 12, 17)}})
records(
    "supplements",
    {
        "DanhSachHoSoBoSung": [
            {"NgayBoSung": "20260109080000"},
            {"NgayBoSung": "20260112080000"},
            {"NgayBoSung": "20260107080000"},
        ]
    },
    stated={1: {"supplement_count": 3, "supplement_requested_on": date(2026, 1, 12)}},
)
records("fees", {"DanhSachLePhi": [{"Gia": "30000"}, {"Gia": "20000"}]}, stated={1: {"fee_amount": 50_000}})
records("free of charge", {"DanhSachLePhi": [{"Gia": "0"}]}, stated={1: {"fee_amount": 0}})
for code, method in (("0", None), ("1", "online"), ("2", "online"), ("3", None)):
    records(
        f"paid {code}",
        {"DuocThanhToanTrucTuyen": code, "DanhSachLePhi": [{"Gia": "5000"}]},
        stated={1: {"payment_method": method}},
    )
for reuse, kept, flag in (("0", "0", False), ("1", "0", True), ("2", "0", True), ("0", "1", True)):
    records(
        f"reuse {reuse} {kept}",
        {"TaiLieuNop": [{"DuocSoHoa": "0"}, {"DuocTaiSuDung": reuse, "DuocLayTuKhoDMQG": kept}]},
        stated={1: {"data_reused": flag, "components_digitised": False}},
    )
records(
    "a digitised part",
    {"TaiLieuNop": [{"DuocSoHoa": "0"}, {"DuocSoHoa": "1"}]},
    stated={1: {"components_digitised": True}},
)
records("digitised by its own word", {"HoSoCoThanhPhanSoHoa": "1"}, stated={1: {"components_digitised": True}})
records(
    "a result file",
    {"DanhSachGiayToKetQua": [{"DuongDanTepTinKetQua": "https://vi.du/kq"}]},
    stated={1: {"result_digitised": True, "result_electronic": True}},
)
records(
    "a result without a file",
    {"DanhSachGiayToKetQua": [{"TenGiayTo": "KQ", "DuongDanTepTinKetQua": ""}]},
    stated={1: {"result_digitised": False, "result_electronic": False}},
)
refused("an unreal day", {"NgayTiepNhan": "20260231080000"}, "DATE_INVALID")
refused("a day in another form", {"NgayHenTra": "12/01/2026"}, "DATE_INVALID")
refused("no receipt", {"NgayTiepNhan": ""}, "RECEIVED_MISSING")
refused("an unknown status", {"TrangThaiHoSo": "12"}, "UNKNOWN_STATUS")
refused("an unknown channel", {"KenhThucHien": "4"}, "UNKNOWN_CHANNEL")
refused("an unknown payment", {"DuocThanhToanTrucTuyen": "9"}, "UNKNOWN_PAYMENT_METHOD")
refused("a fee that is no number", {"DanhSachLePhi": [{"Gia": "năm nghìn"}]}, "NUMBER_FORMAT")
refused("a fee that is NaN", {"DanhSachLePhi": [{"Gia": float("nan")}]}, "NUMBER_FORMAT")
refused("a negative fee", {"DanhSachLePhi": [{"Gia": "-5"}]}, "RANGE")
refused("a list instead of a text", {"MaTTHC": ["1.000656"]}, "CODE")
refused("a list instead of a code", {"MaHoSo": ["H42.1-260105-1"]}, "CELL_SHAPE")
refused("an object instead of a code", {"MaHoSo": {"ma": "H42.1-260105-1"}}, "CELL_SHAPE")
refused("a yes for a status", {"TrangThaiHoSo": True}, "UNKNOWN_STATUS")
refused("a yes for a channel", {"KenhThucHien": True}, "UNKNOWN_CHANNEL")
refused("a word among flags of numbers", {"HoSoCoThanhPhanSoHoa": "Có"}, "UNKNOWN_FLAG")
records("a flag that is true", {"HoSoCoThanhPhanSoHoa": True}, stated={1: {"components_digitised": True}})
for day in ("202601", "202611", "2026112", "202601050830", "2026111083000"):
    refused(f"a day of {len(day)} digits {day}", {"NgayTiepNhan": day}, "DATE_INVALID")
_REQUESTS = [{"NgayBoSung": "20260107"}, {"NgayBoSung": "08/01/2026"}]
refused("requests written in two ways", {"DanhSachHoSoBoSung": _REQUESTS}, "DATE_INVALID")
refused("a zero character", {"TenLinhVuc": "Hộ\0tịch"}, "NUL_BYTE")
_ONE, _TWO = (record(dossier(f"H42.{next(_numbers)}-260105-1")) for _ in range(2))
records(
    "elements that are no records",
    text=json.dumps([_ONE, 5, None, _TWO]).encode(),
    verdict=QUARANTINED,
    rows=(4, 2, 2, 0, 0),
    refused={2: ["JSON_SHAPE"], 3: ["JSON_SHAPE"]},
)
_ONE, _TWO = (record(dossier(f"H42.{next(_numbers)}-260105-1")) for _ in range(2))
records("one record twice", text=json.dumps([_ONE, _TWO, _ONE]).encode(), rows=(3, 2, 0, 0, 1))
records(
    "two records that contradict",
    text=json.dumps([_ONE, {**_ONE, "NgayHenTra": "20260113000000"}]).encode(),
    verdict=QUARANTINED,
    rows=(2, 0, 2, 0, 0),
    refused={1: ["DUPLICATE_IN_FILE"], 2: ["DUPLICATE_IN_FILE"]},
)
records("byte-order mark", text=b"\xef\xbb\xbf" + json_list([dossier(f"H42.{next(_numbers)}-260105-1")]))
records(
    "accents written apart",
    text=json.dumps(
        [record(dossier(f"H42.{next(_numbers)}-260105-1", unit_name="Xa\u0303 Tie\u0302n \u0110ie\u0302\u0300n"))]
    ).encode(),
    stated={1: {"unit_code": "18373"}},
)
records("no records", text=b"[]", verdict="held", reason="ZERO_ROWS")
records("a record alone", text=b"{}", verdict="rejected", reason="JSON_SHAPE")
records("cut", text=json_list([dossier("H42.600-260105-1")])[:-9], verdict="rejected", reason="FILE_TRUNCATED")
records("too deep", text=b"[" * 100_000 + b"]" * 100_000, verdict="rejected", reason="JSON_DEPTH")
records(
    "a field named twice",
    text=json_list([dossier("H42.601-260105-1")]).replace(b'"MaHoSo"', b'"MaHoSo": "x", "MaHoSo"'),
    verdict="rejected",
    reason="DUPLICATE_COLUMN",
)
records(
    "not unicode", text=json_list([dossier("H42.602-260105-1")])[:-2] + b"\xff]", verdict="rejected", reason="ENCODING"
)
for name in ("MaHoSo", "MaTTHC", "NgayTiepNhan", "TrangThaiHoSo", "DonViXuLy"):
    records(f"no record has {name}", {name: ...}, verdict="rejected", reason="MISSING_COLUMN")


# Forms
def form(name: str, content: bytes, **expected: Any) -> None:
    CASES.append(Case(name, content, source="tong_hop_06a_xlsx", **expected))


GOOD = counts(online=6000, direct=3234, early=4000, on_time=3000, late=234, in_time=1500, over=500)
LESS = counts(direct=1, in_time=1)
SUM = {column: GOOD[column] + LESS[column] for column in FORM_COLUMNS}
TWO = [("Hộ tịch", GOOD), ("Đất đai", LESS)]


def changed(column: str, by: int = 1) -> dict[str, int]:
    return {**GOOD, column: GOOD[column] + by}


form("a form", form_06a(TWO, total=SUM), rows=(4, 2, 0, 2, 0))
form("thousands with dots", form_06a(TWO, unit="xã Cổ Đạm", total=SUM, as_text=True), rows=(4, 2, 0, 2, 0))
form("without a total", form_06a(TWO, unit="Sở Nội vụ"), rows=(3, 2, 0, 1, 0))
form(
    "a calendar month",
    form_06a(TWO, unit="xã Can Lộc", period="Tháng 3/2026 (từ ngày 01/03/2026 đến ngày 31/03/2026)"),
    rows=(3, 2, 0, 1, 0),
)
form(
    "the year",
    form_06a(TWO, unit="xã Can Lộc", period="Năm 2025 (từ ngày 15/12/2024 đến ngày 14/12/2025)"),
    rows=(3, 2, 0, 1, 0),
)
form("nobody's form", form_06a(TWO, unit="xã Không Có"), verdict="rejected", reason="UNKNOWN_UNIT")
form(
    "a period of no calendar",
    form_06a(TWO, period="Quý I/2026 (từ ngày 16/12/2025 đến ngày 14/3/2026)"),
    verdict="rejected",
    reason="PERIOD",
)
form(
    "a quarter and other days",
    form_06a(TWO, period="Quý II/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"),
    verdict="rejected",
    reason="PERIOD",
)
form("a total that is none", form_06a(TWO, total=GOOD), verdict="rejected", reason="TOTAL_MISMATCH")
for column in (
    "received_total",
    "carried_over",
    "resolved_total",
    "resolved_late",
    "in_progress_total",
    "in_progress_overdue",
):
    form(f"parts of {column}", form_06a([("Hộ tịch", changed(column))]), verdict="rejected", reason="IDENTITY")
form(
    "a negative count",
    form_06a([("Hộ tịch", {**LESS, "in_progress_in_time": 2, "in_progress_overdue": -1})]),
    verdict="rejected",
    reason="NUMBER_FORMAT",
)
form("no title", workbook([["Biểu 06a"], *table([dossier("H42-1")])]), verdict="rejected")


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        load(made, CASES)
        yield made


@pytest.mark.parametrize("file", CASES, ids=[f"{each.source}: {each.name}" for each in CASES])
def test_a_file_becomes_what_its_case_says(loaded: Warehouse, file: Case) -> None:
    if file.name == "no title":
        file.reason = loaded.files()["no title.xlsx"]["reason"].partition(":")[0]
        assert file.reason in {"HEADER", "MISSING_TITLE", "MISSING_COLUMN"}
    check(loaded, file)


def test_rows_read_are_accepted_quarantined_dropped_or_duplicate_in_every_loaded_file(loaded: Warehouse) -> None:
    for row in loaded.files().values():
        if row["verdict"].startswith("loaded"):
            parts = [row[f"rows_{part}"] for part in ("accepted", "quarantined", "dropped", "duplicate")]
            assert row["rows_read"] == sum(parts), row["file_name"]


AGENCIES = """\
alias,unit_code,valid_from,valid_to,source
H42.99,18394,,,giả định
H42.98,18394,,2025-12-31,giả định
"""


def test_the_agency_in_the_code_says_the_unit_where_it_is_known_on_that_day(
    warehouses: Warehouses, tmp_path: Path
) -> None:
    (tmp_path / "agencies.csv").write_text(AGENCIES, encoding="utf-8")
    rows = [dossier(f"{agency}-260105-0001", unit_name="xã Tiên Điền") for agency in ("H42.99", "H42.98", "H42.97")]
    rows.append(dossier("H42.99-260105-0002", unit_name="không rõ"))
    with warehouses.fresh(tmp_path) as warehouse:
        warehouse.load(NIGHT, {"dvcqg_json/a.json": json_list(rows), "mot_cua_csv/a.csv": csv_list(rows[:1])})
        units = warehouse.query("select source_id, row_no, unit_code from core.dossier_version order by 1, 2")
    assert [tuple(row.values()) for row in units] == [
        ("dvcqg_json", 1, "18394"),
        ("dvcqg_json", 2, "18373"),
        ("dvcqg_json", 3, "18373"),
        ("dvcqg_json", 4, "18394"),
        ("mot_cua_csv", 2, "18373"),  # a list names its unit itself
    ]


# Personal data
MARKERS = [f"Nguoi-Danh-Dau-{number:02d}" for number in range(30)]
CODES = [f"H42.77-260105-{number:06d}-MARK" for number in range(12)]


def _marked() -> dict[str, bytes]:
    """Every place of every layout where a person may stand, each with a marker of its own; some files fail on purpose."""
    free = iter(MARKERS)
    code = iter(CODES)

    def person() -> Row:
        return {"Chủ hồ sơ": next(free), "Số CCCD": next(free), "Số điện thoại": next(free)}

    def with_columns(rows: list[Row], **extra: str) -> bytes:
        head, *body = table(rows)
        return csv_of([[*head, *extra], *([*row, *extra.values()] for row in body)])

    good = dossier(next(code), **person())
    bad = dossier(next(code), unit_name=f"thôn của {next(free)}", status="11", **person())
    others = {"Người tiếp nhận": next(free), "Ghi chú": next(free), "Nội dung hồ sơ": next(free), "Địa chỉ": next(free)}
    unlisted = {"Họ và tên mẹ": next(free)}
    told = record(dossier(next(code)))
    told |= {
        "ChuHoSo": next(free), "Email": next(free), "DinhDanhCHS": [{"SoDinhDanh": next(free)}],
        "TrichYeuHoSo": next(free), "GhiChu": next(free), "TruongLa": next(free),
        "DanhSachHoSoBoSung": [{"NgayBoSung": "20260107080000", "NoiDungBoSung": next(free), "NguoiYeuCauBoSung": next(free)}],
        "DanhSachGiayToKetQua": [{"TenGiayTo": next(free), "DuongDanTepTinKetQua": f"https://vi.du/{next(free)}"}],
    }  # fmt: skip
    broken = record(dossier(next(code))) | {"NgayTiepNhan": next(free), "MaTTHC": next(free)}
    return {
        "mot_cua_csv/good.csv": with_columns([good], **others, **unlisted),
        "mot_cua_csv/bad.csv": csv_list([bad]),
        "mot_cua_csv/cut.csv": csv_list([dossier(next(code), **person())]) + b'"',
        "mot_cua_xlsx/good.xlsx": xlsx_list([dossier(next(code), **person())]),
        "dvcqg_json/good.json": json.dumps([told]).encode(),
        "dvcqg_json/bad.json": json.dumps([broken]).encode(),
        "dvcqg_json/cut.json": json.dumps([broken]).encode()[:-30],
    }


def test_what_is_personal_reaches_neither_database_nor_log_nor_message(warehouses: Warehouses, capfd: Any) -> None:
    secrets = [word for word in (*MARKERS, *CODES)]
    with warehouses.fresh() as warehouse:
        files = _marked()
        assert all(any(marker.encode() in content for content in files.values()) for marker in MARKERS[:27])
        outcome = warehouse.load(NIGHT, {name: content for name, content in files.items() if "xlsx" not in name})
        warehouse.load(NIGHT, files)
        assert outcome.files["rejected"] == 2 and outcome.files["loaded_with_quarantine"] == 2
        tables = warehouse.query(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema')"
        )
        assert len(tables) > 20
        for name in (row["name"] for row in tables):
            for row in warehouse.query(f"select t::text as text from {name} as t"):
                assert not [word for word in secrets if word.casefold() in row["text"].casefold()], name
        for path in _texts_of(warehouse.settings.home):
            content = path.read_bytes()
            assert not [word for word in secrets if word.encode() in content], path
        with warehouses.admin() as connection:
            connection.exec_driver_sql("checkpoint")
        for path in (warehouses.home / "postgres").rglob("*"):
            if path.is_file() and not path.is_symlink() and "pg_stat" not in path.parts:
                content = _read(path)
                assert not [word for word in MARKERS if word.encode() in content], path.name
    printed = capfd.readouterr()
    assert not [word for word in secrets if word in printed.out + printed.err]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the server tidies up meanwhile
        return b""


def _texts_of(home: Path) -> Iterator[Path]:
    """All an installation writes but the landing store and the drop folders of the test."""
    for path in home.rglob("*"):
        parts = path.relative_to(home).parts
        if path.is_file() and parts[0] != "landing" and not parts[0].startswith("drop-"):
            yield path


def test_the_landing_store_is_closed_to_others(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([dossier("H42.1-260105-1")])})
    assert warehouse.settings.landing.stat().st_mode & 0o777 == 0o700
