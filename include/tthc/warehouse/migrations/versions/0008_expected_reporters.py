"""Who is expected to report, as reporting.toml says; loaded with the other reference data."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        "create table ref.expected_reporter (source_id text primary key, units text not null, "
        "unit_codes text[] not null, every text not null, working_days int not null)"
    )
    op.execute("create table ref.coverage_floor (floor numeric(5, 4) not null)")
    op.execute("update ref.loaded set fingerprint = ''")  # the reference data are to be loaded anew


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("drop table ref.expected_reporter, ref.coverage_floor")
