"""Headings of a text in Markdown: what cuts documents at headings, and what finds one in a chunk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
#: A line that is no paragraph, so that a line below it is no underline.
_NO_PARAGRAPH = re.compile(r"\s|[>|]|[-*+][ \t]|\d{1,9}[.)][ \t]|[-=*_]{2,}[ \t]*$")
#: The first line of front matter: else `---` at the start of a text is a line across the page.
_ENTRY = re.compile(r"[^\s:][^:\n]*:(\s|$)|#|---|\.\.\.")
#: Longest front matter, in characters.
FRONT_MATTER_LIMIT = 65_536


class Heading(msgspec.Struct, frozen=True):
    """A heading and where its lines are.

    Attributes:
        level: 1 to 6; of an underlined one 1 for `=` and 2 for `-`.
        start, end: offsets of its first character and behind its last line's end.
    """

    level: int
    title: str
    start: int
    end: int


def headings_of(text: str) -> list[Heading]:
    """ATX (`## Title`) and setext (underlined) headings in order, after CommonMark 0.31.

    Left out: what stands in fenced code or in front matter, and underlined paragraphs of several lines.
    """
    found: list[Heading] = []
    fence = ""
    above: tuple[str, int] | None = None  # a paragraph of one line so far
    in_paragraph = False
    for line, start, end in _lines(text, front_matter_end(text)):
        if fence:
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line[closing.end() :].strip():
                fence = ""
            continue
        if opening := _FENCE.match(line):
            fence, above, in_paragraph = opening[1], None, False
        elif (atx := _ATX.match(line)) is not None:
            found.append(Heading(len(atx[1]), _title(line[atx.end() :]), start, end))
            above, in_paragraph = None, False
        elif above is not None and (under := _UNDERLINE.match(line)):
            title, first = above
            found.append(Heading(1 if under[1][0] == "=" else 2, " ".join(title.split()), first, end))
            above, in_paragraph = None, False
        elif not line.strip():
            above, in_paragraph = None, False
        else:
            starts = not in_paragraph and not _NO_PARAGRAPH.match(line)
            above, in_paragraph = ((line, start) if starts else None), True
    return found


def front_matter_end(text: str) -> int:
    """Where the text begins behind its front matter (`---`, YAML, `---`); 0 where it has none."""
    if not text.startswith("---"):
        return 0
    first = text.find("\n")
    if first < 0 or text[:first].rstrip() != "---" or not _ENTRY.match(text, first + 1):
        return 0
    closing = re.compile(r"^(---|\.\.\.)[ \t]*(\n|\Z)", re.M).search(text, first + 1, FRONT_MATTER_LIMIT)
    return closing.end() if closing else 0


def _title(rest: str) -> str:
    """What stands behind the `#`s of a heading, without those that close it."""
    title = " ".join(rest.split())
    bare = title.rstrip("#")
    return bare.rstrip() if not bare or bare.endswith(" ") else title


def _lines(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """(line without its end, its offset, offset of the next)."""
    while at < len(text):
        end = text.find("\n", at)
        next_ = len(text) if end < 0 else end + 1
        yield text[at:next_].rstrip("\n"), at, next_
        at = next_
