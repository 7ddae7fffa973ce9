"""The oracle itself, on drawn cases that can be checked by hand: the worked ones of form 06a and index 766, and the
readings this project chose.

All cases are seen on the night of 10/04/2026: form 06a for Q1 from 15/12/2025 to 14/3/2026, index 766 for the calendar
Q1 to 31/3/2026. Days are `dd/mm`, of 2025 from September on, else of 2026. `given`: the result was collected; `asked`:
number of requests for a supplement and the day of the last; `max`: the procedure's longest time in working days.
`06A` says how the dossier enters the period and how it stands at its end; `766` whether it is in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tthc.domain.dossier import Channel, Dossier, PaymentMethod, ServiceLevel, Status
from tthc.domain.period import PeriodCalendar, PeriodKind, periods_between
from tthc.domain.working_days import working_index
from tthc.simulation.truth import true_figures, true_form_06a

NIGHT = date(2026, 4, 10)
DAYS = working_index(date(2025, 9, 1), NIGHT, {date(2026, 1, 2): False, date(2026, 1, 10): True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A procedure of the registry as these tests need it."""

    field_code: str | None = None
    field_name: str | None = "Hộ tịch"
    service_level: ServiceLevel | None = ServiceLevel.PARTIAL
    yields_result: bool | None = True
    max_working_days: int | None = None


WORKED_CASES = """
    case | received    | due         | finished    | given | status | asked    | max | 06A                   | 766
    -----+-------------+-------------+-------------+-------+--------+----------+-----+-----------------------+--------
    1    | 20/12 09:00 | 05/01 17:00 | 05/01 17:20 | 06/01 | 10     |          |     | received, on_time     | -
    2    | 05/01       | 12/01       | 09/01       | 20/01 | 10     |          |     | received, early       | in time
    3    | 05/01       | 12/01       | 13/01       | 13/01 | 9      |          |     | received, late        | late
    4    | 10/03       | 20/03       |             |       | 4      |          |     | received, in time     | late
    5    | 02/03       | 10/03       |             |       | 4      |          |     | received, overdue     | late
    6    | 02/03       | 10/03       | 18/03       |       | 9      |          |     | received, overdue     | late
    7    | 02/03       | 14/03       |             |       | 4      |          |     | received, in time     | late
    8    | 01/12       | 20/12       | 18/12       |       | 9      |          |     | carried over, early   | -
    9    | 15/03       | 20/03       | 18/03       |       | 9      |          |     | -                     | in time
    10   | 14/12 23:50 | 20/03       |             |       | 4      |          |     | carried over, in time | -
    11   | 05/01       | 12/01       |             |       | 5      | 1: 08/01 |     | received, in time     | in time
    12   | 05/01       | 20/01       | 19/01       |       | 10     | 2: 14/01 |     | received, early       | late
    13   | 05/01       | 12/01       | 07/01       |       | 7      |          |     | received, withdrawn   | in time
    14   |             |             |             |       | 3      |          |     | -                     | -
    15   | 05/01       |             | 10/02       |       | 9      |          | 20  | received, on_time     | late
    15b  | 05/01       |             | 10/02       |       | 9      |          | 30  | received, on_time     | in time
    16   | 05/01       | 02/01       | 06/01       |       | 9      |          |     | quarantined           | -
"""

