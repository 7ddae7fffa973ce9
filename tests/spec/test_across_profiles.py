"""One dossier, five definitions of on time: the traps side by side, seen on the night of 10/04/2026. Form 06a and the
dashboards of the report quarter 15/12/2025–14/3/2026, index 766 of the calendar quarter 1/1–31/3/2026."""

from __future__ import annotations

import pytest

from drawing import Drawing

TITLE_VI = (
    "Một hồ sơ, năm cách tính đúng hạn, đêm 10/4/2026: biểu 06a và bảng theo dõi của quý báo cáo 15/12/2025–14/3/2026, "
    "Bộ chỉ số 766 của quý dương lịch 1/1–31/3/2026"
)


@pytest.mark.drawn(
    """
    dossier | trap                                                                          | told  | received | due         | finished    | returned | status | asked    | max | = 06A               | = 766   | = on_time DASH | = on_time TT01_06A_STRICT | = on_time IDX766_STRICT [c]
    --------+-------------------------------------------------------------------------------+-------+----------+-------------+-------------+----------+--------+----------+-----+---------------------+---------+----------------+---------------------------+----------------------------
    A       | đúng giờ hẹn / at the promised minute                                         |       | 05/01    | 12/01 17:00 | 12/01 17:00 |          | 9      |          |     | received, on time   | in time | 1/1            | 1/1                       | 1/1
    B       | ngày hẹn, sau giờ hẹn / on the due day, after the promised hour               |       | 05/01    | 12/01 17:00 | 12/01 17:20 |          | 9      |          |     | received, on time   | late    | 1/1            | 1/1                       | 0/1
    C       | hôm sau ngày hẹn / the day after                                              |       | 05/01    | 12/01       | 13/01       |          | 9      |          |     | received, late      | late    | 0/1            | 0/1                       | 0/1
    D       | xong trước hạn, nhận kết quả muộn / finished early, collected after the due day |     | 05/01    | 12/01       | 09/01       | 20/01    | 10     |          |     | received, early     | in time | 1/1            | 1/1                       | 1/1
    E       | đã trả, không ghi ngày xong / returned, no day of finish                      |       | 05/01    | 12/01       |             | 13/01    | 10     |          |     | received, late      | late    | 0/1            | 0/1                       | 0/1
    F       | xong quá hạn, sau ngày chốt 14/3 / finished late, after the cut-off 14/3      |       | 02/03    | 10/03       | 18/03       |          | 9      |          |     | received, overdue   | late    | -              | -                         | 0/1
    G       | đang giải quyết, hẹn đúng ngày chốt 14/3 / open, due on the cut-off 14/3      |       | 02/03    | 14/03       |             |          | 4      |          |     | received, in time   | late    | -              | -                         | 0/1
    H       | đang giải quyết, hẹn đúng ngày chốt 31/3 / open, due on the cut-off 31/3      |       | 02/03    | 31/03       |             |          | 4      |          |     | received, in time   | in time | -              | -                         | 1/1
    I       | chờ bổ sung, đã qua ngày hẹn / waiting for a supplement past the due day      |       | 05/01    | 12/01       |             |          | 5      | 1: 08/01 |     | received, in time   | in time | -              | -                         | 1/1
    J       | bổ sung xong, xử lý tiếp / supplement delivered, clock runs again             |       | 05/01    | 12/01       |             |          | 4      | 1: 08/01 |     | received, overdue   | late    | -              | -                         | 0/1
    K       | bổ sung một lần, hẹn lại / one supplement, due day moved                      |       | 05/01    | 20/01       | 19/01       |          | 9      | 1: 14/01 |     | received, early     | in time | 1/1            | 1/1                       | 1/1
    L       | bổ sung hai lần, hẹn lại / two supplements, due day moved                     |       | 05/01    | 20/01       | 19/01       |          | 9      | 2: 14/01 |     | received, early     | late    | 1/1            | 1/1                       | 0/1
    M       | chờ nộp phí, đã qua ngày hẹn / waiting for payment past the due day           |       | 05/01    | 12/01       |             |          | 6      |          |     | received, in time   | in time | -              | -                         | -
    N       | rút trước hạn / withdrawn before the due day                                  |       | 05/01    | 12/01       | 07/01       |          | 7      |          |     | received, withdrawn | in time | -              | -                         | -
    O       | rút sau ngày hẹn / withdrawn after the due day                                |       | 05/01    | 12/01       | 20/01       |          | 7      |          |     | received, withdrawn | late    | -              | -                         | -
    P       | dừng trước hạn / stopped before the due day                                   |       | 05/01    | 12/01       | 08/01       |          | 8      |          |     | received, stopped   | in time | -              | -                         | 1/1
    Q       | dừng sau ngày hẹn / stopped after the due day                                 |       | 05/01    | 12/01       | 20/01       |          | 8      |          |     | received, stopped   | late    | -              | -                         | 0/1
    R       | không được tiếp nhận / refused on receipt                                     |       | 05/01    | 12/01       | 06/01       |          | 3      |          |     | -                   | -       | -              | -                         | -
    S       | không hẹn trả, trong thời hạn thủ tục / no due day, within the longest time   |       | 05/01    |             | 10/02       |          | 9      |          | 27  | received, on time   | in time | -              | -                         | -
    T       | không hẹn trả, quá thời hạn thủ tục / no due day, beyond the longest time     |       | 05/01    |             | 10/02       |          | 9      |          | 26  | received, on time   | late    | -              | -                         | -
    U       | hẹn 06/03 … / first told due 06/03 …                                      | 14/03 | 02/03    | 06/03       |             |          | 4      |          |     |                     |         |                |                           |
    U       | … xin lỗi, hẹn lại 16/03 / … then, with an apology, 16/03                 | 20/03 | 02/03    | 16/03       | 13/03       |          | 9      |          |     | received, early     | in time | 1/1            | 1/1                       | 1/1
    V       | từ kỳ trước / carried over                                                    |       | 01/12    | 20/12       | 18/12       |          | 9      |          |     | carried over, early | -       | 1/1            | 1/1                       | -
    W       | nhận ngày 15/3 / received on 15/3                                             |       | 15/03    | 20/03       | 18/03       |          | 9      |          |     | -                   | in time | -              | -                         | 1/1
    """,
    vi="Cùng một hồ sơ, mỗi cách tính một kết quả",
)
def test_the_same_dossier_is_on_time_by_one_definition_and_not_by_another(drawn: Drawing) -> None:
    drawn.holds()
