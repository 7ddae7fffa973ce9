"""In which cells of its form a unit stated a figure."""

from alembic import op

revision = "0021"
down_revision = "0020"

_TABLES = ("core.manual_input", "rollup.manual_told")


def upgrade() -> None:
    for table in _TABLES:  # unknown of forms loaded before
        op.execute(f"alter table {table} add column numerator_cell text, add column denominator_cell text")


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    for table in _TABLES:
        op.execute(f"alter table {table} drop column numerator_cell, drop column denominator_cell")
