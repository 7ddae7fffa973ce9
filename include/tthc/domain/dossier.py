"""What a dossier (hồ sơ) is to this system: one applicant's file for one procedure, without the applicant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum


class Status(IntEnum):
    """Dossier statuses as synchronised to the national portal."""

    REGISTERED = 1  # Mới đăng ký
    ACCEPTED = 2  # Được tiếp nhận
    NOT_ACCEPTED = 3  # Không được tiếp nhận
    IN_PROCESS = 4  # Đang xử lý
    AWAITING_SUPPLEMENT = 5  # Yêu cầu bổ sung giấy tờ
    AWAITING_PAYMENT = 6  # Yêu cầu thực hiện nghĩa vụ tài chính
    WITHDRAWN = 7  # Công dân yêu cầu rút hồ sơ
    STOPPED = 8  # Dừng xử lý
    RESOLVED = 9  # Đã xử lý xong
    RETURNED = 10  # Đã trả kết quả


NEVER_COUNTED = frozenset({Status.REGISTERED, Status.NOT_ACCEPTED})
FINISHED = frozenset({Status.RESOLVED, Status.RETURNED})


class Channel(IntEnum):
    """How the dossier arrived (kênh thực hiện)."""

    DIRECT = 1  # Trực tiếp
    ONLINE = 2  # Trực tuyến
    POSTAL = 3  # Bưu chính công ích (BCCI)


class ServiceLevel(StrEnum):
    FULL = "toan_trinh"  # toàn trình
    PARTIAL = "mot_phan"  # một phần
    INFORMATION = "thong_tin"  # cung cấp thông tin


class PaymentMethod(StrEnum):
    ONLINE = "online"  # Trực tuyến
    CASH = "cash"  # Tiền mặt
    TRANSFER = "transfer"  # Chuyển khoản


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One state of one dossier. A moment without a time of day is a `date`, with one a local naive `datetime`."""

    dossier_code: str
    procedure_code: str | None
    procedure_name: str | None = None
    field_name: str | None = None
    unit_code: str
    status: Status
    channel: Channel | None = None
    service_level: ServiceLevel | None = None
    submitted_at: date | datetime | None = None
    received_at: date | datetime | None = None
    due_at: date | datetime | None = None
    finished_at: date | datetime | None = None
    returned_at: date | datetime | None = None
    supplement_count: int | None = None
    supplement_requested_at: date | datetime | None = None
    fee_amount: int | None = None
    payment_method: PaymentMethod | None = None
    paid_at: date | datetime | None = None
    components_digitised: bool | None = None
    result_digitised: bool | None = None
    result_electronic: bool | None = None
    data_reused: bool | None = None
