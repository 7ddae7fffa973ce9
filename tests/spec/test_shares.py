"""The other shares: dashboards, online submission, online payment, digitisation, reuse. Night 10/04/2026, report quarter
15/12/2025–14/3/2026."""

from __future__ import annotations

import pytest

from drawing import Drawing

TITLE_VI = "Các tỷ lệ khác: bảng theo dõi, nộp trực tuyến, thanh toán, số hóa, tái sử dụng; đêm 10/4/2026, quý báo cáo"


@pytest.mark.drawn(
    """
    dossier | received | due         | finished    | status | = on_time DASH | = on_time DASH [c]
    --------+----------+-------------+-------------+--------+----------------+-------------------
    A       | 05/01    | 12/01       | 12/01       | 9      | 1/1            | 1/1
    B       | 05/01    | 12/01       | 13/01       | 10     | 0/1            | 0/1
    C       | 05/01    | 12/01 17:00 | 12/01 17:20 | 9      | 1/1            | 1/1
    D       | 05/01    |             | 12/01       | 9      | -              | -
    E       | 05/01    | 12/01       | 09/01       | 7      | -              | -
    F       | 05/01    | 12/01       | 09/01       | 8      | -              | -
    G       | 05/01    | 12/01       |             | 4      | -              | -
    H       | 05/01    | 12/01       | 15/03       | 9      | -              | 0/1
    I       | 01/12    | 12/01       | 09/01       | 9      | 1/1            | 1/1
    J       | 01/12    | 20/12       | 18/12       | 9      | 1/1            | -
""",
    vi="Bảng theo dõi chỉ xét hồ sơ đã xong có ngày hẹn",
)
def test_dashboards_look_at_finished_dossiers_with_a_due_date_and_at_nothing_else(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | channel   | level      | received | due   | = online_submission | = online_submission_full | = online_submission_offered
    --------+-----------+------------+----------+-------+---------------------+--------------------------+----------------------------
    A       | tt        | toàn trình | 05/01    | 12/01 | 1/1                 | 1/1                      | 1/1
    B       | trực tiếp | toàn trình | 05/01    | 12/01 | 0/1                 | 0/1                      | 0/1
    C       | bcci      | toàn trình | 05/01    | 12/01 | 0/1                 | 0/1                      | 0/1
    D       | tt        | một phần   | 05/01    | 12/01 | 1/1                 | -                        | 1/1
    E       | tt        | thông tin  | 05/01    | 12/01 | 1/1                 | -                        | -
    F       | tt        |            | 05/01    | 12/01 | 1/1                 | -                        | -
    G       | tt        | toàn trình | 01/12    | 12/01 | -                   | -                        | -
    H       | trực tiếp | một phần   | 05/01    | 12/01 | 0/1                 | -                        | 0/1
""",
    vi="Nộp trực tuyến chia cho hồ sơ tiếp nhận, không kể kỳ trước chuyển sang",
)
def test_online_submission_is_over_what_was_received_without_carry_over(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | fee     | paid         | status | = online_payment
    --------+----------+-------+---------+--------------+--------+--------------------
    A       | 05/01    | 12/01 | 50.000  | trực tuyến   | 4      | 1/1
    B       | 05/01    | 12/01 | 50.000  | chuyển khoản | 4      | 0/1
    C       | 05/01    | 12/01 | 50.000  | tiền mặt     | 4      | 0/1
    D       | 05/01    | 12/01 | 50.000  |              | 4      | 0/1
    E       | 05/01    | 12/01 | 0       |              | 4      | -
    F       | 05/01    | 12/01 |         |              | 4      | -
    G       | 05/01    | 12/01 |         | trực tuyến   | 4      | -
    H       | 01/12    | 12/01 | 50.000  | trực tuyến   | 4      | -
    I       | 05/01    | 12/01 | 50.000  | trực tuyến   | 1      | -
    J       | 05/01    | 12/01 | 1       | trực tuyến   | 6      | 1/1
""",
    vi="Thanh toán trực tuyến đếm hồ sơ có phí; chuyển khoản không phải trực tuyến",
)
def test_online_payment_counts_dossiers_with_a_fee_and_a_transfer_is_not_online(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | due   | fee | paid       | = 06A
    --------+----------+-------+-----+------------+--------------------
    A       | 05/01    | 12/01 | 0   | trực tuyến | PAYMENT_WITHOUT_FEE
""",
    vi="Thanh toán trực tuyến mà không có phí thì bị từ chối",
)
def test_what_is_paid_online_without_a_fee_is_refused(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | finished | status | parts | result | e-result | yields | = digitised_result | = digitised_full | = electronic_result
    --------+----------+----------+--------+-------+--------+----------+--------+--------------------+------------------+--------------------
    A       | 05/01    | 09/01    | 9      | x     | x      | x        |        | 1/1                | 1/1              | 1/1
    B       | 05/01    | 09/01    | 10     |       | x      |          |        | 1/1                | 0/1              | 0/1
    C       | 05/01    | 09/01    | 9      | x     |        |          |        | 0/1                | 0/1              | 0/1
    D       | 05/01    | 09/01    | 9      | x     |        | x        |        | 0/1                | 0/1              | 1/1
    E       | 05/01    | 09/01    | 9      | x     | x      | x        | no     | -                  | -                | -
    F       | 05/01    |          | 4      | x     | x      | x        |        | -                  | -                | -
    G       | 05/01    | 09/01    | 7      | x     | x      | x        |        | -                  | -                | -
    H       | 05/01    | 09/01    | 8      | x     | x      | x        |        | -                  | -                | -
    I       | 05/01    | 15/03    | 9      | x     | x      | x        |        | -                  | -                | -
    J       | 01/12    | 09/01    | 9      | x     | x      | x        |        | 1/1                | 1/1              | 1/1
""",
    vi="Số hóa kết quả chia cho hồ sơ đã xong của thủ tục có kết quả",
)
def test_digitised_results_are_over_what_was_finished_and_yields_a_result(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | finished | status | result | yields | = digitised_result_received
    --------+----------+----------+--------+--------+--------+----------------------------
    A       | 05/01    | 14/03    | 9      | x      |        | 1/1
    B       | 05/01    | 15/03    | 9      | x      |        | 0/1
    C       | 05/01    | 09/01    | 9      |        |        | 0/1
    D       | 05/01    |          | 4      | x      |        | 0/1
    E       | 05/01    | 09/01    | 7      | x      |        | 0/1
    F       | 05/01    | 09/01    | 9      | x      | no     | -
    G       | 01/12    | 09/01    | 9      | x      |        | -
""",
    vi="Kế hoạch chia cho hồ sơ tiếp nhận có chỉ tiêu riêng",
)
def test_plans_that_divide_by_received_dossiers_have_a_metric_of_their_own(drawn: Drawing) -> None:
    drawn.holds()


@pytest.mark.drawn(
    """
    dossier | received | finished | status | parts | reused | yields | = digitised_components | = reuse
    --------+----------+----------+--------+-------+--------+--------+------------------------+--------
    A       | 05/01    |          | 4      | x     |        |        | 1/1                    | 0/1
    B       | 05/01    |          | 4      |       | x      |        | 0/1                    | 1/1
    C       | 05/01    | 09/01    | 7      | x     | x      | no     | 1/1                    | 1/1
    D       | 01/12    | 09/01    | 9      | x     | x      |        | -                      | -
    E       | 05/01    |          | 1      | x     | x      |        | -                      | -
""",
    vi="Số hóa thành phần và tái sử dụng chia cho hồ sơ tiếp nhận",
)
def test_components_and_reuse_are_over_what_was_received(drawn: Drawing) -> None:
    drawn.holds()
