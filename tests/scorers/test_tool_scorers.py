"""Scorers of what an answer called: which tools, with which arguments, in which order, in how many steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.scorers import judge

FIND = ("find_order", {"order": "1001"})
REFUND = ("refund", {"order": "1001", "amount": 12.5, "lines": [{"sku": "a", "n": 1}]})


def output(*calls: tuple[str, Any], asked: int = 0) -> Output:
    """An output that called these; arguments that are a text stand as they are."""
    made = tuple(
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            "result": "done",
        }
        for n, (name, given) in enumerate(calls)
    )
    return Output("Done.", tool_calls=made, calls=tuple(map(str, range(asked))))


def scored(name: str, made: Output, **options: Any) -> Score:
    checked = SCORERS[name].options(**options).model_dump(mode="json")
    score = judge(ScorerUse(name, checked, label=name), made, Case("c", {}))
    assert score.error is None
    return score


def test_every_named_tool_must_be_called() -> None:
    made = output(FIND, FIND, REFUND)
    assert scored("called_tool", made, value=["find_order", "refund"]).passed
    half = scored("called_tool", made, value=["find_order", "cancel"])
    assert (half.value, half.passed) == (0.5, False)
    assert half.reason == "did not call cancel; it called find_order (2 times), refund"
    assert scored("called_tool", output(), value="refund").reason == (
        "did not call refund; it called nothing"
    )


def test_how_often_it_was_called_can_be_asked_for() -> None:
    made = output(FIND, FIND, REFUND)
    assert scored("called_tool", made, value="find_order", times=2).passed
    once = scored("called_tool", made, value="find_order", times=1)
    assert (once.passed, once.reason) == (False, "called find_order twice, expected once")
    assert scored("called_tool", made, value="cancel", times=1).reason == (
        "called cancel never, expected once"
    )


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"order": "1001"},
        {"amount": 12.50},
        {"order": {"regex": r"^\d{4}$"}, "amount": {"regex": "^12"}},
        {"lines": {"any": True}},
        {"lines": [{"sku": "a"}]},
        {"lines": {"equals": [{"sku": "a", "n": 1.0}]}},
    ],
)
def test_arguments_may_be_named_in_part_and_by_pattern(args: dict[str, Any]) -> None:
    assert scored("tool_args", output(FIND, REFUND), tool="refund", args=args).passed


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"order": "1002"}, 'refund: order was "1001", expected "1002"'),
        ({"order": 1001}, 'refund: order was "1001", expected 1001'),
        ({"reason": "broken"}, 'refund: reason was not given, expected "broken"'),
        ({"reason": {"any": True}}, "refund: reason was not given, expected any value"),
        ({"order": {"regex": "^2"}}, 'refund: order was "1001", expected what matches "^2"'),
        ({"lines": [{"n": 2}]}, "refund: lines[0].n was 1, expected 2"),
        ({"lines": []}, 'refund: lines was [{"sku": "a", "n": 1}], expected []'),
        ({"order": {"equals": {"any": True}}}, 'refund: order was "1001", expected {"any": true}'),
        ({"amount": 12, "order": 1}, 'refund: amount was 12.5, expected 12; order was "1001", expected 1'),
    ],
)
def test_the_reason_names_what_differs(args: dict[str, Any], says: str) -> None:
    score = scored("tool_args", output(FIND, REFUND), tool="refund", args=args)
    assert (score.value, score.passed, score.reason) == (0.0, False, says)


def test_exact_means_no_other_arguments_within_objects_neither() -> None:
    made = output(REFUND)
    assert scored("tool_args", made, tool="refund", args=REFUND[1], exact=True).passed
    less = {**REFUND[1], "lines": [{"sku": "a"}]}
    assert scored("tool_args", made, tool="refund", args=less, exact=True).reason == (
        "refund: lines[0].n was 1, and should not be there"
    )


def test_any_call_may_have_the_arguments_or_the_one_that_is_named() -> None:
    made = output(("find_order", {"order": "1", "x": 1}), ("find_order", {"order": "2", "x": 9}))
    assert scored("tool_args", made, tool="find_order", args={"order": "2"}).passed
    assert scored("tool_args", made, tool="find_order", args={"order": "2"}, call=-1).passed
    first = scored("tool_args", made, tool="find_order", args={"order": "2"}, call=1)
    assert first.reason == 'find_order: order was "1", expected "2"'
    assert scored("tool_args", made, tool="find_order", args={}, call=3).reason == (
        "there is no call 3 of find_order: it was called twice"
    )
    nearest = scored("tool_args", made, tool="find_order", args={"order": "2", "x": 2})
    assert nearest.reason == "find_order (the nearest of 2 calls): x was 9, expected 2"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ('{"order": ', 'the arguments are no JSON: "{"order":"'),
        ("[1]", "the arguments are [1], not an object"),
        ("", 'order was not given, expected "1"'),
    ],
)
def test_arguments_that_a_model_wrote_badly_are_a_failure_with_a_reason(given: str, says: str) -> None:
    score = scored("tool_args", output(("find_order", given)), tool="find_order", args={"order": "1"})
    assert (score.passed, score.reason) == (False, f"find_order: {says}")


def test_a_tool_that_was_not_called_has_no_arguments() -> None:
    score = scored("tool_args", output(FIND), tool="refund", args={})
    assert (score.value, score.reason) == (0.0, "did not call refund; it called find_order")


def test_the_order_is_that_of_the_list_with_others_in_between_unless_exact() -> None:
    made = output(FIND, ("log", {}), REFUND)
    assert scored("tool_order", made, value=["find_order", "refund"]).passed
    assert scored("tool_order", made, value=["find_order", "log", "refund"], exact=True).passed
    exact = scored("tool_order", made, value=["find_order", "refund"], exact=True)
    assert exact.reason == "called find_order, log, refund, expected find_order, refund"
    back = scored("tool_order", made, value=["refund", "find_order"])
    assert back.reason == "find_order was not called after refund; called find_order, log, refund"
    assert not scored("tool_order", made, value=["refund", "refund"]).passed
    assert scored("tool_order", output(), value=["refund"]).reason == "refund was not called; called nothing"


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_a_sequence_is_in_order_exactly_where_it_is_what_is_left_of_the_calls(
    called: list[str], wanted: list[str]
) -> None:
    rest = iter(called)
    assert scored("tool_order", output(*((name, {}) for name in called)), value=wanted).passed is all(
        name in rest for name in wanted
    )


def test_no_tool_means_none_or_none_of_those_named() -> None:
    assert scored("no_tool", output()).reason == "called nothing"
    assert scored("no_tool", output(FIND)).reason == "called find_order"
    assert scored("no_tool", output(FIND), value=["refund"]).passed
    assert not scored("no_tool", output(FIND, REFUND), value="refund").passed


def test_steps_are_model_calls() -> None:
    assert scored("max_steps", output(asked=3), value=3).passed
    more = scored("max_steps", output(asked=5), value=3)
    assert (more.value, more.reason) == (0.0, "5 model calls, at most 3")
    assert scored("max_steps", output(asked=1), value=3).reason == "1 model call, at most 3"


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("tool_args", {"tool": "a", "args": {"x": {"regex": "("}}}, "the pattern can't be read"),
        ("tool_args", {"tool": "a", "args": {"x": [{"regex": 1}]}}, "regex needs a text"),
        ("tool_args", {"tool": "a", "args": {"x": {"any": False}}}, "write {any: true}"),
        ("tool_args", {"tool": "a", "args": {}, "call": 0}, "counted from 1"),
        ("called_tool", {"value": "a", "times": 0}, "greater than or equal to 1"),
        ("max_steps", {"value": 0}, "greater than or equal to 1"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as caught:
        SCORERS[name].options(**options)
    assert says in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=10), JSON | st.text(), max_size=3), max_size=4))
def test_calls_of_any_form_are_judged_and_never_an_error(calls: list[dict[str, Any]]) -> None:
    made = Output("", tool_calls=tuple({"function": call} for call in calls))
    for name, options in (
        ("called_tool", {"value": "a"}),
        ("tool_args", {"tool": "", "args": {"x": {"regex": "1"}}}),
        ("tool_order", {"value": ["a"]}),
        ("no_tool", {"value": None}),
    ):
        score = judge(ScorerUse(name, {**_DEFAULTS, **options}), made, Case("c", {}))
        assert score.error is None
        assert score.reason


_DEFAULTS = {"times": None, "exact": False, "call": None}
