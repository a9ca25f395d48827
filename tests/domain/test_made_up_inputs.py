"""Made-up inputs: what a person typed, as values; the id that is suggested; twins."""

from __future__ import annotations

import pytest

from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.playground import (
    NewCase,
    Variable,
    checked,
    lacking,
    suggested_id,
    twin,
    values_of,
    variables,
)

CASES = (Case("a", {"q": "x", "n": [1]}, file="e.yaml", line=3), Case("b", {"q": "y", "n": [2]}))


def test_a_variable_that_no_case_gives_as_text_is_written_as_json() -> None:
    known = variables({"q": True, "n": True, "tone": False}, CASES)
    assert known == (Variable("q"), Variable("n", True, True), Variable("tone", False))
    assert values_of(known, {"q": "1", "n": "[1, 2]", "tone": ""}) == {"q": "1", "n": [1, 2]}
    with pytest.raises(UsageError, match="n is no JSON"):
        values_of(known, {"n": "[1,"})
    with pytest.raises(UsageError, match="n is empty"):
        values_of(known, {"n": " "})
    with pytest.raises(UsageError, match="n is no JSON"):
        values_of(known, {"n": "NaN"})


def test_what_a_terminal_obeys_is_no_input() -> None:
    assert values_of((Variable("q"),), {"q": "a\x1b[31mb\r\nc\x00"}) == {"q": "ab\nc"}


def test_a_blank_input_is_lacking() -> None:
    assert lacking((Variable("q"), Variable("n", False)), {"q": " \n"}) == ("q",)
    assert lacking((Variable("q"),), {"q": 0}) == ()


def test_an_id_is_made_of_the_first_words_and_is_nobody_elses() -> None:
    assert suggested_id({"q": "How do I get a refund, please?"}, ()) == "how-do-i-get-a"
    assert suggested_id({"q": "How do I get a refund?"}, ("how-do-i-get-a",)) == "how-do-i-get-a-2"
    assert suggested_id({"q": "…", "n": 3}, ("case", "case-2")) == "case-3"
    assert suggested_id({"q": "返品 はできますか"}, ()) == "返品-はできますか"


@pytest.mark.parametrize("id_", ["", "  ", "a\nb", "x" * 201])
def test_an_id_that_is_none_is_refused(id_: str) -> None:
    with pytest.raises(UsageError, match="needs an id"):
        checked(NewCase(id_, {"q": "z"}), CASES)


def test_an_id_or_inputs_that_are_there_are_refused() -> None:
    with pytest.raises(UsageError, match="the id 'a' is there already"):
        checked(NewCase("a", {"q": "z"}), CASES)
    with pytest.raises(UsageError, match=r"the case 'a' asks just this already; it is in e.yaml:3"):
        checked(NewCase("c", {"q": "x", "n": [1]}), CASES)
    assert twin({"q": "x", "n": [True]}, CASES) is None


def test_tags_and_expected_are_tidied() -> None:
    new = checked(NewCase(" c ", {"q": "z"}, "", ("t", " t", "", "u")), CASES)
    assert new == NewCase("c", {"q": "z"}, None, ("t", "u"))
