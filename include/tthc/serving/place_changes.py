"""What a unit was made of and what became of it, in sentences beside its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tthc.reference.units import Succession, Unit
from tthc.serving import wording
from tthc.serving.figures import unit_on


@dataclass(frozen=True, slots=True)
class Other:
    """A unit on the other side of a change; `weight`: the declared part of the dossiers, such as "50%", "" for none."""

    unit_code: str
    unit_name: str
    weight: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From a day on: what happened, and with which units."""

    on: date
    what: str
    others: Sequence[Other]
    remark: str = ""


def changes_of(code: str, units: Sequence[Unit], successions: Sequence[Succession]) -> list[Change]:
    """The changes of a unit's territory, the latest first; renamings are none."""
    left, came = defaultdict[date, list[Succession]](list), defaultdict[date, list[Succession]](list)
    for one in sorted(successions, key=lambda one: (one.old_code, one.new_code)):
        if one.old_code == code:
            left[one.effective_date].append(one)
        if one.new_code == code != one.old_code:
            came[one.effective_date].append(one)
    found = _former_provinces(code, units)
    for on in left.keys() | came.keys():
        found += [*_left(units, code, on, left[on]), *_came(units, on, came[on])]
    return sorted(found, key=lambda change: change.on, reverse=True)


def _left(units: Sequence[Unit], code: str, on: date, parts: Sequence[Succession]) -> list[Change]:
    if not parts or [(one.new_code, one.is_partial) for one in parts] == [(code, False)]:
        return []
    is_whole = len(parts) == 1 and not parts[0].is_partial
    others = [_other(units, one.new_code, on, one) for one in parts]
    return [_change(on, "sáp nhập vào" if is_whole else "chia tách thành", others, parts)]


def _came(units: Sequence[Unit], on: date, givers: Sequence[Succession]) -> list[Change]:
    found = []
    for is_partial, what in ((False, "gồm cả"), (True, "gồm một phần của")):
        parts = [one for one in givers if one.is_partial is is_partial]
        others = [_other(units, one.old_code, on - timedelta(days=1), one) for one in parts]
        found += [_change(on, what, others, parts)] if parts else []
    return found


def _former_provinces(code: str, units: Sequence[Unit]) -> list[Change]:
    """Provinces that were merged into today's; a former one that kept its code has no figures of its own."""
    is_province = any(unit.unit_code == code and unit.level == "province" for unit in units)
    return [
        Change(on=unit.valid_to + timedelta(days=1), what="gồm cả", others=[Other(unit.unit_code, unit.full_name)])
        for unit in units
        if is_province and unit.level == "province" and unit.unit_code != code == unit.province_code and unit.valid_to
    ]


def _change(on: date, what: str, others: Sequence[Other], parts: Sequence[Succession]) -> Change:
    is_torn = any(one.is_partial and one.weight is None for one in parts)
    remark = "chưa khai báo tỷ lệ nên hồ sơ trước ngày đó không chia được" if is_torn else ""
    return Change(on=on, what=what, others=others, remark=remark)


def _other(units: Sequence[Unit], code: str, on: date, by: Succession) -> Other:
    unit = unit_on(units, code, on)
    return Other(
        code, unit.full_name if unit else code, "" if by.weight is None else f"{wording.points(by.weight * 100)}%"
    )
