"""The registry of published metrics: numerator, denominator, profile and source of each, read from `kpis.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings

_ID, _PROFILE = re.compile(r"[a-z0-9_]+"), re.compile(r"[A-Z0-9_]+|\*")
_SUM_OF_COUNTERS = re.compile(r"[a-z_]+(?: \+ [a-z_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric under one profile. `numerator` and `denominator` are sums of counters; no denominator: a count."""

    id: str
    profile: str
    numerator: str
    denominator: str | None = None
    title: str
    citation: str


def read_metrics(settings: Settings) -> tuple[str, list[Metric]]:
    """(version of the definitions, metrics in order); an overlay's metric of the same id and profile replaces ours."""
    version, found = "", {}
    for directory in directories(settings):
        path = directory / "kpis.toml"
        if not path.exists():
            continue
        raw = read_toml(path)
        version = str(raw.get("version", version))
        for entry in raw.get("metric", []):
            try:
                metric = Metric(**entry)
            except TypeError as error:
                raise ReferenceFault(f"{path}, metric {entry.get('id')!r}: {error}") from error
            if not _ID.fullmatch(metric.id) or not _PROFILE.fullmatch(metric.profile):
                raise ReferenceFault(f"{path}, metric {metric.id!r}: id must be like on_time, profile like IDX766 or *")
            for expression in filter(None, (metric.numerator, metric.denominator)):
                if not _SUM_OF_COUNTERS.fullmatch(expression):
                    raise ReferenceFault(f"{path}, metric {metric.id!r}: {expression!r} is not a sum of counters")
            found[metric.id, metric.profile] = metric
    return version, list(found.values())
