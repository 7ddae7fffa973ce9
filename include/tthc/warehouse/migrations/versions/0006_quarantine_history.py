"""A refused row is followed until it is repaired: its dossier, its cell, what is expected, how and when it ended."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute(
        "drop table core.replay; alter table core.quarantine drop dossier_key, drop cell, drop expected, drop state, "
        "drop ended_at, drop ended_by"
    )
