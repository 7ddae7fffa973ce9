"""Form 06a and the profile TT01_06A: what counts as received, resolved, in progress, early, on time, late, overdue.

Seen on the night of 10/04/2026, for the report quarter from 15/12/2025 to 14/3/2026 unless a heading names another.
"""

from __future__ import annotations

import pytest

from drawing import Drawing

TITLE_VI = "Biểu 06a và cách tính TT01_06A, quý báo cáo 15/12/2025–14/3/2026, xem vào đêm 10/4/2026"


@pytest.mark.drawn(
    """
    dossier | received | due         | finished    | = 06A
    --------+----------+-------------+-------------+-------------------
    A       | 05/01    | 12/01       | 11/01       | received, early
    B       | 05/01    | 12/01       | 12/01       | received, on time
    C       | 05/01    | 12/01 17:00 | 12/01 23:59 | received, on time
    D       | 05/01    | 12/01 17:00 | 12/01 08:00 | received, on time
    E       | 05/01    | 12/01 17:00 | 13/01 00:01 | received, late
    F       | 05/01    | 12/01       | 13/01       | received, late
    G       | 05/01    | 05/01       | 05/01       | received, on time
""",
    vi="So theo ngày, xong trong ngày hẹn là đúng hạn",
)
def test_days_decide_and_the_due_day_is_on_time(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | returned | status | = 06A             | = 06A [2026-Q2]
    --------+----------+-------+----------+----------+--------+-------------------+----------------------
    A       | 05/01    | 12/01 | 09/01    | 20/01    | 10     | received, early   | -
    B       | 05/01    | 12/01 | 09/01    | 20/03    | 10     | received, early   | -
    C       | 05/01    | 12/01 |          | 13/01    | 10     | received, late    | -
    D       | 05/01    | 12/01 |          | 12/01    | 10     | received, on time | -
    E       | 05/01    | 20/03 |          | 16/03    | 10     | received, in time | carried over, early
""",
    vi="Tính ngày kết thúc xử lý, không tính ngày công dân nhận kết quả",
)
def test_the_office_is_done_when_it_finishes_not_when_the_result_is_collected(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received    | due   | finished    | status | = 06A                 | = 06A [2026-Q2]
    --------+-------------+-------+-------------+--------+-----------------------+----------------------
    A       | 14/12 23:59 | 20/03 |             | 4      | carried over, in time | carried over, overdue
    B       | 15/12 00:00 | 20/03 |             | 4      | received, in time     | carried over, overdue
    C       | 14/03 23:59 | 20/03 |             | 4      | received, in time     | carried over, overdue
    D       | 15/03 00:00 | 20/03 |             | 4      | -                     | received, overdue
    E       | 05/01       | 20/03 | 14/03 23:59 | 9      | received, early       | -
    F       | 05/01       | 20/03 | 15/03 00:00 | 9      | received, in time     | carried over, early
    G       | 01/12       | 10/12 | 14/12       | 9      | -                     | -
    H       | 01/12       | 10/12 | 15/12       | 9      | carried over, late    | -
""",
    vi="Kỳ bắt đầu ngày 15 và kết thúc hết ngày 14",
)
def test_a_period_begins_on_the_15th_and_ends_with_the_14th(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | status | = 06A             | = 06A [2026-Q2]
    --------+----------+-------+--------+-------------------+----------------------
    A       | 05/01    | 13/03 | 4      | received, overdue | carried over, overdue
    B       | 05/01    | 14/03 | 4      | received, in time | carried over, overdue
    C       | 05/01    | 09/04 | 4      | received, in time | carried over, overdue
    D       | 05/01    | 10/04 | 2      | received, in time | carried over, in time
    E       | 20/03    | 10/04 | 2      | -                 | received, in time
""",
    vi="Ngày hẹn bằng ngày chốt thì chưa quá hạn; kỳ chưa kết thúc chốt vào đêm dữ liệu",
)
def test_a_due_day_equal_to_the_cut_off_is_not_over_and_an_open_period_is_cut_off_at_the_night(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due         | finished | status | = 06A               | = received TT01_06A
    --------+----------+-------------+----------+--------+---------------------+--------------------
    A       | 05/01    | 12/01       |          | 1      | -                   | -
    B       |          |             |          | 1      | -                   | -
    C       | 05/01    | 12/01       | 06/01    | 3      | -                   | -
    D       |          |             | 06/01    | 3      | -                   | -
    E       |          | 12/01       |          | 2      | RECEIVED_MISSING    | -
    F       | 05/01    | 04/01       |          | 4      | DUE_BEFORE_RECEIVED | -
    G       | 05/01 16:00 | 05/01 08:00 |       | 4      | received, overdue   | 1
""",
    vi="Hồ sơ không được tiếp nhận không nằm trong số nào và không phải lỗi",
)
def test_dossiers_not_accepted_are_in_no_figure_and_are_no_fault(drawn: Drawing) -> None:
    drawn.holds()
    assert drawn.warehouse
    row = drawn.warehouse.files()[drawn.file_name(drawn.lines[0]).partition("/")[2]]
    assert (row["rows_read"], row["rows_accepted"], row["rows_quarantined"]) == (7, 5, 2)


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | status | = 06A               | = 06A [2026-Q2]
    --------+----------+-------+----------+--------+---------------------+------------------------
    A       | 05/01    | 12/01 | 07/01    | 7      | received, withdrawn | -
    B       | 05/01    | 12/01 | 20/01    | 7      | received, withdrawn | -
    C       | 05/01    |       | 20/01    | 7      | received, withdrawn | -
    D       | 05/01    | 10/03 | 14/03    | 7      | received, withdrawn | -
    E       | 05/01    | 10/03 | 15/03    | 7      | received, overdue   | carried over, withdrawn
    F       | 05/01    | 20/03 | 15/03    | 7      | received, in time   | carried over, withdrawn
    G       | 05/01    | 10/03 |          | 7      | received, overdue   | carried over, overdue
    H       | 05/01    | 20/05 |          | 7      | received, in time   | carried over, in time
