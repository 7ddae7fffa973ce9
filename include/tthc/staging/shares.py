"""What a list is made of: the shares of its statuses, channels, times and fields, and how far they are from others'.

Two lists are compared by their total variation: half the sum of the differences of all shares. It is the part of the
rows that would have to say something else for the two to agree, so 0.25 is a quarter of the file whatever its size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pandas as pd

from tthc.domain.dossier import FINISHED
from tthc.domain.text import fold
from tthc.staging.staged_file import StagedFile

Counts = Mapping[str, int]
# What is looked at → the rule of the suite `dossier_file` that speaks of it.
RULE_OF = {
    "status": "STATUS_SHARES",
    "channel": "CHANNEL_SHARES",
    "timely": "ON_TIME_SHARE",
    "field": "FIELD_SHARES",
}
COMPARABLE = 50  # rows from which on a list of the past says anything about shares
_DRAWERS = 64
_EMPTY = "-"  # an empty cell where the file has the column
_WORDS = {
    "status": {
        "1": "Mới đăng ký", "2": "Được tiếp nhận", "3": "Không được tiếp nhận", "4": "Đang xử lý",
        "5": "Yêu cầu bổ sung", "6": "Yêu cầu thực hiện nghĩa vụ tài chính", "7": "Rút hồ sơ", "8": "Dừng xử lý",
        "9": "Đã xử lý xong", "10": "Đã trả kết quả",
    },
    "channel": {"1": "Trực tiếp", "2": "Trực tuyến", "3": "Bưu chính công ích", _EMPTY: "ô trống"},
    "timely": {"1": "đúng hạn", "0": "quá hạn", _EMPTY: "không có ngày hẹn"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one file is from the nights before in one respect. `rows`: it tells of; `distance`: 0 to 1; `told`: which
    share moved most, for people; never a text of the file."""

    rows: int = 0
    nights: int = 0
    distance: float = 0.0
    told: str = ""


def shares_of(file: StagedFile) -> dict[str, dict[str, int]]:
    """Rows of each status, channel, timeliness (of finished dossiers) and field, as far as the file has the columns.

    Fields are counted in numbered drawers by a hash of their folded name: a column that slipped may hold anything, and
    no text of a file goes further than its rows. Two fields in one drawer make the distance smaller, never greater.
    """
    found: dict[str, dict[str, int]] = {}
    for name in ("status", "channel"):
        if name in file.headings:
            found[name] = _counted(file.rows[name].astype("Int64").astype("string"))
    if {"due_at", "finished_at"} <= set(file.headings):
        done = file.rows[file.rows["status"].isin(FINISHED) & file.rows["finished_on"].notna()]
        timely = done["finished_on"].le(done["due_on"]).astype("int64").astype("string")
        found["timely"] = _counted(timely.where(done["due_on"].notna(), None))
    if "field_name" in file.headings:
        drawers = {name: _drawer(name) for name in file.rows["field_name"].dropna().unique()}
        found["field"] = _counted(file.rows["field_name"].map(drawers))
    return found


def shift(what: str, tonight: Counts, before: Sequence[Counts], *, odd_nights: int) -> Shift:
    """Tonight's counts beside those of each night before: the distance to the nearest, but for `odd_nights` of them.

    The nearest and not the average, so that a week with quiet days, or a file of which several go out, has a past of
    its own kind; and what small numbers do by chance some night or other has done before.
    """
    rows = sum(tonight.values())
    if not rows or not before:
        return Shift(rows, len(before))
    distances = sorted(_distance(tonight, night) for night in before)
    distance = distances[min(odd_nights, len(distances) - 1)]
    return Shift(rows, len(before), distance, _told(what, tonight, before, distance))


def _counted(values: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in values.fillna(_EMPTY).value_counts().items()}


def _drawer(name: str) -> str:
    return str(int.from_bytes(hashlib.blake2s(fold(name).encode(), digest_size=2).digest(), "big") % _DRAWERS)


def _distance(one: Counts, other: Counts) -> float:
    rows, others = sum(one.values()), sum(other.values())
    return sum(abs(one.get(key, 0) / rows - other.get(key, 0) / others) for key in {*one, *other}) / 2


def _told(what: str, tonight: Counts, before: Sequence[Counts], distance: float) -> str:
    """Such as «Trực tuyến» 62 % → 0 %: the share that moved furthest from its usual one."""
    if what not in _WORDS:
        return f"lệch {100 * distance:.0f} % số dòng"
    rows = sum(tonight.values())
    usual = {
        key: median(night.get(key, 0) / sum(night.values()) for night in before)
        for key in sorted({*tonight, *(key for night in before for key in night)})
    }
    moved = max(usual, key=lambda key: abs(tonight.get(key, 0) / rows - usual[key]))
    told = f"«{_WORDS[what].get(moved, moved)}»"
    return f"{told} {100 * usual[moved]:.0f} % → {100 * tonight.get(moved, 0) / rows:.0f} %"
