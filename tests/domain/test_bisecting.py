"""A bisect finds what was planted, asks few, and with noise is wrong as rarely as it says."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.bisecting import ALPHA, LOOKS, MOST, Bisection
from llmops_tui.domain.statistics.likeness import likeness, sides
from llmops_tui.domain.statistics.proportion import clopper_pearson_upper

See = Callable[[int], bool]


def carry_out(bisection: Bisection, see: See) -> dict[int, list[bool]]:
    """Show it what it wants to see, trial by trial; gives all that was seen."""
    seen: dict[int, list[bool]] = {}
    while wants := bisection.wants():
        for want in wants:
            trials = seen.setdefault(want.step, [])
            assert len(trials) < want.trials, "it wants what it has seen"
            trials += [see(want.step) for _ in range(want.trials - len(trials))]
            bisection.saw(want.step, trials)
    return seen


@st.composite
def planted(draw: st.DrawFn) -> tuple[int, int]:
    """(steps, the first bad one)."""
    n = draw(st.integers(2, 3000))
    return n, draw(st.integers(1, n - 1))


@given(planted())
def test_a_step_planted_anywhere_is_found_by_facts_in_as_few_steps_as_halving_takes(
    at: tuple[int, int],
) -> None:
    n, first = at
    bisection = Bisection([True] * n)
    seen = carry_out(bisection, lambda step: step < first)
    assert (bisection.ended, bisection.search.good, bisection.search.bad) == ("found", first - 1, first)
    assert all(len(trials) == 1 for trials in seen.values())
    assert len(seen) <= 2 + max(n - 2, 0).bit_length()


@given(planted(), st.sets(st.integers(1, 2998), max_size=40))
def test_with_steps_put_aside_what_is_left_still_holds_the_planted_one(
    at: tuple[int, int], aside: set[int]
) -> None:
    n, first = at
    inner = frozenset(step for step in aside if step < n - 1)
    bisection = Bisection([True] * n, inner)
    seen = carry_out(bisection, lambda step: step < first)
    assert not inner & set(seen)
    assert first in bisection.search.suspects
    # All but the last of what is left were put aside: nothing that could be asked was left out.
    assert set(bisection.search.suspects[:-1]) <= inner
    assert bisection.ended == ("found" if len(bisection.search.suspects) == 1 else "range")


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_whatever_passes_where_two_neighbours_are_found_that_differ(passes: list[bool]) -> None:
    passes[0], passes[-1] = True, False
    bisection = Bisection([True] * len(passes))
    carry_out(bisection, lambda step: passes[step])
    assert passes[bisection.search.good]
    assert not passes[bisection.search.bad]
    assert bisection.search.bad == bisection.search.good + 1


@pytest.mark.parametrize(("good", "bad"), [(True, True), (False, False), (False, True)])
def test_ends_that_are_not_as_they_should_be_end_it_at_once(good: bool, bad: bool) -> None:
    bisection = Bisection([True] * 9)
    seen = carry_out(bisection, lambda step: good if step == 0 else bad)
    assert bisection.ended == "not worse"
    assert set(seen) == {0, 8}
    assert [(t.step, t.passed) for t in bisection.told] == [(0, int(good)), (8, int(bad))]


@pytest.mark.parametrize(
    ("high", "low", "steps", "found_at_least"),
    [
        (1.0, 0.0, 30, 1.0),
        (0.95, 0.05, 30, 0.95),
        (0.9, 0.4, 12, 0.8),
        (0.8, 0.5, 6, 0.2),
        (1.0, 0.7, 5, 0.8),
    ],
)
def test_with_noise_it_is_wrong_as_rarely_as_it_says(
    high: float, low: float, steps: int, found_at_least: float
) -> None:
    rng = random.Random(f"{high} {low}")
    bisects, wrong, found = 300, 0, 0
    for _ in range(bisects):
        first = rng.randrange(1, steps)
        bisection = Bisection([False] * steps)
        carry_out(bisection, lambda step, first=first: rng.random() < (high if step < first else low))
        wrong += bisection.ended != "not worse" and first not in bisection.search.suspects
        found += bisection.ended == "found"
    assert clopper_pearson_upper(wrong, bisects) <= ALPHA
    assert found / bisects >= found_at_least


def test_ends_that_are_alike_are_rarely_taken_for_different() -> None:
    rng = random.Random(3)
    bisects, wrong = 400, 0
    for _ in range(bisects):
        bisection = Bisection([False] * 2)
        carry_out(bisection, lambda _step: rng.random() < 0.5)
        wrong += bisection.ended != "not worse"
    assert clopper_pearson_upper(wrong, bisects) <= ALPHA


def test_a_step_between_both_ends_is_left_undecided_after_its_most_trials_and_the_search_goes_on() -> None:
    rng = random.Random(1)
    shares = [1.0, 1.0, 0.5, 0.0, 0.0]
    bisection = Bisection([False] * 5)
    seen = carry_out(bisection, lambda step: rng.random() < shares[step])
    assert len(seen[2]) <= MOST
    assert bisection.search.bad - bisection.search.good <= 2
    assert bisection.ended in ("found", "range")


def test_facts_and_noise_go_together() -> None:
    rng = random.Random(2)
    facts = [True] * 8 + [False] * 8
    bisection = Bisection(facts)
    seen = carry_out(bisection, lambda step: step < 8 or rng.random() < 0.4)
    assert (bisection.ended, bisection.search.bad) == ("found", 8)
    assert all(len(trials) == 1 for step, trials in seen.items() if facts[step])


def test_it_never_wants_more_than_its_limits() -> None:
    rng = random.Random(4)
    bisection = Bisection([False] * 20)
    seen = carry_out(bisection, lambda step: rng.random() < (0.75 if step < 9 else 0.45))
    assert all(len(trials) <= (LOOKS[-1] if step in (0, 19) else MOST) for step, trials in seen.items())


@given(st.integers(0, 12), st.integers(0, 12), st.lists(st.booleans(), max_size=60))
def test_a_likeness_never_says_more_than_its_trials_and_what_it_wants_can_be_enough(
    good: int, bad: int, outcomes: Sequence[bool]
) -> None:
    known = sides([n < good for n in range(12)], [n < bad for n in range(12)], 0.004)
    if not known.apart:
        return
    test = likeness(known, 0.005)
    like_good, n, more = test.told(outcomes)
    assert n <= len(outcomes)
    if like_good is None:
        # The trials it asks for are the fewest that may decide.
        told = [test.told([*outcomes, *([passed] * more)])[0] for passed in (True, False)]
        assert any(t is not None for t in told)
        fewer = [test.told([*outcomes, *([passed] * (more - 1))])[0] for passed in (True, False)]
        assert fewer == [None, None]
    else:
        assert test.told(outcomes[:n])[:2] == (like_good, n)
