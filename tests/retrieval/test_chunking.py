"""Documents into chunks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.retrieval import chunk

DOCUMENTS = st.text(st.sampled_from("ab é\n\r\t#.—天"), max_size=400)


@st.composite
def settings(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, 20))
    return size, draw(st.integers(0, size - 1))


@given(DOCUMENTS, settings())
def test_every_word_is_in_a_chunk_and_chunks_overlap_as_asked(text: str, setting: tuple[int, int]) -> None:
    size, overlap = setting
    pieces = [piece.text.split() for piece in chunk("a.md", text, size, overlap)]
    joined = [word for k, words in enumerate(pieces) for word in (words if k == 0 else words[overlap:])]
    assert joined == text.split()
    for before, after in pairwise(pieces):
        assert before[len(before) - overlap :] == after[:overlap]
        assert len(before) <= size
        assert len(after) > overlap


@given(DOCUMENTS, settings())
def test_a_chunk_is_a_piece_of_the_document_as_it_stands(text: str, setting: tuple[int, int]) -> None:
    pieces = chunk("a.md", text, *setting)
    assert [piece.position for piece in pieces] == list(range(len(pieces)))
    for piece in pieces:
        assert piece.source == "a.md"
        assert piece.text in text.replace("\r\n", "\n")
        assert piece.text == piece.text.strip()


def test_a_chunk_ends_at_a_blank_line_where_one_is_in_its_second_half() -> None:
    text = "one two three four\n\nfive six seven eight"
    assert [p.text for p in chunk("a", text, 6)] == ["one two three four", "five six seven eight"]


def test_a_blank_line_in_the_first_half_is_no_reason_to_stop() -> None:
    text = "one\n\ntwo three four five six seven eight"
    assert [p.text for p in chunk("a", text, 6)] == ["one\n\ntwo three four five six", "seven eight"]


def test_a_heading_stays_with_what_it_heads() -> None:
    text = "one two three\n\n# Heading\n\nfour five six seven"
    assert [p.text for p in chunk("a", text, 6)] == ["one two three", "# Heading\n\nfour five six seven"]


def test_a_short_document_is_one_chunk_and_an_empty_one_none() -> None:
    assert [p.text for p in chunk("a", "  Hello,\n\nthere. \n", 120)] == ["Hello,\n\nthere."]
    assert chunk("a", " \n\n ", 120) == []


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (5, 5), (5, 6), (5, -1)])
def test_an_overlap_as_large_as_a_chunk_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap_words must be smaller"):
        chunk("a", "text", size, overlap)
