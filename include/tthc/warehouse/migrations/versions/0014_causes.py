"""Why the figures of a publication differ from those before it, so that a restatement can name its cause."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("drop table rollup.basis, rollup.cause")
    op.execute("alter table rollup.publication drop column newest_delivery, drop column newest_version")
