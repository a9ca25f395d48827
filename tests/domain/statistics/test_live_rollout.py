"""Two versions live: bounds that hold whenever one looks, and verdicts in the gate's words."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.live.statistics.rollout import (
    Metric,
    compare,
    compare_all,
    together,
    verdict_of,
)
from llmops_tui.domain.live.statistics.streams import log_evidence
from llmops_tui.domain.live.statistics.unpaired import difference
from llmops_tui.domain.statistics.proportion import clopper_pearson_lower

ALPHA = 0.05
share = Moments.of_share


def metric(old: Moments, new: Moments, max_drop: float = 0.05) -> Metric:
    return Metric("pass_rate", old, new, max_drop)


# -- the promise


@pytest.mark.parametrize(("p_old", "p_new"), [(0.5, 0.5), (0.98, 0.98), (0.9, 0.6), (0.05, 0.3), (1.0, 0.9)])
@pytest.mark.parametrize(("n_old", "n_new"), [(1, 1), (2, 9), (8, 8)])
def test_evidence_against_the_truth_is_expected_to_be_one_at_most(
    p_old: float, p_new: float, n_old: int, n_new: int
) -> None:
    expected = [0.0, 0.0]
    for k in range(n_old + 1):
        for j in range(n_new + 1):
            chance = (
                math.comb(n_old, k) * p_old**k * (1 - p_old) ** (n_old - k)
                * math.comb(n_new, j) * p_new**j * (1 - p_new) ** (n_new - j)
            )  # fmt: skip
            if chance:
                old, new = share(k, n_old), share(j, n_new)
                expected[0] += chance * math.exp(log_evidence(new, old, p_new - p_old))
                expected[1] += chance * math.exp(log_evidence(old, new, p_old - p_new))
    assert max(expected) <= 1 + 1e-6


Draw = Callable[[random.Random], float]


def _ever_missed(old: Draw, new: Draw, delta: float, ratio: int = 1) -> tuple[int, int]:
    """(streams of which a bound was ever wrong, streams), looked at after each of many requests."""
    rng, streams, missed = random.Random(5), 60, 0
    for _ in range(streams):
        sums = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
        wrong = False
        for n in range(1, 401):
            for side, draw, times in ((0, old, ratio), (1, new, 1)):
                for _ in range(times):
                    value = draw(rng)
                    sums[side][0] += 1
                    sums[side][1] += value
                    sums[side][2] += value * value
            if n in (1, 2, 4, 8, 16, 40, 100, 200, 400):
                a, b = Moments(*sums[0]).checked(), Moments(*sums[1]).checked()
                level = math.log(1 / ALPHA)
                wrong = wrong or log_evidence(b, a, delta) >= level or log_evidence(a, b, -delta) >= level
        missed += wrong
    return missed, streams


@pytest.mark.parametrize(
    ("old", "new", "delta", "ratio"),
    [
        (lambda r: float(r.random() < 0.9), lambda r: float(r.random() < 0.9), 0.0, 1),
        (lambda r: float(r.random() < 0.99), lambda r: float(r.random() < 0.97), -0.02, 4),
        (lambda r: 1.0, lambda r: 1.0, 0.0, 1),
        (lambda r: r.betavariate(8, 2), lambda r: r.betavariate(0.4, 0.1), 0.0, 1),
    ],
    ids=["passes", "rare failures, unequal traffic", "never a failure", "scores"],
)
def test_bounds_hold_at_all_looks_at_once(old: Draw, new: Draw, delta: float, ratio: int) -> None:
    missed, streams = _ever_missed(old, new, delta, ratio)
    # Two bounds at α each.
    assert clopper_pearson_lower(missed, streams, 0.999) <= 2 * ALPHA


def test_bounds_of_the_wrong_difference_do_not_hold() -> None:
    missed, streams = _ever_missed(lambda r: float(r.random() < 0.9), lambda r: float(r.random() < 0.7), 0.0)
    assert clopper_pearson_lower(missed, streams, 0.999) > 2 * ALPHA


# -- verdicts


def test_a_proven_drop_beyond_the_limit_fails() -> None:
    found = compare(metric(share(900, 1000), share(750, 1000)))
    assert found.verdict == "fail"
    assert found.high < 0
    assert found.p_drop < 1e-6
    assert found.would_decide is None


def test_a_drop_within_the_limit_passes_once_more_is_ruled_out() -> None:
    assert compare(metric(share(90, 100), share(90, 100))).verdict == "inconclusive"
    found = compare(metric(share(9000, 10_000), share(8950, 10_000)))
    assert found.verdict == "pass"
    assert -found.low < 0.05


@pytest.mark.parametrize(
    ("old", "new"),
    [(Moments(), Moments()), (share(5, 5), share(0, 5)), (share(10_000, 10_000), share(0, 10))],
    ids=["nothing", "five", "ten of the new"],
)
def test_a_handful_decides_nothing(old: Moments, new: Moments) -> None:
    found = compare(metric(old, new))
    assert found.verdict == "inconclusive"
    assert found.low <= found.delta <= found.high


def test_a_canary_with_little_traffic_is_held_against_much() -> None:
    assert compare(metric(share(90_000, 100_000), share(60, 100))).verdict == "fail"


def test_what_never_failed_passes_without_a_single_failure_seen() -> None:
    assert compare(metric(share(400, 400), share(400, 400))).verdict == "pass"


def test_several_metrics_fail_by_holm_and_pass_only_together() -> None:
    doubtful = metric(share(196, 200), share(177, 200))
    alone = compare(doubtful)
    assert alone.verdict == "fail"
    same = [metric(share(9000, 10_000), share(9000, 10_000))] * 12
    found = compare_all([doubtful, *same])
    assert found[0].verdict == "inconclusive"
    assert found[0].p_adjusted == pytest.approx(min(13 * alone.p_drop, 1))
    assert {r.verdict for r in found[1:]} == {"pass"}
    assert together(found) == "inconclusive"
    assert together(found[1:]) == "pass"
    assert together([alone, *found[1:]]) == "fail"
    assert together([]) == "inconclusive"


def test_no_drop_at_all_can_not_be_asked_for() -> None:
    with pytest.raises(ValueError, match="above 0"):
        compare(metric(share(1, 2), share(1, 2), 0.0))
    with pytest.raises(ValueError):
        compare(metric(Moments(math.nan, 0, 0), share(1, 2)))


@pytest.mark.parametrize(("p_old", "p_new"), [(0.9, 0.9), (0.9, 0.75)])
def test_what_would_decide_decides_about_as_often_as_it_promises(p_old: float, p_new: float) -> None:
    needed = compare(metric(share(round(60 * p_old), 60), share(round(60 * p_new), 60))).would_decide
    assert needed is not None
    rng = random.Random(6)
    decided = 0
    for _ in range(60):
        sides = [
            share(sum(rng.random() < p for _ in range(n)), n)
            for p, n in zip((p_old, p_new), needed, strict=True)
        ]
        decided += verdict_of(metric(sides[0], sides[1])) != "inconclusive"
    assert decided > 36
    assert verdict_of(metric(share(round(60 * p_old), 60), share(round(60 * p_new), 60))) == "inconclusive"


tallies = st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1)).map(
    lambda t: Moments(t[0] + t[1], t[0] * t[2], t[0] * t[2] ** 2).checked()
)


@settings(max_examples=12, deadline=None)
@given(tallies, tallies)
def test_sides_and_signs_may_be_swapped(old: Moments, new: Moments) -> None:
    there, back = compare(metric(old, new)), compare(metric(new, old))
    flipped = compare(metric(old.flipped(), new.flipped()))
    assert -1 <= there.low <= there.delta + 1e-9
    assert there.delta - 1e-9 <= there.high <= 1
    for other in (back, flipped):
        assert other.low == pytest.approx(-there.high, abs=2e-3)
        assert other.high == pytest.approx(-there.low, abs=2e-3)


# -- looked at once


def test_newcombes_example() -> None:
    # Statistics in Medicine 17 (1998), table II: 56/70 against 48/80.
    delta, low, high = difference(share(48, 80), share(56, 70))
    assert (delta, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_welchs_interval_has_its_degrees_of_freedom() -> None:
    old = [0.1, 0.2, 0.3, 0.4]
    new = [0.5, 0.6, 0.9]
    sides = [Moments(len(v), sum(v), sum(x * x for x in v)) for v in (old, new)]
    delta, low, high = difference(*sides)
    # t = 3.0377, df = 3.12: 2.776 … 3.182 for 4 and 3.
    assert delta == pytest.approx(0.416667, abs=1e-6)
    error = math.sqrt(0.0166667 / 4 + 0.0433333 / 3)
    assert 3.0 < (high - delta) / error < 3.2
    assert low == pytest.approx(2 * delta - high)


def test_an_interval_always_has_width() -> None:
    for old, new in [
        (share(5, 5), share(5, 5)),
        (Moments(3, 1.5, 0.75), Moments(3, 1.5, 0.75)),
        (share(0, 1), share(1, 1)),
    ]:
        _, low, high = difference(old, new)
        assert high - low > 0.1
    assert difference(Moments(), share(1, 2)) == (0.0, -1.0, 1.0)
