"""Great Expectations behind one wrapper that fails closed: what a suite declares is checked, or nothing passes.

The library alone calls an empty suite, no rows, an all-null column and a condition that matches nothing a success;
here each of these is an error or an explicit "not applicable". No value of a row leaves this module, only row numbers:
not in an answer, an error, a log line or a cache of the library.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from tthc.domain.errors import ExpectationsNotRun
from tthc.settings import EXPECTATIONS

QUARANTINE, WARNING, HOLD, REJECT, WITHHOLD = "quarantine", "warning", "hold", "reject", "withhold"
ROW_ID = "row_id"

# The library copies every column it is given, rule by rule: above this size it is given those of a few rules at a time.
_MANY_ROWS = 20_000
_ONE, _SEVERAL = ("column", "column_A", "column_B"), ("column_list",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One expectation of a suite with what people need to know of it. `reads`: the columns it looks at."""

    rule_id: str
    severity: str
    column: str
    owner: str
    vi: str
    en: str
    expected_vi: str
    why_vi: str
    why: str
    source: str
    reads: tuple[str, ...]
    expectation: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """What one rule said: `rows`, the values of `row_id` of those that break it, of `judged` rows it could judge."""

    rule: Rule
    rows: list[int]
    judged: int

    @property
    def applicable(self) -> bool:
        """Whether the rule met any row; where it did not, it says nothing about the data."""
        return self.judged > 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The counts of one expectation, at `position` (from 1) of its suite, as they are kept."""

    suite: str
    position: int
    rule_id: str
    rows_judged: int
    rows_failed: int


def judgements(name: str, said: Sequence[Failure]) -> list[Judgement]:
    """What the rules of a suite said, without the rows; also of rules that met nothing to judge."""
    return [
        Judgement(name, position, one.rule.rule_id, one.judged, len(one.rows))
        for position, one in enumerate(said, start=1)
    ]


@cache
def suite(name: str) -> tuple[Rule, ...]:
    """The rules of `expectations/<name>.json`, in order of precedence. Raises ExpectationsNotRun for an empty one."""
    path = EXPECTATIONS / f"{name}.json"
    rules: list[Rule] = []
    for raw in json.loads(path.read_text(encoding="utf-8"))["expectations"]:
        meta = dict(raw["meta"])
        expectation = {"type": raw["type"], "kwargs": raw["kwargs"], "meta": {"number": len(rules)}}
        try:
            rules.append(
                Rule(rule_id=meta.pop("rule"), reads=_columns_of(raw["kwargs"]), expectation=expectation, **meta)
            )
        except (KeyError, TypeError):
            raise ExpectationsNotRun(
                f"{path}, expectation {len(rules) + 1}: meta needs rule, severity, column, owner, vi, en, expected_vi, "
                "why_vi, why and source, and nothing else"
            ) from None
    if not rules:
        raise ExpectationsNotRun(f"{path} declares no expectation; an empty suite would let everything pass")
    return tuple(rules)


def _columns_of(kwargs: dict[str, Any]) -> tuple[str, ...]:
    named = [kwargs[key] for key in _ONE if key in kwargs]
    named += [name for key in _SEVERAL for name in kwargs.get(key, ())]
    return tuple(dict.fromkeys([*named, *_columns_of_condition(kwargs.get("row_condition"))]))


def _columns_of_condition(condition: Any) -> Iterator[str]:
    if isinstance(condition, dict):
        if "column" in condition:
            yield condition["column"]["name"]
        for part in condition.get("conditions", ()):
            yield from _columns_of_condition(part)


@cache
def rules_of_the_night() -> frozenset[str]:
    """Row rules that compare with the night, so that the same row may pass them on another night."""
    measured = {"night", "latest"}
    return frozenset(
        rule.rule_id for rule in suite("dossier_row") if measured & set(map(str, rule.expectation["kwargs"].values()))
    )


@cache
def _library() -> Any:
    """The library and its one context, made once per process (its import costs seconds)."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)  # its messages quote values
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return gx, context


