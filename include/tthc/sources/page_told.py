"""What a page of a list says beside its records: counts, its own number, the way to the next page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tthc.domain.errors import PortalFailed
from tthc.sources.json_slices import value_at
from tthc.sources.portal_body import truncated
from tthc.sources.portal_talk import Answer

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_PARAMETER = re.compile(r"""\b([a-z*-]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|([^\s",;]+))""", re.IGNORECASE)


class Told:
    """What an answer says beside its records: at a path of the JSON, or in a header written `header:NAME`."""

    def __init__(self, answer: Answer, whole: Any) -> None:
        self._answer, self._whole = answer, whole

    def text(self, where: str) -> str:
        """What stands there as text; "" for nothing and for what is neither text nor number."""
        if where.startswith("header:"):
            return self._answer.headers.get(where.removeprefix("header:"), "")
        value = value_at(self._whole, where)
        return "" if value is None or value is False or isinstance(value, dict | list) else str(value)

    def is_odd(self, where: str) -> bool:
        """Whether what stands there is nothing that text() can tell: taken for nothing, a list would end early."""
        value = None if not where or where.startswith("header:") else value_at(self._whole, where)
        return value is True or (isinstance(value, dict | list) and bool(value))

    def number(self, where: str) -> int | None:
        """A count that stands there, None for anything else."""
        text = self.text(where).strip() if where else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None

    def next_link(self) -> str:
        """The link whose relation, or one of them, is "next"; names and relations are written in any case."""
        for url, told in _LINK.findall(self._answer.headers.get("Link", "")):
            for name, quoted, bare in _PARAMETER.findall(told):
                if name.lower() == "rel" and "next" in (quoted or bare).lower().split():
                    return str(url)
        return ""


def parsed(answer: Answer, path: Path) -> tuple[str, Any]:
    """The JSON of an answer, as characters and as values. Raises PortalFailed."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return text, json.loads(text)
    except RecursionError:
        raise shape("nested too deeply") from None
    except ValueError:
        if answer.body is not None and not answer.body.whole:
            raise truncated("JSON without its end") from None
        raise shape("not JSON in UTF-8") from None


def shape(detail: str) -> PortalFailed:
    """The answer is not built as the source says."""
    return PortalFailed("PORTAL_SHAPE", f"câu trả lời không có dạng đã khai báo / {detail}")
