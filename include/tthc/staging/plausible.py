"""Between which days a date of a dossier may lie; one outside is a mistyped year (0206, 1900, 2062)."""

from __future__ import annotations

from datetime import date

import pandas as pd

EARLIEST = pd.Timestamp(2010, 1, 1)


def latest(night: date) -> pd.Timestamp:
    """The last plausible day as of a night, five years ahead."""
    return pd.Timestamp(night) + pd.DateOffset(years=5)
