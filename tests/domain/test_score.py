"""How the scores of a case become one, and which edits make a score new."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.score import Score, combine, score_key


def score(
    value: float | None, passed: bool | None = None, weight: float = 1.0, error: str | None = None
) -> Score:
    return Score("k", "s", value, passed, "", error, weight)


def test_a_case_passes_when_every_scorer_passed() -> None:
    assert combine([score(1.0, True), score(1.0, True)]).status == "passed"
    assert combine([score(1.0, True), score(0.9, False)]).status == "failed"


def test_its_score_is_the_weighted_mean() -> None:
    assert combine([score(1.0, True, 3.0), score(0.0, False, 1.0)]).score == 0.75


def test_a_scorer_that_raised_makes_an_error_not_a_zero() -> None:
    verdict = combine([score(1.0, True), score(None, None, error="scorers.py:3 ZeroDivisionError")])
    assert (verdict.status, verdict.score) == ("error", None)


def test_no_scorer_means_unscored() -> None:
    assert combine([]).status == "unscored"
    assert combine([score(None, None)]).status == "unscored"
    assert combine([score(0.3, None)]).score == 0.3


CASE = Case("a", {"q": "x"}, expected="30 days")
USE = ScorerUse("contains", {"value": "30"})


def test_thresholds_weights_options_and_revisions_make_a_score_new() -> None:
    keys = {
        score_key(USE, CASE),
        *(
            score_key(msgspec.structs.replace(USE, **change), CASE)
            for change in (
                {"threshold": 0.5},
                {"weight": 2.0},
                {"options": {"value": "31"}},
                {"revision": "2"},
            )
        ),
    }
    assert len(keys) == 5


def test_expected_counts_only_for_scorers_that_are_held_against_it() -> None:
    other = msgspec.structs.replace(CASE, expected="31 days")
    assert score_key(USE, CASE) == score_key(USE, other)
    held = msgspec.structs.replace(USE, uses_expected=True)
    assert score_key(held, CASE) != score_key(held, other)


def test_a_function_of_the_workspace_sees_the_whole_case() -> None:
    function = ScorerUse("mine", {}, revision="f" * 64, uses_expected=True)
    assert score_key(function, CASE) != score_key(function, msgspec.structs.replace(CASE, vars={"q": "y"}))
    assert score_key(USE, CASE) == score_key(USE, msgspec.structs.replace(CASE, vars={"q": "y"}))


def test_expected_sources_make_new_only_the_scores_that_are_held_against_them() -> None:
    more = msgspec.structs.replace(CASE, expected_sources=("docs/a.md", "docs/b.md"))
    turned = msgspec.structs.replace(CASE, expected_sources=("docs/b.md", "docs/a.md"))
    recall = ScorerUse("recall_at_k", {"k": None}, uses_sources=True)
    assert score_key(USE, CASE) == score_key(USE, more)
    assert score_key(recall, CASE) != score_key(recall, more)
    assert score_key(recall, more) == score_key(recall, turned)
    function = msgspec.structs.replace(recall, revision="0" * 64, uses_sources=False)
    assert score_key(function, CASE) == score_key(function, more)
