"""Documents into chunks: whole words, the text as it stands, paragraphs kept together where they fit."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

import msgspec

from llmops_tui.domain.headings import Heading, headings_of
from llmops_tui.retrieval.sentences import sentence_ends

_WORD = re.compile(r"\S+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")

Span = tuple[int, int]


class Piece(msgspec.Struct, frozen=True):
    """A chunk before it is scored. `position` counts the chunks of its document from 0."""

    source: str
    text: str
    position: int


def chunk(
    path: str, text: str, chunk_words: int, overlap_words: int = 0, chunk_by: str = "words"
) -> list[Piece]:
    """Cut a document into chunks of at most `chunk_words` words (what white space separates).

    By `words`, a chunk ends at the last blank line of its second half where there is one, but not behind
    a heading; else at the last word that fits. Each following chunk begins `overlap_words` words before
    the end of the one before.

    By `sentences`, it ends with the last sentence that fits; only a sentence that is longer than a chunk
    is cut. What it repeats are the last whole sentences of the one before, `overlap_words` words at most.

    By `headings`, a section is a chunk; one that is too long is cut as by `words`, and nothing is
    repeated across headings. A chunk begins with the headings that it stands under, from the outermost.

    Raises:
        ValueError: `chunk_words` < 1, or the overlap is not smaller than a chunk.
    """
    if chunk_words < 1 or not 0 <= overlap_words < chunk_words:
        raise ValueError(
            f"chunks of {chunk_words} words can't overlap by {overlap_words}: "
            "retrieval.overlap_words must be smaller than retrieval.chunk_words"
        )
    text = text.replace("\r\n", "\n")
    cut = _CUTS[chunk_by]
    return [Piece(path, each, number) for number, each in enumerate(cut(text, chunk_words, overlap_words))]


# -- by words


def _by_words(text: str, size: int, overlap: int) -> list[str]:
    spans = [match.span() for match in _WORD.finditer(text)]
    pieces: list[str] = []
    start = 0
    while start < len(spans):
        end = min(start + size, len(spans))
        if end < len(spans):
            least = start + max((size + 1) // 2, overlap + 1)
            end = next((e for e in range(end, least - 1, -1) if _is_break(text, spans, e)), end)
        pieces.append(text[spans[start][0] : spans[end - 1][1]])
        if end == len(spans):
            break
        start = end - overlap
    return pieces


def _is_break(text: str, spans: list[Span], index: int) -> bool:
    """A paragraph ends before word `index`, and it is not a heading."""
    last = spans[index - 1][1]
    if _BLANK_LINE.search(text, last, spans[index][0]) is None:
        return False
    return not text.startswith("#", text.rfind("\n", 0, last) + 1)


# -- by sentences


def _by_sentences(text: str, size: int, overlap: int) -> list[str]:
    spans = [match.span() for match in _WORD.finditer(text)]
    ends = sentence_ends(text, spans)
    pieces: list[str] = []
    start = done = 0  # first word of the chunk; words that are in a chunk
    while done < len(spans):
        fitting = _within(ends, done, start + size)
        if not fitting and start < done:
            # What is repeated leaves no room for the next sentence: repeat less of it.
            start = next(iter(_within(ends, start, done)), done)
            continue
        end = fitting[-1] if fitting else start + size
        pieces.append(text[spans[start][0] : spans[end - 1][1]])
        done = end
        start = next(iter(_within(ends, max(start, end - overlap - 1), end)), end)
    return pieces


def _within(ends: list[int], above: int, most: int) -> list[int]:
    """Ends of sentences in (above, most]."""
    return ends[bisect_right(ends, above) : bisect_right(ends, most)]


# -- by headings


def _by_headings(text: str, size: int, overlap: int) -> list[str]:
    headings = headings_of(text)
    starts = [heading.start for heading in headings] + [len(text)]
    pieces = _by_words(text[: starts[0]], size, overlap)
    path: list[Heading] = []
    waiting: list[Heading] = []  # without a text of their own: they stand above what follows
    for place, heading in enumerate(headings):
        path = [above for above in path if above.level < heading.level]
        over = _fitting(path, size)
        own = _words(heading)
        leads = own + sum(map(_words, over)) <= size // 2
        body = text[heading.end if leads else heading.start : starts[place + 1]]
        is_last_of_its_kind = place + 1 == len(headings) or headings[place + 1].level <= heading.level
        path.append(heading)
        if leads and not body.strip() and not is_last_of_its_kind:
            waiting.append(heading)
            continue
        shown = [*over, heading] if leads else over
        pieces += [_line(left) for left in waiting if left not in shown]
        waiting = []
        lead = "\n\n".join(map(_line, shown))
        room = size - sum(map(_words, shown))
        cut = _by_words(body, room, min(overlap, room - 1))
        pieces += [f"{lead}\n\n{each}" if lead else each for each in cut] or ([lead] if lead else [])
    return pieces


def _fitting(path: list[Heading], size: int) -> list[Heading]:
    """The innermost headings that together take a quarter of a chunk at most."""
    kept: list[Heading] = []
    room = size // 4
    for heading in reversed(path):
        room -= _words(heading)
        if room < 0:
            break
        kept.insert(0, heading)
    return kept


def _line(heading: Heading) -> str:
    return f"{'#' * heading.level} {heading.title}".rstrip()


def _words(heading: Heading) -> int:
    return len(_line(heading).split())


_CUTS: dict[str, Callable[[str, int, int], list[str]]] = {
    "words": _by_words,
    "sentences": _by_sentences,
    "headings": _by_headings,
}
