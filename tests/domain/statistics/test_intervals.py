"""Intervals that explain, margins that a set can prove, and what several looks may spend."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.statistics.assess import Evidence, assess
from llmops_tui.domain.statistics.decide import decide
from llmops_tui.domain.statistics.fisher import fisher_drop
from llmops_tui.domain.statistics.intervals import tango
from llmops_tui.domain.statistics.kappa import cohen_kappa
from llmops_tui.domain.statistics.margin import (
    cases_to_decide,
    flips_to_fail,
    provable_margin,
    trials_to_decide,
)
from llmops_tui.domain.statistics.multiplicity import benjamini_hochberg, holm
from llmops_tui.domain.statistics.proportion import clopper_pearson_upper, mean_interval, wilson
from llmops_tui.domain.statistics.quantiles import beta_cdf, t_quantile
from llmops_tui.domain.statistics.sample import make_sample
from llmops_tui.domain.statistics.sequential import FACTORS, nominal_alpha, plan

# -- published figures


@pytest.mark.parametrize(
    ("p", "df", "expected"), [(0.95, 1, 6.3138), (0.95, 5, 2.0150), (0.975, 10, 2.2281), (0.995, 30, 2.7500)]
)
def test_quantiles_of_student_are_those_of_the_tables(p: float, df: float, expected: float) -> None:
    assert t_quantile(p, df) == pytest.approx(expected, abs=5e-5)


def test_the_incomplete_beta_function_is_the_binomial_tail() -> None:
    exact = sum(math.comb(20, k) * 0.3**k * 0.7 ** (20 - k) for k in range(8, 21))
    assert beta_cdf(0.3, 8, 13) == pytest.approx(exact, rel=1e-12)


def test_tangos_bounds_are_where_his_score_is_the_quantile() -> None:
    low, high = tango(lost=1, won=9, n=44, alpha=0.025)
    assert low < 8 / 44 < high
    assert _tango_score(1, 9, 44, low) == pytest.approx(1.959964, abs=1e-4)
    assert _tango_score(1, 9, 44, high) == pytest.approx(-1.959964, abs=1e-4)


def _tango_score(lost: int, won: int, n: int, delta: float) -> float:
    """The score with the restricted estimate found by maximising the likelihood on a grid."""
    best, at = -math.inf, 0.0
    low, high = max(0.0, -delta), min(1.0, (1 - delta) / 2)
    for step in range(1, 200_000):
        q = low + (high - low) * step / 200_000
        cells = (q + delta, q, 1 - 2 * q - delta)
        if min(cells) <= 0:
            continue
        value = won * math.log(cells[0]) + lost * math.log(cells[1]) + (n - won - lost) * math.log(cells[2])
        if value > best:
            best, at = value, q
    return (won - lost - n * delta) / math.sqrt(n * (2 * at + delta * (1 - delta)))


def test_two_points_take_133_cases_without_one_flip() -> None:
    def ruled_out(n: int) -> float:
        return -tango(0, 0, n, 0.05)[0]

    assert ruled_out(133) < 0.02 < ruled_out(132)


def test_two_points_take_some_1500_cases_at_ten_percent_discordance() -> None:
    found = next(
        n for n in range(100, 5000) if provable_margin(n, 1, estimand="population", alpha=0.05) <= 0.02
    )
    assert 1450 < found < 1600


def test_sixteen_cases_need_five_flips_one_way() -> None:
    assert flips_to_fail(16, 0.05) == 5
    assert flips_to_fail(4, 0.05) is None


def test_trials_narrow_the_margin_of_these_cases_and_not_of_the_population() -> None:
    one = provable_margin(50, 1, estimand="these_cases", alpha=0.05)
    assert provable_margin(50, 4, estimand="these_cases", alpha=0.05) == pytest.approx(one / 2)
    assert provable_margin(50, 4, estimand="population", alpha=0.05) == pytest.approx(one)


# -- no width, no truth


@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("estimand", ["these_cases", "population"])
@pytest.mark.parametrize("binary", [True, False])
def test_unchanged_results_of_ten_cases_are_no_certainty(trials: int, estimand: str, binary: bool) -> None:
    sample = make_sample([(n, [1.0] * trials, [1.0] * trials) for n in range(10)])
    evidence = assess(sample, estimand=estimand, alpha=0.05, binary=binary)  # type: ignore[arg-type]
    assert evidence.delta == 0
    assert evidence.low < -0.05
    assert evidence.high > 0.05


def test_a_fact_has_no_interval_and_no_test() -> None:
    sample = make_sample([(n, [1.0], [float(n > 0)]) for n in range(10)])
    evidence = assess(sample, estimand="these_cases", alpha=0.05, by_fact=True)
    assert (evidence.low, evidence.high) == (evidence.delta, evidence.delta)
    assert "no test" in evidence.test


def test_a_deterministic_runtime_proves_nothing_about_the_population() -> None:
    sample = make_sample([(n, [1.0], [float(n > 0)]) for n in range(10)])
    evidence = assess(sample, estimand="population", alpha=0.05, by_fact=True)
    assert not evidence.by_fact
    assert evidence.low < evidence.delta < evidence.high


@pytest.mark.parametrize(("trials", "group"), [(1, 1), (3, 1), (2, 3)])
def test_the_bound_that_lets_pass_holds_the_truth_as_often_as_it_says(trials: int, group: int) -> None:
    draw = random.Random(5)
    runs, missed = 800, 0
    before = [draw.betavariate(1.6, 0.4) for _ in range(30)]
    after = [p * 0.85 for p in before]
    truth = sum(after) / 30 - sum(before) / 30
    for _ in range(runs):
        sample = make_sample(
            (
                n // group,
                [float(draw.random() < before[n]) for _ in range(trials)],
                [float(draw.random() < after[n]) for _ in range(trials)],
            )
            for n in range(30)
        )
        missed += assess(sample, estimand="these_cases", alpha=0.05).low > truth
    assert missed <= 40 + 3.1 * math.sqrt(runs * 0.05 * 0.95)


# -- deciding


def evidence(delta: float, low: float, p: float, *, by_fact: bool = False) -> Evidence:
    return Evidence(20, 20, 1, 0.8, 0.8 + delta, delta, low, 0.1, p, 1 - p, by_fact, "", "")


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (evidence(-0.2, -0.3, 0.01), "fail"),
        (evidence(-0.2, -0.3, 0.2), "inconclusive"),
        # Significant and small: more than nothing was lost, but no more than is allowed.
        (evidence(-0.05, -0.08, 0.001), "pass"),
        (evidence(-0.05, -0.12, 0.001), "inconclusive"),
        (evidence(0.0, -0.15, 0.5), "inconclusive"),
        (evidence(-0.1, -0.1, 0.0, by_fact=True), "pass"),
        (evidence(-0.11, -0.11, 0.0, by_fact=True), "fail"),
    ],
)
def test_three_verdicts(seen: Evidence, verdict: str) -> None:
    assert decide(seen, 0.1, 0.05) == verdict


def test_what_would_decide_grows_as_the_truth_nears_the_limit() -> None:
    far, near = evidence(0.02, -0.15, 0.6), evidence(-0.08, -0.25, 0.2)
    assert (cases_to_decide(far, 0.1, 0.05) or 0) < (cases_to_decide(near, 0.1, 0.05) or 0)
    assert trials_to_decide(evidence(-0.1, -0.3, 0.2), 0.1, 0.05) is None


def test_what_would_decide_decides_about_as_often_as_it_promises() -> None:
    draw = random.Random(9)

    def verdict(cases: int) -> str:
        sample = make_sample(
            (n, [float(draw.random() < 0.9)], [float(draw.random() < 0.9)]) for n in range(cases)
        )
        return decide(assess(sample, estimand="these_cases", alpha=0.05), 0.1, 0.05)

    sample = make_sample((n, [float(n % 10 > 0)], [float((n + 5) % 10 > 0)]) for n in range(30))
    seen = assess(sample, estimand="these_cases", alpha=0.05)
    needed = cases_to_decide(seen, 0.1, 0.05)
    assert needed is not None
    decided = sum(verdict(needed) != "inconclusive" for _ in range(200))
    assert decided > 120


# -- several at once


def test_holm_and_benjamini_hochberg_are_those_of_their_papers() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert benjamini_hochberg(p) == pytest.approx((0.02, 0.04, 0.04, 0.02))


@given(st.lists(st.floats(0, 1), max_size=8))
def test_corrections_never_make_a_p_value_smaller_nor_swap_two(p: list[float]) -> None:
    for correct in (holm, benjamini_hochberg):
        adjusted = correct(p)
        assert all(a >= b - 1e-12 for a, b in zip(adjusted, p, strict=True))
        order = sorted(range(len(p)), key=lambda i: p[i])
        assert all(adjusted[a] <= adjusted[b] + 1e-12 for a, b in itertools.pairwise(order))


def test_fishers_tea() -> None:
    # The lady tasting tea: 3 of 4 right by chance is 17/70 for at least so many.
    assert fisher_drop(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher_drop(5, 5, 0, 5) == pytest.approx(1 / math.comb(10, 5))


def test_the_looks_of_an_adjudication_spend_alpha_and_no_more() -> None:
    nominal = plan(0.05).nominal
    assert nominal[0] == pytest.approx(0.0325)
    # Five flips one way of few cases are still enough at look one.
    assert nominal[0] >= 1 / 32
    draw = random.Random(2)
    runs, crossed = 40_000, 0
    from statistics import NormalDist

    bounds = [NormalDist().inv_cdf(1 - a) for a in nominal]
    for _ in range(runs):
        total, seen = 0.0, 0
        for factor, bound in zip(FACTORS, bounds, strict=True):
            total += draw.gauss(0, math.sqrt(factor - seen))
            seen = factor
            if total / math.sqrt(factor) > bound:
                crossed += 1
                break
    assert crossed / runs == pytest.approx(0.05, abs=3.1 * math.sqrt(0.05 * 0.95 / runs))
    assert nominal_alpha(0.05, 9) == nominal[-1]


# -- one side, and two judges


def test_intervals_of_a_share() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(10, 10)
    assert (low, high) == pytest.approx((0.7225, 1.0), abs=5e-5)
    assert clopper_pearson_upper(0, 60, 0.95) == pytest.approx(1 - 0.05 ** (1 / 60))
    mean, low, high = mean_interval([1.0, 1.0, 0.0, 0.0], ["a", "a", "b", "b"])
    assert mean == 0.5
    assert low < 0.1
    assert high > 0.9


def test_kappa_is_that_of_the_textbook() -> None:
    kappa, low, high = cohen_kappa([[20, 5], [10, 15]])
    assert kappa == pytest.approx(0.4)
    assert low is not None
    assert high is not None
    assert low < 0.4 < high
    assert cohen_kappa([[10, 0], [0, 0]]) == (None, None, None)
    _, low, high = cohen_kappa([[5, 0], [0, 5]])
    assert low is not None
    assert low < 1.0


@pytest.mark.parametrize("clusters", ["abc", "aab", "aaa"])
def test_a_mean_of_shares_that_are_all_alike_has_width(clusters: str) -> None:
    mean, low, high = mean_interval([1 / 3] * 3, clusters)
    assert low < mean < high
