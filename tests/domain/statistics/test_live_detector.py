"""A detector that looks for ever: false alarms no oftener than asked for, and changes are seen."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.live.statistics import detector
from llmops_tui.domain.live.statistics.detector import Detector, clears, fires, fresh, held, look
from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.statistics.proportion import clopper_pearson_lower

# -- the promise, computed: a look is worth at most its stake in expectation


def _expected_worths(values: Sequence[float], chances: Sequence[float], n: int, limit: float) -> list[float]:
    """Expectation over all samples of n of what a look multiplies each bet by."""
    kind = fresh("values")
    expected = [0.0] * len(kind.evidence)
    for drawn in itertools.product(range(len(values)), repeat=n):
        chance = math.prod(chances[i] for i in drawn)
        sample = [values[i] for i in drawn]
        tally = Moments(n, sum(sample), sum(v * v for v in sample)).checked()
        worths = detector._worths(tally, limit, len(expected))
        expected = [e + chance * math.exp(w) for e, w in zip(expected, worths, strict=True)]
    return expected


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=1, max_size=4),
    st.integers(1, 3),
    st.floats(0, 1),
)
def test_no_bet_gains_where_the_limit_is_kept(
    support: list[tuple[float, float]], n: int, slack: float
) -> None:
    values = [v for v, _ in support]
    whole = sum(w for _, w in support)
    chances = [w / whole for _, w in support]
    mean = sum(v * c for v, c in zip(values, chances, strict=True))
    limit = max(mean + slack * (1 - mean), 1e-6)
    assert all(e <= 1 + 1e-7 for e in _expected_worths(values, chances, n, limit))


def test_bets_gain_where_the_limit_is_broken() -> None:
    assert max(_expected_worths([0.0, 1.0], [0.7, 0.3], 3, 0.1)) > 2


# -- the promise, drawn: days of looks


def _alarms(
    days: int, rate: float, draw: Callable[[random.Random], Moments], limit: float, **options: float
) -> int:
    """Alarms in days of a look every hour; each starts the detector again."""
    rng, state, alarms = random.Random(7), fresh("values"), 0
    for _ in range(days * 24):
        state = look(state, draw(rng), mean_limit=limit, minutes=60, **options)
        if fires(state, rate):
            alarms, state = alarms + 1, fresh("values")
    return alarms


def _passes(share: float, most: int) -> Callable[[random.Random], Moments]:
    def draw(rng: random.Random) -> Moments:
        n = rng.randrange(most)
        return Moments.of_share(sum(rng.random() < share for _ in range(n)), n)

    return draw


def _some_score(rng: random.Random) -> Moments:
    values = [rng.betavariate(2, 8) for _ in range(rng.randrange(4))]
    return Moments(len(values), sum(values), sum(v * v for v in values))


def _session(rng: random.Random) -> Moments:
    """Five requests that share one fate."""
    return Moments.of_share(5.0 * (rng.random() < 0.1), 5)


@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (_passes(0.02, 3), 0.02),
        (_passes(0.02, 30), 0.02),
        (_passes(0.5, 6), 0.5),
        (_passes(0.98, 6), 0.98),
        (_some_score, 0.2),
    ],
    ids=["few", "more", "half", "nearly all", "scores"],
)
def test_the_truest_limit_gives_no_more_false_alarms_than_configured(
    draw: Callable[[random.Random], Moments], mean: float
) -> None:
    days, rate = 300, 0.2
    alarms = _alarms(days, rate, draw, mean)
    assert clopper_pearson_lower(alarms, days * 24, 0.999) * 24 <= rate


def test_a_limit_below_the_truth_is_found_out() -> None:
    days, rate = 300, 0.2
    alarms = _alarms(days, rate, _passes(0.5, 6), 0.4)
    assert clopper_pearson_lower(alarms, days * 24, 0.999) * 24 > rate


def test_clumps_cry_wolf_unless_they_are_counted_as_one() -> None:
    days, rate = 300, 0.2
    plain = _alarms(days, rate, _session, 0.1)
    tempered = _alarms(days, rate, _session, 0.1, design_effect=5.0)
    assert clopper_pearson_lower(plain, days * 24, 0.999) * 24 > rate
    assert clopper_pearson_lower(tempered, days * 24, 0.999) * 24 <= rate


# -- what is looked at


def _after(looks: Sequence[tuple[float, float]], limit: float = 0.05, kind: str = "share") -> Detector:
    state = fresh("values" if kind == "values" else "share")
    for n, k in looks:
        state = look(state, Moments.of_share(k, n), mean_limit=limit)
    return state


def test_a_change_is_seen_and_when_it_began() -> None:
    rng = random.Random(3)
    state = fresh()
    for minute in range(4000):
        share = 0.01 if minute < 3000 else 0.1
        state = look(state, _of(rng, 10, share), mean_limit=0.012)
        if fires(state, 0.01):
            break
    assert 3000 < minute < 3060
    assert abs((minute + 1 - detector.minutes_since_onset(state)) - 3000) < 30


def _of(rng: random.Random, n: int, share: float) -> Moments:
    return Moments.of_share(sum(rng.random() < share for _ in range(n)), n)


def test_an_alert_ends_when_its_cause_has_and_not_at_once() -> None:
    rng, state = random.Random(4), fresh()
    for _ in range(200):
        state = held(look(state, _of(rng, 20, 0.3), mean_limit=0.05), 0.01)
    assert fires(state, 0.01)
    minutes = 0
    while not clears(state, 0.01):
        state = held(look(state, _of(rng, 20, 0.01), mean_limit=0.05), 0.01)
        minutes += 1
        assert minutes < 120
    assert minutes > 1


def test_ages_without_traffic_are_no_evidence() -> None:
    state = fresh()
    for _ in range(1000):
        state = look(state, Moments(), mean_limit=0.05, minutes=1440)
    state = look(state, Moments.of_share(0, 1), mean_limit=0.05)
    assert not fires(state, 0.5)
    assert state.minutes == 1_440_001


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=20))
def test_empty_minutes_and_a_gap_are_the_same(looks: list[tuple[int, int]]) -> None:
    each, at_once = fresh(), fresh()
    for empty, k in looks:
        for _ in range(empty):
            each = look(each, Moments(), mean_limit=0.1)
        each = look(each, Moments.of_share(k, 6), mean_limit=0.1)
        at_once = look(at_once, Moments.of_share(k, 6), mean_limit=0.1, minutes=empty + 1)
    assert detector.log_evidence(each) == pytest.approx(detector.log_evidence(at_once))


@pytest.mark.parametrize("k", [0, 1])
def test_constant_values_at_the_limit_or_below_never_fire(k: int) -> None:
    state = _after([(20, k)] * 20_000, limit=0.05)
    assert not fires(state, 0.05)


def test_errors_where_there_never_was_one_fire_soon() -> None:
    quiet = _after([(10, 0)] * 1000, limit=0.0)
    assert not fires(quiet, 0.1)
    assert fires(_after([(10, 0)] * 1000 + [(10, 10)], limit=0.0), 0.01)


def test_huge_looks_are_told_apart() -> None:
    billion = 1e9
    assert not fires(_after([(billion, billion * 0.05)] * 3), 0.01)
    state = _after([(billion, billion * 0.06)])
    assert fires(state, 0.01)
    assert math.isfinite(detector.log_evidence(state))
    # From as far down as evidence goes, it comes back.
    assert fires(_after([(billion, 0), (1000, 900)]), 0.01)


def test_nothing_is_too_much_where_nothing_is_known() -> None:
    assert not fires(_after([(100, 100)] * 100, limit=1.0), 0.01)


def test_a_state_is_kept_as_json_and_goes_on_from_there() -> None:
    state = _after([(10, 1), (0, 0), (7, 3)])
    kept = msgspec.json.decode(msgspec.json.encode(state), type=Detector)
    assert kept == state
    assert msgspec.json.decode(msgspec.json.encode(fresh()), type=Detector) == fresh()


def test_values_that_vary_little_are_seen_sooner() -> None:
    def shifted(kind: str) -> Detector:
        state = fresh("values" if kind == "values" else "share")
        for _ in range(200):
            # 0.24 and 0.28 in turns, where 0.2 is allowed.
            state = look(state, Moments(2, 0.52, 0.24**2 + 0.28**2), mean_limit=0.2)
        return state

    assert fires(shifted("values"), 0.01)
    assert not fires(shifted("share"), 0.01)


@pytest.mark.parametrize("tally", [Moments(math.nan, 0, 0), Moments(1, math.inf, 0), Moments(-1, 0, 0)])
def test_impossible_tallies_are_refused(tally: Moments) -> None:
    with pytest.raises(ValueError):
        look(fresh(), tally, mean_limit=0.1)


def test_time_does_not_go_back_and_false_alarms_are_never_none() -> None:
    with pytest.raises(ValueError):
        look(fresh(), Moments(), mean_limit=0.1, minutes=-1)
    with pytest.raises(ValueError):
        fires(fresh(), 0.0)
