"""The figures of one version: rates with their intervals, latency, cost."""

from __future__ import annotations

import pytest

from llmops_tui.domain.case import Case
from llmops_tui.domain.run import Item, make_rows, tally
from llmops_tui.domain.statistics.proportion import wilson
from llmops_tui.domain.version_figures import VersionFigures, figures_of


def item(case: str, passed: bool | None, trial: int = 0, **how: float | None) -> Item:
    if passed is None:
        return Item(case, "m", trial, "error", failure="gone")
    score = float(passed)
    return Item(case, "m", trial, "passed" if passed else "failed", score, 1 + trial, "h", **how)  # type: ignore[arg-type]


def test_the_pass_rate_is_that_of_the_list_with_wilsons_interval() -> None:
    rows = make_rows([item(f"c{n}", n < 15) for n in range(20)] + [item("gone", None)])
    found = figures_of(rows, {})
    assert found.pass_rate is not None
    assert found.pass_rate.value == tally(rows).pass_rate == 0.75
    assert (found.pass_rate.low, found.pass_rate.high) == pytest.approx(wilson(15, 20))
    assert found.pass_rate.method == "Wilson, 20 cases"
    assert (found.pass_rate.rows, found.pass_rate.clusters) == (20, 20)


def test_cases_of_one_group_are_one_cluster_and_widen_the_interval() -> None:
    rows = make_rows([item(f"c{n}", n < 10) for n in range(20)])
    alone = figures_of(rows, {}).pass_rate
    grouped = figures_of(rows, {f"c{n}": Case(f"c{n}", {}, group=f"g{n // 5}") for n in range(20)}).pass_rate
    assert alone is not None
    assert grouped is not None
    assert grouped.clusters == 4
    assert grouped.method == "Wilson, 4 clusters"
    assert grouped.high - grouped.low > alone.high - alone.low


def test_trials_count_by_their_share() -> None:
    rows = make_rows(
        [item("a", True), item("a", False, 1), item("b", True), item("b", True, 1), item("c", False)]
    )
    found = figures_of(rows, {}).pass_rate
    assert found is not None
    assert found.value == 0.5
    assert found.method == "t, 3 cases"
    assert found.low <= 0.5 <= found.high


def test_each_tag_has_a_rate_of_its_own() -> None:
    cases = {"a": Case("a", {}, tags=("x", "y")), "b": Case("b", {}, tags=("x",))}
    found = figures_of(make_rows([item("a", True), item("b", False), item("c", True)]), cases)
    assert {tag: rate.value for tag, rate in found.tags.items()} == {"x": 0.5, "y": 1.0}


def test_latency_and_cost_are_of_planned_answers() -> None:
    rows = make_rows([item(f"c{n}", True, latency_s=float(n), cost_usd=0.01) for n in range(1, 21)])
    found = figures_of(rows, {})
    assert (found.latency_p50_s, found.latency_p95_s) == (10.0, 19.0)
    assert found.mean_cost_usd == pytest.approx(0.01)
    unpriced = figures_of(make_rows([item("a", True, cost_usd=0.01), item("b", True, cost_usd=None)]), {})
    assert unpriced.mean_cost_usd is None


def test_a_version_that_never_ran_has_none() -> None:
    assert figures_of((), {}) == VersionFigures()
