"""Answers from retrieved context, judged by words: what that catches, and what it can't."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_answers import FIRST, SECOND, Labelled

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.score import Score, score_key
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.domain.sentences import sentences
from llmops_tui.scorers import judge
from llmops_tui.scorers.grounding import average_precision
from llmops_tui.scorers.support import Passage, missing

PAGE = Path(__file__).parents[2] / "docs" / "judges.md"
REFUNDS = (
    "# Refunds\n\nYou can ask for a refund within 30 days of delivery. Write to returns@larkfield.example."
)
CARDS = "A gift card is valid for 3 years. Gift cards come in 25, 50 and 1,000 euros."


def scored(name: str, text: str, *passages: str, case: Case | None = None, **options: Any) -> Score:
    checked = SCORERS[name].options(method="words", **options).model_dump(mode="json")
    chunks = tuple(Chunk(f"docs/{n}.md", passage, 1.0, n) for n, passage in enumerate(passages))
    use = ScorerUse(name, checked, label=name, uses_expected=True, uses_sources=True)
    return judge(use, Output(text, retrieved=chunks), case or Case("c", {"question": "How long?"}))


# -- how good it is: the figures of docs/judges.md


def verdicts(answers: tuple[Labelled, ...]) -> tuple[Counter[str], Counter[str]]:
    """Kind of fault (empty: faithful) → how many there are, and how many of them were called unfaithful."""
    of, flagged = Counter[str](), Counter[str]()
    for each in answers:
        checked = SCORERS["faithfulness"].options(method="words").model_dump(mode="json")
        case = Case("c", {"question": each.question})
        score = judge(
            ScorerUse("faithfulness", checked), Output(each.answer, retrieved=each.retrieved()), case
        )
        assert score.error is None
        of[each.fault] += 1
        flagged[each.fault] += score.passed is False
    return of, flagged


@pytest.mark.parametrize("answers", [FIRST, SECOND], ids=["first", "second"])
def test_it_catches_8_of_10_unfaithful_answers_and_blames_1_of_10_faithful_ones(
    answers: tuple[Labelled, ...],
) -> None:
    of, flagged = verdicts(answers)
    assert (of[""], flagged[""]) == (10, 1)
    assert of.total() - of[""] == 10
    assert flagged.total() - flagged[""] == 8


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        ("faithful", [""]),
        ("wrong number, unit or time", ["number", "unit", "time"]),
        ("wrong name or address", ["name", "address"]),
        ("invented", ["invented"]),
        ("the number of another fact", ["number of another fact"]),
        ("the opposite", ["negation"]),
    ],
)
def test_what_it_catches_is_what_the_page_says(row: str, kinds: list[str]) -> None:
    of, flagged = verdicts(FIRST + SECOND)
    (line,) = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| {row}")]
    told = [int(cell) for cell in line.split("|")[2:4]]
    assert told == [sum(of[kind] for kind in kinds), sum(flagged[kind] for kind in kinds)]


# -- faithfulness


@pytest.mark.parametrize(
    "answer",
    [
        "You can ask for a refund within 30 days.",
        "Refunds: within thirty days of the delivery.",
        "Gift cards are valid for three years!",
        "There are gift cards of € 1000 and 1,000.00 euros.",
        "Write to Returns@larkfield.example.",
    ],
)
def test_a_sentence_is_supported_in_other_forms_of_its_words_and_numbers(answer: str) -> None:
    assert scored("faithfulness", answer, REFUNDS, CARDS).reason == (
        "1 of 1 sentence found in what was retrieved"
    )


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [
        ("You can ask for a refund within 35 days.", "35"),
        ("You can ask for a refund within 30 weeks.", "30, weeks"),
        ("You can ask for a refund within 3 days.", "3"),
        ("You can ask for a refund in Berlin within 30 days.", "Berlin"),
        ("Ask for a refund at refunds@larkfield.example.", "refunds@larkfield.example"),
        ("Our shops offer free coffee.", "shops, offer, free, coffee"),
    ],
)
def test_a_sentence_that_is_not_supported_is_named_with_what_is_missing(answer: str, lacks: str) -> None:
    score = scored("faithfulness", f"{answer} A gift card is valid for 3 years.", REFUNDS, CARDS)
    assert (score.value, score.passed) == (0.5, False)
    assert score.reason == f'1 of 2 sentences not supported: "{answer}" (not found: {lacks})'


def test_several_are_named_and_the_rest_is_counted() -> None:
    claims = [
        f"The {what} in our big shop next to the old station costs {n} euros."
        for n, what in enumerate(["coffee", "tea", "bread", "cheese"], 71)
    ]
    reason = scored("faithfulness", " ".join(claims), REFUNDS, CARDS).reason
    assert reason.startswith("4 of 4 sentences not supported: ")
    for claim in claims[:3]:
        assert f'"{claim}" (not found: ' in reason
    assert reason.endswith("; and 1 more")


def test_one_passage_must_support_a_sentence_not_all_of_them_together() -> None:
    assert scored("faithfulness", "A gift card is valid for 30 days.", REFUNDS, CARDS).value == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Hello! Great question!",
        "## Refunds",
        "Would you like to know more?",
        "Here is what I found:",
        "I don't know.",
        "The documents do not mention prices.",
        "I'm sorry, but I can't help with that.",
    ],
)
def test_an_answer_that_claims_nothing_is_unscored(answer: str) -> None:
    score = scored("faithfulness", answer, REFUNDS)
    assert (score.value, score.passed, score.error) == (None, None, None)
    assert "claims nothing" in score.reason


def test_claims_from_nothing_are_not_supported() -> None:
    score = scored("faithfulness", "You have 30 days.")
    assert (score.value, score.passed) == (0.0, False)
    assert "not found: 30, days" in score.reason


@pytest.mark.parametrize(
    ("answer", "passage", "value"),
    [
        ("Die Rückgabe ist innerhalb von 30 Tagen möglich.", "Eine Rückgabe ist 30 Tage lang möglich.", 1.0),
        ("Die Rückgabe ist innerhalb von 14 Tagen möglich.", "Eine Rückgabe ist 30 Tage lang möglich.", 0.0),
        ("La livraison coûte 4,90 euros.", "La livraison standard coûte 4.90 €.", 1.0),
        ("返品は30日以内に可能です。", "商品の返品は30日以内に可能です。", 1.0),
        ("返品は14日以内に可能です。", "商品の返品は30日以内に可能です。", 0.0),
    ],
)
def test_other_languages_are_judged_by_their_words_and_numbers(
    answer: str, passage: str, value: float
) -> None:
    assert scored("faithfulness", answer, passage).value == value


# -- context_recall


def test_recall_is_the_share_of_the_statements_that_were_retrieved() -> None:
    case = Case("c", {}, expected="A refund is possible within 30 days. Express delivery costs 12 euros.")
    score = scored("context_recall", "whatever is said", REFUNDS, CARDS, case=case)
    assert (score.value, score.passed) == (0.5, False)
    assert score.reason.startswith(
        '1 of 2 statements not supported: "Express delivery costs 12 euros." (not found: '
    )


def test_a_list_is_statements_and_the_entry_may_have_its_own() -> None:
    case = Case("c", {}, expected=["30 days", "3 years", 1000])
    assert scored("context_recall", "", REFUNDS, CARDS, case=case).value == 1.0
    assert scored("context_recall", "", REFUNDS, CARDS, case=case, value="31 days").value == 0.0


def test_where_nothing_was_retrieved_nothing_is_recalled() -> None:
    score = scored("context_recall", "", case=Case("c", {}, expected="30 days"))
    assert (score.value, score.passed, score.reason) == (0.0, False, "nothing was retrieved")


@pytest.mark.parametrize(
    ("expected", "says"),
    [(None, "set its `value`, or `expected`"), ({"a": 1}, "a list of statements"), (" ", "states nothing")],
)
def test_a_reference_that_states_nothing_is_an_error(expected: Any, says: str) -> None:
    score = scored("context_recall", "", REFUNDS, case=Case("c", {}, expected=expected))
    assert score.value is None
    assert says in (score.error or "")


# -- context_precision


@pytest.mark.parametrize(
    ("relevant", "value"),
    [([True, False], 1.0), ([False, True], 0.5), ([True, False, True], (1 + 2 / 3) / 2), ([False], 0.0)],
)
def test_average_precision(relevant: list[bool], value: float) -> None:
    assert average_precision(relevant) == pytest.approx(value)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_what_is_relevant_is_worth_more_the_earlier_it_comes(relevant: list[bool]) -> None:
    value = average_precision(relevant)
    assert 0.0 <= value <= 1.0
    assert average_precision(sorted(relevant, reverse=True)) == float(any(relevant))
    assert value >= average_precision(sorted(relevant)) - 1e-12


def test_passages_are_relevant_by_the_sources_that_are_expected() -> None:
    case = Case("c", {}, expected="3 years", expected_sources=("docs/0.md",))
    score = scored("context_precision", "", REFUNDS, CARDS, case=case)
    assert (score.value, score.reason) == (1.0, "1 of 2 passages relevant; not relevant: 2 (docs/1.md)")
    other = Case("c", {}, expected_sources=("docs/1.md#1", "docs/0.md#7"))
    assert scored("context_precision", "", REFUNDS, CARDS, case=other).value == 0.5


def test_or_by_the_words_of_the_reference() -> None:
    case = Case("c", {}, expected="3 years")
    score = scored("context_precision", "", REFUNDS, CARDS, case=case)
    assert (score.value, score.passed) == (0.5, True)
    assert scored("context_precision", "", REFUNDS, CARDS, case=case, value="30 days").value == 1.0


def test_with_neither_it_is_an_error_and_without_passages_unscored() -> None:
    assert "set `expected_sources` or `expected`" in (
        scored("context_precision", "", REFUNDS, case=Case("c", {})).error or ""
    )
    score = scored("context_precision", "", case=Case("c", {}, expected="30 days"))
    assert (score.value, score.reason, score.error) == (None, "nothing was retrieved", None)


def test_other_expected_sources_make_another_score_and_none_change_no_key() -> None:
    use = ScorerUse("context_precision", {"method": "words"}, uses_sources=True)
    plain, named = Case("c", {}), Case("c", {}, expected_sources=("docs/0.md",))
    assert score_key(use, plain) != score_key(use, named)
    blind = ScorerUse("context_precision", {"method": "words"})
    assert score_key(blind, plain) == score_key(blind, named) == score_key(use, plain)


# -- the parts


def test_relevance_by_words_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(ValueError, match=r"by words nobody can tell .* name a judge"):
        SCORERS["answer_relevance"].options(method="words")


def test_a_method_that_stands_for_a_reference_is_refused() -> None:
    with pytest.raises(ValueError, match=r"write \{method: words\}"):
        SCORERS["context_recall"].options(value="words")


def test_words_ask_no_judge() -> None:
    with pytest.raises(ValueError, match="asks no model: leave out `votes`"):
        SCORERS["faithfulness"].options(method="words", votes=3)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "It costs 4.90 euros. See e.g. No. 5 of Dr. A. Smith.",
            ["It costs 4.90 euros.", "See e.g. No. 5 of Dr. A. Smith."],
        ),
        ("Is that so? The answer is no. We don't.", ["Is that so?", "The answer is no.", "We don't."]),
        ("A line\nthat goes on. And ends", ["A line that goes on.", "And ends"]),
        ("# Head\nText\n\n- one\n- two\n1. three", ["# Head", "Text", "- one", "- two", "1. three"]),
        ('He said "yes." Then he left.', ['He said "yes."', "Then he left."]),
        ("一つ。二つ！", ["一つ。", "二つ！"]),
        ("\n \n", []),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@given(st.text() | st.text(alphabet="aA1. ,!?\n-#€%:@/'"))
def test_every_text_is_read_whole_and_supports_itself(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    for sentence in found:
        assert missing(sentence, [Passage(sentence)]) in ([], None)


@pytest.mark.parametrize(
    "part", ["a", ".", "1", "1,234", "a.", "@", "a@", "http://", '"', "日", "A ", "x. Y"]
)
def test_long_texts_of_any_making_are_read_in_passing(part: str) -> None:
    text = part * (200_000 // len(part))
    score = scored("faithfulness", text, text)
    assert score.error is None or "at most 500 are judged" in score.error


def test_what_is_too_long_is_an_error() -> None:
    assert "at most 500,000 are judged by words" in (scored("faithfulness", "a " * 300_000).error or "")
