"""From how many dossiers on a count may leave the department."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute(
        "delete from ref.comparison; alter table ref.comparison add column public_minimum int not null; "
        "update ref.loaded set fingerprint = ''"  # the reference data are to be loaded anew
    )


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("alter table ref.comparison drop column public_minimum")