""",
    vi="Hồ sơ rút là đã giải quyết, đúng hạn, từ ngày rút",
)
def test_a_withdrawn_dossier_is_resolved_on_time_from_its_end_date(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | status | = 06A             | = 06A [2026-Q2]
    --------+----------+-------+----------+--------+-------------------+----------------------
    A       | 05/01    | 12/01 | 08/01    | 8      | received, stopped | carried over, stopped
    B       | 05/01    | 10/03 | 12/03    | 8      | received, stopped | carried over, stopped
    C       | 05/01    | 10/03 | 14/03    | 8      | received, stopped | carried over, stopped
    D       | 05/01    | 10/03 | 15/03    | 8      | received, overdue | carried over, stopped
    E       | 05/01    | 20/03 | 25/03    | 8      | received, in time | carried over, stopped
    F       | 05/01    | 10/03 |          | 8      | received, overdue | carried over, overdue
    G       | 05/01    | 20/05 |          | 8      | received, in time | carried over, in time
""",
    vi="Hồ sơ dừng xử lý vẫn là đang giải quyết, trong hạn, từ ngày dừng",
)
def test_a_stopped_dossier_stays_in_progress_in_time_from_its_end_date(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | status | asked    | = 06A             | = 06A [2026-Q2]
    --------+----------+-------+--------+----------+-------------------+----------------------
    A       | 05/01    | 12/01 | 5      | 1: 08/01 | received, in time | carried over, in time
    B       | 05/01    | 10/03 | 5      | 1: 12/03 | received, in time | carried over, in time
    C       | 05/01    | 10/03 | 5      | 1: 14/03 | received, in time | carried over, in time
    D       | 05/01    | 10/03 | 5      | 1: 15/03 | received, overdue | carried over, in time
    E       | 05/01    | 10/03 | 5      | 2: 08/03 | received, in time | carried over, in time
    F       | 05/01    | 10/03 | 5      | 2: 20/03 | received, overdue | carried over, in time
    G       | 05/01    | 12/01 | 4      | 1: 08/01 | received, overdue | carried over, overdue
""",
    vi="Chờ bổ sung thì tạm dừng từ lần yêu cầu gần nhất và chỉ trong khi chờ",
)
def test_waiting_for_a_supplement_pauses_from_the_last_request_and_no_longer_than_it_waits(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | status | = 06A             | = overdue_open TT01_06A
    --------+----------+-------+--------+-------------------+------------------------
    A       | 05/01    | 12/01 | 6      | received, in time | 0/1
    B       | 05/01    | 12/01 | 4      | received, overdue | 1/1
""",
    vi="Chờ nghĩa vụ tài chính thì tạm dừng",
)
def test_waiting_for_payment_pauses(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due | finished | = 06A             | = on_time TT01_06A
    --------+----------+-----+----------+-------------------+-------------------
    A       | 05/01    |     | 10/03    | received, on time | 1/1
    B       | 05/01    |     |          | received, in time | -
""",
    vi="Không có ngày hẹn trả là đúng hạn",
)
def test_without_a_due_date_a_dossier_is_on_time(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | told  | received | due   | finished | status | = 06A
    --------+-------+----------+-------+----------+--------+------------------
    A       | 20/03 | 02/03    | 10/03 | 05/03    | 9      | received, early
    B       | 14/03 | 02/03    | 10/03 |          | 4      |
    B       | 20/03 | 02/03    | 10/03 | 09/03    | 9      | received, early
    C       | 14/03 | 02/03    | 10/03 | 12/03    | 9      |
    C       | 20/03 | 02/03    | 10/03 | 09/03    | 9      | received, early
    D       | 14/03 | 02/03    | 10/03 |          | 4      |
    D       | 20/03 | 02/03    | 10/03 | 18/03    | 9      | received, overdue
    E       | 14/03 | 02/03    | 10/03 | 09/03    | 9      |
    E       | 20/03 | 02/03    | 10/03 |          | 4      | received, overdue
    F       | 14/03 | 02/03    | 10/03 |          | 4      |
    F       | 20/03 | 02/03    | 10/03 |          | 3      | -
    G       | 14/03 | 02/03    | 10/03 | 09/03    | 9      |
    G       | 20/03 | 02/03    | 01/03 |          | 4      | DUE_BEFORE_RECEIVED
""",
    vi="Tệp đến muộn và đính chính làm đổi số của kỳ đã khóa",
)
def test_late_arrivals_and_corrections_restate_a_closed_period(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | told  | received | due   | finished | status | = resolved TT01_06A | = in_progress TT01_06A
    --------+-------+----------+-------+----------+--------+---------------------+-----------------------
    A       | 14/03 | 02/03    | 10/03 | 09/03    | 9      |                     |
    A       | 20/03 | 02/03    | 01/03 |          | 4      | 1                   | -
""",
    vi="Dòng bị từ chối không đổi trạng thái đã nhận trước đó",
)
def test_a_refused_row_leaves_the_state_accepted_before(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | status | = received TT01_06A | = resolved TT01_06A | = in_progress TT01_06A | = overdue_open TT01_06A
    --------+----------+-------+----------+--------+---------------------+---------------------+------------------------+------------------------
    A       | 05/01    | 12/01 | 09/01    | 9      | 1                   | 1                   | -                      | -
    B       | 05/01    | 12/01 |          | 4      | 1                   | -                   | 1                      | 1/1
    C       | 01/12    | 12/01 | 09/01    | 9      | -                   | 1                   | -                      | -
    D       | 01/12    | 20/03 |          | 4      | -                   | -                   | 1                      | 0/1
    E       | 20/03    | 25/03 |          | 4      | -                   | -                   | -                      | -
""",
    vi="Số đếm không có mẫu số; không có dòng là 0",
)
def test_counts_have_no_denominator_and_a_missing_row_is_zero(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | = received TT01_06A [2026-01] | = received TT01_06A [2026-H1] | = received TT01_06A [2026-9M] | = received TT01_06A [2026] | = received TT01_06A [c 2025-12] | = received TT01_06A [c 2025-Q4] | = received TT01_06A [c 2025-H2] | = received TT01_06A [c 2025] | = received TT01_06A [c 2026]
    --------+----------+-------+----------+---+---+---+---+---+---+---+---+---
    A       | 14/12    | 20/12 | 18/12    | - | - | - | - | 1 | 1 | 1 | 1 | -
    B       | 15/12    | 20/12 | 18/12    | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | -
    C       | 31/12    | 12/01 | 09/01    | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | -
    D       | 01/01    | 12/01 | 09/01    | 1 | 1 | 1 | 1 | - | - | - | - | 1
    E       | 14/01    | 20/01 | 18/01    | 1 | 1 | 1 | 1 | - | - | - | - | 1
    F       | 15/01    | 20/01 | 18/01    | - | 1 | 1 | 1 | - | - | - | - | 1
""",
    vi="Hồ sơ nằm trong mọi kỳ chứa ngày của nó, theo cả hai lịch",
)
def test_a_dossier_is_in_every_period_that_holds_its_day_in_both_calendars(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | = in_progress TT01_06A [2026-01] | = in_progress TT01_06A [2026-02] | = in_progress TT01_06A | = in_progress TT01_06A [2026-H1] | = in_progress TT01_06A [2026] | = in_progress TT01_06A [c 2026-01]
    --------+----------+-------+----------+---+---+---+---+---+---
    A       | 20/12    | 20/05 | 16/01    | 1 | - | - | - | - | -
    B       | 20/12    | 20/05 | 14/01    | - | - | - | - | - | -
    C       | 20/12    | 20/05 | 16/03    | 1 | 1 | 1 | - | - | 1
    D       | 20/01    | 20/05 |          | - | 1 | 1 | 1 | 1 | 1
    E       | 20/03    | 20/05 |          | - | - | - | 1 | 1 | -
""",
    vi="Số tồn là của cuối kỳ, hoặc của đêm dữ liệu",
)
def test_a_stock_is_that_of_the_end_of_its_period_or_of_the_night(drawn: Drawing) -> None:
    drawn.holds()
