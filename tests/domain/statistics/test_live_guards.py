"""Estimates of guardrails from two strata: the intervals hold, and curves do not bend where they can't."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.live.guards import Estimate
from llmops_tui.domain.live.statistics.guards import (
    Judged,
    Strata,
    clopper_pearson,
    false_alarms_of,
    points_of,
    recall_of,
    share_of,
)


def binomial(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def hypergeometric(k: int, n: int, bad: int, size: int) -> float:
    return math.comb(bad, k) * math.comb(size - bad, n - k) / math.comb(size, n)


def holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low - 1e-12 <= truth <= estimate.high + 1e-12


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("q", [0.001, 0.02, 0.3])
@pytest.mark.parametrize(("n", "m"), [(5, 8), (30, 12), (12, 40)])
def test_both_intervals_hold_what_is_true_as_often_as_they_say(p: float, q: float, n: int, m: int) -> None:
    """Exactly: over all outcomes of the review, with the chance of each."""
    fired, passed = 300, 9_700
    recall = fired * p / (fired * p + passed * q)
    alarms = fired * (1 - p) / (fired * (1 - p) + passed * (1 - q))
    held = [0.0, 0.0]
    for right in range(n + 1):
        for missed in range(m + 1):
            chance = binomial(right, n, p) * binomial(missed, m, q)
            s = Strata(fired, passed, n, right, m, missed)
            held[0] += chance * holds(recall_of(s), recall)
            held[1] += chance * holds(false_alarms_of(s), alarms)
    assert min(held) >= 0.95


@pytest.mark.parametrize(("hits", "misses"), [(18, 0), (18, 3), (2, 40), (20, 100)])
def test_they_hold_for_the_very_requests_of_the_window_too(hits: int, misses: int) -> None:
    """Reviewed without putting back: of 20 firings and 200 passes, 10 and 30."""
    held = 0.0
    for right in range(max(0, 10 - (20 - hits)), min(10, hits) + 1):
        for missed in range(min(30, misses) + 1):
            chance = hypergeometric(right, 10, hits, 20) * hypergeometric(missed, 30, misses, 200)
            s = Strata(20, 200, 10, right, 30, missed)
            held += chance * holds(recall_of(s), hits / (hits + misses))
    assert held >= 0.95


def test_one_sample_alone_tells_of_precision_and_nothing_of_recall() -> None:
    s = Strata(100, 900, 20, 18, 0, 0)
    assert share_of(18, 20).value == 0.9
    low, high = clopper_pearson(18, 20)
    assert (low, high) == pytest.approx((0.683, 0.988), abs=0.001)  # R: binom.test(18, 20)
    recall = recall_of(s)
    assert (recall.value, recall.n) == (None, 0)
    assert 0 < recall.low < 0.1
    assert recall.high == 1.0


def test_nothing_reviewed_says_nothing() -> None:
    for estimate in (
        share_of(0, 0),
        recall_of(Strata(5, 5, 0, 0, 0, 0)),
        recall_of(Strata(0, 0, 0, 0, 0, 0)),
    ):
        assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, 0.0, 1.0, 0)


def test_a_guardrail_that_never_fired_caught_nothing_of_what_was_missed() -> None:
    recall = recall_of(Strata(0, 1000, 0, 0, 50, 5))
    assert (recall.value, recall.low, recall.high) == (0.0, 0.0, 0.0)
    # Without a miss in the sample it may be that there was nothing to find.
    quiet = recall_of(Strata(0, 1000, 0, 0, 50, 0))
    assert (quiet.value, quiet.low, quiet.high) == (None, 0.0, 1.0)


def test_recall_is_weighted_by_the_strata_and_not_by_what_was_reviewed() -> None:
    recall = recall_of(Strata(100, 9_900, 50, 50, 100, 1))
    assert recall.value == pytest.approx(100 / (100 + 99))


_rows = st.lists(
    st.tuples(st.sampled_from([n / 10 for n in range(11)]), st.booleans()), min_size=2, max_size=30
)


@given(_rows, st.lists(st.sampled_from([0.3, 0.5, 0.8]), min_size=0, max_size=3))
def test_what_must_not_rise_with_the_threshold_does_not(
    rows: list[tuple[float, bool]], thresholds: list[float]
) -> None:
    """Of rows as they may be: a pass is below the highest threshold, a firing not below the lowest."""
    low, high = min(thresholds, default=0.5), max(thresholds, default=0.5)
    judged = [Judged(score, score >= (high if bad else low), bad) for score, bad in rows]
    judged = [row for row in judged if row.triggered or row.score < high]
    points = points_of(judged, 200, 5_000, thresholds)
    assert [point.threshold for point in points] == sorted({point.threshold for point in points})
    for before, after in pairwise(points):
        assert before.rate >= after.rate - 1e-12
        for one, other in ((before.recall, after.recall), (before.false_alarms, after.false_alarms)):
            assert one.low >= other.low - 1e-9
            assert one.high >= other.high - 1e-9
            if one.value is not None and other.value is not None:
                assert one.value >= other.value - 1e-12
    for point in points:
        for estimate in (point.precision, point.recall, point.false_alarms):
            assert 0.0 <= estimate.low <= estimate.high <= 1.0
            if estimate.value is not None:
                assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9


def test_at_its_own_threshold_the_curve_says_what_the_figures_say() -> None:
    judged = [Judged(0.9, True, True)] * 18 + [Judged(0.65, True, False)] * 2
    judged += [Judged(0.2, False, False)] * 49 + [Judged(0.5, False, True)]
    points = {p.threshold: p for p in points_of(judged, 100, 900, [0.6])}
    s = Strata(100, 900, 20, 18, 50, 1)
    assert points[0.6].precision == share_of(18, 20)
    assert points[0.6].recall.value == recall_of(s).value
    assert points[0.6].false_alarms.value == false_alarms_of(s).value
    assert points[0.6].rate == pytest.approx(0.1)
    # Above it only firings are lost: two false alarms and no hit.
    assert points[0.9].precision.value == 1.0
    assert points[0.9].recall.value == recall_of(s).value
    assert points[0.9].false_alarms.value == 0.0
    # Below it, the miss would have been caught, and so one in fifty of what passed.
    assert points[0.5].recall.value == 1.0
    assert points[0.5].rate == pytest.approx((100 + 900 / 50) / 1000)
    assert points[0.5].precision.value == pytest.approx((90 + 18) / 118)


def test_without_passes_the_curve_tells_of_precision_above_the_threshold_alone() -> None:
    judged = [Judged(0.7, True, False)] * 5 + [Judged(0.9, True, True)] * 5
    points = points_of(judged, 10, 90, [0.6])
    assert [(p.threshold, p.precision.value) for p in points] == [(0.6, 0.5), (0.7, 0.5), (0.9, 1.0)]
    assert all(p.recall.value is None and p.recall.n == 0 for p in points)


def test_there_are_not_more_points_than_can_be_looked_at() -> None:
    judged = [Judged(n / 5_000, n >= 2_500, n % 3 == 0) for n in range(5_000)]
    points = points_of(judged, 2_500, 2_500, [0.5])
    assert 80 < len(points) <= 101
    assert any(p.threshold == 0.5 for p in points)


def test_points_of_the_curve_hold_what_is_true() -> None:
    """In 300 made-up reviews, at a threshold above and one below the one it has."""
    chance = random.Random(5)
    scores = {True: (0.8, 0.25), False: (0.3, 0.2)}

    def made(n: int) -> list[tuple[float, bool]]:
        found = []
        for _ in range(n):
            bad = chance.random() < 0.1
            score = min(max(chance.gauss(*scores[bad]), 0.0), 1.0)
            found.append((round(score * 10) / 10 + 0.05, bad))
        return found

    everything = made(4_000)
    fired = [row for row in everything if row[0] >= 0.6]
    passed = [row for row in everything if row[0] < 0.6]
    bads = sum(bad for _score, bad in everything)
    held: dict[str, int] = {}
    for _ in range(300):
        judged = [Judged(score, True, bad) for score, bad in chance.sample(fired, 40)]
        judged += [Judged(score, False, bad) for score, bad in chance.sample(passed, 60)]
        points = points_of(judged, len(fired), len(passed), [0.6])
        for name, reached in (("above", 0.75), ("below", 0.45)):
            point = min(points, key=lambda p: abs(p.threshold - reached))
            up = [bad for score, bad in everything if score >= point.threshold]
            truths = (
                (point.precision, sum(up) / len(up)),
                (point.recall, sum(up) / bads),
                (point.false_alarms, (len(up) - sum(up)) / (len(everything) - bads)),
            )
            for what, (estimate, truth) in zip(("precision", "recall", "alarms"), truths, strict=True):
                held[f"{what} {name}"] = held.get(f"{what} {name}", 0) + holds(estimate, truth)
    assert min(held.values()) >= 0.95 * 300, held
