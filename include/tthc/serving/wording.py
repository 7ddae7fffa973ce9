"""How figures, days, periods and states are written for a Vietnamese reader: one wording for workbooks and pages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from tthc.reference.counters import counters
from tthc.reference.kpis import Metric
from tthc.settings import LOCAL

NOTHING_OCCURRED = "không phát sinh"
WITHHELD = "tạm giữ"
UNKNOWN = "chưa rõ"
NOT_TOLD = "chưa có số liệu"

CALENDARS = {
    "VPCP_15_14": "Kỳ báo cáo từ ngày 15 đến ngày 14 (NĐ 09/2019/NĐ-CP)",
    "CALENDAR": "Tháng dương lịch (Bộ chỉ số 766)",
}
CALENDARS_SHORT = {"VPCP_15_14": "Kỳ báo cáo 15–14", "CALENDAR": "Tháng dương lịch"}
BASES = {"as_reported": "Đơn vị như báo cáo", "current_boundary": "Địa giới hiện nay"}
PROFILES = {
    "TT01_06A": "Biểu 06a",
    "TT01_06A_STRICT": "Biểu 06a, tính chặt",
    "IDX766": "Bộ chỉ số 766",
    "IDX766_STRICT": "Bộ chỉ số 766, tính chặt",
    "DASH": "Bảng theo dõi",
    "*": "Chung",
}
STATUSES = {
    "interim": "Tạm tính (kỳ chưa kết thúc)",
    "provisional": "Sơ bộ (chưa đủ đơn vị)",
    "final": "Chính thức",
}
FLAGS = {
    "withheld": "tạm giữ vì số liệu tự mâu thuẫn",
    "from_summary": "lấy từ biểu tổng hợp do đơn vị lập",
    "split_unit": "có đơn vị cũ bị chia tách, không so sánh được",
    "split_weighted": "ước tính: hồ sơ của đơn vị cũ bị chia tách được chia theo tỷ lệ đã khai báo",
    "merged_unit": "gồm cả đơn vị cũ đã sáp nhập",
    "code_reused": "mã đơn vị từng chỉ địa bàn khác",
    "merged_province": "gồm cả tỉnh cũ đã hợp nhất",
    "former_province": "tỉnh cũ, đã tính trong tỉnh hiện nay",
    "below_minimum": "ít hồ sơ",
    "manual_input": "đơn vị tự nhập",
    "not_summed": "của đơn vị cũ trước khi sắp xếp; chỉ tiêu không cộng được nên không so sánh được",
}
VERDICTS = {
    "loaded": "đã nạp",
    "loaded_with_quarantine": "đã nạp, có dòng cách ly",
    "held": "bị giữ lại",
    "rejected": "bị từ chối",
    "already_known": "đã biết, không có gì mới",
    "deferred": "hoãn",
}
COVERAGE = {
    "on_time": "đúng hạn",
    "late": "muộn",
    "missing": "thiếu",
    "zero": "không phát sinh",
    "not_due": "chưa đến hạn",
}
INCIDENTS_SHOWN = 200
INCIDENT_STATES = {
    "open": "đang mở",
    "acknowledged": "đang xử lý",
    "snoozed": "tạm tắt báo",
    "resolved": "đã hết",
}
SEVERITIES = {"critical": "nghiêm trọng", "error": "lỗi", "warning": "cảnh báo"}
DIFFERENCES_SHOWN = 300
LEVELS = {"commune": "Xã, phường", "department": "Sở, ban, ngành", "province": "Tỉnh"}

_ROMAN = ("I", "II", "III", "IV")


def count(number: int | None) -> str:
    """1234567 → "1.234.567"; None (withheld) → "tạm giữ"."""
    return WITHHELD if number is None else f"{number:,}".replace(",", ".")


def signed(number: int) -> str:
    """A difference: 1234 → "+1.234", -5 → "−5"."""
    sign = "−" if number < 0 else "+" if number > 0 else ""
    return f"{sign}{count(abs(number))}"


def decimal(number: Decimal, places: int = 2) -> str:
    """Rounded half up, with a decimal comma: 94.996 → "95,00"."""
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:f}".replace(".", ",")


def percent(numerator: int | None, denominator: int | None) -> str:
    """ "95,00%" of exact counts; "không phát sinh" over 0, "tạm giữ" when withheld, "" for a count."""
    if numerator is None:
        return WITHHELD
    if denominator is None:
        return ""
    if denominator == 0:
        return NOTHING_OCCURRED
    return decimal(Decimal(numerator) * 100 / Decimal(denominator)) + "%"


def points(number: Decimal) -> str:
    """A number as short as it is exact, with a decimal comma: 0.500 → "0,5"."""
    return f"{number.normalize():f}".replace(".", ",")


def gap(numerator: int, denominator: int, value: Decimal) -> str:
    """Percentage points between a rate and its target; a miss too small for two decimals is not shown as 0."""
    return signed_points((Decimal(numerator) / Decimal(denominator) - value) * 100)


def signed_points(points: Decimal) -> str:
    """Percentage points: 3.46 → "+3,46"; what is too small for two decimals is not shown as 0."""
    sign = "−" if points < 0 else "+" if points > 0 else ""
    shown = decimal(abs(points))
    return f"{sign}dưới 0,01" if points and shown == "0,00" else f"{sign}{shown}"


def target(comparator: str, value: Decimal) -> str:
    """ ">=", 0.95 → "≥ 95%"."""
    return f"{comparator.replace('>=', '≥')} {points(value * 100)}%"


def day(on: date | None) -> str:
    """14/3/2026."""
    return UNKNOWN if on is None else f"{on.day}/{on.month}/{on.year}"


def moment(at: datetime) -> str:
    """20:05 ngày 14/3/2026, in Việt Nam."""
    local = at.astimezone(LOCAL)
    return f"{local:%H:%M} ngày {day(local.date())}"


def period_name(kind: str, label: str) -> str:
    """ "2026-Q1" → "Quý I/2026"."""
    year, _, part = label.partition("-")
    if kind == "month":
        return f"Tháng {int(part)}/{year}"
    if kind == "quarter":
        return f"Quý {_ROMAN[int(part[1:]) - 1]}/{year}"
    if kind == "half":
        return f"6 tháng {'đầu' if part == 'H1' else 'cuối'} năm {year}"
    return f"9 tháng năm {year}" if kind == "nine_months" else f"Năm {year}"


def period_title(kind: str, label: str, start: date, end: date) -> str:
    """ "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)", as form II.06 states it."""
    return f"{period_name(kind, label)} (từ ngày {day(start)} đến ngày {day(end)})"


def flags(names: list[str] | tuple[str, ...]) -> str:
    """The flags of a figure in words."""
    return "; ".join(FLAGS.get(name, name) for name in names)


def vietnamese(text: str) -> str:
    """What stands in both languages, "tiếng Việt / English", for a Vietnamese reader."""
    return text.partition(" / ")[0]


def of_counters(expression: str | None) -> str:
    """ "resolved_early + resolved_late - withdrawn" in words."""
    words = expression.split(" ") if expression else []
    return " ".join({"+": "+", "-": "−"}.get(word) or counters()[word].wording for word in words)


def anchor(metric: Metric) -> str:
    """Where the page of definitions tells of a metric: "on_time-IDX766-2026.1"."""
    return f"{metric.id}-{metric.profile.replace('*', 'all')}-{metric.version}"
