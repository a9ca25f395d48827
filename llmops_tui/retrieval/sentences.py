"""Where sentences end."""

from __future__ import annotations

import re
from bisect import bisect_right

from llmops_tui.domain.headings import headings_of

#: The last characters of a word that ends a sentence, with the quotes and brackets that close behind it.
_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]】」』]*$")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
#: A word that begins a point of a list.
_POINT = re.compile(r"([-*+•]|\d{1,3}[.)])$")
_OPENING = "\"'“‘«(["
_ABBREVIATED = frozenset(
    "dr mr mrs ms prof st vs etc e.g i.e cf al fig figs no nos vol pp p ca approx inc ltd co corp jr sr dept "  # noqa: SIM905
    "est eq ed eds resp incl z.b d.h u.a bzw usw nr str".split()
)


def sentence_ends(text: str, spans: list[tuple[int, int]]) -> list[int]:
    """Numbers of words behind which a sentence ends, rising; the last is the number of all words.

    A sentence ends with `.`, `!`, `?` or `…` before a word that does not begin with a small letter, unless
    that closes an abbreviation or an initial; with a paragraph; and before a point of a list. A heading
    belongs to the sentence behind it.

    Args:
        spans: (start, end) of each word in the text.
    """
    headings = headings_of(text)
    begins, closes = [h.start for h in headings], [h.end for h in headings]
    ends: list[int] = []
    for index in range(1, len(spans)):
        last, next_ = spans[index - 1][1], spans[index][0]
        between = text[last:next_]
        broken = "\n" in between
        if broken and bisect_right(closes, next_) > bisect_right(closes, last):
            continue
        begins_line = index < 2 or "\n" in text[spans[index - 2][1] : spans[index - 1][0]]
        word, following = text[slice(*spans[index - 1])], text[slice(*spans[index])]
        if (
            (broken and bisect_right(begins, next_) > bisect_right(begins, last))
            or (broken and _POINT.match(following))
            or _BLANK_LINE.search(between)
            or (_is_end(word, begins_line) and not following.lstrip(_OPENING)[:1].islower())
        ):
            ends.append(index)
    return [*ends, len(spans)]


def _is_end(word: str, begins_line: bool) -> bool:
    found = _END.search(word)
    if found is None:
        return False
    if not found[0].startswith(".") or found[0].startswith(".."):
        return True
    stem = word[: found.start()].lstrip(_OPENING)
    is_initial = len(stem) == 1 and stem.isalpha() and stem.isupper() and stem != "I"
    return not is_initial and stem.lower() not in _ABBREVIATED and not (begins_line and _POINT.match(word))
