"""The filter of the case list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import Answers, helpdesk

from llmops_tui.app.case_filter import loosely, matches, parse
from llmops_tui.domain.comparison import compare


def found(text: str) -> list[str]:
    answers = Answers()
    baseline, candidate, cases = helpdesk(answers)
    tags = {case.id: case.tags for case in cases}
    terms = parse(text).terms

    def in_outputs(wanted: str, pair: object) -> bool:
        rows = (pair.baseline, pair.candidate)  # type: ignore[attr-defined]
        return any(wanted in answers.texts[i.output_id].lower() for r in rows for i in r.items)

    return [
        p.case_id
        for p in compare(baseline, candidate).pairs
        if matches(terms, p, tags.get(p.case_id, ()), in_outputs)
    ]


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        ("is:regressed", ["refund-window", "cancel-order"]),
        ("is:improved", ["shipping-cost", "warranty", "gift-card"]),
        ("is:regr", ["refund-window", "cancel-order"]),
        ("is:changed -is:improved", ["refund-window", "contact-phone", "cancel-order"]),
        ("score<0.5", ["refund-window"]),
        ("score<=0.5", ["refund-window", "cancel-order"]),
        ("delta<0", ["refund-window", "cancel-order"]),
        ("delta<−0.6", ["refund-window"]),
        ("tag:refunds", ["refund-window"]),
        ("tag:critical is:regressed", ["refund-window"]),
        ("tag:critical is:improved", []),
        ("rewi", ["refund-window"]),
        ("refund", ["refund-window"]),
        ('"three years"', ["gift-card"]),
        ("id:gift", ["gift-card"]),
        ("model:smol is:regressed", ["refund-window", "cancel-order"]),
        ("model:gpt", []),
    ],
)
def test_a_filter_keeps_the_cases_that_it_describes(text: str, cases: list[str]) -> None:
    assert found(text) == cases


def test_an_empty_filter_keeps_all() -> None:
    assert len(found("   ")) == 20


def test_a_filter_that_is_still_being_typed_is_no_mistake() -> None:
    for text in ("tag:", "score<", 'refund "at any', "is:"):
        assert parse(text).problem == ""


def test_a_word_that_is_not_known_gets_a_remedy() -> None:
    assert parse("is:regresed").problem == "there is no is:regresed; did you mean 'regressed'?"
    assert "is not a number" in parse("score<high").problem


def test_beginnings_of_words_find_a_name_and_its_middle_letters_do_not() -> None:
    assert loosely("shco", "shipping-cost")
    assert loosely("sc", "shipping-cost")
    assert not loosely("hc", "shipping-cost")


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_filter(text: str) -> None:
    answers = Answers()
    baseline, candidate, _ = helpdesk(answers)
    for pair in compare(baseline, candidate).pairs[:2]:
        matches(parse(text).terms, pair, ("tag",), lambda _wanted, _pair: False)
