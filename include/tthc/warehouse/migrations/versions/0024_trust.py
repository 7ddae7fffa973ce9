"""A changed order of trust between sources is a cause of its own."""

from alembic import op

revision = "0024"
down_revision = "0023"

_PARTS = "'procedures', 'calendar', 'geography'"
_SOURCES = """
insert into rollup.basis (part, unit_code, related, digest)
select 'sources', '*', '{}', md5(string_agg(concat_ws('|', source_id, priority), ',' order by source_id))
from ref.source
where exists (select from rollup.basis)
having count(*) > 0
"""


def upgrade() -> None:
    _allow(f"{_PARTS}, 'sources'")
    op.execute(_SOURCES)


def downgrade() -> None:
    op.execute("delete from rollup.basis where part = 'sources'")
    _allow(_PARTS)


def _allow(parts: str) -> None:
    op.execute(
        "alter table rollup.basis drop constraint basis_part_check, "
        f"add constraint basis_part_check check (part in ({parts}))"
    )
