"""Documents into chunks: whole words, the text as it stands, paragraphs kept together where they fit."""

from __future__ import annotations

import re

import msgspec

_WORD = re.compile(r"\S+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


class Piece(msgspec.Struct, frozen=True):
    """A chunk before it is scored. `position` counts the chunks of its document from 0."""

    source: str
    text: str
    position: int


def chunk(path: str, text: str, chunk_words: int, overlap_words: int = 0) -> list[Piece]:
    """Cut a document.

    A chunk has at most `chunk_words` words (what white space separates). It ends at the last blank
    line of its second half where there is one, but not behind a heading; else at the last word that
    fits. Each following chunk begins `overlap_words` words before the end of the one before.

    Raises:
        ValueError: `chunk_words` < 1, or the overlap is not smaller than a chunk.
    """
    if chunk_words < 1 or not 0 <= overlap_words < chunk_words:
        raise ValueError(
            f"chunks of {chunk_words} words can't overlap by {overlap_words}: "
            "retrieval.overlap_words must be smaller than retrieval.chunk_words"
        )
    text = text.replace("\r\n", "\n")
    spans = [match.span() for match in _WORD.finditer(text)]
    pieces: list[Piece] = []
    start = 0
    while start < len(spans):
        end = min(start + chunk_words, len(spans))
        if end < len(spans):
            least = start + max((chunk_words + 1) // 2, overlap_words + 1)
            end = next((e for e in range(end, least - 1, -1) if _is_break(text, spans, e)), end)
        pieces.append(Piece(path, text[spans[start][0] : spans[end - 1][1]], len(pieces)))
        if end == len(spans):
            break
        start = end - overlap_words
    return pieces


def _is_break(text: str, spans: list[tuple[int, int]], index: int) -> bool:
    """A paragraph ends before word `index`, and it is not a heading."""
    last = spans[index - 1][1]
    if _BLANK_LINE.search(text, last, spans[index][0]) is None:
        return False
    return not text.startswith("#", text.rfind("\n", 0, last) + 1)
