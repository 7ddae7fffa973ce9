"""The functions of schema mart, made of the texts that build figures: figures to rows and back, figures up to a day."""

from __future__ import annotations

import re

from tthc.rollups.metrics import statement

NAMES = ("explain", "figures_of", "kpi_to_date")  # files of sql/ and functions of schema mart
_BELOW = ("counted_until",)  # functions of schema rollup that those call
_HEAD = re.compile(r"^create temporary (?:table|view) (\w+) (?:on commit drop )?as$", re.MULTILINE)


def sql() -> str:
    """SQL that makes the functions; a change of how figures are built changes it as well. `:metrics` is left open."""
    texts = (statement(name) for name in (*_BELOW, *NAMES))
    return "\n".join(
        re.sub(r":as_(cte|part)\((\w+)\)", lambda match: _as_cte(match[2], match[1]), text) for text in texts
    )


def _as_cte(name: str, kind: str) -> str:
    """A file of `sql/` that makes one temporary relation, as a part of WITH, which makes nothing. Of a `part` only the
    rows that are asked for are looked at, once for each who asks; of a `cte` that several ask all are, once."""
    text = statement(name)
    head = _HEAD.search(text)
    assert head is not None, name
    how = "not materialized " if kind == "part" else ""
    return f"{head[1]} as {how}(\n{text[head.end() :].strip().removesuffix(';')}\n)"
