"""The wrapper around the library fails closed (A14), names every row that breaks a rule, and lets no value out."""

from __future__ import annotations

import gc
import json
import logging
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import pandas as pd
import pytest

from tthc.domain.errors import ExpectationsNotRun
from tthc.staging import expectations
from tthc.staging.expectations import check

SECRET = "NGƯỜI GIẢ 012345678901"
NOT_NULL = ("expect_column_values_to_not_be_null", {"column": "a"})
BETWEEN = ("expect_column_values_to_be_between", {"column": "a", "min_value": 0, "max_value": 9})
UNIQUE = ("expect_compound_columns_to_be_unique", {"column_list": ["a", "b"]})
GREATER = (
    "expect_column_pair_values_a_to_be_greater_than_b",
    {"column_A": "a", "column_B": "b", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
)
MATCHES = ("expect_column_values_to_match_regex", {"column": "t", "regex": "^x"})
META = {
    name: "…" for name in ("rule", "severity", "column", "owner", "vi", "en", "expected_vi", "why_vi", "why", "source")
}  # fmt: skip
Declared = tuple[str, dict[str, Any]]


def among(column: str, *values: Any) -> dict[str, Any]:
    return {"type": "comparison", "column": {"name": column}, "operator": "IN", "parameter": list(values)}


@pytest.fixture
def declare(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Write the suite `tried`, whose rules are R0, R1 …"""

    def write(*declared: Declared, **meta: str) -> None:
        rules = [
            {"type": kind, "kwargs": kwargs, "meta": {**META, "rule": f"R{place}", **meta}}
            for place, (kind, kwargs) in enumerate(declared)
        ]
        (tmp_path / "tried.json").write_text(json.dumps({"name": "tried", "expectations": rules}), encoding="utf-8")
        expectations.suite.cache_clear()

    with mock.patch.object(expectations, "EXPECTATIONS", tmp_path):
        yield write
    expectations.suite.cache_clear()


def rows(**columns: list[Any]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(row_id=range(100, 100 + len(frame)))


# What the library calls a success and is none.


def test_an_empty_suite_is_an_error(declare: Callable[..., None]) -> None:
    declare()
    with pytest.raises(ExpectationsNotRun, match="no expectation"):
        check(rows(a=[1]), "tried")


@pytest.mark.parametrize("lacking", sorted(META))
def test_a_rule_without_its_words_is_an_error(declare: Callable[..., None], tmp_path: Path, lacking: str) -> None:
    declare(NOT_NULL)
    whole = json.loads((tmp_path / "tried.json").read_text(encoding="utf-8"))
    del whole["expectations"][0]["meta"][lacking]
    (tmp_path / "tried.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ExpectationsNotRun, match="meta needs"):
        check(rows(a=[1]), "tried")


def test_no_rows_are_judged_by_no_rule(declare: Callable[..., None]) -> None:
    declare(NOT_NULL, BETWEEN)
    assert [(answer.rows, answer.judged, answer.applicable) for answer in check(pd.DataFrame(), "tried")] == [
        ([], 0, False),
        ([], 0, False),
    ]


def test_a_column_without_a_value_is_not_applicable(declare: Callable[..., None]) -> None:
    declare(BETWEEN, UNIQUE, GREATER)
    between, _, greater = check(rows(a=[None, None], b=[1, 2]), "tried")
    assert not between.applicable
    assert not greater.applicable


def test_a_condition_that_no_row_meets_is_not_applicable(declare: Callable[..., None]) -> None:
    declare((NOT_NULL[0], {**NOT_NULL[1], "row_condition": among("b", 7)}))
    (answer,) = check(rows(a=[None, 1], b=[1, 2]), "tried")
    assert (answer.rows, answer.applicable) == ([], False)


def test_only_rows_of_the_condition_are_judged_and_counted(declare: Callable[..., None]) -> None:
    declare((NOT_NULL[0], {**NOT_NULL[1], "row_condition": among("b", 7)}))
    (answer,) = check(rows(a=[None, None, 1], b=[7, 2, 7]), "tried")
    assert (answer.rows, answer.judged) == ([100], 2)


# What must stop everything.


def test_a_missing_column_is_an_error_that_names_it(declare: Callable[..., None]) -> None:
    declare((NOT_NULL[0], {**NOT_NULL[1], "row_condition": among("gone", 7)}))
    with pytest.raises(ExpectationsNotRun, match="no column gone"):
        check(rows(a=[1]), "tried")


def test_rows_of_one_number_are_an_error(declare: Callable[..., None]) -> None:
    declare(NOT_NULL)
    with pytest.raises(ExpectationsNotRun, match="one number"):
        check(rows(a=[1, 2]).assign(row_id=5), "tried")


def test_an_expectation_that_does_not_exist_is_an_error(declare: Callable[..., None]) -> None:
    declare(("expect_column_values_to_be_nice", {"column": "a"}))
    with pytest.raises(ExpectationsNotRun):
        check(rows(a=[1]), "tried")


def test_an_expectation_that_names_no_rows_is_an_error(declare: Callable[..., None]) -> None:
    declare(("expect_column_mean_to_be_between", {"column": "a", "max_value": 1}))
    with pytest.raises(ExpectationsNotRun, match="R0"):
        check(rows(a=[5, 6]), "tried")


class Outcome:
    """What the library might say one day, told by a stand-in."""

    def __init__(self, **result: Any) -> None:
        self.answer = mock.Mock(exception_info={}, success=False)
        self.answer.result = {"element_count": 2, "missing_count": 0, **result}
        self.answer.expectation_config.meta = {"number": 0}


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [Outcome(unexpected_count=None).answer],
        [Outcome(unexpected_count=2, unexpected_index_list=[100]).answer],
        [Outcome(unexpected_count=0, unexpected_index_list=[]).answer],
        [Outcome(unexpected_count=25, unexpected_index_list=list(range(20))).answer],
    ],
    ids=["no answer", "no count", "fewer rows than counted", "failed without a row", "rows cut at twenty"],
)
def test_an_answer_that_does_not_add_up_is_an_error(declare: Callable[..., None], answers: list[Any]) -> None:
    declare(NOT_NULL)
    said = {answer.expectation_config.meta["number"]: answer for answer in answers}
    with mock.patch.object(expectations, "_answers", return_value=said), pytest.raises(ExpectationsNotRun, match="R0"):
        check(rows(a=[1, None]), "tried")


# Values stay inside.


@pytest.mark.parametrize(
    "declared",
    [
        ("expect_column_values_to_be_between", {"column": "t", "max_value": 5}),
        ("expect_column_values_to_match_regex", {"column": "t", "regex": "("}),
    ],
    ids=["compared with a number", "a pattern that is none"],
)
def test_an_error_of_the_library_says_nothing_of_the_rows(
    declare: Callable[..., None],
    declared: Declared,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    declare(declared)
    with caplog.at_level(logging.DEBUG), pytest.raises(ExpectationsNotRun) as caught:
        check(rows(t=[SECRET, SECRET]), "tried")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert SECRET not in told


def test_a_validation_that_raises_says_nothing_of_the_rows(declare: Callable[..., None]) -> None:
    declare(NOT_NULL)
    gx, _ = expectations._library()
    with (
        mock.patch.object(gx, "ExpectationSuite", side_effect=ValueError(SECRET)),
        pytest.raises(ExpectationsNotRun, match="raised ValueError") as caught,
    ):
        check(rows(a=[1]), "tried")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_failing_rows_leave_no_value_in_answers_logs_or_caches(
    declare: Callable[..., None], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    declare(MATCHES, ("expect_compound_columns_to_be_unique", {"column_list": ["t", "u"]}))
    secret = f"{SECRET} {Random(5).random()}"
    frame = rows(t=[secret, "x", secret], u=[secret, secret, secret])
    kept = weakref.ref(frame)
    with caplog.at_level(logging.DEBUG):
        answers = check(frame, "tried")
    assert [answer.rows for answer in answers] == [[100, 102], [100, 102]]
    assert secret not in repr(answers) + caplog.text + "".join(capfd.readouterr())
    del frame
    gc.collect()
    assert kept() is None
    assert not [held for held in gc.get_objects() if type(held) in {list, tuple} and any(x is secret for x in held)]


# Every row, and the right ones.


def test_every_offending_row_is_named_whatever_their_number(declare: Callable[..., None]) -> None:
    declare(BETWEEN)
    many = 3 * expectations._MANY_ROWS
    frame = pd.DataFrame({"a": [float(place % 20) for place in range(many)], "row_id": range(7, 7 + many)})
    (answer,) = check(frame, "tried")
    assert answer.rows == [7 + place for place in range(many) if place % 20 > 9]
    assert answer.judged == many


@pytest.mark.parametrize("cut", [0, 10**9], ids=["a frame a group", "one frame"])
@pytest.mark.parametrize("seed", range(3))
def test_the_rules_of_dossiers_equal_a_plain_reading_of_them(seed: int, cut: int) -> None:
    """Answers are the same whether the library sees all columns or a few, and whatever their types."""
    random = Random(seed)
    rules = expectations.suite("dossier_row")
    frame = _random_rows(random, {column for rule in rules for column in rule.reads})
    with mock.patch.object(expectations, "_MANY_ROWS", cut):
        answers = check(frame, "dossier_row")
    listed = frame.astype(object).where(frame.notna(), None).to_dict("records")
    for rule, answer in zip(rules, answers, strict=True):
        kwargs = rule.expectation["kwargs"]
        met = [row for row in listed if _meets(row, kwargs.get("row_condition"))]
        assert answer.rows == [row["row_id"] for row in met if _breaks(row, rule.expectation, met)], rule.rule_id


def _random_rows(random: Random, columns: set[str], count: int = 60) -> pd.DataFrame:
    """Rows with every column empty now and then, in the types of `parse_dossiers`."""
    made: dict[str, Any] = {"row_id": random.sample(range(1000), count)}
    days = pd.date_range("2026-01-05", periods=5, freq="36h")
    for column in sorted(columns):
        if column in {"night", "earliest", "latest"}:
            made[column] = days[{"earliest": 0, "night": 3, "latest": 4}[column]]
        elif column.endswith(("_on", "_at")):
            made[column] = pd.Series([random.choice([*days, pd.NaT]) for _ in range(count)], dtype="datetime64[us]")
        elif column in {"payment_method", "dossier_key", "code_root", "home_root", "unit_code"}:
            words = ["online", "cash", "H42", None]
            made[column] = pd.Series([random.choice(words) for _ in range(count)], dtype=object)
        elif column in {"status", "channel", "fee_amount"}:
            numbers = {"status": [*range(1, 11), None], "channel": [1, 2, None], "fee_amount": [0, 10, None]}[column]
            made[column] = pd.Series([random.choice(numbers) for _ in range(count)], dtype="Int64")
        else:
            made[column] = pd.Series([random.choice([0, 1]) for _ in range(count)], dtype="int64")
    return pd.DataFrame(made)


def _meets(row: dict[str, Any], condition: dict[str, Any] | None) -> bool:
    if condition is None:
        return True
    if condition["type"] == "and":
        return all(_meets(row, part) for part in condition["conditions"])
    value = row[condition["column"]["name"]]
    if condition["type"] == "nullity":
        return (value is None) == condition["is_null"]
    wanted = condition["parameter"]
    return {"IN": lambda: value in wanted, "==": lambda: value == wanted}[condition["operator"]]()


def _breaks(row: dict[str, Any], expectation: dict[str, Any], among_rows: list[dict[str, Any]]) -> bool:
    kwargs = expectation["kwargs"]
    value = row.get(kwargs.get("column", ""))
    match expectation["type"]:
        case "expect_column_values_to_not_be_null":
            return value is None
        case "expect_column_values_to_be_null":
            return value is not None
        case "expect_column_values_to_not_be_in_set":
            return value is not None and value in kwargs["value_set"]
        case "expect_column_pair_values_a_to_be_greater_than_b":
            left, right = row[kwargs["column_A"]], row[kwargs["column_B"]]
            if left is None or right is None:
                return False
            return not (left >= right if kwargs["or_equal"] else left > right)
        case "expect_column_pair_values_to_be_equal":
            left, right = row[kwargs["column_A"]], row[kwargs["column_B"]]
            return left is not None and right is not None and left != right
        case "expect_compound_columns_to_be_unique":
            key = [row[column] for column in kwargs["column_list"]]
            return sum([other[column] for column in kwargs["column_list"]] == key for other in among_rows) > 1
    raise AssertionError(f"no plain reading of {expectation['type']}")
