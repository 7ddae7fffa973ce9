"""Between which days a date of a dossier may lie: from its layout's `earliest` to the latest one. One outside is a
mistyped year (0206, 1900, 2062)."""

from __future__ import annotations

from datetime import date

import pandas as pd


def latest(night: date) -> pd.Timestamp:
    """The last plausible day as of a night, five years ahead."""
    return pd.Timestamp(night) + pd.DateOffset(years=5)