CHOSEN_READINGS = """
    case | received    | due         | finished    | given | status | asked    | max | 06A                 | 766
    -----+-------------+-------------+-------------+-------+--------+----------+-----+---------------------+--------
    6a   | 02/03       | 10/03       |             |       | 6      |          |     | received, in time   | in time
    6b   | 02/03       | 10/03       |             |       | 6      | 2: 05/03 |     | received, in time   | late
    5a   | 05/01       | 12/01       |             |       | 5      | 1        |     | received, overdue   | late
    5b   | 05/03       | 20/04       |             |       | 5      | 2: 02/04 |     | received, in time   | in time
    5c   | 05/03       | 10/03       |             |       | 5      | 1: 20/03 |     | received, overdue   | late
    5d   | 05/03       | 20/04       |             |       | 5      | 3: 02/04 |     | received, in time   | late
    4a   | 05/03       | 20/04       |             |       | 4      | 1: 06/03 |     | received, in time   | in time
    8a   | 05/01       | 12/01       | 07/01       |       | 8      |          |     | received, stopped   | in time
    8b   | 05/01       | 12/01       |             |       | 8      |          |     | received, overdue   | late
    8c   | 05/03       | 10/03       | 20/03       |       | 8      |          |     | received, overdue   | late
    7a   | 05/01       | 12/01       |             |       | 7      |          |     | received, overdue   | late
    7b   | 05/01       | 12/01       | 20/01       |       | 7      |          |     | received, withdrawn | late
    10a  | 05/01       | 12/01       |             | 09/01 | 10     |          |     | received, early     | in time
    10b  | 05/01       | 12/01       |             | 13/01 | 10     |          |     | received, late      | late
    t1   | 05/01 09:00 | 12/01 17:00 | 12/01 17:20 |       | 9      |          |     | received, on_time   | late
    t2   | 05/01 09:00 | 12/01       | 12/01 17:20 |       | 9      |          |     | received, on_time   | in time
    t3   | 05/01 09:00 | 12/01 17:00 | 12/01       |       | 9      |          |     | received, on_time   | in time
    n1   | 05/01       |             |             |       | 4      |          | 20  | received, in time   | late
    n2   | 05/01       |             |             |       | 4      |          |     | received, in time   | in time
    n3   | 09/03       |             | 12/03       |       | 9      |          | 3   | received, on_time   | in time
    n4   | 09/03       |             | 13/03       |       | 9      |          | 3   | received, on_time   | late
    d1   | 09/03       | 31/03       |             |       | 2      |          |     | received, in time   | in time
    d2   | 09/03       | 20/03       | 02/04       |       | 9      |          |     | received, in time   | late
    1a   |             |             |             |       | 1      |          |     | -                   | -
"""


def drawn(table: str) -> list[dict[str, str]]:
    """The rows of a drawn table by its headings."""
    head, _, *lines = (line for line in table.strip().splitlines())
    names = [name.strip() for name in head.split("|")]
    return [dict(zip(names, (cell.strip() for cell in line.split("|")), strict=True)) for line in lines]


def moment(text: str) -> date | datetime | None:
    """`dd/mm` or `dd/mm HH:MM`: September to December are of 2025, the other months of 2026."""
    if not text:
        return None
    day, _, clock = text.partition(" ")
    on = date(2025 if int(day[3:]) >= 9 else 2026, int(day[3:]), int(day[:2]))
    return datetime.combine(on, time.fromisoformat(clock)) if clock else on


def dossier_of(row: dict[str, str]) -> Dossier:
    asked, _, asked_on = row["asked"].partition(": ")
    return Dossier(
        dossier_code=f"H00.1-260105-{row['case']}",
        procedure_code="1.000001",
        unit_code="18373",
        status=Status(int(row["status"])),
        received_at=moment(row["received"]),
        due_at=moment(row["due"]),
        finished_at=moment(row["finished"]),
        returned_at=moment(row["given"]),
        supplement_count=int(asked) if asked else None,
        supplement_requested_at=moment(asked_on),
    )


def form_of(dossiers: list[Dossier], facts: Facts, *, label: str = "2026-Q1") -> dict[str, Any] | None:
    rows = true_form_06a(dossiers, NIGHT, province="42", procedures={"1.000001": facts}, working_days=DAYS)
    key = ("VPCP_15_14", label, "18373", "*")
    fits = [r for r in rows if (r["period_calendar"], r["period_label"], r["unit_code"], r["field_code"]) == key]
    return fits[0] if fits else None


def figures_of(dossiers: list[Dossier], facts: Facts, *, calendar: str = "CALENDAR") -> dict[tuple[str, str], Any]:
    """(metric, profile) → numerator and denominator of Q1/2026, all fields, of the one unit."""
    rows = true_figures(dossiers, NIGHT, province="42", procedures={"1.000001": facts}, working_days=DAYS)
    key = (calendar, "2026-Q1", "18373", "*")
    return {
        (r["metric_id"], r["profile"]): (r["numerator"], r["denominator"])
        for r in rows
        if (r["period_calendar"], r["period_label"], r["unit_code"], r["field_code"]) == key
    }


