"""The catalogue: scorers of what was retrieved, held against `expected_sources`."""

from __future__ import annotations

from llmops_tui.domain import scorer_options as options_of
from llmops_tui.domain.scorer_kind import Example, ScorerKind

_WANTED = ("docs/refunds.md", "docs/orders.md")
_FOUND = ("docs/shipping.md", "docs/refunds.md", "docs/refunds.md#1", "docs/account.md")
_SOURCES = (
    " It is held against the case's `expected_sources`; of the chunks of a document, the first counts "
    "([Retrieval](retrieval.md#evaluated-alone))."
)

SOURCE_SCORERS = (
    ScorerKind(
        name="recall_at_k",
        options=options_of.AtK,
        summary="Which share of the expected sources was retrieved." + _SOURCES,
        examples=(
            Example("recall_at_k", "", 0.5, False, expected_sources=_WANTED, found=_FOUND),
            Example({"recall_at_k": 1}, "", 0.0, False, expected_sources=_WANTED, found=_FOUND),
        ),
        may_use_sources=True,
        needs_sources=True,
        shorthand="k",
        values="from 0 (none of them) to 1 (all)",
    ),
    ScorerKind(
        name="precision_at_k",
        options=options_of.AtK,
        summary="Which share of what was retrieved is expected."
        + _SOURCES
        + " With one expected source among three documents it is at most a third: give a `threshold`, or "
        "`k`. With `k`, places that hold nothing count as wrong.",
        examples=(
            Example("precision_at_k", "", 1 / 3, False, expected_sources=_WANTED, found=_FOUND),
            Example({"precision_at_k": 2}, "", 0.5, True, expected_sources=_WANTED, found=_FOUND),
        ),
        may_use_sources=True,
        needs_sources=True,
        shorthand="k",
        passes_from=0.5,
        values="from 0 to 1",
    ),
    ScorerKind(
        name="mrr",
        options=options_of.AtK,
        summary="How far up the first expected source stands: 1 divided by its place. The mean over cases is "
        "the mean reciprocal rank." + _SOURCES,
        examples=(
            Example("mrr", "", 0.5, True, expected_sources=_WANTED, found=_FOUND),
            Example({"mrr": 1}, "", 0.0, False, expected_sources=_WANTED, found=_FOUND),
        ),
        may_use_sources=True,
        needs_sources=True,
        shorthand="k",
        passes_from=0.5,
        values="1, 1/2, 1/3, …; 0 where there is none",
    ),
    ScorerKind(
        name="ndcg",
        options=options_of.AtK,
        summary="How near the order is to the best one, in which every expected source stands above all "
        "else: normalised discounted cumulative gain with two grades, discounted by the logarithm to base 2 "
        "(Järvelin and Kekäläinen, 2002)." + _SOURCES,
        examples=(
            Example("ndcg", "", 0.386853, False, expected_sources=_WANTED, found=_FOUND),
            Example("ndcg", "", 1.0, True, expected_sources=_WANTED[:1], found=_FOUND[1:]),
        ),
        may_use_sources=True,
        needs_sources=True,
        shorthand="k",
        passes_from=0.5,
        values="from 0 to 1",
    ),
)