def check(frame: pd.DataFrame, name: str) -> list[Failure]:
    """Check a frame with a unique integer column `row_id` against a suite; one Failure per rule, in its order.

    A frame without rows is judged by no rule, and the answers say so. Raises ExpectationsNotRun when a column is
    missing, or when an expectation raised, was not evaluated, or did not say which rows it means.
    """
    rules = suite(name)
    if frame.empty:
        return [Failure(rule, [], 0) for rule in rules]
    missing = {column for rule in rules for column in (ROW_ID, *rule.reads)} - set(frame.columns)
    if missing:
        raise ExpectationsNotRun(f"suite {name!r}: the rows have no column {', '.join(sorted(missing))}")
    if not frame[ROW_ID].is_unique:
        raise ExpectationsNotRun(f"suite {name!r}: two rows have one number, so no answer could name a row")
    plain = _plain(frame, rules)
    answers: dict[int, Any] = {}
    for numbers in _groups(rules) if len(frame) > _MANY_ROWS else [list(range(len(rules)))]:
        read = dict.fromkeys(column for number in numbers for column in rules[number].reads)
        answers |= _answers(plain[list(read)], [rules[number].expectation for number in numbers], name)
    if len(frame) > _MANY_ROWS:
        gc.collect()  # objects of the library refer to each other, and would keep the rows for a while
    return [_failure(rule, answers.get(number), name) for number, rule in enumerate(rules)]


def _plain(frame: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    """The columns that are read, numbered by `row_id`, in types the library compares as whole columns.

    Numbers that may be missing become floats. Texts that are only compared with each other become numbers.
    """
    listed = {column for rule in rules for key in _SEVERAL for column in rule.expectation["kwargs"].get(key, ())}
    elsewhere = {
        column
        for rule in rules
        for column in rule.reads
        if column not in {name for key in _SEVERAL for name in rule.expectation["kwargs"].get(key, ())}
    }
    columns = {}
    for column in dict.fromkeys(column for rule in rules for column in rule.reads):
        cells = frame[column]
        if pd.api.types.is_extension_array_dtype(cells.dtype) and pd.api.types.is_numeric_dtype(cells.dtype):
            columns[column] = pd.Series(cells.to_numpy("float64", na_value=float("nan")))
        elif column in listed - elsewhere and not pd.api.types.is_numeric_dtype(cells.dtype):
            columns[column] = pd.Series(pd.factorize(cells)[0]).replace(-1, None).astype("float64")
        else:
            columns[column] = cells.reset_index(drop=True)
    return pd.DataFrame(columns).set_axis(frame[ROW_ID].to_numpy(), axis="index")


def _groups(rules: Sequence[Rule]) -> list[list[int]]:
    """Numbers of rules that look at much the same columns: those about one column."""
    groups: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        groups.setdefault(rule.column, []).append(number)
    return list(groups.values())


@contextmanager
def _batch_of(frame: pd.DataFrame) -> Iterator[Any]:
    """A batch of the library; afterwards nothing of the frame is left in its caches."""
    _, context = _library()
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("frame")
    try:
        yield asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    finally:
        context.data_sources.delete("rows")


def _answers(frame: pd.DataFrame, expectations: list[dict[str, Any]], name: str) -> dict[int, Any]:
    """Number of an expectation → the library's answer."""
    gx, _ = _library()
    raised = ""
    try:
        with warnings.catch_warnings(), _batch_of(frame) as batch:
            warnings.simplefilter("ignore")  # they quote values
            outcome = batch.validate(
                gx.ExpectationSuite(name=name, expectations=expectations),
                result_format={
                    "result_format": "COMPLETE",
                    "include_unexpected_rows": False,
                    "partial_unexpected_count": 0,
                },
            )
            return {answer.expectation_config.meta["number"]: answer for answer in outcome.results}
    except Exception as error:
        raised = type(error).__name__
    # Raised out here, so that nothing leads from this error to one that quotes a value.
    raise ExpectationsNotRun(f"suite {name!r}: the library raised {raised}")


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
    rows = [int(row) for row in result.get("unexpected_index_list") or []]
    if len(rows) != count or answer.success != (count == 0):
        raise ExpectationsNotRun(f"suite {name!r}: rule {rule.rule_id} names {len(rows)} rows but counts {count}")
    return Failure(rule, rows, judged=result.get("element_count", 0) - (result.get("missing_count") or 0))
