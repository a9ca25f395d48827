"""What an answer says and nothing retrieved does, by words."""

from __future__ import annotations

import contextlib

import pytest

from llmops_tui.guardrails.grounded import grounded
from llmops_tui.guardrails.registry import About, CannotCheck, Deadline, Found, TooSlow

REFUNDS = "Refunds are possible within 30 days of delivery. The item must be unused."
SHIPPING = "Parcels to Belgium arrive within 5 working days."


def look(text: str, *context: str, limit_s: float = 60.0) -> Found:
    return grounded({"method": "words"})(text, About("output", context=context), Deadline(limit_s))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Refunds are possible within 30 days of delivery.", 0.0),
        ("Refunds are possible within 90 days of delivery.", 1.0),
        ("Refunds are possible within 30 days of delivery. Write to pay@evil.example.", 0.5),
        ("Parcels to Belgium arrive within 30 days.", 1.0),
        ("Hello! What can I do for you?", 0.0),
        ("I'm sorry, but I can't help with that.", 0.0),
        ("That is not mentioned in the documents.", 0.0),
        ("", 0.0),
    ],
)
def test_the_score_is_the_share_of_sentences_that_nothing_supports(text: str, score: float) -> None:
    assert look(text, REFUNDS, SHIPPING).score == pytest.approx(score)


def test_the_reason_names_a_sentence() -> None:
    found = look("Refunds take 90 days. The item must be unused.", REFUNDS)
    assert found.reason == 'not supported in what was retrieved, 1 of 2 sentences: "Refunds take 90 days."'


def test_without_context_every_sentence_that_states_something_is_unsupported() -> None:
    found = look("Refunds are possible within 30 days. Hello!")
    assert found.score == 1.0
    assert "as nothing was retrieved" in found.reason
    assert look("Hello!").score == 0.0


def test_too_much_text_is_no_verdict() -> None:
    with pytest.raises(CannotCheck, match="the answer has 1,000,000 characters"):
        look("a" * 1_000_000, REFUNDS)
    with pytest.raises(CannotCheck, match="what was retrieved has"):
        look("Refunds.", "a" * 1_000_000)


@pytest.mark.parametrize("piece", ["a", "abc1 ", "Ab. ", "1. ", "x@y.z ", "字", "- a\n", "abcdé"])
def test_a_long_text_is_told_or_is_too_slow_and_never_hangs(piece: str) -> None:
    text = piece * (190_000 // len(piece))
    with contextlib.suppress(TooSlow):
        look(text, text, limit_s=0.2)
    with contextlib.suppress(TooSlow):
        look(text, REFUNDS, limit_s=0.2)
