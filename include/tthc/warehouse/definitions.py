"""What was published under a definition stays readable: every version of it is kept, and none is changed afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple

import sqlalchemy as sa

from tthc.domain.errors import ReferenceFault
from tthc.reference.kpis import Formula, Metric

_DEFINE = sa.text(
    "insert into ref.definition as held (metric_id, profile, version, fingerprint, numerator, denominator, meaning) "
    "values (:metric_id, :profile, :version, :fingerprint, :numerator, :denominator, cast(:meaning as jsonb)) "
    "on conflict (metric_id, profile, version) do update set fingerprint = excluded.fingerprint, "
    "meaning = excluded.meaning where held.meaning is null "  # kept by its formula only, before versions were kept
    "and (held.numerator, held.denominator) is not distinct from (excluded.numerator, excluded.denominator)"
)
_ENTER = sa.text(
    "insert into ref.registry_entry (registry_id, position, metric_id, profile, version, valid_from, valid_to, title, "
    "citation, assumption) values (:registry_id, :position, :metric_id, :profile, :version, :valid_from, :valid_to, "
    ":title, :citation, :assumption)"
)


def keep(connection: sa.Connection, metrics: Sequence[Metric]) -> int:
    """The number of this registry in the warehouse, where it and its versions stand from now on.

    Raises ReferenceFault when a version says something else than it did when it was first kept.
    """
    _refuse_changed(connection, metrics)
    for metric in metrics:
        named = {**metric.formula._asdict(), "fingerprint": metric.fingerprint, "meaning": json.dumps(metric.meaning)}
        connection.execute(_DEFINE, named)
    text = "\n".join(repr(astuple(metric)) for metric in metrics)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
    known = connection.execute(
        sa.text("select registry_id from ref.registry where fingerprint = :fingerprint"), {"fingerprint": fingerprint}
    ).scalar()
    if known is not None:
        return int(known)
    registry_id: int = connection.execute(
        sa.text("insert into ref.registry (fingerprint) values (:fingerprint) returning registry_id"),
        {"fingerprint": fingerprint},
    ).scalar_one()
    for position, metric in enumerate(metrics, start=1):
        names = ("valid_from", "valid_to", "title", "citation", "assumption")
        entry = {name: getattr(metric, name) for name in names} | metric.formula._asdict()
        connection.execute(_ENTER, {**entry, "registry_id": registry_id, "position": position})
    return registry_id


def formulas(connection: sa.Connection) -> list[Formula]:
    """Every version ever kept."""
    rows = connection.execute(
        sa.text(
            "select metric_id, profile, version, numerator, denominator from ref.definition "
            "order by metric_id, profile, version"
        )
    )
    return [Formula(*row) for row in rows]


def _refuse_changed(connection: sa.Connection, metrics: Sequence[Metric]) -> None:
    kept = {
        (row.metric_id, row.profile, row.version): row
        for row in connection.execute(sa.text("select * from ref.definition"))
    }
    for metric in metrics:
        held = kept.get(metric.formula[:3])
        if held is None or held.fingerprint == metric.fingerprint:
            continue
        if held.meaning is None and (held.numerator, held.denominator) == (metric.numerator, metric.denominator):
            continue
        before = held.meaning or {"numerator": held.numerator, "denominator": held.denominator}
        changed = sorted(name for name in before if before[name] != metric.meaning.get(name))
        raise ReferenceFault(
            f"kpis.toml, metric {metric.id!r} {metric.profile!r} version {metric.version!r}: {', '.join(changed)} "
            "changed, but this version is already kept in the warehouse. Put the old text back and add an entry with "
            "another version and the valid_from of its first day"
        )
