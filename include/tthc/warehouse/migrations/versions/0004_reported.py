"""Reported figures: one record for all summaries, form II.06 folded in, and what they differ by."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("reports other than form II.06 have no place in the older tables")
