"""From a scorer's word to a score: thresholds, weights, keys, and what Python functions may return."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score, combine, score_key
from llmops_tui.scorers import from_return, judge

CASE = Case("c", {"q": "?"}, expected="30 days")
ALL = {"value": ["a", "b"], "case_sensitive": True}
MINE = ScorerUse("mine", label="mine", revision="f" * 64, uses_expected=True)


def returned(value: Any, threshold: float | None = None) -> Score:
    return from_return(ScorerUse("mine", threshold=threshold, label="mine"), CASE, value)


def test_a_threshold_says_from_where_a_value_passes() -> None:
    def passed(threshold: float | None) -> bool | None:
        return judge(ScorerUse("contains_all", ALL, threshold=threshold), Output("a"), CASE).passed

    assert passed(None) is False
    assert passed(0.5) is True
    assert passed(0.51) is False


def test_label_weight_and_key_are_those_of_the_use() -> None:
    use = ScorerUse("contains_all", ALL, weight=2.0, label="contains_all#2")
    score = judge(use, Output("a"), CASE)
    assert (score.label, score.weight, score.key) == ("contains_all#2", 2.0, score_key(use, CASE))
    failed = judge(ScorerUse("contains_all", {}, weight=2.0, label="x"), Output("a"), CASE)
    assert failed.error is not None
    assert (failed.label, failed.weight) == ("x", 2.0)
    assert from_return(MINE, CASE, True).key == score_key(MINE, CASE)


@pytest.mark.parametrize(
    ("value", "number", "passed"),
    [
        (True, 1.0, True),
        (False, 0.0, False),
        (0.25, 0.25, None),
        (1, 1.0, None),
        (Fraction(1, 2), 0.5, None),
        (np.float32(0.5), 0.5, None),
        (np.bool_(True), 1.0, True),
        ({"value": 0.5, "passed": True}, 0.5, True),
        ({"score": 1}, 1.0, None),
        ({"passed": False}, 0.0, False),
        ({"value": True, "passed": False}, 1.0, False),
        ((True, "fine"), 1.0, True),
        ((0.5, "half"), 0.5, None),
    ],
)
def test_what_a_function_may_return(value: Any, number: float, passed: bool | None) -> None:
    score = returned(value)
    assert (score.value, score.passed, score.error) == (number, passed, None)
    assert score.reason


def test_none_is_unscored_with_or_without_a_reason() -> None:
    for value in (None, (None, "not about refunds"), {"value": None, "reason": "not about refunds"}):
        score = returned(value)
        assert (score.value, score.passed, score.error) == (None, None, None)
        assert score.reason
    assert returned((None, "not about refunds")).reason == "not about refunds"


def test_a_number_passes_by_the_threshold_only() -> None:
    assert returned(0.7, threshold=0.7).passed is True
    assert returned(0.6, threshold=0.7).passed is False
    assert "set a `threshold`" in returned(0.7).reason
    assert combine([returned(0.7)]).status == "unscored"


def test_a_threshold_outdoes_what_the_function_says() -> None:
    assert returned({"value": 0.4, "passed": True}, threshold=0.5).passed is False


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, 2, {"value": 7}, (30, "points")])
def test_values_outside_zero_to_one_are_errors(value: Any) -> None:
    score = returned(value)
    assert score.value is None
    assert "a value must be between 0 and 1" in (score.error or "")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("good", "the text 'good'"),
        ([1.0], "type list"),
        ((1.0, "why", "more"), "a tuple of 3"),
        ({}, "empty or ambiguous"),
        ({"value": 1, "score": 1}, "empty or ambiguous"),
        ({"valeu": 1}, "'valeu'"),
        ({"value": 1, "passed": "yes"}, "`passed` as the text 'yes'"),
        ((1.0, 2.0), "a reason that is a value of type float"),
        (object(), "type object"),
        (np.array([0.1, 0.2]), "type ndarray"),
        (1j, "type complex"),
    ],
)
def test_anything_else_is_an_error_that_says_what_is_allowed(value: Any, named: str) -> None:
    error = returned(value).error
    assert error is not None
    assert named in error
    assert "return True or False, a number from 0 to 1, None, (value, reason)" in error


def test_reasons_of_functions_are_cut_and_cleaned() -> None:
    reason = returned((True, "\x1b[2Jgone\n" + "x" * 5_000)).reason
    assert reason.startswith("gone xxx")
    assert len(reason) <= 300
