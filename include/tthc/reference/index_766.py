"""Index 766 as data: which metric tells each component, its points, and the bands of a total."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import read_rows
from tthc.reference.manual import LEVELS
from tthc.settings import Settings

COLUMNS = (
    "group_code", "component_id", "title", "max_points", "metric_id", "profile", "full_at", "points_at_zero", "not_for",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexComponent:
    """A component of index 766 (chỉ số thành phần) and the metric that tells it.

    `full_at`: the share that earns all points. `points_at_zero`: what a denominator of 0 earns; None: no points, and
    the component leaves the maximum. `not_for`: levels of units that it does not apply to; they have all its points.
    """

    group_code: str
    component_id: str
    title: str
    max_points: Decimal
    metric_id: str | None
    profile: str | None
    full_at: Decimal
    points_at_zero: Decimal | None
    not_for: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexBand:
    """A band of the whole index (xếp loại): from which share of the points on."""

    band: str
    from_share: Decimal


def read_index_components(settings: Settings) -> list[IndexComponent]:
    """The components of `index_766.csv`. Raises ReferenceFault."""
    found = []
    for row in read_rows(settings, "index_766.csv", columns=COLUMNS, key=("component_id",)):
        where, not_for = f"index_766.csv, {row['component_id']}", row["not_for"].split()
        if set(not_for) - set(LEVELS):
            raise ReferenceFault(f"{where}: not_for must be some of {', '.join(LEVELS)}")
        found.append(
            IndexComponent(
                **{name: row[name] for name in ("group_code", "component_id", "title")},
                max_points=_number(row["max_points"], where),
                metric_id=row["metric_id"] or None,
                profile=row["profile"] or None,
                full_at=_number(row["full_at"], where),
                points_at_zero=_number(row["points_at_zero"], where) if row["points_at_zero"] else None,
                not_for=not_for,
            )
        )
    return found


def read_index_bands(settings: Settings) -> list[IndexBand]:
    """The bands of `index_766_bands.csv`. Raises ReferenceFault."""
    rows = read_rows(settings, "index_766_bands.csv", columns=("band", "from_share"), key=("band",))
    return [
        IndexBand(band=row["band"], from_share=_number(row["from_share"], f"index_766_bands.csv, {row['band']}"))
        for row in rows
    ]


def _number(text: str, where: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ReferenceFault(f"{where}: points and shares must be numbers") from error
