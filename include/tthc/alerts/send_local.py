"""Messages on this machine: one file each in TTHC_HOME/out, or the console."""

from __future__ import annotations

import sys

from tthc.alerts.letter import Letter, SendingFailed
from tthc.settings import LOCAL, Settings


class Folder:
    """TTHC_HOME/out/messages/<time>-<number>.txt, and out/reports/<night>.txt; sent again, the same file."""

    def __init__(self, settings: Settings) -> None:
        self._out = settings.out

    def send(self, letter: Letter) -> None:
        if letter.kind == "report":
            path = self._out / "reports" / f"{letter.night}-{letter.number}.txt"
        else:
            path = self._out / "messages" / f"{letter.made_at.astimezone(LOCAL):%Y%m%dT%H%M%S}-{letter.number}.txt"
        unfinished = path.with_suffix(".unfinished")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(letter.text + "\n", encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            raise SendingFailed(f"{path.parent} cannot be written: {error.strerror}") from None
        print(letter.text.partition("\n")[0], f"→ {path}", file=sys.stderr)


class Console:
    """The whole text on standard error."""

    def send(self, letter: Letter) -> None:
        print(letter.text, file=sys.stderr, flush=True)
