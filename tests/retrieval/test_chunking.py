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


ANY_CUT = st.sampled_from(["words", "sentences", "headings"])
BLOCKS = (
    *("# One", "## Two", "### Three deep", "Title\n=====", "Under\n---", "```\n# no heading\n```", ""),
    *("Some words here. And more of them! Is that so?", "- point", "Dr. Who said e.g. this.", "plain"),
)
MARKDOWN = st.lists(st.sampled_from(BLOCKS), max_size=12).map("\n".join)


@given(MARKDOWN, settings(), ANY_CUT)
def test_no_chunk_is_longer_than_was_asked_however_it_is_cut(
    text: str, setting: tuple[int, int], chunk_by: str
) -> None:
    pieces = chunk("a.md", text, *setting, chunk_by)
    assert [piece.position for piece in pieces] == list(range(len(pieces)))
    for piece in pieces:
        assert 1 <= len(piece.text.split()) <= setting[0]
        assert piece.text == piece.text.strip()


@given(MARKDOWN | DOCUMENTS, settings(), st.sampled_from(["sentences", "headings"]))
def test_no_word_is_lost_however_it_is_cut(text: str, setting: tuple[int, int], chunk_by: str) -> None:
    kept = {word for piece in chunk("a.md", text, *setting, chunk_by) for word in piece.text.split()}
    marks = {word for word in text.split() if set(word) <= set("#=-")}
    assert set(text.split()) - marks <= kept


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), settings())
def test_by_sentences_chunks_follow_each_other_and_repeat_whole_sentences_only(
    lengths: list[int], setting: tuple[int, int]
) -> None:
    size, overlap = setting
    sentences: list[list[int]] = []
    for length in lengths:
        start = sentences[-1][-1] + 1 if sentences else 0
        sentences.append(list(range(start, start + length)))
    text = " ".join(" ".join(f"W{n}" for n in sentence) + "." for sentence in sentences)
    starts = {sentence[0] for sentence in sentences}
    chunks = [
        [int(word.strip("W.")) for word in piece.text.split()]
        for piece in chunk("a.md", text, size, overlap, "sentences")
    ]
    assert chunks[0][0] == 0
    assert chunks[-1][-1] == sentences[-1][-1]
    for words in chunks:
        assert words == list(range(words[0], words[-1] + 1))
    for before, after in pairwise(chunks):
        repeated = before[-1] + 1 - after[0]
        assert 0 <= repeated <= overlap
        assert after[-1] > before[-1]
        assert not repeated or after[0] in starts


def by(chunk_by: str, text: str, size: int, overlap: int = 0) -> list[str]:
    return [piece.text for piece in chunk("a.md", text, size, overlap, chunk_by)]


def test_sentences_are_kept_whole_and_filled_up() -> None:
    text = "One two. Three four five! Six? Seven eight nine ten."
    assert by("sentences", text, 6) == ["One two. Three four five! Six?", "Seven eight nine ten."]


def test_whole_sentences_are_repeated_as_far_as_that_is_allowed() -> None:
    text = "One two. Three. Four five six. Seven eight."
    assert by("sentences", text, 4, 2) == ["One two. Three.", "Three. Four five six.", "Seven eight."]


def test_only_a_sentence_longer_than_a_chunk_is_cut() -> None:
    assert by("sentences", "One two three four five. Six.", 3) == ["One two three", "four five. Six."]


@pytest.mark.parametrize(
    "text",
    [
        "Ask Dr. Who about it.",
        "Write e.g. Monday or so.",
        "It costs 3.50 Euros today.",
        "See J. R. Tolkien there.",
        "It is approx. 5 days.",
        "He said so. and went on.",
    ],
)
def test_a_point_within_a_sentence_ends_none(text: str) -> None:
    words = text.split()
    assert by("sentences", f"{text} Next one.", len(words) + 1)[0] == text


def test_a_heading_stays_with_the_sentence_behind_it() -> None:
    text = "One two three.\n# Heading here\nFour five."
    assert by("sentences", text, 6) == ["One two three.", "# Heading here\nFour five."]


GUIDE = """Before all.

# Shop

## Refunds

Ask within 30 days. Money comes in a week.

### Late

After that, ask us.

## Hours
"""


def test_by_headings_a_section_is_a_chunk_under_the_headings_that_it_stands_under() -> None:
    assert by("headings", GUIDE, 40) == [
        "Before all.",
        "# Shop\n\n## Refunds\n\nAsk within 30 days. Money comes in a week.",
        "# Shop\n\n## Refunds\n\n### Late\n\nAfter that, ask us.",
        "# Shop\n\n## Hours",
    ]


def test_a_section_that_is_too_long_has_its_headings_on_every_chunk() -> None:
    text = "# Shop\n\n" + " ".join(f"w{k}" for k in range(12))
    assert by("headings", text, 8, 1) == [
        "# Shop\n\nw0 w1 w2 w3 w4 w5",
        "# Shop\n\nw5 w6 w7 w8 w9 w10",
        "# Shop\n\nw10 w11",
    ]


def test_underlined_headings_are_headings_and_code_is_not() -> None:
    text = "Shop\n====\n\nOpen.\n\n```sh\n# comment\n```\n\nHours\n---\nNine."
    assert by("headings", text, 40) == [
        "# Shop\n\nOpen.\n\n```sh\n# comment\n```",
        "# Shop\n\n## Hours\n\nNine.",
    ]


def test_front_matter_is_no_heading() -> None:
    text = "---\ntitle: Shop\n---\n# Shop\nOpen."
    assert by("headings", text, 40) == ["---\ntitle: Shop\n---", "# Shop\n\nOpen."]


def test_cutting_a_long_document_takes_no_time_worth_mention() -> None:
    """Quadratic patterns would need minutes here."""
    for text in (
        "# " + " " * 200_000 + "x",
        "#" * 200_000,
        "a\n---\n" * 50_000,
        "`" * 200_000,
        ". " * 100_000,
    ):
        for chunk_by in ("sentences", "headings"):
            assert by(chunk_by, text, 100_000)
