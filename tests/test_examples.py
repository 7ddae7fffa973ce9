"""Portals added by data files only: the files of `examples/`, on synthetic exports whose figures are counted here again."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import xlsxwriter

from tthc import pipeline
from tthc.pipeline import Outcome
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
Figures = dict[str, list[int]]


def load(warehouse: Warehouse, example: str, province: str, name: str, content: bytes, night: date) -> Outcome:
    """One file by the data files of an example, in a province of its own."""
    with transaction(warehouse.settings) as connection:  # the template was made for province 42
        connection.execute(sa.text("delete from core.hmac_key"))
    folder = warehouse.settings.home / "drop"
    (folder / example).mkdir(parents=True)
    (folder / example / name).write_bytes(content)
    settings = replace(warehouse.settings, province=province, reference_overlay=EXAMPLES / example)
    return pipeline.run(settings, folder, night)


def figures(
    warehouse: Warehouse, metric: str, profile: str, *, unit: str = "", numerator_only: bool = False
) -> Figures:
    """Unit → [numerator, denominator], summed over the calendar months; one of a single unit by month if it is named."""
    rows = warehouse.query(
        "select unit_code, period_label, numerator, denominator from mart.kpi where field_code = '*' and basis = "
        "'as_reported' and period_calendar = 'CALENDAR' and period_kind = 'month' and metric_id = :metric "
        "and profile = :profile",
        metric=metric,
        profile=profile,
    )
    found: Figures = {}
    for row in rows:
        if unit in {"", row["unit_code"]}:
            counts = found.setdefault(row["period_label"] if unit else row["unit_code"], [0, 0])
            counts[0] += row["numerator"]
            counts[1] += row["denominator"] or 0
    return {key: [counts[0], 0] if numerator_only else counts for key, counts in found.items()}


def add(counted: Figures, key: str, numerator: bool, denominator: bool = True) -> None:
    counts = counted.setdefault(key, [0, 0])
    counts[0] += numerator
    counts[1] += denominator


def test_service_requests_of_a_city(warehouses: Warehouses) -> None:
    chance = random.Random(311)
    departments = ["Streets & Sanitation", "Dept. of Water", "Police", "Aviation", "Animal Care"]
    origins = ["Internet", "Mobile Device", "Phone Call", "Alderman's Office", "Walk-in", "Mail", "e-mail xfer"]
    names = ["SR Number", "Request Type", "Owner Department", "Status", "Origin", "Created Date", "Target Date"]
    names += ["Closed Date", "Last Modified", "Street Address", "Ward", "Location", ":@computed_region_x1"]

    def shown(moment: datetime | None) -> str | None:
        return moment.strftime("%m/%d/%Y %I:%M:%S %p") if moment else None

    rows: list[list[Any]] = []
    last: dict[str, dict[str, Any]] = {}
    for number in range(120):
        created = datetime(2024, 1, 2) + timedelta(minutes=chance.randrange(100_000))
        state = {
            "department": chance.choice(departments), "origin": chance.choice(origins), "created": created,
            "due": created + timedelta(days=chance.randrange(1, 9)) if number % 5 else None,
            "kind": "Information Only" if number % 11 == 0 else chance.choice(["Pothole", "Graffiti"]),
        }  # fmt: skip
        modified = created
        for change in range(chance.randrange(1, 4)):
            modified += timedelta(hours=chance.randrange(1, 90), minutes=1)
            status = "Open" if change == 0 else chance.choice(["Open - On Hold", "Completed", "Canceled"])
            state |= {"status": status, "closed": modified}
            cells = [f"SR24-{number:08d}", state["kind"], state["department"], status, state["origin"], shown(created)]
            cells += [shown(state["due"]) or "N/A", shown(modified), shown(modified), "1 Made-up St", 7, None, "3"]
            rows.append(cells)
            last[cells[0]] = dict(state)
    chance.shuffle(rows)
    envelope = {
        "meta": {"view": {"columns": [{"id": at, "name": name} for at, name in enumerate(names)]}},
        "data": rows,
    }

    received: Figures = {}
    on_time: Figures = {}
    online: Figures = {}
    wanted = [state for state in last.values() if state["kind"] != "Information Only"]
    codes = {"Streets & Sanitation": "XC-DSS", "Dept. of Water": "XC-DOW"}
    for state in wanted:
        for unit in (codes.get(state["department"], "XC-OTHER"), "XC"):
            add(received, unit, True, False)
            add(online, unit, state["origin"] in {"Internet", "Mobile Device"})
            if state["status"] == "Completed" or state["status"] == "Canceled":
                withdrawn = state["status"] == "Canceled"
                on = withdrawn or state["due"] is None or state["closed"].date() <= state["due"].date()
                add(on_time, unit, on)
    with warehouses.fresh() as warehouse:
        outcome = load(
            warehouse, "service_requests", "XC", "requests.json", json.dumps(envelope).encode(), date(2024, 6, 30)
        )
        assert outcome.files == {"loaded": 1} and outcome.rows_accepted == len(wanted)
        assert figures(warehouse, "received", "TT01_06A", numerator_only=True) == received
        assert figures(warehouse, "on_time", "TT01_06A") == on_time
        assert figures(warehouse, "online_submission", "*") == online
        assert warehouse.query("select rule_id from alerts.incident") == []


def test_permit_events_of_two_municipalities(warehouses: Warehouses) -> None:
    chance = random.Random(2015)
    zone = ZoneInfo("Europe/Amsterdam")
    events: list[dict[str, str]] = []
    cases = []
    for unit, name in (("XB-1", "Één"), ("XB-2", "Twee")):
        for number in range(1, 41):  # both number their cases from 1
            begun = datetime(2012, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(200_000))
            due = (begun + timedelta(days=chance.randrange(20, 60))).astimezone(zone).date() if number % 4 else None
            steps = [
                ("Ontvangst aanvraag", "start", begun - timedelta(days=3)),
                ("Ontvangst aanvraag", "complete", begun),
            ]
            steps += [("Toets", "complete", begun + timedelta(days=chance.randrange(1, 15)))]
            ended = begun + timedelta(days=chance.randrange(16, 70), hours=chance.randrange(24))
            if number % 3:
                steps.append((chance.choice(["Besluit verzonden", "Aanvraag ingetrokken"]), "complete", ended))
            steps.append(("Archiveren", "complete", ended + timedelta(days=90)))
            cases.append((unit, begun, due, ended if number % 3 else None))
            for activity, phase, when in steps:
                local = when.astimezone(zone)
                events.append(
                    {
                        "case:concept:name": str(number), "municipality": name, "concept:name": activity,
                        "lifecycle:transition": phase, "time:timestamp": local.isoformat(timespec="milliseconds"),
                        "org:resource": "NGƯỜI GIẢ".encode("ascii", "ignore").decode() or "x", "question_1": "J", "question_22": "",
                        "case:dateEnd_planned": f"{due:%d-%m-%Y}" if due else "", "case:SUMleges": "1,204.50",
                        "case:channel": chance.choice(["Internet", "Post", "Balie"]),
                    }
                )  # fmt: skip
    chance.shuffle(events)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(events[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(events)
    on_time: Figures = {}
    for unit, _, due, ended in cases:
        if ended is not None:
            for place in (unit, "XB"):
                add(on_time, place, due is None or ended.astimezone(zone).date() <= due)
    received: Figures = {}
    for _, begun, _, _ in cases:
        add(received, f"{begun.astimezone(zone):%Y-%m}", True, False)
    with warehouses.fresh() as warehouse:
        outcome = load(
            warehouse, "permit_events", "XB", "events.csv", text.getvalue().encode("cp1252"), date(2013, 12, 31)
        )
        assert outcome.files == {"loaded": 1} and outcome.rows_accepted == len(cases)
        assert figures(warehouse, "on_time", "TT01_06A") == on_time
        assert figures(warehouse, "received", "TT01_06A", unit="XB", numerator_only=True) == received
        assert warehouse.query("select distinct fee_amount from core.dossier") == [{"fee_amount": 120_450}]


def test_a_register_of_communes_kept_in_a_workbook(warehouses: Warehouses) -> None:
    chance = random.Random(1)
    counted: Figures = {}
    online: Figures = {}
    fields: dict[str, int] = {}
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        book.add_worksheet("Hướng dẫn").write_row(0, 0, ["Số phiếu", "không phải bảng"])
        for unit, name in (("18373", "Xã Tiên Điền"), ("18394", "Xã Cổ Đạm")):
            sheet = book.add_worksheet(name)
            sheet.merge_range(0, 0, 0, 8, "SỔ TIẾP NHẬN VÀ TRẢ KẾT QUẢ (dữ liệu giả)")
            for at, text in (
                (0, "Số TT"),
                (1, "Số phiếu"),
                (2, "Họ và tên"),
                (6, "Hình thức nộp"),
                (7, "Hồ sơ"),
                (8, "Ghi chú"),
            ):
                sheet.merge_range(2, at, 3, at, text)
            sheet.merge_range(2, 3, 2, 5, "Ngày, tháng, năm")
            sheet.write_row(3, 3, ["Nhận hồ sơ", "Hẹn trả", "Có kết quả"])
            sheet.write_row(4, 0, [f"({at})" for at in range(1, 10)])
            row = 5
            total = 0
            for mark, field in (("I", "Hộ tịch"), ("II", "Đất đai")):
                sheet.write_row(row, 0, [mark, f"Lĩnh vực {field}"])
                row += 1
                rows = chance.randrange(4, 9)
                received = datetime(2026, 1, 5) + timedelta(days=chance.randrange(30))
                sheet.merge_range(row, 3, row + rows - 1, 3, received, day)  # one day for the whole group
                for number in range(rows):
                    due = received + timedelta(days=chance.randrange(1, 10))
                    ended = received + timedelta(days=chance.randrange(0, 14)) if number % 3 else None
                    word = chance.choice(["Trực tiếp", "TT", "Qua mạng", "Bưu điện"])
                    sheet.write_row(row, 0, [number + 1, f"{unit}-{mark}-{number}", "NGƯỜI GIẢ"])
                    sheet.write_datetime(row, 4, due, day)
                    sheet.write(row, 5, ended if ended else "chưa", *([day] if ended else []))
                    sheet.write_row(row, 6, [word, "đã số hóa" if number % 2 else "chưa số hóa", ""])
                    for place in (unit, "42"):
                        add(online, place, word == "Qua mạng")
                        if ended:
                            add(counted, place, ended <= due)
                    fields[field] = fields.get(field, 0) + 1
                    row += 1
                    total += 1
                sheet.write_row(row, 0, [f"Cộng {field}", str(rows)])
                row += 1
            sheet.write_row(row, 0, ["Tổng cộng", str(total)])
            sheet.write(row + 2, 6, f"{name[3:]}, ngày 10 tháng 4 năm 2026")
            sheet.write_row(row + 3, 1, ["NGƯỜI LẬP BIỂU", "", "", "", "", "CHỦ TỊCH"])
            sheet.write_row(row + 6, 1, ["Người Giả Lập", "", "", "", "", "Người Giả Ký"])
    with warehouses.fresh() as warehouse:
        outcome = load(warehouse, "so_tiep_nhan", "42", "so.xlsx", buffer.getvalue(), date(2026, 4, 10))
        told = warehouse.query("select reason from core.quarantine")
        assert outcome.files == {"loaded": 1}, [
            told,
            warehouse.query("select verdict, reason, detail from core.delivery"),
        ]
        assert outcome.rows_accepted == sum(fields.values())
        assert figures(warehouse, "on_time", "TT01_06A") == counted
        assert figures(warehouse, "online_submission", "*") == online
        dropped = warehouse.query("select rule_id, row_count from core.delivery_finding where severity = 'dropped'")
        assert {row["rule_id"]: row["row_count"] for row in dropped} == {
            "COLUMN_NUMBERS": 2, "SECTION": 4, "SUBTOTAL": 4, "TOTAL_ROW": 2, "BLANK": 6, "FOOTER": 6
        }  # fmt: skip
        named = warehouse.query("select field_name, count(*) as n from core.dossier group by 1")
        assert {row["field_name"]: row["n"] for row in named} == fields
