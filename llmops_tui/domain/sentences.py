"""A text as its sentences, for people's texts and for markdown; a rule, not a language model.

A sentence ends at `.`, `!`, `?` or `…` before white space and a letter that is not lower case, at the full
stops of Chinese and Japanese, at a blank line, and where a list item, a heading or a row of a table ends.
"""

from __future__ import annotations

import re

_BLOCK = re.compile(r"\s*(?:[-*+•]\s+|\d{1,3}[.)]\s+|#{1,6}\s|\||>)")
#: Possessive and from the start of a run of signs only, so that a long run costs no more than its length.
_END = re.compile(r"""(?<![.!?…])[.!?…]++["'”’»)\]*_]*+(?=\s)|[。！？]+[」』”）]*""")
#: Behind them a full stop ends no sentence.
_ABBREVIATIONS = "e.g i.e dr mr mrs ms prof st vs approx ca bzw z.b d.h u.a vgl inkl p.ex env bijv sr sra cf"
_SHORT = frozenset(_ABBREVIATIONS.split())
#: Nor behind these, where a number follows.
_BEFORE_NUMBER = frozenset({"no", "nr", "art", "abs", "fig", "p", "max", "min"})


def sentences(text: str) -> list[str]:
    """The sentences in order, white space as single spaces. None is empty."""
    found: list[str] = []
    for block in _blocks(text):
        start = 0
        for match in _END.finditer(block):
            if _goes_on(block, start, match):
                continue
            found.append(block[start : match.end()].strip())
            start = match.end()
        found.append(block[start:].strip())
    return [sentence for sentence in found if sentence]


def _blocks(text: str) -> list[str]:
    """Paragraphs, list items, headings and rows, each on one line."""
    blocks: list[list[str]] = [[]]
    closed = True
    for line in text.splitlines():
        if not line.strip():
            closed = True
            continue
        if closed or _BLOCK.match(line):
            blocks.append([])
        blocks[-1].append(line)
        closed = line.lstrip().startswith("#")
    return [" ".join(" ".join(lines).split()) for lines in blocks if lines]


def _goes_on(block: str, start: int, match: re.Match[str]) -> bool:
    """What looks like an end is none: an abbreviation, an initial, or a number of a list."""
    if match[0][0] in "。！？":
        return False
    rest = block[match.end() :].lstrip().lstrip("\"'“‘«([*_")
    if rest[:1].islower():
        return True
    if match[0][0] != ".":
        return False
    before = block[start : match.start()].split()
    word = before[-1].strip("(\"'“*_").casefold() if before else ""
    is_item = len(before) == 1 and word.isdigit() and len(word) <= 3
    if word in _BEFORE_NUMBER and rest[:1].isdigit():
        return True
    return word in _SHORT or (len(word) == 1 and word.isalpha()) or is_item
