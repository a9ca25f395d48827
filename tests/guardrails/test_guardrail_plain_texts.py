"""topic by words, max_length and refusal."""

from __future__ import annotations

from typing import Any

import pytest

from llmops_tui.guardrails.checks import prepare
from llmops_tui.guardrails.registry import About, Deadline, Found


def look(kind: str, options: dict[str, Any], text: str) -> Found:
    return prepare(kind, options)(text, About("input"), Deadline(10))


def topic(text: str, *, allowed: tuple[str, ...] = (), denied: tuple[str, ...] = ()) -> Found:
    return look("topic", {"allowed": [*allowed], "denied": [*denied]}, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("gambling", "Can I gamble here?"),
        ("refund", "When are you refunding me?"),
        ("politics", "What is your political view?"),
        ("investments", "Should I invest my savings?"),
        ("Rückerstattung", "Wann kommen meine Rückerstattungen?"),
        ("LEGAL ADVICE", "i need advice that is legal"),
    ],
)
def test_a_denied_topic_is_known_by_the_stems_of_its_words(word: str, text: str) -> None:
    assert topic(text, denied=(word,)).score > 0.9
    assert topic("Where is my parcel?", denied=(word,)).score == 0


def test_the_score_is_the_share_of_a_descriptions_words() -> None:
    denied = ("medical advice about drugs",)
    one, two, three = (
        topic(text, denied=denied).score for text in ("advice", "medical advice", "medical advice on drugs")
    )
    assert 0 < one < 0.5 < two < three < 1


def test_the_words_of_a_denied_topic_are_the_matches() -> None:
    text = "Is GAMBLING legal?"
    found = topic(text, denied=("gamble",))
    assert [(text[m.start : m.end], m.label) for m in found.matches] == [("GAMBLING", "[topic]")]
    assert found.reason == 'is about "gamble"'


def test_what_names_nothing_that_is_allowed_is_surer_off_the_more_it_says() -> None:
    allowed = ("orders and parcels", "lamps")
    assert topic("Hello!", allowed=allowed).score < 0.5
    short = topic("Tell me about Rome", allowed=allowed).score
    longer = topic("Write an essay about Roman emperors, marble temples and war", allowed=allowed).score
    assert short < 0.5 < longer
    assert topic("My parcel has marble emperors and temples and war", allowed=allowed).score < 0.5


def test_denied_weighs_more_than_allowed() -> None:
    found = topic("Can I gamble for a lamp?", allowed=("lamps",), denied=("gambling",))
    assert found.score > 0.9


def test_what_is_beyond_the_lowest_limit_is_the_match() -> None:
    found = look("max_length", {"value": 11, "words": 1, "tokens": 3}, "Hello there, world")
    assert found.score == 1
    [match] = found.matches
    assert (match.start, match.end, match.label) == (6, 18, "…")
    assert found.reason == (
        "has 18 characters, at most 11; has about 5 tokens, at most 3; has 3 words, at most 1"
    )


def test_a_text_of_just_the_limit_is_fine() -> None:
    options = {"value": 11, "words": 2, "tokens": 3}
    assert look("max_length", options, "Hello world").score == 0
    assert look("max_length", {"value": None, "words": 0, "tokens": None}, "").score == 0
    assert look("max_length", {"value": None, "words": 0, "tokens": None}, "a").score == 1


def test_a_refusal_is_known_by_its_words_at_the_start() -> None:
    assert look("refusal", {}, "I’m sorry, but I can’t help with that.").score == 1
    assert look("refusal", {}, "Sure. " * 100 + "I cannot help with returns of gifts.").score == 0
