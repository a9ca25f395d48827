"""The critical path of a trace, the slowest step and the dearest one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace, totals
from llmops_tui.domain.trace_path import critical_path, timing


def trace(*spans: tuple[Any, ...]) -> Trace:
    """Spans as (id, parent, start, end) or (…, kind, cost)."""
    made = []
    for id_, parent, start, end, *more in spans:
        kind, cost = more or ("step", None)
        made.append(
            Span(id_, parent, id_, kind, start, end, attributes={} if cost is None else {a.COST: cost})
        )
    return Trace("t", "", tuple(made))


def test_steps_one_after_the_other_are_all_on_the_path() -> None:
    found = critical_path(trace(("r", "", 0, 3), ("a", "r", 0, 1), ("b", "r", 1, 2), ("c", "r", 2, 3)))
    assert found == {"r", "a", "b", "c"}


def test_of_steps_side_by_side_only_the_one_that_is_waited_for_is_on_the_path() -> None:
    found = critical_path(
        trace(
            ("r", "", 0, 6),
            ("quick", "r", 0, 2),
            ("slow", "r", 0, 5),
            ("last", "r", 5, 6),
            ("beside", "r", 1, 4),
        )
    )
    assert found == {"r", "slow", "last"}


def test_the_path_goes_on_within_the_steps_that_are_on_it_and_not_within_others() -> None:
    found = critical_path(
        trace(
            ("r", "", 0, 5),
            ("slow", "r", 0, 5),
            ("in-slow", "slow", 1, 4),
            ("quick", "r", 0, 3),
            ("in-quick", "quick", 0, 3),
        )
    )
    assert found == {"r", "slow", "in-slow"}


def test_a_step_that_outlives_its_parent_counts_up_to_the_parents_end() -> None:
    found = critical_path(trace(("r", "", 0, 4), ("a", "r", 0, 2), ("b", "r", 2, 9), ("c", "r", 2, 3)))
    assert found == {"r", "a", "b"}


def test_steps_of_no_length_and_roots_beside_each_other_are_no_trouble() -> None:
    assert critical_path(trace(("r", "", 1, 1), ("a", "r", 1, 1))) == {"r", "a"}
    assert critical_path(trace(("r", "", 0, 2), ("s", "", 2, 3), ("lost", "nobody", 3, 4))) == {
        "r",
        "s",
        "lost",
    }
    assert critical_path(Trace("t", "", ())) == frozenset()


def test_the_slowest_step_is_the_one_with_most_time_of_its_own() -> None:
    found = timing(
        trace(("r", "", 0, 10), ("a", "r", 0, 9), ("b", "a", 0, 4), ("c", "a", 3, 8), ("d", "r", 9, 9.5))
    )
    assert found.slowest == "c"
    assert found.own_s == {"r": 0.5, "a": 1.0, "b": 4.0, "c": 5.0, "d": 0.5}
    assert (found.start, found.end, found.length_s) == (0, 10, 10)


def test_the_dearest_step_is_a_call_and_no_step_that_only_holds_it() -> None:
    found = timing(
        trace(
            ("r", "", 0, 3),
            ("a", "r", 0, 1, "model", 0.2),
            ("b", "r", 1, 2, "model", 0.3),
            ("t", "r", 2, 3, "tool", 9),
        )
    )
    assert found.dearest == "b"
    assert timing(trace(("r", "", 0, 3), ("a", "r", 0, 1, "model", 0.0))).dearest == ""


def test_figures_that_are_none_are_left_out_of_the_totals() -> None:
    strange = {a.INPUT_TOKENS: "12", a.OUTPUT_TOKENS: True, a.COST: [1]}
    spans = (Span("r", "", "r", "request", 0, 1), Span("m", "r", "m", "model", 0, 1, attributes=strange))
    found = totals(Trace("t", "", spans))["r"]
    assert (found.input_tokens, found.output_tokens, found.cost_usd, found.calls) == (None, None, None, 1)
    assert timing(Trace("t", "", spans)).dearest == ""


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    count = draw(st.integers(1, 30))
    spans = []
    for k in range(count):
        parent = str(draw(st.integers(0, k - 1))) if k else ""
        start = draw(st.integers(0, 20))
        spans.append((str(k), parent, start, start + draw(st.integers(0, 10))))
    return trace(*spans)


@given(traces())
def test_the_path_is_one_chain_of_siblings_below_spans_that_are_on_it(made: Trace) -> None:
    path = critical_path(made)
    spans = {s.id: s for s in made.spans}
    children: dict[str, list[Span]] = {}
    for id_ in path:
        span = spans[id_]
        assert span.parent_id == "" or span.parent_id in path
        children.setdefault(span.parent_id, []).append(span)
    assert made.spans[0].id in path
    for parent, siblings in children.items():
        # No two of them are under way at once, but for what outlives the parent.
        end = spans[parent].end if parent else max(s.end for s in siblings)
        in_order = sorted(siblings, key=lambda s: (s.start, min(s.end, end)))
        for one, other in pairwise(in_order):
            assert min(one.end, end) <= other.start + 1e-6


@given(traces())
def test_own_time_is_between_nothing_and_the_whole_length(made: Trace) -> None:
    found = timing(made)
    for span in made.spans:
        assert 0 <= found.own_s[span.id] <= span.length_s
