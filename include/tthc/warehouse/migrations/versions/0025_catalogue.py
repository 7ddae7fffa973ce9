"""Lists of procedures are kept as they came, so that the newest counts in whatever order they come."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("lists of procedures have no place in the older tables")
