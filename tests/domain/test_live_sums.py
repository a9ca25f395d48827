"""Sums of live traffic: exact, in whatever order they are added and taken away."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.live.amounts import MOST_S, MOST_USD, number, seconds, share, usd, whole
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.calls import MOST_CALLS
from llmops_tui.domain.live.histogram import LARGEST, Histogram, histogram_of, value_of
from llmops_tui.domain.live.metrics import measure
from llmops_tui.domain.live.request import MOST_SIGNALS, Request, begin, fold, take_score, take_signal
from llmops_tui.domain.live.tally import Sums, Tally, lean, sum_of, tally_of
from llmops_tui.domain.trace import Span

_anything = st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=3)


def _known(start: float = 0.0, **parts: Any) -> Request:
    end = start + parts.pop("latency_s", 1.0)
    return Request("ab" * 16, start, end, has_root=True, is_request=True, **parts)


def _named(names: list[str], values: Any) -> Any:
    return st.dictionaries(st.sampled_from(names), values, max_size=2)


_shares = st.floats(0, 1).map(share)
_requests = st.builds(
    _known,
    start=st.just(0.0),
    latency_s=st.floats(0, 1e5),
    cost_usd=st.floats(0, 5).map(usd),
    calls=st.integers(0, 2),
    priced=st.integers(0, 2),
    failed=st.booleans(),
    error=st.sampled_from(["", "timeout", "429"]),
    spans=st.integers(1, 9),
    input_words=st.integers(0, 500),
    steps=_named(["find", "ask"], st.floats(0, 100).map(seconds)),
    guardrails=_named(["pii", "tone"], st.tuples(st.integers(1, 3), st.integers(0, 1))),
    scores=_named(["a", "b"], st.tuples(st.none() | st.floats(0, 1), st.none() | st.booleans())),
    signals=st.lists(st.tuples(st.sampled_from(["thumb", "edit"]), _shares, st.booleans()), max_size=2),
    traits=_named(["language"], st.lists(st.sampled_from(["en", "de"]), min_size=1, unique=True)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_requests, max_size=6), st.data())
def test_adding_and_taking_away_in_any_order_leaves_what_is_left(requests: list[Request], data: Any) -> None:
    steps = [(n, 1) for n in range(len(requests))]
    gone = data.draw(st.sets(st.sampled_from(range(len(requests))))) if requests else set()
    steps += [(n, -1) for n in gone]
    tally = Tally()
    for n, sign in data.draw(st.permutations(steps)):
        tally.merge(tally_of(requests[n]), sign)
    assert tally == sum_of(tally_of(r) for n, r in enumerate(requests) if n not in gone)
    assert tally.is_empty == (len(gone) == len(requests))


def test_a_huge_value_leaves_no_trace_when_it_is_taken_away() -> None:
    small, huge = _known(latency_s=0.1, cost_usd=usd(0.001), calls=1, priced=1), _known(latency_s=1e300)
    huge.cost_usd = usd(1e300)
    tally = tally_of(small)
    tally.merge(tally_of(huge))
    tally.merge(tally_of(huge), -1)
    assert tally == tally_of(small)


@given(st.lists(st.floats(2e-9, 1e15), min_size=1, max_size=50), st.floats(0, 1))
def test_a_quantile_is_within_two_percent_of_one_of_the_values(values: list[float], p: float) -> None:
    found = histogram_of(values).quantile(p)
    rank = max(math.ceil(p * len(values)), 1)
    exact = sorted(values)[rank - 1]
    assert found == pytest.approx(exact, rel=0.02)


@given(st.lists(st.floats(), max_size=20))
def test_values_that_are_none_are_counted_and_stay_finite(values: list[float]) -> None:
    made = histogram_of(values)
    assert made.n == len(values)
    assert 0 <= made.total <= len(values) * LARGEST
    assert made.quantile(0.5) is None or made.quantile(0.5) >= 0  # type: ignore[operator]


@given(st.lists(st.integers(0, 10**6), max_size=20), st.lists(st.integers(0, 10**6), max_size=20))
def test_histograms_merge_as_if_all_had_been_put_into_one(one: list[int], two: list[int]) -> None:
    merged = histogram_of(one)
    merged.merge(histogram_of(two))
    assert merged == histogram_of(one + two)
    merged.merge(histogram_of(one), -1)
    assert merged == histogram_of(two)
    merged.merge(histogram_of(two), -1)
    assert merged.is_empty


def test_above_leaves_out_the_limits_own_bucket() -> None:
    made = histogram_of([0.0, 1.0, 1.01, 2.0, 10.0])
    assert made.above(1.0) + made.above(0.0) >= 4
    assert made.above(9.0) == 1
    assert Histogram().quantile(0.5) is None
    assert value_of(-10_000) == 0


@given(_anything)
def test_amounts_are_finite_and_bounded_whatever_a_program_says(value: Any) -> None:
    found = number(value)
    assert found is None or math.isfinite(found)
    assert 0 <= whole(value) < 1e12
    if isinstance(value, float | int) and not isinstance(value, bool):
        assert 0 <= seconds(value) <= MOST_S
        assert 0 <= usd(value) <= MOST_USD
        assert 0 <= share(value) <= 1


@pytest.mark.parametrize("make", [seconds, usd, share])
def test_amounts_are_close_to_what_was_said(make: Any) -> None:
    for value in (1e-4, 0.001, 0.5, 0.999):
        assert make(value) == pytest.approx(value, abs=1e-5)
    assert usd(1.5e-7) == pytest.approx(1.5e-7, rel=1e-4)


def test_numbers_of_more_than_any_float_are_none() -> None:
    assert number(10**400) is None
    assert whole(10**400) == 0
    assert number(True) is None


def test_no_sum_is_kept_of_a_difference_that_is_none() -> None:
    sums = Sums(1, 0.5, 0.25)
    sums.merge(Sums(1, 0.25, 0.0625), -1)
    assert not sums.is_empty


def test_signals_of_one_request_are_counted_up_to_a_number() -> None:
    request = begin("ab" * 16)
    for n in range(3 * MOST_SIGNALS):
        take_signal(request, Signal(str(n), "retry", 1.0, 0.0))
    assert len(request.signals) == MOST_SIGNALS


def test_a_call_that_was_tried_again_with_success_is_no_failure() -> None:
    root = Span("01" * 8, "", "answer", "request", 0.0, 3.0)
    first = Span("02" * 8, root.id, "ask", "model", 0.0, 1.0, "error", attributes={"error.type": "429"})
    second = Span("03" * 8, root.id, "ask", "model", 1.0, 3.0)
    known = fold(begin("ab" * 16), [first, second, root])
    assert (known.failed, known.error, known.trouble) == (False, "", "429")
    failed = fold(begin("ab" * 16), [first, Span("01" * 8, "", "answer", "request", 0.0, 3.0, "error")])
    assert (failed.failed, failed.error) == (True, "429")


def test_of_equals_it_is_not_the_order_they_come_in_that_decides() -> None:
    def said(n: int, word: str) -> Span:
        has = {"llmops.feature": word, "gen_ai.request.model": word, "error.type": word}
        has |= {"input.value": word, "output.value": word}
        return Span(f"{n:016x}", "01" * 8, word, "model", 0.0, 1.0, "error", attributes=has)

    root = Span("01" * 8, "", "answer", "request", 0.0, 1.0, "error")
    one, two = said(2, "one"), said(3, "two")
    assert fold(begin("ab" * 16), [one, root, two]) == fold(begin("ab" * 16), [two, one, root])


def test_the_price_of_an_embedding_is_not_taken_for_that_of_the_answer() -> None:
    root = Span("01" * 8, "", "answer", "request", 0.0, 3.0)
    cheap = Span("02" * 8, root.id, "embed", "embedding", 0.0, 1.0, attributes={"llmops.cost_usd": 0.001})
    unknown = Span("03" * 8, root.id, "ask", "model", 1.0, 3.0)
    priced = Span("03" * 8, root.id, "ask", "model", 1.0, 3.0, attributes={"llmops.cost_usd": 0.5})
    half = tally_of(fold(begin("ab" * 16), [root, cheap, unknown]))
    assert (half.priced, half.calls, half.cost.n) == (1, 2, 0)
    assert tally_of(fold(begin("ab" * 16), [root, cheap, priced])).cost.total == pytest.approx(0.501)
    own = Span("02" * 8, root.id, "embed", "embedding", 0.0, 1.0)
    assert tally_of(fold(begin("ab" * 16), [root, own, priced])).cost.total == 0.5
    assert tally_of(fold(begin("ab" * 16), [root, cheap])).cost.n == 1


def test_scores_from_elsewhere_stay_in_the_rates_when_a_request_is_judged_for_its_faults() -> None:
    request = _known(failed=True)
    for scorer, source, passed in (("human", "langfuse", False), ("words", "worth", True)):
        score = LiveScore("ab" * 16, scorer, float(passed), passed, at=1.0, source=source)
        take_score(request, score, lambda _dimension, value: value)
    tally = tally_of(request)
    assert (tally.judged, tally.passed, tally.scores.keys()) == (1, 0, {"human"})
    assert (request.passed, request.score) == (False, 0.5)


def test_without_a_root_the_last_call_tells_whether_it_failed() -> None:
    elsewhere = "0f" * 8
    broken = Span("02" * 8, elsewhere, "ask", "model", 0.0, 1.0, "error", attributes={"error.type": "429"})
    again = Span("03" * 8, elsewhere, "ask", "model", 1.0, 3.0)
    assert fold(begin("ab" * 16), [broken]).error == "429"
    assert not fold(begin("ab" * 16), [again, broken]).failed
    root = Span(elsewhere, "", "answer", "request", 0.0, 3.0)
    assert not fold(fold(begin("ab" * 16), [broken]), [root]).failed


def _call(n: int, parent: int, kind: str = "model", end: float = 1.0, **has: Any) -> Span:
    """Span `n` in span `parent` (0 is none), 10 tokens, half a dollar; `has`: `error`, `model`, `first`."""
    error, model, first = (has.get(name) for name in ("error", "model", "first"))
    told = {"gen_ai.usage.input_tokens": 10, "llmops.cost_usd": 0.5, "gen_ai.request.model": model}
    told |= {"error.type": error, "gen_ai.response.time_to_first_chunk": first}
    status: Any = "error" if error else "ok"
    id_, above = f"{n:016x}", f"{parent:016x}" if parent else ""
    return Span(id_, above, f"{kind} {n}", kind, 0.0, end, status, attributes=told)


def _folded(*spans: Span) -> Request:
    """The same in either order, at once and one by one."""
    found = [fold(begin("ab" * 16), order) for order in (spans, spans[::-1])]
    for order in (spans, spans[::-1]):
        found.append(begin("ab" * 16))
        for span in order:
            fold(found[-1], [span])
    assert all(each == found[0] for each in found)
    return found[0]


def _counted(r: Request) -> tuple[int, int, int, float]:
    return r.calls, r.priced, r.input_tokens, r.cost_usd


@pytest.mark.parametrize("way", [[], ["other"], ["step", "other"]])
@pytest.mark.parametrize("kind", ["model", "embedding"])
def test_of_a_call_that_was_traced_twice_only_the_inner_one_counts(kind: str, way: list[str]) -> None:
    root = Span(f"{1:016x}", "", "answer", "request", 0.0, 3.0)
    between = [_call(10 + n, 9 + n if n else 2, each) for n, each in enumerate(way)]
    inner = _call(3, 9 + len(way) if way else 2, kind, 2.0, model="small", first=0.25)
    found = _folded(root, _call(2, 1, kind, 3.0, model="chain", first=0.125), *between, inner)
    assert _counted(found) == (1, 1, 10, 0.5)
    if kind == "model":
        assert (found.model, found.first_token_at) == ("small", 0.25)


def test_calls_in_a_tool_or_of_another_kind_are_calls_of_their_own() -> None:
    tool = Span(f"{2:016x}", f"{1:016x}", "ask another", "tool", 0.0, 1.0)
    assert _folded(_call(1, 0), tool, _call(3, 2)).calls == 2
    assert _folded(_call(1, 0), _call(2, 1, "embedding")).calls == 2


def test_a_span_around_calls_tells_neither_what_failed_nor_why() -> None:
    chain = _call(2, 0x99, end=3.0, error="OutputParserError")
    tried, again = _call(3, 2, error="429"), _call(4, 2, end=2.0)
    assert not _folded(chain, tried, again).failed
    root = Span(f"{0x99:016x}", "", "answer", "request", 0.0, 3.0, "error", attributes={"error.type": "lost"})
    assert _folded(root, chain, tried, again).error == "429"
    assert _folded(root, chain, again).error == "lost"
    assert _folded(_call(2, 0, error="OutputParserError"), again).error == "OutputParserError"


def test_spans_that_are_in_each_other_are_folded_all_the_same() -> None:
    assert _folded(_call(1, 2, "other"), _call(2, 1, "other"), _call(3, 1), _call(4, 3)).calls == 1


def test_what_is_remembered_of_calls_is_bounded() -> None:
    spans = [_call(1, 0), *(_call(2 + n, 1) for n in range(3 * MOST_CALLS))]
    spans += [_call(5_000 + n, 1, "other") for n in range(3 * MOST_CALLS)]
    found = fold(begin("ab" * 16), spans)
    assert (found.calls, found.input_tokens) == (3 * MOST_CALLS, 30 * MOST_CALLS)
    assert len(found.called) == MOST_CALLS
    assert len(found.between) <= MOST_CALLS


@st.composite
def _trees(draw: Any) -> list[Span]:
    spans = []
    for n in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["model", "model", "embedding", "other", "step", "tool"]))
        parent = draw(st.integers(0, n))
        error = draw(st.sampled_from(["", "", "429", "lost"]))
        end = draw(st.sampled_from([1.0, 2.0]))
        spans.append(
            _call(n + 1, parent, kind, end, error=error, model=draw(st.sampled_from("ab")), first=0.5)
        )
    return spans


@settings(max_examples=150, deadline=None)
@given(_trees(), st.data())
def test_in_whatever_order_spans_come_only_innermost_calls_count(spans: list[Span], data: Any) -> None:
    whole = fold(begin("ab" * 16), spans)
    one_by_one = begin("ab" * 16)
    for span in data.draw(st.permutations(spans)):
        fold(one_by_one, [span])
    assert one_by_one == whole
    by_id = {span.id: span for span in spans}
    outer = set()
    for span in spans:
        above = by_id.get(span.parent_id)
        while above is not None and above.kind in ("other", "step"):
            above = by_id.get(above.parent_id)
        if above is not None and above.kind == span.kind:
            outer.add(above.id)
    calls = [span for span in spans if span.kind in ("model", "embedding") and span.id not in outer]
    n = len(calls)
    assert _counted(whole) == (n, n, 10 * n, 0.5 * n)
    last = max((s for s in calls if s.kind == "model"), key=lambda s: (s.end, -int(s.id, 16)), default=None)
    assert whole.model == ("" if last is None else last.attributes["gen_ai.request.model"])
    assert whole.call_failed == (last is not None and last.status == "error")


def test_only_scorers_of_faithfulness_tell_of_hallucinations() -> None:
    ours = ("faithfulness", "faithfulness#2", "faithfulness 3f2a", "faithfulness:strict")
    others = ("unfaithful", "unfaithfulness", "not faithfulness", "faithful", "faithfulness_old")
    scores = {name: Sums(decided=10, passed=9) for name in ours}
    scores |= {name: Sums(decided=100, passed=0) for name in others}
    found = measure("hallucination_rate", Tally(scores=scores))
    assert (found.value, found.n) == (0.1, 40)


def test_lean_sums_tell_the_figures_of_their_group_alike() -> None:
    whole = tally_of(
        _known(steps={"find": 1.0}, calls=1, priced=1, cost_usd=0.5, scores={"words": (0.5, True)})
    )
    for group, metrics in {
        "latency": ("latency_p95", "step_p95.find", "requests"),
        "cost": ("cost_per_request", "cost"),
        "quality": ("pass_rate", "score.words"),
        "errors": ("error_rate",),
    }.items():
        assert [measure(name, lean(whole, {group})) for name in metrics] == [
            measure(name, whole) for name in metrics
        ]
    assert not lean(whole, {"quality"}).latency.counts
    assert whole.latency.counts
