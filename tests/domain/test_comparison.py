"""Pairing two versions: what counts as a regression, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.comparison import compare, pair_models
from llmops_tui.domain.run import Item, RunInfo, Snapshot, VersionInfo, make_rows, tally


def snapshot(number: int, *items: Item) -> Snapshot:
    version = VersionInfo(number, "c", number, f"{number:064x}", 0.0)
    run = RunInfo(number, number, "manual", "complete", 0.0, len(items), len(items))
    return Snapshot(version, run, make_rows(items))


def item(
    case: str, status: str, score: float | None = None, text: str = "x", model: str = "m", **more: object
) -> Item:
    there = None if status in ("error", "missing") else 1
    return Item(case, model, more.pop("trial", 0), status, score, there, text, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "change", "flip"),
    [
        (item("a", "passed", 1.0), item("a", "failed", 0.0), "regressed", "pass→fail"),
        (item("a", "failed", 0.0), item("a", "passed", 1.0), "improved", "fail→pass"),
        # A flip decides, whatever the score did.
        (item("a", "passed", 0.5), item("a", "failed", 0.9), "regressed", "pass→fail"),
        (item("a", "passed", 0.9), item("a", "passed", 0.8), "regressed", None),
        (item("a", "failed", 0.2), item("a", "failed", 0.3), "improved", None),
        (item("a", "passed", 0.5), item("a", "passed", 0.5 + 1e-10), "same", None),
        (item("a", "unscored"), item("a", "unscored", text="y"), "same", None),
        # A provider that is down is no regression.
        (item("a", "passed", 1.0), item("a", "error"), "error", None),
        (item("a", "error"), item("a", "passed", 1.0), "error", None),
    ],
)
def test_change_of_a_case(before: Item, after: Item, change: str, flip: str | None) -> None:
    (pair,) = compare(snapshot(1, before), snapshot(2, after)).pairs
    assert (pair.change, pair.flip) == (change, flip)


def test_a_score_that_one_side_lacks_is_no_delta() -> None:
    (pair,) = compare(snapshot(1, item("a", "unscored")), snapshot(2, item("a", "passed", 1.0))).pairs
    assert pair.delta is None
    assert pair.change == "same"


def test_new_and_removed_cases_are_outside_the_figures() -> None:
    result = compare(
        snapshot(1, item("a", "passed", 1.0), item("gone", "failed", 0.0)),
        snapshot(2, item("a", "passed", 1.0), item("new", "failed", 0.0)),
    )
    assert {p.case_id: p.change for p in result.pairs} == {"a": "same", "new": "new", "gone": "removed"}
    assert result.pass_rate.n == 1
    assert result.pass_rate.delta == 0.0
    assert result.counts["new"] == result.counts["removed"] == 1


def test_a_case_that_is_not_there_yet_is_pending_and_no_regression() -> None:
    result = compare(snapshot(1, item("a", "passed", 1.0)), snapshot(2, item("a", "missing")))
    assert result.pairs[0].pending
    assert result.counts["regressed"] == 0


def test_texts_tell_whether_the_output_changed() -> None:
    result = compare(
        snapshot(1, item("a", "passed", 1.0, "one"), item("b", "passed", 1.0, "two")),
        snapshot(2, item("a", "passed", 1.0, "one"), item("b", "passed", 1.0, "2")),
    )
    assert [p.output_changed for p in result.pairs] == [False, True]


def test_a_replaced_model_is_compared_with_its_replacement() -> None:
    assert pair_models(("a", "b"), ("b", "c")) == {"b": "b", "a": "c"}
    (pair,) = compare(
        snapshot(1, item("x", "passed", 1.0, model="old")), snapshot(2, item("x", "failed", 0.0, model="new"))
    ).pairs
    assert (pair.model, pair.change) == ("new", "regressed")


def test_trials_are_one_row_and_an_extra_trial_is_not_in_its_score() -> None:
    (row,) = snapshot(
        1,
        item("a", "passed", 1.0),
        item("a", "failed", 0.0, trial=1),
        item("a", "failed", 0.0, trial=2, extra=True),
    ).rows
    assert row.score == 0.5
    assert row.status == "failed"
    assert len(row.planned) == 2
    assert len(row.items) == 3


def test_a_row_of_several_trials_counts_by_the_share_that_passed() -> None:
    one = [
        item("a", "passed"),
        item("a", "failed", trial=1),
        item("b", "passed"),
        item("b", "passed", trial=1),
    ]
    two = [
        item("a", "failed"),
        item("a", "failed", trial=1),
        item("b", "passed"),
        item("b", "failed", trial=1),
    ]
    rate = compare(snapshot(1, *one), snapshot(2, *two)).pass_rate
    assert (rate.baseline, rate.candidate, rate.delta, rate.n) == (0.75, 0.25, -0.5, 2)
    assert tally(snapshot(1, *one).rows).pass_rate == 0.75
    assert tally(snapshot(1, *one).rows).passed == 1


def test_both_sides_are_counted_over_equally_many_trials() -> None:
    one = [item("a", "passed"), item("a", "failed", trial=1), item("a", "failed", trial=2)]
    rate = compare(snapshot(1, *one), snapshot(2, item("a", "passed"))).pass_rate
    assert (rate.baseline, rate.candidate) == (1.0, 1.0)


STATUSES = st.sampled_from(["passed", "failed", "error", "unscored", "missing"])


@given(st.lists(STATUSES, min_size=1, max_size=30))
def test_the_four_counts_add_up(statuses: list[str]) -> None:
    count = tally(snapshot(1, *(item(f"c{i}", s) for i, s in enumerate(statuses))).rows)
    assert count.passed + count.failed + count.errors + count.unscored == count.cases
    assert count.cases + count.missing == len(statuses)


@given(st.lists(st.tuples(STATUSES, STATUSES), min_size=1, max_size=30))
def test_swapping_the_sides_swaps_regressions_and_improvements(statuses: list[tuple[str, str]]) -> None:
    one = snapshot(1, *(item(f"c{i}", s[0]) for i, s in enumerate(statuses)))
    two = snapshot(2, *(item(f"c{i}", s[1]) for i, s in enumerate(statuses)))
    there, back = compare(one, two).counts, compare(two, one).counts
    assert (there["regressed"], there["improved"]) == (back["improved"], back["regressed"])
    assert sum(there.values()) == len(statuses)
