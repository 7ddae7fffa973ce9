"""Great Expectations behind one wrapper that fails closed: what a suite declares is checked, or nothing passes.

The library alone calls an empty suite, no rows, an all-null column and a condition that matches nothing a success;
here each of these is an error or an explicit "not applicable". No value of a row leaves this module, only row numbers.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from tthc.domain.errors import ExpectationsNotRun
from tthc.settings import EXPECTATIONS

QUARANTINE, WARNING, HOLD, REJECT, WITHHOLD = "quarantine", "warning", "hold", "reject", "withhold"
ROW_ID = "row_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One expectation of a suite with what people need to know of it."""

    rule_id: str
    severity: str
    column: str
    owner: str
    vi: str
    en: str
    why: str
    expectation: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule and the row numbers (values of `row_id`) that break it; `applicable` False: it met no row to judge."""

    rule: Rule
    rows: list[int]
    applicable: bool


@cache
def suite(name: str) -> tuple[Rule, ...]:
    """The rules of `expectations/<name>.json`, in order of precedence. Raises ExpectationsNotRun for an empty one."""
    path = EXPECTATIONS / f"{name}.json"
    rules: list[Rule] = []
    for raw in json.loads(path.read_text(encoding="utf-8"))["expectations"]:
        meta = raw["meta"]
        rules.append(
            Rule(
                rule_id=meta["rule"],
                severity=meta["severity"],
                column=meta["column"],
                owner=meta["owner"],
                vi=meta["vi"],
                en=meta["en"],
                why=meta["why"],
                expectation={"type": raw["type"], "kwargs": raw["kwargs"], "meta": {"number": len(rules)}},
            )
        )
    if not rules:
        raise ExpectationsNotRun(f"{path} declares no expectation; an empty suite would let everything pass")
    return tuple(rules)


@cache
def _library() -> Any:
    """The library and one in-memory data source, imported once per process (its import costs seconds)."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("frame")
    return gx, asset.add_batch_definition_whole_dataframe("whole")


def check(frame: pd.DataFrame, name: str) -> list[Failure]:
    """Check a frame with a unique integer column `row_id` against a suite; one Failure per rule, in its order.

    Raises ExpectationsNotRun when an expectation raised, was not evaluated, or did not say which rows it means.
    """
    rules = suite(name)
    if frame.empty:
        return [Failure(rule, [], applicable=False) for rule in rules]
    gx, definition = _library()
    outcome = definition.get_batch({"dataframe": frame}).validate(
        gx.ExpectationSuite(name=name, expectations=[rule.expectation for rule in rules]),
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [ROW_ID],
            "include_unexpected_rows": False,
            "partial_unexpected_count": 0,
        },
    )
    answers = {answer.expectation_config.meta["number"]: answer for answer in outcome.results}
    return [_failure(rule, answers.get(number), name) for number, rule in enumerate(rules)]


def _failure(rule: Rule, answer: Any, name: str) -> Failure:
    if answer is None:
        raise ExpectationsNotRun(f"suite {name!r}: rule {rule.rule_id} on {rule.column!r} was not evaluated")
    info = answer.exception_info or {}
    if info.get("raised_exception") or any(
        isinstance(part, dict) and part.get("raised_exception") for part in info.values()
    ):
        raise ExpectationsNotRun(f"suite {name!r}: rule {rule.rule_id} on {rule.column!r} raised an error")
    result = answer.result
    count = result.get("unexpected_count")
    if count is None:
        raise ExpectationsNotRun(f"suite {name!r}: rule {rule.rule_id} on {rule.column!r} gave no count")
    rows = [int(entry[ROW_ID]) for entry in result.get("unexpected_index_list") or []]
    if len(rows) != count or answer.success != (count == 0):
        raise ExpectationsNotRun(f"suite {name!r}: rule {rule.rule_id} names {len(rows)} rows but counts {count}")
    judged = result.get("element_count", 0) - result.get("missing_count", 0)
    return Failure(rule, rows, applicable=judged > 0)
