"""Published figures of a period are handed in (chốt số liệu): a copied version, beside which later ones are judged."""

from __future__ import annotations

from tthc.alerts.incidents import note_submissions
from tthc.reference.units import read_places
from tthc.serving import exports, figures, submissions
from tthc.settings import Settings
from tthc.warehouse.connect import transaction


def submit(
    settings: Settings,
    *,
    unit: str,
    calendar: str,
    label: str,
    by: str,
    reason: str,
    interim: bool = False,
    waiver: str | None = None,
) -> tuple[int, bool]:
    """Hand in the published figures of a period and unit (chốt số liệu), of the province with all its units; (version,
    whether it is new). Raises Misconfigured when they may not be handed in as asked."""
    with transaction(settings, writing=True) as connection:
        published = figures.periods(connection, settings.province)
        period = figures.period_of(published, calendar, label)
        publication = exports.publication_of(connection)
        place = figures.unit_of(read_places(settings).units, unit, settings.province, on=period.as_of)
        asked = submissions.Asked(unit=place, period=period, by=by, reason=reason, interim=interim, waiver=waiver)
        handed_in = submissions.submit(connection, publication, asked)
        note_submissions(connection, publication.night)
    return handed_in
