"""What the output says: texts, patterns, lengths."""

from __future__ import annotations

from typing import Any

import pytest

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.scorers import judge


def score(name: str, text: str, expected: Any = None, **options: Any) -> Score:
    checked = SCORERS[name].options(**options).model_dump()
    return judge(ScorerUse(name, checked, label=name), Output(text), Case("c", {}, expected=expected))


def test_reasons_are_short_clauses() -> None:
    assert score("contains", "Any time.", value="30 days").reason == '"30 days" is not in the output'
    assert score("max_words", "one two three", value=60).reason == "3 of at most 60 words"
    assert score("min_words", "", value=1).reason == "0 of at least 1 word"
    assert score("contains_all", "a", value=["a", "b", "c"]).reason == '"b", "c" are not in the output'
    assert score("starts_with", "No way", value="Yes").reason == 'starts with "No way", not "Yes"'


@pytest.mark.parametrize("name", ["contains", "contains_any", "contains_all", "not_contains", "starts_with"])
def test_case_matters_unless_it_is_said_not_to(name: str) -> None:
    value: Any = "Refund" if name in ("contains", "starts_with") else ["Refund"]
    unwanted = name == "not_contains"
    assert score(name, "refund it", value=value).passed is unwanted
    assert score(name, "REFUND it", value=value, case_sensitive=False).passed is not unwanted
    assert score(name, "Refund it", value=value).passed is not unwanted


def test_composed_and_decomposed_accents_sharp_s_and_no_break_spaces_are_equal() -> None:
    assert score("contains", "un cafe\u0301 noir", value="café").passed
    assert score("contains", "DIE STRASSE", value="straße", case_sensitive=False).passed
    assert score("contains", "within 30\u00a0days", value="30 days").passed
    assert score("equals", "a\r\nb", value="a\nb").passed
    assert score("equals", "İ", value="i\u0307", case_sensitive=False).passed


def test_superscripts_stay_what_they_are() -> None:
    assert not score("contains", "10 m²", value="10 m2").passed


def test_equals_compares_what_is_no_text_as_json() -> None:
    assert score("equals", "30", expected=30).passed
    assert score("equals", "true", expected=True).passed
    assert score("equals", '{"b": 2, "a": [1.0]}', expected={"a": [1], "b": 2}).passed
    assert not score("equals", '{"a": true}', expected={"a": 1}).passed
    assert score("equals", "nothing like it", expected={"a": 1}).passed is False


def test_an_empty_output_fails_and_does_not_break() -> None:
    for name, options in {
        "equals": {"value": "x"},
        "contains": {"value": "x"},
        "contains_any": {"value": ["x"]},
        "contains_all": {"value": ["x"]},
        "starts_with": {"value": "x"},
        "regex": {"value": "x"},
        "min_words": {"value": 1},
        "is_json": {},
        "number": {"value": 1},
        "similarity": {"value": "x"},
        "token_f1": {"value": "x"},
        "rouge_l": {"value": "x"},
    }.items():
        result = score(name, "", **options)
        assert (result.value, result.passed, result.error) == (0.0, False, None), name
        assert result.reason


def test_contains_all_gives_the_share_that_is_there() -> None:
    assert score("contains_all", "a b", value=["a", "b", "c", "d"]).value == 0.5


def test_a_list_as_expected_is_for_the_scorers_that_take_lists() -> None:
    assert score("contains_any", "one month", expected=["30 days", "month"]).passed
    error = score("contains", "one month", expected=["30 days", "month"]).error
    assert error is not None
    assert "contains_any" in error


def test_reasons_quote_untrusted_text_harmlessly_and_briefly() -> None:
    reason = score("starts_with", "\x1b[31mred\n\u202eline " + "x" * 10_000, value="no").reason
    assert "\x1b" not in reason
    assert "\n" not in reason
    assert len(reason) < 120


def test_a_regex_sees_lines_and_its_own_flags() -> None:
    assert score("regex", "a\r\nb", value="(?m)^b$").passed
    assert not score("regex", "ab", value="^b").passed
    assert score("regex", "  Yes\n", value="yes", whole=True, case_sensitive=False).passed
    assert not score("regex", "Yes!", value="Yes", whole=True).passed


def test_a_pattern_that_would_take_for_ever_is_an_error_that_says_so() -> None:
    result = score("regex", "a" * 100_000, value="(.*a){12}b")
    assert result.value is None
    assert result.error is not None
    assert "took longer than 1 s" in result.error
    assert "make it simpler" in result.error


def test_a_megabyte_of_output_is_judged_by_every_scorer() -> None:
    text = "Lorem ipsum dolor 12 sit. " * 40_000
    assert score("contains", text, value="nowhere").passed is False
    assert score("max_words", text, value=60).reason == "200,000 of at most 60 words"
    assert score("max_chars", text, value=60).passed is False
    assert score("is_json", text).passed is False
    assert score("number", text, value=12).passed
    assert score("regex", text, value=r"\d+ days").passed is False
    assert score("similarity", text, value="Lorem").passed is False
    assert score("token_f1", text, value="lorem ipsum").value == pytest.approx(4 / 200_002)
    assert score("rouge_l", text, value="lorem ipsum").value == pytest.approx(4 / 200_002)
    assert score("refusal", text, value=False).passed


def test_lengths_count_words_by_white_space_and_characters_composed() -> None:
    assert score("max_words", "don't  stop —\nnow", value=4).passed
    assert not score("max_words", "don't  stop —\nnow", value=3).passed
    assert score("max_chars", "cafe\u0301\r\n", value=5).passed
    assert not score("max_chars", "cafe\u0301\r\n", value=4).passed