def assert_identities(form: dict[str, Any]) -> None:
    """I1 to I4 of form 06a, and that withdrawn and stopped are parts of what they are shown in."""
    assert form["received_total"] == form["received_online"] + form["received_direct"] + form["carried_over"]
    assert form["resolved_total"] == form["resolved_early"] + form["resolved_on_time"] + form["resolved_late"]
    assert form["in_progress_total"] == form["in_progress_in_time"] + form["in_progress_overdue"]
    assert form["received_total"] == form["resolved_total"] + form["in_progress_total"]
    assert form["withdrawn"] <= form["resolved_on_time"] and form["stopped"] <= form["in_progress_in_time"]


def assert_carried(forms: list[dict[str, Any]], night: date) -> None:
    """I5: what is carried into a month or quarter was in progress at the end of the one before."""
    key = ("period_calendar", "period_kind", "period_label", "unit_code", "field_code")
    found = {tuple(form[name] for name in key): form for form in forms}
    cells = {(form["unit_code"], form["field_code"]) for form in forms}
    for calendar, kind in product(PeriodCalendar, PeriodKind):
        if kind is PeriodKind.NINE_MONTHS:  # does not follow upon another
            continue
        periods = [
            p for p in periods_between(2025, 2027) if (p.calendar, p.kind) == (calendar, kind) and p.start <= night
        ]
        for (before, after), (unit, field) in product(pairwise(periods), cells):
            left = found.get((calendar, kind, before.label, unit, field), {}).get("in_progress_total", 0)
            came = found.get((calendar, kind, after.label, unit, field), {}).get("carried_over", 0)
            assert left == came, (calendar, before.label, unit, field)


def in_words(form: dict[str, Any] | None) -> str:
    """How form 06a tells of a single dossier."""
    if form is None:
        return "-"
    entry = "carried over" if form["carried_over"] else "received"
    standings = {
        "withdrawn": form["withdrawn"],
        "stopped": form["stopped"],
        "early": form["resolved_early"],
        "on_time": form["resolved_on_time"],
        "late": form["resolved_late"],
        "in time": form["in_progress_in_time"],
        "overdue": form["in_progress_overdue"],
    }
    assert form["received_total"] == form["resolved_total"] + form["in_progress_total"] == 1
    return f"{entry}, {next(word for word, count in standings.items() if count)}"


@pytest.mark.parametrize("row", drawn(WORKED_CASES) + drawn(CHOSEN_READINGS), ids=lambda row: row["case"])
def test_a_drawn_case_is_counted_as_it_is_drawn(row: dict[str, str]) -> None:
    dossier, facts = dossier_of(row), Facts(max_working_days=int(row["max"]) if row["max"] else None)
    if row["06A"] == "quarantined":  # never reaches a figure: its due day lies before its receipt
        assert dossier.due_at is not None and dossier.received_at is not None and dossier.due_at < dossier.received_at
        return
    assert in_words(form_of([dossier], facts)) == row["06A"]
    in_time = figures_of([dossier], facts).get(("on_time", "IDX766"))
    assert {None: "-", (1, 1): "in time", (0, 1): "late"}[in_time] == row["766"]


def test_the_worked_cases_together_make_one_form() -> None:
    dossiers = [dossier_of(row) for row in drawn(WORKED_CASES) if row["06A"] != "quarantined"]
    form = form_of(dossiers, Facts())
    assert form is not None
    counters = {name: form[name] for name in form if not name.endswith(("label", "code", "kind", "calendar"))}
    assert counters == {
        "received_total": 14,
        "received_online": 0,
        "received_direct": 12,
        "carried_over": 2,
        "resolved_total": 8,
        "resolved_early": 3,
        "resolved_on_time": 4,
        "resolved_late": 1,
        "in_progress_total": 6,
        "in_progress_in_time": 4,
        "in_progress_overdue": 2,
        "withdrawn": 1,
        "stopped": 0,
    }


