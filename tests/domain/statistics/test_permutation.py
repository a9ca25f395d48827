"""The one test that decides: exact, however many rows, and right where nothing changed."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.statistics.assess import assess
from llmops_tui.domain.statistics.permutation import drop_and_rise
from llmops_tui.domain.statistics.sample import Sample, make_sample

Row = tuple[object, list[float], list[float]]


def pairs(lost: int, won: int, same: int) -> Sample:
    """One trial a case."""
    rows: list[Row] = [(f"l{n}", [1.0], [0.0]) for n in range(lost)]
    rows += [(f"w{n}", [0.0], [1.0]) for n in range(won)]
    rows += [(f"s{n}", [1.0], [1.0]) for n in range(same)]
    return make_sample(rows)


def mcnemar(lost: int, won: int) -> float:
    """One-sided exact: P(at least `lost` of the discordant pairs went down)."""
    n = lost + won
    return sum(math.comb(n, k) for k in range(lost, n + 1)) / 2**n


@pytest.mark.parametrize(("lost", "won"), [(5, 0), (3, 1), (0, 4), (7, 7), (40, 12), (0, 0)])
@pytest.mark.parametrize("by_trials", [False, True])
def test_with_one_trial_it_is_the_exact_mcnemar_test(lost: int, won: int, by_trials: bool) -> None:
    drop, rise = drop_and_rise(pairs(lost, won, 10), by_trials=by_trials)
    assert drop == pytest.approx(mcnemar(lost, won), rel=1e-9)
    assert rise == pytest.approx(mcnemar(won, lost), rel=1e-9)


def by_hand(rows: Sequence[Row], *, by_trials: bool) -> float:
    """P(no drop) by writing every arrangement down."""
    clusters: dict[object, list[Row]] = {}
    for row in rows:
        clusters.setdefault(row[0], []).append(row)
    sums = []
    for members in clusters.values():
        t = len(members[0][1])
        before = [sum(r[1][k] for r in members) / t for k in range(t)]
        after = [sum(r[2][k] for r in members) / t for k in range(t)]
        total = sum(before) + sum(after)
        if by_trials:
            every = [2 * sum(c) - total for c in itertools.combinations([*before, *after], t)]
        else:
            d = sum(after) - sum(before)
            every = [d, -d]
        sums.append((every, sum(after) - sum(before)))
    seen = sum(d for _, d in sums)
    totals = [sum(c) for c in itertools.product(*(every for every, _ in sums))]
    return sum(total <= seen + 1e-9 for total in totals) / len(totals)


passes = st.sampled_from([0.0, 1.0])


@given(
    st.integers(1, 3).flatmap(
        lambda t: st.lists(
            st.tuples(
                st.integers(0, 3),
                st.lists(passes, min_size=t, max_size=t),
                st.lists(passes, min_size=t, max_size=t),
            ),
            min_size=1,
            max_size=4,
        )
    ),
    st.booleans(),
)
@settings(max_examples=150)
def test_it_is_what_writing_every_arrangement_down_gives(rows: list[Row], by_trials: bool) -> None:
    drop, _ = drop_and_rise(make_sample(rows), by_trials=by_trials)
    assert drop == pytest.approx(by_hand(rows, by_trials=by_trials), rel=1e-9)


def test_scores_on_no_lattice_come_as_near_as_their_rounding() -> None:
    draw = random.Random(3)
    rows: list[Row] = [(n, [draw.random()], [draw.random()]) for n in range(12)]
    drop, _ = drop_and_rise(make_sample(rows), by_trials=False)
    assert drop == pytest.approx(by_hand(rows, by_trials=False), abs=0.002)


def test_scores_of_very_many_rows_are_taken_as_normal() -> None:
    draw = random.Random(4)
    rows: list[Row] = [(n, [draw.random()], [draw.random() - 0.01]) for n in range(20_000)]
    drop, rise = drop_and_rise(make_sample(rows), by_trials=False)
    differences = [c[0] - b[0] for _, b, c in rows]
    z = sum(differences) / math.sqrt(sum(d * d for d in differences))
    assert drop == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)), rel=1e-6)
    assert drop + rise == pytest.approx(1.0)


def test_a_hundred_thousand_rows_are_exact() -> None:
    drop, _ = drop_and_rise(pairs(10_200, 10_000, 79_800), by_trials=False)
    n, k = 20_200, 10_200
    log_half = n * math.log(2)
    exact = sum(
        math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - log_half)
        for i in range(k, n + 1)
    )
    assert drop == pytest.approx(exact, rel=1e-6)


def test_more_trials_of_the_same_few_cases_count_for_these_cases_and_not_for_the_population() -> None:
    rows: list[Row] = [(n, [1.0] * 4, [0.0] * 4 if n < 3 else [1.0] * 4) for n in range(20)]
    these, _ = drop_and_rise(make_sample(rows), by_trials=True)
    population, _ = drop_and_rise(make_sample(rows), by_trials=False)
    assert these == pytest.approx(1 / math.comb(8, 4) ** 3)
    assert population == pytest.approx(1 / 8)


def test_cases_of_a_group_fall_together() -> None:
    rows: list[Row] = [(n // 5, [1.0], [0.0]) for n in range(10)]
    drop, _ = drop_and_rise(make_sample(rows), by_trials=False)
    assert drop == pytest.approx(1 / 4)


def test_sides_with_unequal_trials_are_cut_to_the_shorter() -> None:
    sample = make_sample([("a", [1.0, 0.0, 1.0], [1.0]), ("b", [], [1.0])])
    assert (sample.rows, sample.trials.tolist()) == (1, [1])


@pytest.mark.parametrize(
    ("trials", "group", "estimand"),
    [(1, 1, "these_cases"), (3, 1, "these_cases"), (3, 4, "these_cases"), (1, 4, "population")],
)
def test_where_nothing_changed_alpha_is_not_exceeded(trials: int, group: int, estimand: str) -> None:
    draw = random.Random(11)
    runs, rejected = 1_000, 0
    for _ in range(runs):
        rows: list[Row] = []
        for n in range(24):
            p = draw.betavariate(0.8, 0.2)
            rows.append(
                (
                    n // group,
                    [float(draw.random() < p) for _ in range(trials)],
                    [float(draw.random() < p) for _ in range(trials)],
                )
            )
        rejected += assess(make_sample(rows), estimand=estimand, alpha=0.05).p_drop <= 0.05  # type: ignore[arg-type]
    # A test that rejects 5 % of the time rejects more than this once in a thousand suites.
    assert rejected <= 50 + 3.1 * math.sqrt(runs * 0.05 * 0.95)
