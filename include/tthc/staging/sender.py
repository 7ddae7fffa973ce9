"""What the software of a sender does to all its dossiers alike: seen in no row, only in many of them together."""

from __future__ import annotations

import pandas as pd

WHOLE = -1  # row_id of all files of a batch together


def profile(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a file (`row_id` is its file_no) and, where there are several, one for all of them (WHOLE).

    Columns: how many dossiers a sign could show in, and the share (0–1) of those that show it; the suite
    `dossier_sender` says what they mean. A share of nothing is missing.
    """
    counts = _signs(frame).groupby(frame["file_no"]).sum()
    if len(counts) > 1:
        counts.loc[WHOLE] = counts.sum()
    shares = {
        "finished_at_due_share": ("finished_at_due", "finished_with_times"),
        "submitted_copied_share": ("submitted_copied", "online_with_times"),
        "closed_at_receipt_share": ("closed_at_receipt", "finished_without_due"),
        "paid_online_share": ("paid_online", "fee_at_desk"),
        "electronic_share": ("electronic", "finished_flagged"),
    }
    for share, (part, whole) in shares.items():
        counts[share] = counts[part] / counts[whole].where(counts[whole] > 0)
    return counts.rename_axis("row_id").reset_index()


def _signs(frame: pd.DataFrame) -> pd.DataFrame:
    """Each sign as a column of truth values."""
    status, channel = frame["status"].fillna(0), frame["channel"].fillna(0)
    ended = status.isin([9, 10])
    with_times = ended & frame["finished_at"].notna() & frame["due_at"].notna()
    online = channel.eq(2) & frame["submitted_at"].notna() & frame["received_at"].notna()
    without_due = ended & frame["due_on"].isna()
    fee_at_desk = ended & channel.eq(1) & frame["fee_amount"].fillna(0).gt(0)
    flagged = ended & frame["result_electronic"].notna()
    signs = {
        "finished": ended,
        "waiting": status.isin([5, 6, 8]),
        "finished_with_times": with_times,
        "finished_at_due": with_times & (frame["finished_at"] == frame["due_at"]),
        "online_with_times": online,
        "submitted_copied": online & (frame["submitted_at"] == frame["received_at"]),
        "finished_without_due": without_due,
        "closed_at_receipt": without_due & (frame["finished_on"] == frame["received_on"]),
        "fee_at_desk": fee_at_desk,
        "paid_online": fee_at_desk & frame["payment_method"].eq("online"),
        "finished_flagged": flagged,
        "electronic": flagged & frame["result_electronic"].fillna(False),
    }
    return pd.DataFrame({name: sign.astype(bool) for name, sign in signs.items()}, index=frame.index)
