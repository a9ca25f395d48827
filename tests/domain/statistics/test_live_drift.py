"""Drift: proven and large, on counts by bucket and by name."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.live.statistics import drift
from llmops_tui.domain.live.statistics.counts import Ordered, chi_square, mann_whitney, stability_index
from llmops_tui.domain.live.statistics.tails import chi_square_tail, kolmogorov_tail
from llmops_tui.domain.statistics.proportion import clopper_pearson_lower

# -- published figures


@pytest.mark.parametrize(
    ("x", "df", "p"), [(3.841, 1, 0.05), (18.307, 10, 0.05), (0.554, 5, 0.99), (124.342, 100, 0.05)]
)
def test_tails_of_chi_square_are_those_of_the_tables(x: float, df: float, p: float) -> None:
    assert chi_square_tail(x, df) == pytest.approx(p, abs=2e-5)


def test_the_tail_of_kolmogorov_is_that_of_the_tables() -> None:
    big = 1e9
    assert kolmogorov_tail(1.3581 / math.sqrt(big / 2), big, big) == pytest.approx(0.05, abs=1e-4)
    assert kolmogorov_tail(1.6276 / math.sqrt(big / 2), big, big) == pytest.approx(0.01, abs=1e-4)


def test_mann_and_whitney_with_ties() -> None:
    # 1 2 2 3 against 2 3 3 4 4: U = 17 of 20.
    delta, p = mann_whitney(Ordered.of(Counter([1, 2, 2, 3]), Counter([2, 3, 3, 4, 4])))
    assert delta == pytest.approx(2 * 17 / 20 - 1)
    ties = (3**3 - 3) + (3**3 - 3) + (2**3 - 2)
    z = (17 - 10 - 0.5) / math.sqrt(20 / 12 * (10 - ties / (9 * 8)))
    assert p == pytest.approx(math.erfc(z / math.sqrt(2)))


def test_pearsons_test_of_a_two_by_two_table() -> None:
    table = chi_square({"a": 30, "b": 70}, {"a": 50, "b": 50})
    assert table.statistic == pytest.approx(8.3333, abs=1e-4)
    assert table.p == pytest.approx(0.003892, abs=1e-5)
    assert table.cramers_v == pytest.approx(math.sqrt(8.3333 / 200 - 1 / 199), abs=1e-4)


# -- nothing changed


def _normal(rng: random.Random, mean: float = 0.0, spread: float = 20.0) -> int:
    return round(rng.gauss(mean, spread))


def _word(rng: random.Random) -> str:
    return f"w{int(rng.paretovariate(1.0)) % 50}"


TESTS: dict[str, Callable[[random.Random, int], float]] = {
    "numeric": lambda rng, n: drift.numeric("x", _drawn(rng, n, _normal), _drawn(rng, 60, _normal)).p,
    "scores": lambda rng, n: drift.scores("x", _drawn(rng, n, _coarse), _drawn(rng, 60, _coarse)).p,
    "categorical": lambda rng, n: drift.categorical("x", _drawn(rng, n, _word), _drawn(rng, 60, _word)).p,
}


def _coarse(rng: random.Random) -> int:
    return rng.choice([0, 0, 5, 8, 10, 10, 10])


def _drawn(rng: random.Random, n: int, draw: Callable[[random.Random], Any]) -> Counter[Any]:
    return Counter(draw(rng) for _ in range(n))


@pytest.mark.parametrize("test", sorted(TESTS))
@pytest.mark.parametrize("n", [40, 400])
def test_what_did_not_change_is_seldom_proven_to(test: str, n: int) -> None:
    rng, runs = random.Random(8), 250
    proven = sum(TESTS[test](rng, n) <= 0.05 for _ in range(runs))
    assert clopper_pearson_lower(proven, runs, 0.999) <= 0.05


def test_the_stability_index_of_equal_windows_is_about_nothing() -> None:
    rng = random.Random(9)
    found = [
        stability_index(Ordered.of(_drawn(rng, 100, _normal), _drawn(rng, 100, _normal))) for _ in range(100)
    ]
    assert sum(found) / 100 < 0.1


# -- what changed


def test_with_much_traffic_a_proven_trifle_is_no_drift() -> None:
    before = {0: 500_000, 1: 500_000}
    after = {0: 495_000, 1: 505_000}
    (found,) = drift.judge_together([drift.numeric("length", before, after)])
    assert found.p < 1e-6
    assert found.size == "none"
    assert not found.drifted


def test_a_large_shift_is_drift_and_says_which_way() -> None:
    rng = random.Random(1)
    before, after = _drawn(rng, 500, _normal), Counter(_normal(rng, 24) for _ in range(300))
    (found,) = drift.judge_together([drift.numeric("length", before, after)])
    assert found.drifted
    assert (found.effect_name, found.size) == ("cliffs_delta", "large")
    # Normals 1.2 spreads apart: P(X < Y) = Φ(1.2/√2) = 0.80.
    assert found.effect == pytest.approx(0.60, abs=0.08)
    assert any("larger" in note for note in found.notes)


def test_a_distribution_that_becomes_wider_is_drift_by_its_form() -> None:
    rng = random.Random(2)
    before, after = _drawn(rng, 1000, _normal), Counter(_normal(rng, 0, 60) for _ in range(1000))
    (found,) = drift.judge_together([drift.numeric("length", before, after)])
    assert found.drifted
    assert found.effect_name == "psi"


def test_a_language_that_is_new_is_named() -> None:
    (found,) = drift.judge_together(
        [drift.categorical("language", {"en": 950, "de": 50}, {"en": 700, "fr": 300})]
    )
    assert found.drifted
    assert "fr: 0.0% → 30.0%" in found.notes
    assert found.size == "medium"


def test_rare_names_are_counted_together() -> None:
    rare = {f"word{i}": 1 for i in range(500)}
    table = chi_square({"a": 500, **rare}, {"a": 500, **{f"other{i}": 1 for i in range(500)}})
    assert table.df == 1
    assert table.p > 0.9


def test_too_few_say_nothing_and_say_so() -> None:
    for found in (
        drift.numeric("x", {1: 19}, {9: 1000}),
        drift.scores("x", {}, {}),
        drift.categorical("x", {"a": 1000}, {"b": 3}),
    ):
        assert (found.p, found.size, found.drifted) == (1.0, "none", False)
        assert "too few" in found.notes[0]


def test_one_value_only_is_no_drift() -> None:
    assert drift.numeric("x", {3: 100}, {3: 900}).p == 1.0
    assert drift.scores("x", {3: 100}, {3: 900}).p == 1.0
    assert drift.categorical("x", {"a": 100}, {"a": 900}).p == 1.0


def test_among_many_features_chance_is_not_named() -> None:
    doubtful = drift.Drift("x", 100, 100, 0.004, 0.4, "cliffs_delta", "medium")
    nothing = [drift.Drift(str(i), 100, 100, 0.5, 0.0, "cliffs_delta", "none") for i in range(9)]
    assert drift.judge_together([doubtful])[0].drifted
    assert not drift.judge_together([doubtful, *nothing])[0].drifted
    assert not drift.judge_together([doubtful], least="large")[0].drifted
    assert not any(d.drifted for d in drift.judge_together([doubtful, *nothing], method="benjamini_hochberg"))


def test_clumps_prove_less() -> None:
    before, after = {0: 100, 1: 100}, {0: 60, 1: 140}
    for test in (drift.numeric, drift.scores):
        assert test("x", before, after).p < test("x", before, after, design_effect=5).p
    named = ({"a": 100, "b": 100}, {"a": 60, "b": 140})
    assert drift.categorical("x", *named).p < drift.categorical("x", *named, design_effect=5).p


counts = st.dictionaries(st.integers(-5, 5), st.integers(0, 200), max_size=8)


@given(counts, counts)
def test_any_counts_give_figures_in_their_range(before: dict[int, int], after: dict[int, int]) -> None:
    named = ({str(k): v for k, v in before.items()}, {str(k): v for k, v in after.items()})
    for found in (
        drift.numeric("x", before, after),
        drift.scores("x", before, after),
        drift.categorical("x", *named),
    ):
        assert 0 <= found.p <= 1
        assert math.isfinite(found.effect)
    back = drift.scores("x", after, before)
    assert back.effect == pytest.approx(-drift.scores("x", before, after).effect)