def states() -> st.SearchStrategy[Dossier]:
    """Any accepted state: an end never lies before the receipt, anything else may be missing or late."""
    day = st.dates(date(2025, 10, 1), NIGHT)
    later = st.one_of(st.none(), st.integers(0, 120))

    def made(received: date, due: int | None, end: int | None, status: Status, online: bool, count: int) -> Dossier:
        ended = None if end is None else received + timedelta(days=end)
        return Dossier(
            dossier_code="H00.1-260105-0001",
            procedure_code="1.000001",
            unit_code="18373",
            status=status,
            channel=Channel.ONLINE if online else None,
            received_at=received,
            due_at=None if due is None else received + timedelta(days=due),
            finished_at=None if status is Status.AWAITING_SUPPLEMENT else ended,
            supplement_requested_at=ended if status is Status.AWAITING_SUPPLEMENT else None,
            supplement_count=count,
        )

    return st.builds(made, day, later, later, st.sampled_from(Status), st.booleans(), st.integers(0, 2))


@given(st.lists(states(), max_size=25))
@settings(max_examples=60, deadline=None)
def test_the_identities_of_form_06a_hold_for_any_dossiers(dossiers: list[Dossier]) -> None:
    forms = true_form_06a(dossiers, NIGHT, province="42", procedures={"1.000001": Facts()}, working_days=DAYS)
    for form in forms:
        assert_identities(form)
    assert_carried(forms, NIGHT)


def test_a_closed_quarter_hands_its_open_dossiers_to_the_next() -> None:
    dossiers = [dossier_of(row) for row in drawn(WORKED_CASES) if row["06A"] != "quarantined"]
    first, second = form_of(dossiers, Facts()), form_of(dossiers, Facts(), label="2026-Q2")
    assert first is not None and second is not None
    assert second["carried_over"] == first["in_progress_total"]


def finished(**changes: Any) -> Dossier:
    """A dossier received and finished in January, on time."""
    given: dict[str, Any] = {
        "dossier_code": "H00.1-260105-0001",
        "procedure_code": "1.000001",
        "unit_code": "18373",
        "status": Status.RESOLVED,
        "received_at": date(2026, 1, 5),
        "due_at": date(2026, 1, 12),
        "finished_at": date(2026, 1, 9),
    }
    return Dossier(**given | changes)


def test_dash_knows_only_finished_dossiers_with_a_due_date() -> None:
    dossiers = [finished(), finished(due_at=None), finished(status=Status.WITHDRAWN), finished(due_at=date(2026, 1, 8))]
    assert figures_of(dossiers, Facts())["on_time", "DASH"] == (1, 2)


def test_a_dossier_without_a_channel_is_direct() -> None:
    dossiers = [finished(channel=None), finished(channel=Channel.ONLINE), finished(channel=Channel.POSTAL)]
    assert figures_of(dossiers, Facts())["online_submission", "*"] == (1, 3)


def test_index_766_wants_an_electronic_result_of_an_online_dossier() -> None:
    online = {"channel": Channel.ONLINE}
    with_result = finished(**online, result_electronic=True)
    dossiers = [
        with_result,
        finished(**online),
        finished(**online, result_electronic=True, finished_at=date(2026, 4, 2)),  # after the cut-off
        finished(**online, result_electronic=True, status=Status.WITHDRAWN),
    ]
    assert figures_of(dossiers, Facts())["online_submission", "IDX766"] == (1, 4)
    assert figures_of(dossiers, Facts(yields_result=None))["online_submission", "IDX766"] == (1, 4)
    assert figures_of(dossiers, Facts(yields_result=False))["online_submission", "IDX766"] == (4, 4)


def test_the_level_of_the_row_beats_the_registry() -> None:
    dossiers = [
        finished(service_level=ServiceLevel.FULL, channel=Channel.ONLINE),
        finished(service_level=ServiceLevel.PARTIAL),
        finished(),
    ]
    assert figures_of(dossiers, Facts(service_level=ServiceLevel.FULL))["online_submission_full", "*"] == (1, 2)
    assert figures_of(dossiers, Facts(service_level=None))["online_submission_full", "*"] == (1, 1)
    assert figures_of(dossiers, Facts(service_level=ServiceLevel.INFORMATION))["online_submission_offered", "*"] == (
        1,
        2,
    )
    assert figures_of(dossiers, Facts(service_level=None))["online_submission_offered", "*"] == (1, 2)


