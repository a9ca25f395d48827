"""Intervals of figures that are read off sums."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.histogram import histogram_of
from llmops_tui.domain.live.metrics import interval, measure
from llmops_tui.domain.live.tally import Sums, Tally
from llmops_tui.domain.statistics.proportion import wilson

SHARES = st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(SHARES)
def test_a_share_has_wilsons_interval_and_lies_in_it(kn: tuple[int, int]) -> None:
    failed, n = kn
    tally = Tally(requests=n, failed=failed)
    assert interval("error_rate", tally) == (wilson(failed, n) if n else None)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=60), st.sampled_from(["p50", "p95", "p99"]))
def test_a_quantile_lies_in_its_interval(values: list[float], p: str) -> None:
    tally = Tally(latency=histogram_of(values))
    found, between = measure(f"latency_{p}", tally).value, interval(f"latency_{p}", tally)
    assert found is not None
    assert between is not None
    assert between[0] <= found * 1.0001
    assert found <= between[1] * 1.0001


def test_the_interval_of_a_quantile_holds_the_true_one_nearly_always() -> None:
    rng = random.Random(5)
    held = 0
    for _ in range(300):
        tally = Tally(latency=histogram_of(rng.expovariate(1.0) for _ in range(200)))
        low, high = interval("latency_p95", tally) or (0.0, 0.0)
        held += low * 0.98 <= 2.9957 <= high * 1.02
    assert held >= 0.92 * 300


def test_the_interval_of_a_mean_narrows_with_n_and_stays_a_score() -> None:
    def of(n: int) -> tuple[float, float]:
        sums = Sums(2 * n, 1.9 * n, n + 0.81 * n)  # one half is 1, the other 0.9
        found = interval("score.x", Tally(scores={"x": sums}))
        assert found is not None
        return found

    assert of(2)[1] <= 1.0
    assert of(200)[1] - of(200)[0] < of(5)[1] - of(5)[0]
    assert of(200)[0] < 0.95 < of(200)[1]


def test_what_is_counted_has_no_interval() -> None:
    assert interval("requests", Tally(requests=5)) is None
    assert interval("score.x", Tally()) is None
    assert interval("cost_per_request", Tally(cost=histogram_of([1.0]))) is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0425, "share", "4.2%"),
        (1.25, "seconds", "1.2 s"),
        (0.0021, "usd", "$0.0021"),
        (1204.0, "count", "1,204"),
        (None, "tokens", "–"),
        (0.875, "score", "0.88"),
    ],
)
def test_figures_read_as_people_read_them(value: float | None, unit: str, text: str) -> None:
    assert unit_text(value, unit) == text  # type: ignore[arg-type]
