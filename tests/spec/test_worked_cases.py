"""The sixteen worked cases: through the real pipeline, on the night of 10/04/2026; form 06a for the report quarter that
ended on 14/3/2026, index 766 for the calendar quarter that ended on 31/3/2026."""

from __future__ import annotations

import pytest

from drawing import Drawing

TITLE_VI = "Mười sáu ca mẫu, đêm 10/4/2026: biểu 06a quý báo cáo 15/12/2025–14/3/2026, Bộ chỉ số 766 quý dương lịch 1/1–31/3/2026"


@pytest.mark.drawn(
    """
    dossier | received    | due         | finished    | returned | status | asked    | max | = 06A                 | = 766
    --------+-------------+-------------+-------------+----------+--------+----------+-----+-----------------------+--------
    1       | 20/12 09:00 | 05/01 17:00 | 05/01 17:20 | 06/01    | 10     |          |     | received, on time     | -
    2       | 05/01       | 12/01       | 09/01       | 20/01    | 10     |          |     | received, early       | in time
    3       | 05/01       | 12/01       | 13/01       | 13/01    | 9      |          |     | received, late        | late
    4       | 10/03       | 20/03       |             |          | 4      |          |     | received, in time     | late
    5       | 02/03       | 10/03       |             |          | 4      |          |     | received, overdue     | late
    6       | 02/03       | 10/03       | 18/03       |          | 9      |          |     | received, overdue     | late
    7       | 02/03       | 14/03       |             |          | 4      |          |     | received, in time     | late
    8       | 01/12       | 20/12       | 18/12       |          | 9      |          |     | carried over, early   | -
    9       | 15/03       | 20/03       | 18/03       |          | 9      |          |     | -                     | in time
    10      | 14/12 23:50 | 20/03       |             |          | 4      |          |     | carried over, in time | -
    11      | 05/01       | 12/01       |             |          | 5      | 1: 08/01 |     | received, in time     | in time
    12      | 05/01       | 20/01       | 19/01       |          | 10     | 2: 14/01 |     | received, early       | late
    13      | 05/01       | 12/01       | 07/01       |          | 7      |          |     | received, withdrawn   | in time
    14      |             |             | 06/01       |          | 3      |          |     | -                     | -
    15      | 05/01       |             | 10/02       |          | 9      |          | 27  | received, on time     | in time
    15b     | 05/01       |             | 10/02       |          | 9      |          | 26  | received, on time     | late
    16      | 05/01       | 02/01       | 06/01       |          | 9      |          |     | DUE_BEFORE_RECEIVED   | -
""",
    vi="Mười sáu ca mẫu được tính như tài liệu nêu",
)
def test_the_sixteen_worked_cases_are_counted_as_the_pages_say(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | finished | status | = 06A             | = 766
    --------+----------+-------+----------+--------+-------------------+--------
    4       | 10/03    | 20/03 |          | 4      | received, in time | in time
    5       | 02/03    | 10/03 |          | 4      | received, overdue | late
    7       | 02/03    | 14/03 |          | 4      | received, in time | in time
    """,
    vi="Vào đêm khóa báo cáo, hồ sơ hẹn đúng ngày đó hoặc muộn hơn còn trong hạn",
    night="14/03",
)
def test_on_the_night_the_report_closes_what_is_due_that_day_or_later_is_in_time(drawn: Drawing) -> None:
    drawn.holds()
