"""Messages leave the outbox: all that wait become one digest in a file and on the console, then are marked sent."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from tthc.domain.errors import OutsideSystemFailed
from tthc.settings import LOCAL, Settings


def dispatch(connection: sa.Connection, settings: Settings) -> Path | None:
    """Send what waits; returns the file written, None when nothing waited.

    A message is marked sent in the same transaction after the file is on disk: a crash in between may repeat a
    digest, never lose one. Raises OutsideSystemFailed when the file cannot be written.
    """
    waiting = connection.execute(
        sa.text(
            "select message_id, kind, body from alerts.outbox where sent_at is null and next_try_at <= now() "
            "order by kind, message_id for update skip locked"
        )
    ).all()
    if not waiting:
        return None
    now = datetime.now(LOCAL)
    opened = [row.body for row in waiting if row.kind == "opened"]
    resolved = [row.body for row in waiting if row.kind == "resolved"]
    lines = [f"tthc, {now:%d/%m/%Y %H:%M} (giờ Việt Nam): {len(opened)} sự cố mới, {len(resolved)} sự cố đã hết"]
    lines += [f"  mới   {body}" for body in opened] + [f"  hết   {body}" for body in resolved]
    path = settings.out / "messages" / f"{now:%Y%m%dT%H%M%S}-{waiting[0].message_id}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutsideSystemFailed(f"{path} cannot be written: {error.strerror}") from error
    print(lines[0], f"→ {path}", file=sys.stderr)
    connection.execute(
        sa.text("update alerts.outbox set sent_at = now(), attempts = attempts + 1 where message_id = any(:ids)"),
        {"ids": [row.message_id for row in waiting]},
    )
    return path
