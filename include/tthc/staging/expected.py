"""What a refused cell should hold, in the words of its own layout and lists, for whoever has to correct it."""

from __future__ import annotations

from collections.abc import Mapping

from tthc.reference.layout import Layout
from tthc.reference.layout_faults import is_pattern

# How a clerk writes the parts of a date form.
_LETTERS = (
    ("%d", "dd"), ("%m", "M" * 2), ("%Y", "yyyy"), ("%y", "yy"), ("%H", "H" * 2), ("%M", "mm"), ("%S", "ss"),
    ("%z", "+hh:mm"),
)  # fmt: skip
_YES_NO = "«Có» hoặc «Không»; để trống là không"
# What no layout can say because it follows from the reading itself; the row rules carry their own words.
_OF_READING = {
    "RAGGED": "số ô của dòng bằng số ô của dòng tiêu đề; ô chứa dấu phân cách phải đặt trong ngoặc kép",
    "JSON_SHAPE": "một bản ghi {…}, mỗi trường một giá trị đúng kiểu",
    "CONTROL_CHAR": "nội dung gõ lại bằng bàn phím, không có ký tự ẩn",
    "REPLACEMENT_CHAR": "nội dung tiếng Việt đầy đủ dấu, xuất lại bằng bảng mã UTF-8",
    "DOSSIER_CODE_MISSING": "mã hồ sơ đầy đủ như trên giấy tiếp nhận",
    "DOSSIER_CODE_ROUNDED": "mã hồ sơ đủ chữ số; định dạng cột là Text trước khi nhập hoặc xuất",
    "DOSSIER_CODE_LETTERS": "mã hồ sơ gõ lại bằng bàn phím: chữ, chữ số, dấu chấm và gạch nối thường",
    "CELL_SHAPE": "một giá trị, không phải danh sách […] hay nhóm {…}",
    "RECEIVED_MISSING": "ngày tiếp nhận hồ sơ",
    "RANGE": "số không âm",
    "INDICATOR_UNKNOWN": "mã chỉ tiêu in sẵn trong biểu; không sửa, không thêm dòng",
    "PERCENT_TYPED": "số đếm nguyên, ví dụ tử số 45 và mẫu số 50; hệ thống tự tính tỷ lệ",
}


def of_columns(layout: Layout, status_words: Mapping[str, str]) -> dict[str, str]:
    """Canonical column → what its cells hold: a form of date, the allowed words, a kind of number."""
    found = {}
    for column in layout.columns:
        name = column.name
        if name.endswith("_at"):
            found[name] = f"ngày có thật, dạng {_form((column.date_formats or layout.date_formats)[-1])}"
        elif name == "status":
            found[name] = _one_of(status_words)
        elif column.codes:
            found[name] = _one_of(column.codes)
        elif name in {"components_digitised", "result_digitised", "result_electronic", "data_reused"}:
            found[name] = _YES_NO
        elif name in {"fee_amount", "supplement_count", "numerator", "denominator"}:
            found[name] = "số nguyên không âm, chỉ gồm chữ số"
        elif name == "procedure_code":
            found[name] = "mã thủ tục dạng d.dddddd, ví dụ 1.000656"
        elif name == "unit_name":
            found[name] = "tên đầy đủ của đơn vị đang hoạt động vào ngày tiếp nhận, ví dụ «UBND xã …»"
    return found


def of_cell(rule_id: str, column: str, columns: Mapping[str, str], words: str = "") -> str:
    """What a cell of this column should hold after this rule refused it; `words` are those of a rule of a suite."""
    rule, form = words or _OF_READING.get(rule_id), columns.get(column, "")
    if not rule:
        return form or "đúng như trên hồ sơ gốc"
    dated = form.startswith("ngày") and "ngày" in rule
    return f"{rule} ({form.partition(', ')[2]})" if dated else rule


def _form(strptime: str) -> str:
    for code, letters in _LETTERS:
        strptime = strptime.replace(code, letters)
    return strptime


def _one_of(words: Mapping[str, str]) -> str:
    """The words a person would write, not the numbers that stand for them."""
    spoken = [word for word in words if not word.isdigit() and not is_pattern(word)] or list(words)
    return "một trong các từ: " + "; ".join(dict.fromkeys(f"«{word}»" for word in spoken))
