"""Limits from what was usual: bounds that hold as often as they say, and how many requests are worth one."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from llmops_tui.domain.live.statistics.clumping import design_effect
from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.live.statistics.reference import (
    budget,
    exceedance_limit,
    exceeding,
    reference_days,
    reference_mean,
)
from llmops_tui.domain.statistics.proportion import clopper_pearson_lower


@pytest.mark.parametrize("n", [1, 5, 40, 150])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.97])
def test_a_share_is_below_its_bound_as_often_as_said(n: int, share: float) -> None:
    missed = sum(
        math.comb(n, k) * share**k * (1 - share) ** (n - k)
        for k in range(n + 1)
        if reference_mean(Moments.of_share(k, n), 0.95) < share
    )
    assert missed <= 0.05 + 1e-9


@pytest.mark.parametrize("n", [2, 10, 100])
@pytest.mark.parametrize("shape", [(0.1, 0.9), (8, 2)])
def test_a_mean_of_scores_is_below_its_bound_as_often_as_said(n: int, shape: tuple[float, float]) -> None:
    rng, runs, missed = random.Random(1), 500, 0
    for _ in range(runs):
        values = [rng.betavariate(*shape) for _ in range(n)]
        tally = Moments(n, sum(values), sum(v * v for v in values))
        missed += reference_mean(tally, 0.95) < shape[0] / sum(shape)
    assert clopper_pearson_lower(missed, runs, 0.999) <= 0.05


def test_scores_that_vary_little_have_a_closer_bound_than_passes() -> None:
    assert reference_mean(Moments(1000, 300, 95), 0.99) < reference_mean(Moments.of_share(300, 1000), 0.99)


def test_what_is_not_known_has_no_limit() -> None:
    assert reference_mean(Moments(), 0.99) == 1.0
    assert reference_mean(Moments.of_share(5, 5), 0.99) == 1.0
    assert reference_mean(Moments(1, 0.5, 0.25), 0.99) <= 1.0


def test_clumps_and_margins_make_a_limit_wider() -> None:
    tally = Moments.of_share(50, 1000)
    plain = reference_mean(tally, 0.99)
    assert reference_mean(tally, 0.99, design_effect=4) > plain
    assert reference_mean(tally, 0.99, increase=0.2) == pytest.approx(plain * 1.2)
    assert reference_mean(tally, 0.99, increase=1e9) == 1.0


@pytest.mark.parametrize("n", [150, 600])
def test_a_limit_of_a_quantile_is_exceeded_by_more_as_seldom_as_said(n: int) -> None:
    rng, runs, missed = random.Random(2), 500, 0
    for _ in range(runs):
        seen = Counter(int(rng.random() * 1000) for _ in range(n))
        limit = exceedance_limit(seen, 0.95, 0.95)
        # Of the buckets 0 … 999, those above 949 hold 5 %.
        missed += limit is not None and limit < 949
    assert clopper_pearson_lower(missed, runs, 0.999) <= 0.05


def test_a_limit_of_a_quantile_needs_enough_requests() -> None:
    assert exceedance_limit({}, 0.95, 0.99) is None
    assert exceedance_limit({3: 80}, 0.95, 0.99) is None
    assert exceedance_limit({3: 100}, 0.95, 0.99) == 3
    assert exceeding({1: 5, 3: 2, 9: 1}, 3) == Moments.of_share(1, 8)


def test_a_budget_is_not_overspent_by_its_references() -> None:
    for references in (1 / 7, 1, 24):
        shared = budget(0.01, references)
        spent = shared.false_alarms_per_day + references * (1 - shared.confidence)
        assert spent <= 0.01 + 1e-12


def test_a_reference_is_a_week_and_longer_where_there_is_little() -> None:
    assert reference_days([5_000] * 30) == 7
    assert reference_days([100] * 30) == 10
    assert reference_days([1] * 60) == 28
    assert reference_days([1] * 3) == 3


# -- clumps


def _minutes(rng: random.Random, sizes: list[int], share: float = 0.1) -> list[Moments]:
    """A day; in each minute of some sessions that all pass or all fail."""
    blocks = []
    for _ in range(1440):
        n = k = 0
        for _ in range(rng.randrange(4)):
            size = rng.choice(sizes)
            n += size
            k += size * (rng.random() < share)
        blocks.append(Moments.of_share(k, n))
    return blocks


def test_independent_requests_are_nearly_worth_themselves() -> None:
    assert 1.0 <= design_effect(_minutes(random.Random(1), [1])) < 2.0


def test_a_session_of_one_fate_is_worth_one_request_or_less() -> None:
    rng = random.Random(2)
    for _ in range(10):
        # Kish: Σ size² / Σ size = 68/12.
        assert design_effect(_minutes(rng, [2, 8])) >= 68 / 10


def test_one_that_lasts_for_many_minutes_is_seen_as_well() -> None:
    rng = random.Random(3)
    blocks = [Moments.of_share(float(fail), 1) for _ in range(150) for fail in [rng.random() < 0.1] * 10]
    assert design_effect(blocks) > 8


@pytest.mark.parametrize("block", [Moments(), Moments.of_share(0, 5), Moments(2, 1.0, 0.5)])
def test_where_nothing_varies_nothing_is_clumped(block: Moments) -> None:
    assert design_effect([block] * 200) == 1.0
    assert design_effect([]) == 1.0
