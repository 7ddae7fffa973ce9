"""Incidents with a history, silences and a group; events to tell, and the messages that tell them."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("drop table alerts.step, alerts.dispatch, alerts.message_event, alerts.message, alerts.incident_history")
