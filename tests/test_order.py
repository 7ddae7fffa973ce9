"""Files in any order: the figures and states of the files of several nights are those of the plain model, however the
files are permuted, cut into loads, renamed, repeated or sent again after others (A, B, A).

The rows of these files are sound, so the expectation suites, which would have nothing to say, are left out for speed;
every other step is the real one. `test_with_the_suites_too` keeps them in for a few.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from drawing import PROCEDURE_COLUMNS
from exports import STATUS_WORDS, Row, csv_list, dossier, json_list
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model import Delivery, Moment, State, figures, winners
from warehouses import Warehouse, Warehouses

from tthc.domain.working_days import working_index
from tthc.staging import expectations

NIGHTS = [date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 16), date(2026, 4, 2)]
SOURCES = ["mot_cua_csv", "dvcqg_json"]  # in order of trust
UNITS = {"18373": "UBND xã Tiên Điền", "18394": "xã Cổ Đạm", "42-SNV": "Sở Nội vụ"}
WORKING = working_index(date(2025, 9, 1), NIGHTS[-1], {date(2026, 1, 2): False, date(2026, 1, 10): True})
DOSSIERS = [f"{number}" for number in range(1, 7)]
# procedure of each dossier: (longest time, yields a result, toàn trình); its code tells dossiers apart in the warehouse
PROCEDURES = {"1": (None, True, True), "2": (5, True, False), "3": (20, False, False), "4": (None, False, True),
              "5": (1, True, True), "6": (60, True, False)}  # fmt: skip


def procedures_csv() -> str:
    lines = [PROCEDURE_COLUMNS]
    for name, (limit, yields, full) in PROCEDURES.items():
        level = "toan_trinh" if full else "mot_phan"
        lines.append(
            f"9.00000{name},Thủ tục giả định {name},,Lĩnh vực,{level},true,{str(yields).lower()},{limit or ''},test"
        )
    return "\n".join(lines) + "\n"


def days(first: date, last: date) -> st.SearchStrategy[Moment]:
    whole = st.dates(first, last)
    return st.one_of(whole, st.builds(datetime.combine, whole, st.sampled_from([time(8), time(17), time(17, 20)])))


def day_of(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


@st.composite
def states(draw: st.DrawFn, name: str) -> State:
    """A state that no rule refuses on any of the nights: no event lies after the first night."""
    status = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 10]))
    received = draw(days(date(2025, 12, 10), NIGHTS[0]))
    due = draw(st.none() | days(day_of(received), date(2026, 4, 5)))
    ends = status in (9, 10) or (status in (7, 8) and draw(st.booleans()))
    requests = draw(st.sampled_from([0, 0, 1, 2]))
    limit, yields, full = PROCEDURES[name]
    fee = draw(st.sampled_from([0, 50_000]))
    e_result = draw(st.booleans())
    return State(
        dossier=name,
        unit=draw(st.sampled_from(list(UNITS))),
        status=status,
        received=received,
        due=due,
        finished=draw(days(day_of(received), NIGHTS[0])) if ends else None,
        requests=requests,
        requested=draw(days(day_of(received), date(2026, 4, 2))) if requests else None,
        channel=draw(st.sampled_from([1, 2, 3])),
        full_service=full,
        fee=fee,
        paid_online=bool(fee) and draw(st.booleans()),
        parts=draw(st.booleans()),
        result=e_result,  # the national record knows no difference
        e_result=e_result,
        reused=draw(st.booleans()),
        yields=yields,
        max_days=limit,
    )


def _text(moment: Moment | None) -> str:
    if moment is None:
        return ""
    return moment.strftime("%d/%m/%Y %H:%M" if isinstance(moment, datetime) else "%d/%m/%Y")


def row(state: State) -> Row:
    received = state.received
    assert received
    return dossier(
        f"H42-{day_of(received):%y%m%d}-{state.dossier}" if False else f"H42.1-{state.dossier}",
        procedure_code=f"9.00000{state.dossier}",
        field_name="Lĩnh vực",
        unit_name=UNITS[state.unit],
        received_at=_text(received),
        due_at=_text(state.due),
        finished_at=_text(state.finished),
        channel={1: "Trực tiếp", 2: "Trực tuyến", 3: "Bưu chính công ích (BCCI)"}[state.channel],
        status=STATUS_WORDS[state.status],
        supplement_count=str(state.requests) if state.requests else "",
        supplement_requested_at=_text(state.requested),
        fee_amount=str(state.fee) if state.fee else "",
        payment_method="Trực tuyến" if state.paid_online else "",
        components_digitised="Có" if state.parts else "",
        result_digitised="Có" if state.result else "",
        result_electronic="Có" if state.e_result else "",
        data_reused="Có" if state.reused else "",
    )
