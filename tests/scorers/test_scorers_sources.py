"""What was retrieved against what should have been."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.score import Score
from llmops_tui.domain.scorers_of_sources import SOURCE_SCORERS
from llmops_tui.scorers import judge

SOURCE_GRADED = frozenset(kind.name for kind in SOURCE_SCORERS)


def score(name: str, retrieved: list[str], expected: list[str], k: int | None = None) -> Score:
    """Retrieved: `path`, `path#position`, or `path#position:text`."""
    chunks = []
    for written in retrieved:
        path, _, rest = written.partition("#")
        position, _, text = rest.partition(":")
        chunks.append(Chunk(path, text or "Text.", 1.0, int(position or 0)))
    case = Case("c", {}, expected_sources=tuple(expected))
    return judge(ScorerUse(name, {"k": k}, label=name), Output("", retrieved=tuple(chunks)), case)


def value(name: str, retrieved: list[str], expected: list[str], k: int | None = None) -> float:
    given_ = score(name, retrieved, expected, k)
    assert given_.error is None
    assert given_.value is not None
    return given_.value


def test_recall_is_the_share_of_expected_sources_and_names_what_is_missing() -> None:
    found = score("recall_at_k", ["a", "b"], ["a", "c", "d", "e", "f"])
    assert (found.value, found.passed) == (0.2, False)
    assert found.reason == "1 of 5 expected sources; missing: c, d, e, …"
    assert score("recall_at_k", ["x", "a"], ["a"]).passed


def test_k_counts_sources_and_not_chunks() -> None:
    chunks = ["a#0", "a#1", "a#2", "b#0"]
    assert value("recall_at_k", chunks, ["b"], 1) == 0
    assert value("recall_at_k", chunks, ["b"], 2) == 1
    assert value("mrr", chunks, ["b"]) == 1 / 2
    assert value("precision_at_k", chunks, ["a"]) == 1 / 2


def test_precision_at_k_counts_empty_places_as_wrong() -> None:
    assert value("precision_at_k", ["a", "b"], ["a", "b"]) == 1
    assert value("precision_at_k", ["a", "b"], ["a", "b"], 4) == 0.5
    assert value("precision_at_k", [], ["a"]) == 0


def test_the_gain_of_a_worked_example() -> None:
    # Places 2 and 3 hold the two that are expected.
    gain = 1 / math.log2(3) + 1 / math.log2(4)
    ideal = 1 / math.log2(2) + 1 / math.log2(3)
    assert value("ndcg", ["x", "a", "b", "y"], ["b", "a"]) == pytest.approx(gain / ideal)
    assert value("ndcg", ["x", "a", "b", "y"], ["b", "a"], 2) == pytest.approx((1 / math.log2(3)) / ideal)
    assert value("ndcg", ["a", "b"], ["a", "b", "c"], 2) == 1


def test_a_part_of_a_document_is_a_source_of_its_own() -> None:
    chunks = ["a#0", "a#2", "b"]
    assert value("mrr", chunks, ["a#2"]) == 1 / 2
    assert value("recall_at_k", chunks, ["a#2", "a#3"]) == 0.5
    assert value("precision_at_k", chunks, ["a#0", "a#2"]) == 2 / 3


def test_a_section_is_found_by_a_heading_that_the_chunk_shows() -> None:
    chunks = ["a#0:# Refunds\n\n## Other\n\ntext", "a#1:# Refunds\n\n## The  window\n\ntext", "b"]
    assert value("mrr", chunks, ["a#the window"]) == 1 / 2
    assert value("mrr", chunks, ["a#Refunds"]) == 1
    assert value("recall_at_k", chunks, ["a#window"]) == 0


def test_without_expected_sources_it_is_an_error_and_not_a_zero() -> None:
    for name in SOURCE_GRADED:
        found = score(name, ["a"], [])
        assert (found.value, found.passed) == (None, None)
        assert "`expected_sources`" in (found.error or "")


SOURCES = st.sampled_from(["a", "b", "c", "a#0", "a#1", "b#2"])


@given(
    st.lists(SOURCES),
    st.lists(SOURCES, min_size=1),
    st.none() | st.integers(1, 5),
    st.sampled_from(sorted(SOURCE_GRADED)),
)
def test_values_are_shares_and_the_best_order_is_worth_most(
    retrieved: list[str], expected: list[str], k: int | None, name: str
) -> None:
    got = value(name, retrieved, expected, k)
    assert 0 <= got <= 1
    if name in ("recall_at_k", "ndcg") and k is None:
        first = [s for s in retrieved if s in expected] + [s for s in retrieved if s not in expected]
        assert value("recall_at_k", first, expected) == value("recall_at_k", retrieved, expected)
    if not retrieved:
        assert got == 0
