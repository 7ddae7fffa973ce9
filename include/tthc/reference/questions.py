"""What people ask of the figures and what the answers are, in both languages: questions.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Question(NamedTuple):
    """One question of a topic with its answer; names of metrics, columns and rules stand in backquotes.

    `drawn` names the drawn test of tests/spec, without test_, that shows the answer on dossiers.
    """

    question: str
    answer: str
    question_vi: str
    answer_vi: str
    drawn: str = ""


class Topic(NamedTuple):
    """Questions that belong together, under a heading."""

    title: str
    title_vi: str
    asked: tuple[Question, ...]


@cache
def questions() -> tuple[Topic, ...]:
    """All topics in the order of the page."""
    text = Path(__file__).with_name("questions.toml").read_text(encoding="utf-8")
    return tuple(
        Topic(topic["title"], topic["title_vi"], tuple(Question(**one) for one in topic["asked"]))
        for topic in tomllib.loads(text)["topic"]
    )
