"""What every published metric means: formula, event date, treatments and validity of each version in `kpis.toml`."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from tthc.domain.errors import ReferenceFault
from tthc.reference.counters import check_counters
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings

EVER = date.min, date.max

# What an entry may say of a case that definitions differ in; docs/definitions.md tells what each word means.
TREATMENTS: Mapping[str, tuple[str, ...]] = {
    "kind": ("flow", "stock"),
    "event": ("receipt", "end", "finish", "cut_off"),
    "no_due": ("in_time", "longest_time", "not_counted", "counted"),
    "awaiting_supplement": ("in_time", "request_is_end", "not_counted", "counted", "alone"),
    "awaiting_payment": ("in_time", "not_counted", "counted", "alone"),
    "withdrawn": ("in_time", "tested", "not_counted", "counted", "alone"),
    "stopped": ("in_time", "tested", "not_counted", "counted", "alone"),
    "refused": ("not_counted",),
    "compare": ("day", "instant", "none"),
    "supplements": ("late", "no_effect"),
    "display": ("count", "percent_2_half_up"),
}
_ID, _PROFILE, _VERSION = re.compile(r"[a-z0-9_]+"), re.compile(r"[A-Z0-9_]+|\*"), re.compile(r"[\w.-]+")
_WORDING = ("title", "citation", "assumption")


class Formula(NamedTuple):
    """A version of a metric as far as it is computed."""

    metric_id: str
    profile: str
    version: str
    numerator: str
    denominator: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One version of one metric under one profile, in force for the periods whose last day is within its validity.

    `numerator` and `denominator` are counters joined by " + " and " - "; no denominator: a count. The treatments are
    words of TREATMENTS. `assumption` says, in Vietnamese / English, what no source decides.
    """

    id: str
    profile: str
    version: str
    title: str
    numerator: str
    denominator: str | None = None
    kind: str
    event: str
    no_due: str
    awaiting_supplement: str
    awaiting_payment: str
    withdrawn: str
    stopped: str
    refused: str
    compare: str
    supplements: str
    display: str
    citation: str
    assumption: str | None = None
    valid_from: date = EVER[0]
    valid_to: date = EVER[1]

    @property
    def formula(self) -> Formula:
        return Formula(self.id, self.profile, self.version, self.numerator, self.denominator)

    @property
    def meaning(self) -> dict[str, Any]:
        """What decides figures: everything but the validity and the wording, which may be put better."""
        given = asdict(self)
        return {name: given[name] for name in given if name not in (*_WORDING, "valid_from", "valid_to")}

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.meaning, sort_keys=True).encode()).hexdigest()[:16]

    def is_valid(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


def read_metrics(settings: Settings) -> list[Metric]:
    """Every version of every metric, in the order of the files; an overlay's entry replaces ours of the same id and
    profile that begins on the same day. Raises ReferenceFault, which names file and entry."""
    found: dict[tuple[str, str, date], tuple[Metric, str]] = {}
    for directory in directories(settings):
        path = directory / "kpis.toml"
        if not path.exists():
            continue
        here = set[tuple[str, str, date]]()
        for number, entry in enumerate(read_toml(path).get("metric", []), start=1):
            where = f"{path}, metric {number} ({entry.get('id')!r} {entry.get('profile')!r} {entry.get('version')!r})"
            metric = _metric(entry, where)
            key = metric.id, metric.profile, metric.valid_from
            if key in here:
                raise ReferenceFault(f"{where}: another version begins on the same day; give it another valid_from")
            here.add(key)
            found[key] = metric, where
    return _in_sequence(found.values())


def valid_on(metrics: Iterable[Metric], day: date) -> list[Metric]:
    """The versions in force for a period that ends on a day, at most one of each metric and profile."""
    return [metric for metric in metrics if metric.is_valid(day)]


def edition(metrics: Iterable[Metric]) -> str:
    """The versions of some metrics in words: "2026.1", or "2026.1, 2026.2" where they differ."""
    return ", ".join(sorted({metric.version for metric in metrics}))


def _metric(entry: Mapping[str, Any], where: str) -> Metric:
    try:
        metric = Metric(**entry)
    except TypeError as error:
        raise ReferenceFault(f"{where}: {str(error).replace('Metric.__init__()', 'the entry')}") from error
    for name in ("id", "profile", "version", "title", "numerator", "denominator", *_WORDING):
        if not isinstance(getattr(metric, name), str | None):
            raise ReferenceFault(f"{where}: {name} must be text in quotes")
    for name, pattern in (("id", _ID), ("profile", _PROFILE), ("version", _VERSION)):
        if not pattern.fullmatch(getattr(metric, name)):
            raise ReferenceFault(f"{where}: id must be like on_time, profile like IDX766 or *, version like 2026.1")
    for name, words in TREATMENTS.items():
        if getattr(metric, name) not in words:
            raise ReferenceFault(f"{where}: {name} = {getattr(metric, name)!r} must be one of {', '.join(words)}")
    if (metric.display == "count") != (metric.denominator is None):
        raise ReferenceFault(f"{where}: display is 'count' where there is no denominator, and only there")
    if (metric.kind == "stock") != (metric.event == "cut_off"):
        raise ReferenceFault(f"{where}: a stock is taken at the cut_off, a flow at another event")
    for expression in filter(None, (metric.numerator, metric.denominator)):
        check_counters(expression, where)
    for name in ("valid_from", "valid_to"):
        if type(getattr(metric, name)) is not date:
            raise ReferenceFault(f"{where}: {name} must be a date without quotes, such as 2026-07-01")
    if metric.valid_from > metric.valid_to:
        raise ReferenceFault(f"{where}: valid_to lies before valid_from")
    return metric


def _in_sequence(found: Iterable[tuple[Metric, str]]) -> list[Metric]:
    """A version without a valid_to ends where the next one begins; between versions is neither gap nor overlap."""
    placed = {(m.id, m.profile, m.valid_from): (m, where) for m, where in found}
    ends: dict[tuple[str, str, date], date] = {}
    for _, group in itertools.groupby(sorted(placed), key=lambda key: key[:2]):
        versions: Sequence[tuple[Metric, str]] = [placed[key] for key in group]
        names = [metric.version for metric, _ in versions]
        if len(set(names)) < len(names):
            raise ReferenceFault(f"{versions[-1][1]}: two entries bear the same version; give each its own")
        for (metric, where), (later, there) in itertools.pairwise(versions):
            end = later.valid_from - timedelta(days=1)
            if metric.valid_to not in (end, EVER[1]):
                fault = "overlaps" if metric.valid_to > end else "leaves a gap before"
                raise ReferenceFault(f"{where}: valid until {metric.valid_to}, it {fault} the version of {there}")
            ends[metric.id, metric.profile, metric.valid_from] = end
    return [replace(m, valid_to=ends.get(key, m.valid_to)) for key, (m, _) in placed.items()]
