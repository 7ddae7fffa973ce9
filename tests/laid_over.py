"""Reference files laid over the shipped ones: agencies of files, procedures of every kind, a split with weights whose heir is
split again with weights, and a second version of a metric from a date on. `DEFINED` says the same of the metric by hand.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from independent_counters import DEFINITIONS, Definition

PROCEDURES = {  # code: longest time, yields a result, level
    "9.200001": ("", "true", "toan_trinh"), "9.200002": ("1", "true", "mot_phan"), "9.200003": ("5", "", "mot_phan"),
    "9.200004": ("20", "false", "thong_tin"), "9.200005": ("3", "true", "toan_trinh"), "9.200006": ("45", "true", ""),
}  # fmt: skip
DEFINED = (
    *DEFINITIONS,
    Definition("on_time", "TT01_06A", ("kept_in_time",), ("kept",), "2026.2", date(2026, 2, 1)),
)
VERSION_OF_ON_TIME = """
[[metric]]
id = "on_time"
profile = "TT01_06A"
version = "{version}"
title = "Tỷ lệ trước và đúng hạn, không tính hồ sơ rút"
numerator = "{numerator}"
denominator = "resolved_early + resolved_on_time + resolved_late - withdrawn"
kind = "flow"
event = "end"
no_due = "in_time"
awaiting_supplement = "not_counted"
awaiting_payment = "not_counted"
withdrawn = "not_counted"
stopped = "not_counted"
refused = "not_counted"
compare = "day"
supplements = "no_effect"
display = "percent_2_half_up"
citation = "Giả định"
valid_from = {start}
"""
_SECOND_VERSION = VERSION_OF_ON_TIME.format(
    version="2026.2", numerator="resolved_early + resolved_on_time - withdrawn", start="2026-02-01"
)


def overlay(folder: Path) -> Path:
    """Write them into a folder."""
    procedures = [
        "procedure_code,procedure_name,field_code,field_name,service_level,fee_bearing,yields_result,max_working_days,source"
    ]
    procedures += [
        f"{code},Thủ tục thử {code},{'T1' if code < '9.200003' else ''},{'Hộ tịch thử' if code < '9.200005' else 'Đất đai thử'},"
        f"{level},true,{yields},{limit},made up"
        for code, (limit, yields, level) in PROCEDURES.items()
    ]
    (folder / "procedures.csv").write_text("\n".join(procedures) + "\n", encoding="utf-8")
    (folder / "agencies.csv").write_text(
        "alias,unit_code,valid_from,valid_to,source\nH99.01,42-SNV,,,made up\nH99.02,18394,2025-07-01,,made up\n",
        encoding="utf-8",
    )
    (folder / "units.csv").write_text(
        "unit_code,level,kind,name,parent_code,province_code,district,valid_from,valid_to,source\n"
        "18652,commune,phường,Hà Huy Tập,42,42,,2025-07-01,2026-02-28,made up\n",
        encoding="utf-8",
    )
    (folder / "unit_successions.csv").write_text(
        "old_code,new_code,effective_date,is_partial,weight,source\n"
        "18082,18073,2025-07-01,true,0.4,made up\n18082,18652,2025-07-01,true,0.6,made up\n"
        "18652,18073,2026-03-01,true,0.25,made up\n18652,18100,2026-03-01,true,0.75,made up\n",
        encoding="utf-8",
    )
    (folder / "kpis.toml").write_text(_SECOND_VERSION, encoding="utf-8")
    return folder
