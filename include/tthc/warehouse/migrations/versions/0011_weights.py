"""How a split unit's dossiers divide among its successors, where a person has declared it."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("alter table ref.unit_succession add column weight numeric")
    op.execute("update ref.loaded set fingerprint = ''")  # the reference data are to be loaded anew


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("alter table ref.unit_succession drop column weight")
