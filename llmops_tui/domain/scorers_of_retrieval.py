"""The catalogue, answers from retrieved context: as judges and by words (after Es et al., 2023)."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import rag_options as options_of
from llmops_tui.domain.scorer_kind import Example, ScorerKind

_REFUNDS = "You can ask for a refund within 30 days of delivery. Write to us with your order number."
_CARDS = "A gift card is valid for 3 years."
_PAY = "Cash is not accepted."


def _words(name: str, **options: Any) -> dict[str, Any]:
    return {name: {"method": "words", **options}}


RAG_SCORERS = (
    ScorerKind(
        name="faithfulness",
        options=options_of.Faithfulness,
        shorthand=None,
        summary="Every claim of the answer is supported by what was retrieved. The reason names the claims "
        "that are not. A judge is given the sentences of the answer, splits each into claims and decides "
        "on each (Es et al., 2023); of several `votes` the mean counts. By words, each sentence is a "
        "claim, supported by one passage that has its numbers, dates, names and addresses, and 60 % of its "
        "other words at least. An answer that claims nothing, or refuses, is unscored.",
        values="the share of the claims that are supported",
        examples=(
            Example(
                _words("faithfulness"),
                "You can ask for a refund within 30 days.",
                1.0,
                True,
                retrieved=(_REFUNDS, _CARDS),
            ),
            Example(
                _words("faithfulness"),
                "You can ask for a refund within 35 days. A gift card is valid for 3 years.",
                0.5,
                False,
                retrieved=(_REFUNDS, _CARDS),
            ),
        ),
        entries=(
            "faithfulness",
            {"faithfulness": {"use": "strict", "votes": 3, "threshold": 0.9}},
        ),
    ),
    ScorerKind(
        name="answer_relevance",
        options=options_of.AnswerRelevance,
        shorthand=None,
        summary="A judge says whether the answer is one to the question: `fully`, `partly` or `not`. "
        "Whether it is right does not count, and an answer that evades the question is none. (Es et al. "
        "compare questions made up from the answer with the one that was asked; here the judge is asked "
        "directly.) Of several `votes` the word said most often counts; of equally many, the worst. There "
        "is no plain method for it.",
        values="1 for `fully`, 0.5 for `partly`, 0 for `not`",
        entries=("answer_relevance", {"answer_relevance": {"input": "question", "threshold": 0.5}}),
    ),
    ScorerKind(
        name="context_recall",
        options=options_of.ContextRecall,
        reference="value",
        summary="What was retrieved supports each statement of the reference. The reason names those that "
        "it does not support. The answer is not looked at. A judge decides on each statement (of several "
        "`votes`, more than half); by words a statement is supported as a sentence is in `faithfulness`.",
        values="the share of the statements that are supported",
        examples=(
            Example(
                _words("context_recall"),
                "(the answer is not looked at)",
                0.5,
                False,
                expected="A refund is possible within 30 days. Express delivery costs 12 euros.",
                retrieved=(_REFUNDS, _CARDS),
            ),
            Example(
                _words("context_recall", value=["30 days", "order number"]),
                "(the answer is not looked at)",
                1.0,
                True,
                retrieved=(_REFUNDS,),
            ),
        ),
        entries=("context_recall", {"context_recall": "Refunds are possible within 30 days of delivery."}),
    ),
    ScorerKind(
        name="context_precision",
        options=options_of.ContextPrecision,
        shorthand=None,
        may_use_expected=True,
        may_use_sources=True,
        passes_from=0.5,
        summary="What was retrieved is relevant, and what is relevant comes first: the mean, over the "
        "relevant passages, of the share of relevant ones down to that place (average precision, as in "
        "RAGAS). The answer is not looked at. A judge decides on each passage, by the question and by the "
        "reference where there is one (of several `votes`, more than half). By words a passage is relevant "
        "that is named in `expected_sources`, or, in a case without, that supports a statement of the "
        "reference. Where nothing was retrieved it is unscored.",
        values="from 0 (nothing is relevant) to 1 (all that is relevant comes first)",
        examples=(
            Example(
                _words("context_precision"),
                "(the answer is not looked at)",
                0.5,
                True,
                expected="30 days",
                retrieved=(_CARDS, _REFUNDS),
            ),
            Example(
                _words("context_precision"),
                "(the answer is not looked at)",
                1.0,
                True,
                expected="30 days",
                retrieved=(_REFUNDS, _CARDS, _PAY),
            ),
        ),
        entries=("context_precision", {"context_precision": {"input": "question"}}),
    ),
)
