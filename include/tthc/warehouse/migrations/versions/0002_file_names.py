"""File names are part of the order of truth: compared byte by byte on every server, as the program compares them."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("drop schema if exists mart cascade")  # views hold the columns; every `tthc init` makes them anew
    op.execute('alter table core.delivery alter column file_name type text collate "C"')
    op.execute('alter table core.dossier_version alter column file_name type text collate "C"')


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute('alter table core.delivery alter column file_name type text collate "default"')
    op.execute('alter table core.dossier_version alter column file_name type text collate "default"')
