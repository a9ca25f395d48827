"""Numbers in the output, nearness to a reference, what the output took."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.scorers import judge
from llmops_tui.scorers.number import numbers


def score(name: str, output: str | Output, expected: Any = None, **options: Any) -> Score:
    checked = SCORERS[name].options(**options).model_dump()
    given_output = output if isinstance(output, Output) else Output(output)
    return judge(ScorerUse(name, checked, label=name), given_output, Case("c", {}, expected=expected))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You have 30 days.", [30]),
        ("$1,234.50, or 1'234", [1234.5, 1234]),
        ("1\u202f234\u202f567 people", [1234567]),
        ("between 10-20 and -5, +4", [10, 20, -5, 4]),
        ("- 5 days\n- 6 days", [5, 6]),
        ("−3 °C, -$30", [-3, -30]),
        ("list 1,2,3", [1, 2, 3]),
        ("30% of 30days", [30, 30]),
        ("version 3.5.1, section A4, v12", []),
        ("6.02e23 and .5", [6.02e23, 0.5]),
        ("1e999", []),
        ("the end is 7.", [7]),
        ("1" * 100, []),
    ],
)
def test_numbers_are_found_as_people_write_them(text: str, found: list[float]) -> None:
    assert list(numbers(text)) == found


def test_a_decimal_comma_is_an_option() -> None:
    assert list(numbers("1.234,50 € und 2,5", ",")) == [1234.5, 2.5]
    assert list(numbers("1,234.5", ",")) == [1.234]
    assert score("number", "Das sind 1.234,50 €.", value=1234.5, decimal=",").passed


@given(st.integers(-(10**12), 10**12))
def test_every_integer_is_found_grouped_or_not(n: int) -> None:
    assert list(numbers(f"It is {n}.")) == [n]
    assert list(numbers(f"It is {n:,}.")) == [n]


def test_tolerance_is_absolute_relative_or_none() -> None:
    assert not score("number", "31", value=30).passed
    assert score("number", "31", value=30, tolerance=1).passed
    assert score("number", "31", value=30, relative=0.05).passed
    assert score("number", "0.30000000000000004", value=0.3).passed
    assert score("number", "31", value=30).reason == "the nearest number is 31, not 30"


def test_which_number_counts_can_be_said() -> None:
    text = "Not 14 but 30, at most 45."
    assert score("number", text, value=30).passed
    assert score("number", text, value=14, pick="first").passed
    assert not score("number", text, value=30, pick="last").passed


def test_expected_may_be_a_text_with_a_number() -> None:
    assert score("number", "30", expected="30 days").passed
    assert "there is none in `expected`" in (score("number", "30", expected="a month").error or "")
    assert "`expected` is true" in (score("number", "30", expected=True).error or "")
    assert score("number", "thirty", expected=30).reason == "no number in the output"


def test_similarity_is_one_for_equal_texts_and_passes_from_four_fifths() -> None:
    assert score("similarity", " You have 30 days.\n", value="You have 30 days.").value == 1.0
    assert score("similarity", "abcdefghij", value="abcdefghix").value == pytest.approx(0.9)
    assert score("similarity", "abcdefghij", value="zzzzzzzzzz").passed is False
    assert score("similarity", "b a", value="a b", method="token_sort").value == 1.0
    assert score("similarity", "so 30 days it is", value="30 days", method="partial").value == 1.0


def test_of_several_references_the_nearest_counts() -> None:
    assert score("similarity", "a month", expected=["30 days", "a month"]).value == 1.0
    assert score("rouge_l", "a month", expected=["30 days", "a month"]).value == 1.0


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # 2 of 3 words are right, 2 of 4 are there: 2 * (2/3 * 1/2) / (2/3 + 1/2) = 4/7.
    result = score("token_f1", "The refund, arrives!", value="refund arrives within days")
    assert result.value == pytest.approx(4 / 7)
    assert result.reason == "2 words shared, of 3 in the output and 4 in the reference"


def test_rouge_l_gives_the_figures_of_the_paper() -> None:
    # Lin (2004), section 3.1: "police killed the gunman" against "police kill the gunman" (LCS 3 of 4),
    # "the gunman kill police" (LCS 2 of 4).
    reference = "police killed the gunman"
    assert score("rouge_l", "police kill the gunman", value=reference).value == 0.75
    assert score("rouge_l", "the gunman kill police", value=reference).value == 0.5


@given(st.text(max_size=60), st.text(min_size=1, max_size=60))
def test_values_stay_between_zero_and_one_whatever_the_texts(output: str, reference: str) -> None:
    for name in ("similarity", "token_f1", "rouge_l", "contains", "equals"):
        result = score(name, output, value=reference)
        assert result.error is not None or 0.0 <= (result.value or 0.0) <= 1.0
    assert score("similarity", reference, value=reference).value == 1.0


def test_a_word_of_each_ideograph_and_no_punctuation() -> None:
    assert score("token_f1", "三十天。", value="三十日").value == pytest.approx(2 / 3)


def test_texts_that_would_hold_up_the_worker_are_refused() -> None:
    text = "Lorem ipsum dolor. " * 60_000
    assert "too long to compare" in (score("similarity", text, value=text).error or "")
    assert "too long to compare" in (score("similarity", text, value="x" * 500, method="partial").error or "")


def test_latency_and_cost_are_those_of_the_output() -> None:
    slow = Output("x", latency_s=2.61, cost_usd=0.0123)
    assert score("max_latency", slow, value=3).passed
    assert score("max_latency", slow, value=2).reason == "2.61 s of at most 2 s"
    assert score("max_cost", slow, value=0.02).reason == "$0.0123 of at most $0.02"
    assert not score("max_cost", slow, value=0).passed
    assert score("max_cost", Output("x", cost_usd=0.0), value=0).passed


def test_a_cost_that_is_not_known_is_unscored_not_free() -> None:
    result = score("max_cost", Output("x"), value=1)
    assert (result.value, result.passed, result.error) == (None, None, None)
    assert "the cost is not known" in result.reason


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist with this request.",
        "Sorry, I am unable to provide that.",
        "I must decline.",
        "As an AI, I don't have opinions about that.",
        "I won't do that.",
        "That's against my guidelines.",
    ],
)
def test_usual_refusals_are_recognised(text: str) -> None:
    assert score("refusal", text).passed
    assert score("refusal", text, value=False).reason.startswith('a refusal: says "')


@pytest.mark.parametrize(
    "text",
    [
        "You can't return it after 30 days.",
        "I can help with that.",
        "Sorry to hear that. You have 30 days.",
        "",
        "You have 30 days. " * 30 + "I can't help with that.",
    ],
)
def test_answers_are_no_refusals(text: str) -> None:
    assert not score("refusal", text).passed
    assert score("refusal", text, value=False).passed


def test_what_the_provider_calls_a_refusal_is_one() -> None:
    assert score("refusal", Output("", refused=True)).passed
    assert score("refusal", Output("Well", finish_reason="content_filter")).passed
    assert score("refusal", "That I do not know.", phrases=["do not know"]).passed
