"""Shapley's axioms, drawn orders against all of them, and whether joint intervals hold together."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from benchmarks.attribution import Setting, simulate
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.statistics.joint import joint_intervals
from llmops_tui.domain.statistics.shapley import Design, exact, interactions, sampled

VALUES = st.floats(-1, 1, allow_nan=False).map(lambda v: round(v, 6))


@st.composite
def games(draw: st.DrawFn) -> tuple[Design, np.ndarray]:
    """A number of parts, and what each mixture of them is worth."""
    parts = draw(st.integers(1, 5))
    design = exact(parts)
    values = draw(st.lists(VALUES, min_size=len(design.corners), max_size=len(design.corners)))
    return design, np.array(values)


@given(games())
def test_shares_add_up_to_the_whole(game: tuple[Design, np.ndarray]) -> None:
    design, values = game
    assert (design.weights @ values).sum() == pytest.approx(values[-1] - values[0], abs=1e-12)


@given(games())
def test_shares_are_the_mean_over_all_orders_of_what_a_part_adds(game: tuple[Design, np.ndarray]) -> None:
    design, values = game
    worth = dict(zip(design.corners, values, strict=True))
    added = np.zeros(design.parts)
    orders = list(permutations(range(design.parts)))
    for order in orders:
        corner = 0
        for part in order:
            added[part] += worth[corner | 1 << part] - worth[corner]
            corner |= 1 << part
    assert design.weights @ values == pytest.approx(added / len(orders), abs=1e-12)


@given(games(), st.data())
def test_parts_that_do_the_same_get_the_same(game: tuple[Design, np.ndarray], data: st.DataObject) -> None:
    design, values = game
    if design.parts < 2:
        return
    i, j = data.draw(st.permutations(range(design.parts)))[:2]
    place = {corner: n for n, corner in enumerate(design.corners)}

    def swapped(corner: int) -> int:
        a, b = corner >> i & 1, corner >> j & 1
        return corner & ~(1 << i | 1 << j) | b << i | a << j

    alike = np.array([(values[n] + values[place[swapped(c)]]) / 2 for n, c in enumerate(design.corners)])
    shares = design.weights @ alike
    assert shares[i] == pytest.approx(shares[j], abs=1e-12)


@given(games(), st.data())
def test_a_part_that_never_does_anything_gets_nothing(
    game: tuple[Design, np.ndarray], data: st.DataObject
) -> None:
    design, values = game
    idle = data.draw(st.integers(0, design.parts - 1))
    place = {corner: n for n, corner in enumerate(design.corners)}
    without = np.array([values[place[corner & ~(1 << idle)]] for corner in design.corners])
    assert (design.weights @ without)[idle] == pytest.approx(0, abs=1e-12)


@given(games(), st.data(), VALUES)
def test_shares_of_cases_add_up_to_those_of_the_whole(
    game: tuple[Design, np.ndarray], data: st.DataObject, factor: float
) -> None:
    design, values = game
    other = np.array(data.draw(st.lists(VALUES, min_size=len(values), max_size=len(values))))
    together = design.weights @ (values + factor * other)
    assert together == pytest.approx(design.weights @ values + factor * (design.weights @ other), abs=1e-9)


@given(games())
def test_effects_that_add_up_do_not_interact(game: tuple[Design, np.ndarray]) -> None:
    design, values = game
    alone = values[: design.parts]
    adding = np.array(
        [sum(alone[i] for i in range(design.parts) if corner >> i & 1) for corner in design.corners]
    )
    _, weights = interactions(design.parts)
    assert weights @ adding == pytest.approx(np.zeros(len(weights)), abs=1e-12)


def test_two_parts_that_only_do_something_together_interact_in_full() -> None:
    pairs, weights = interactions(3)
    together = np.array([1.0 if corner & 0b11 == 0b11 else 0.0 for corner in exact(3).corners])
    assert dict(zip(pairs, (weights @ together).round(12).tolist(), strict=True)) == {
        (0, 1): 1.0,
        (0, 2): 0.0,
        (1, 2): 0.0,
    }


# -- drawn orders


@given(st.integers(2, 9), st.integers(1, 6), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_drawn_shares_add_up_to_the_whole_in_every_draw(
    parts: int, pairs: int, seed: int, rng: object
) -> None:
    design = sampled(parts, pairs, seed)
    values = np.array([rng.uniform(-1, 1) for _ in design.corners])  # type: ignore[attr-defined]
    assert (design.draws @ values).sum(axis=1) == pytest.approx([values[-1] - values[0]] * pairs)


def test_drawn_shares_come_to_the_exact_ones() -> None:
    rng = np.random.default_rng(1)
    worth = dict(zip(exact(6).corners, rng.uniform(-1, 1, 64), strict=True))
    true = exact(6).weights @ np.array([worth[c] for c in exact(6).corners])
    design = sampled(6, 2000, seed=3)
    found = design.draws @ np.array([worth[c] for c in design.corners])
    error = found.std(axis=0, ddof=1) / np.sqrt(2000)
    assert np.all(np.abs(found.mean(axis=0) - true) < 4 * error)
    assert np.all(error < 0.03)


def test_where_effects_add_up_one_drawn_order_says_it_all() -> None:
    effects = np.array([0.3, -0.2, 0.0, 0.1, 0.05, -0.4, 0.2])
    design = sampled(7, 3, seed=5)
    values = np.array([sum(effects[i] for i in range(7) if c >> i & 1) for c in design.corners])
    assert design.draws @ values == pytest.approx(np.tile(effects, (3, 1)))


def test_more_orders_begin_with_those_of_fewer() -> None:
    few, many = sampled(8, 3, seed=1), sampled(8, 5, seed=1)
    assert set(few.corners) <= set(many.corners)


# -- joint intervals


@pytest.mark.parametrize(
    "setting",
    [
        Setting("these_cases", 16, 1, 1, 2),
        Setting("these_cases", 24, 3, 3, 3),
        Setting("these_cases", 40, 2, 1, 6, pairs=4),
        Setting("population", 40, 1, 1, 3),
    ],
    ids=str,
)
def test_joint_intervals_are_right_together_as_often_as_they_say(setting: Setting) -> None:
    found = simulate(setting, 400, seed=1)
    assert found.missed / found.runs <= 0.05
    assert found.idle / found.runs <= 0.05


def test_intervals_of_unchanged_cases_have_width() -> None:
    values = np.zeros((10, 1, 2))
    for estimand in ("these_cases", "population"):
        intervals = joint_intervals(
            values,
            np.ones(10, dtype=int),
            np.arange(10),
            estimand=estimand,  # type: ignore[arg-type]
            alpha=0.05,
        )
        assert all(low < -0.2 and high > 0.2 for low, high in intervals)


def test_a_fact_with_drawn_orders_is_uncertain_by_the_orders_alone() -> None:
    draws = np.array([[0.1, 0.3], [0.2, 0.3], [0.3, 0.3]])
    values = np.full((4, 1, 2), [0.2, 0.3])
    first, second = joint_intervals(
        values,
        np.ones(4, dtype=int),
        np.arange(4),
        estimand="these_cases",
        alpha=0.05,
        by_fact=True,
        draws=draws,
    )
    assert first[0] < 0.1
    assert first[1] > 0.3
    assert second == pytest.approx((0.3, 0.3))