def test_only_a_fee_can_be_paid_online() -> None:
    dossiers = [
        finished(fee_amount=8000, payment_method=PaymentMethod.ONLINE),
        finished(fee_amount=8000, payment_method=PaymentMethod.TRANSFER),
        finished(fee_amount=8000),
        finished(fee_amount=0, payment_method=PaymentMethod.ONLINE),
        finished(fee_amount=None),
    ]
    assert figures_of(dossiers, Facts())["online_payment", "*"] == (1, 3)


def test_digitisation_over_finished_and_over_received_dossiers() -> None:
    digitised = {"result_digitised": True, "components_digitised": True, "result_electronic": True}
    dossiers = [
        finished(**digitised),
        finished(result_digitised=True),
        finished(**digitised, finished_at=date(2026, 4, 2)),  # after the cut-off
        finished(status=Status.WITHDRAWN),
        finished(received_at=date(2025, 12, 30), **digitised),  # received before the quarter
    ]
    found = figures_of(dossiers, Facts())
    assert found["digitised_result", "*"] == (3, 3)
    assert found["digitised_full", "*"] == (2, 3)
    assert found["electronic_result", "*"] == (2, 3)
    assert found["digitised_result_received", "*"] == (2, 4)
    assert found["digitised_components", "*"] == (2, 4)
    without = figures_of(dossiers, Facts(yields_result=False))
    assert ("digitised_result", "*") not in without and ("digitised_result_received", "*") not in without


def test_overdue_is_over_everything_in_progress() -> None:
    dossiers = [dossier_of(row) for row in drawn(WORKED_CASES) if row["case"] in {"4", "5", "6", "7", "11"}]
    found = figures_of(dossiers, Facts(), calendar="VPCP_15_14")
    assert found["overdue_open", "TT01_06A"] == (2, 5)
    assert found["in_progress", "TT01_06A"] == (5, None)


def test_the_field_is_the_registrys_code_then_its_name_then_the_rows_own() -> None:
    def fields(facts: Facts, **row: Any) -> set[str]:
        figures = true_figures(
            [finished(**row)], NIGHT, province="42", procedures={"1.000001": facts}, working_days=DAYS
        )
        return {figure["field_code"] for figure in figures}

    assert fields(Facts(field_code="HT"), field_name="Khác") == {"*", "HT"}
    assert fields(Facts(), field_name="Khác") == {"*", "Hộ tịch"}
    assert fields(Facts(field_name=None), field_name="Lĩnh  vực\u00a0khác ") == {"*", "Lĩnh vực khác"}
    assert fields(Facts(), field_name="Khác", procedure_code="9.999999") == {"*", "Khác"}
    assert fields(Facts(field_name=None)) == {"*"}


def test_figures_reach_from_the_first_receipt_to_the_periods_begun_by_the_night() -> None:
    rows = true_figures([finished()], NIGHT, province="42", procedures={}, working_days=DAYS)
    received = {(r["period_calendar"], r["period_label"]) for r in rows if r["metric_id"] == "received"}
    assert received == {
        (calendar, label)
        for calendar in ("VPCP_15_14", "CALENDAR")
        for label in ("2026-01", "2026-Q1", "2026-H1", "2026-9M", "2026")
    }
    waiting = finished(status=Status.IN_PROCESS, finished_at=None)
    rows = true_figures([waiting], NIGHT, province="42", procedures={}, working_days=DAYS)
    stock = {r["period_label"] for r in rows if r["metric_id"] == "in_progress" and r["period_calendar"] == "CALENDAR"}
    assert stock == {"2026-01", "2026-02", "2026-03", "2026-04", "2026-Q1", "2026-Q2", "2026-H1", "2026-9M", "2026"}


def test_the_province_is_the_sum_of_its_units() -> None:
    rows = true_figures(
        [finished(), finished(unit_code="18376")], NIGHT, province="42", procedures={}, working_days=DAYS
    )
    received = {
        r["unit_code"]: r["numerator"] for r in rows if (r["metric_id"], r["period_label"]) == ("received", "2026")
    }
    assert received == {"18373": 1, "18376": 1, "42": 2}
