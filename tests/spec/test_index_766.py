"""On time by index 766 (QĐ 766/QĐ-TTg, 2.1): dossiers received in the calendar quarter 1/1–31/3/2026, seen on 10/04/2026."""

from __future__ import annotations

import pytest

from drawing import Drawing

TITLE_VI = "Đúng hạn theo Bộ chỉ số 766 (chỉ số 2.1): hồ sơ tiếp nhận trong quý dương lịch 1/1–31/3/2026, xem vào đêm 10/4/2026"


@pytest.mark.drawn(
    """
    dossier | received | due         | finished    | = 766
    --------+----------+-------------+-------------+--------
    A       | 05/01    | 12/01 17:00 | 12/01 16:59 | in time
    B       | 05/01    | 12/01 17:00 | 12/01 17:00 | in time
    C       | 05/01    | 12/01 17:00 | 12/01 17:01 | late
    D       | 05/01    | 12/01 17:00 | 12/01       | in time
    E       | 05/01    | 12/01       | 12/01 23:59 | in time
    F       | 05/01    | 12/01 00:00 | 12/01 09:00 | in time
    G       | 05/01    | 12/01       | 13/01 00:01 | late
""",
    vi="Chỉ so giờ khi cả hai ô đều có giờ",
)
def test_instants_decide_only_where_both_cells_have_a_time(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | returned | status | asked    | = 766
    --------+----------+-------+----------+----------+--------+----------+--------
    A       | 05/01    | 12/01 | 09/01    | 20/01    | 10     |          | in time
    B       | 05/01    | 12/01 |          | 13/01    | 10     |          | late
    C       | 05/01    | 12/01 | 12/01    |          | 7      |          | in time
    D       | 05/01    | 12/01 | 13/01    |          | 7      |          | late
    E       | 05/01    | 12/01 | 12/01    |          | 8      |          | in time
    F       | 05/01    | 12/01 | 13/01    |          | 8      |          | late
    G       | 05/01    | 12/01 |          |          | 5      | 1: 12/01 | in time
    H       | 05/01    | 12/01 |          |          | 5      | 1: 13/01 | late
    I       | 05/01    | 12/01 |          |          | 6      |          | in time
""",
    vi="Ngày kết thúc là ngày xong, không có thì ngày rút, ngày dừng hoặc ngày yêu cầu bổ sung",
)
def test_the_end_is_the_finish_else_the_withdrawal_the_stop_or_the_request(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | status | asked    | = 766
    --------+----------+-------+----------+--------+----------+--------
    A       | 05/01    | 12/01 | 15/01    | 9      | 1: 08/01 | late
    B       | 05/01    | 20/01 | 19/01    | 9      | 1: 08/01 | in time
    C       | 05/01    | 12/01 |          | 4      | 1: 08/01 | late
""",
    vi="Không trừ thời gian chờ bổ sung",
)
def test_no_time_is_subtracted_for_a_supplement(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | status | asked    | = 766
    --------+----------+-------+----------+--------+----------+--------
    A       | 05/01    | 20/01 | 19/01    | 9      | 1: 14/01 | in time
    B       | 05/01    | 20/01 | 19/01    | 9      | 2: 14/01 | late
    C       | 05/01    | 31/03 |          | 5      | 2: 31/03 | late
    D       | 05/01    | 31/03 |          | 5      | 2: 01/04 | in time
    E       | 05/01    | 31/03 |          | 5      | 3: 01/04 | late
    F       | 05/01    | 31/03 |          | 4      | 2: 10/01 | late
""",
    vi="Quá một lần yêu cầu bổ sung đến ngày chốt là quá hạn",
)
def test_more_than_one_request_by_the_cut_off_is_late(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due         | finished | status | asked    | = 766
    --------+----------+-------------+----------+--------+----------+--------
    A       | 05/01    | 30/03       |          | 4      |          | late
    B       | 05/01    | 31/03       |          | 4      |          | in time
    C       | 05/01    | 31/03 08:00 |          | 4      |          | in time
    D       | 05/01    | 30/03       | 05/04    | 9      |          | late
    E       | 05/01    | 31/03       | 05/04    | 9      |          | in time
    F       | 05/01    | 30/03       | 05/04    | 7      |          | late
    G       | 05/01    | 31/03       | 05/04    | 8      |          | in time
    H       | 05/01    | 30/03       |          | 5      | 1: 05/04 | late
    I       | 05/01    | 31/03       |          | 5      | 1: 05/04 | in time
    J       | 05/01    | 31/03       |          | 7      |          | in time
    K       | 05/01    | 30/03       |          | 8      |          | late
""",
    vi="Hồ sơ chưa xong vào ngày chốt còn trong hạn đến hết ngày hẹn",
)
def test_what_is_open_at_the_cut_off_is_in_time_until_its_due_day_is_over(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due | finished | status | asked    | max | = 766
    --------+----------+-----+----------+--------+----------+-----+--------
    A       | 05/01    |     | 10/02    | 9      |          | 27  | in time
    B       | 05/01    |     | 10/02    | 9      |          | 26  | late
    C       | 09/01    |     | 10/01    | 9      |          | 1   | in time
    D       | 31/12    |     | 05/01    | 9      |          | 1   | -
    E       | 13/02    |     | 23/02    | 9      |          | 1   | in time
    F       | 13/02    |     | 24/02    | 9      |          | 1   | late
    G       | 02/03    |     |          | 4      |          | 21  | in time
    H       | 02/03    |     |          | 4      |          | 20  | late
    I       | 02/03    |     |          | 4      |          |     | in time
    J       | 02/03    |     | 30/03    | 9      |          |     | in time
    K       | 05/01    |     | 12/01    | 7      |          | 5   | late
    L       | 05/01    |     | 09/01    | 7      |          | 5   | in time
    M       | 05/01    |     |          | 5      | 1: 09/01 | 4   | in time
    N       | 05/01    |     |          | 5      | 1: 09/01 | 3   | late
""",
    vi="Không có ngày hẹn thì so với thời hạn dài nhất của thủ tục, tính bằng ngày làm việc",
)
def test_without_a_due_date_the_longest_time_of_the_procedure_decides_in_working_days(drawn: Drawing) -> None:
    """Tết 2026 is off from Monday 16 to Friday 20 February; Saturday 10 January was worked."""
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received    | due   | finished | status | = 766   | = on_time IDX766
    --------+-------------+-------+----------+--------+---------+-----------------
    A       | 31/12 23:59 | 12/01 | 09/01    | 9      | -       | 1/1
    B       | 01/01       | 12/01 | 09/01    | 9      | in time | 1/1
    C       | 31/03       | 12/04 |          | 4      | in time | -
    D       | 01/04       | 12/04 |          | 4      | -       | -
    E       | 05/01       | 12/01 | 06/01    | 3      | -       | -
    F       | 05/01       | 12/01 |          | 1      | -       | -
    G       | 20/12       | 14/03 |          | 4      | -       | 1/1
    H       | 20/12       | 13/03 |          | 4      | -       | 0/1
""",
    vi="Bộ chỉ số đếm hồ sơ tiếp nhận trong kỳ, theo từng lịch",
)
def test_the_index_counts_what_was_received_in_the_period_of_either_calendar(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | channel   | received | due   | finished | status | e-result | yields | = online_submission IDX766 [c]
    --------+-----------+----------+-------+----------+--------+----------+--------+-------------------------------
    A       | tt        | 05/01    | 12/01 | 09/01    | 9      | x        |        | 1/1
    B       | tt        | 05/01    | 12/01 | 09/01    | 9      |          |        | 0/1
    C       | tt        | 05/01    | 12/01 | 09/01    | 9      |          | no     | 1/1
    D       | tt        | 05/01    | 12/01 |          | 4      |          | no     | 1/1
    E       | tt        | 05/01    | 12/01 |          | 4      | x        |        | 0/1
    F       | tt        | 05/01    | 12/01 | 31/03    | 9      | x        |        | 1/1
    G       | tt        | 05/01    | 12/01 | 01/04    | 9      | x        |        | 0/1
    H       | trực tiếp | 05/01    | 12/01 | 09/01    | 9      | x        |        | 0/1
    I       | bcci      | 05/01    | 12/01 | 09/01    | 9      | x        |        | 0/1
    J       | tt        | 05/01    | 12/01 | 09/01    | 7      | x        |        | 0/1
    K       | tt        | 31/12    | 12/01 | 09/01    | 9      | x        |        | -
""",
    vi="Nộp trực tuyến theo Bộ chỉ số đòi kết quả điện tử nếu thủ tục có kết quả",
)
def test_online_by_the_index_asks_for_an_electronic_result_where_there_is_a_result(drawn: Drawing) -> None:
    drawn.holds()
