"""topic, by words: whether a text is about what it may not be about, or about none of what it may.

Words are held against words, by their stems. That sees a topic that is called by its name or by the words of
its description; it does not see one that is only meant, and knows no synonyms. The judge does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, Match, guardrail
from llmops_tui.retrieval.tokens import STOP_WORDS
from llmops_tui.scorers.stop_words import stop_words
from llmops_tui.scorers.wording import clipped, quoted

#: How sure words alone can make: all words of a denied description are there; some of an allowed one are.
_SURE, _PARTLY_ALLOWED = 0.95, 0.4
#: With this many words of its own and none of what is allowed a text is as likely off as not.
_EVEN = 3
_PORTION = 20_000
_LONGEST = 40
_LABEL = "[topic]"

_WORD = re.compile(r"[^\W\d_]{2,}")
_NO_LETTERS = str.maketrans({chr(i): " " for i in range(128) if not chr(i).isalpha()})
#: Longest first, of English, German and the Romance languages; what is left has at least four letters.
_SUFFIXES = (
    *("ungen", "ments", "mente", "ismus", "ations", "ation", "ings", "ment", "ical", "ität", "ung", "ing"),
    *("ics", "ies", "ers", "ion", "ons", "ous", "ive", "ity", "eur", "ed", "es", "er", "en", "ly", "al"),
    *("ic", "os", "as", "e", "s", "y", "i", "o", "a"),
)
#: Last letter → those that end with it, in the same order.
_SUFFIXES_BY_LAST = {
    last: [each for each in _SUFFIXES if each[-1] == last] for last in {s[-1] for s in _SUFFIXES}
}


@guardrail("topic")
def prepare(options: dict[str, Any]) -> Check:
    """The score: how sure it is that the text is off."""
    allowed, denied = _topics(options["allowed"]), _topics(options["denied"])
    wanted = frozenset(stem for _, stems in denied for stem in stems)

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        stems = {_stem(word) for part in _portions(text, deadline) for word in _words(part)}
        stems.discard("")
        (share, topic), off = _nearest(denied, stems), _off(allowed, stems)
        if share > 0 and _SURE * share >= off:
            return Found(_SURE * share, f"is about {quoted(topic)}", _places(text, wanted, deadline))
        if off > 0:
            return Found(off, f"names nothing of: {clipped(', '.join(topic for topic, _ in allowed), 200)}")
        return NOTHING

    return check


def _topics(descriptions: list[str]) -> list[tuple[str, frozenset[str]]]:
    """Each with the stems of its words."""
    found = []
    for description in descriptions:
        stems = frozenset(map(_stem, _WORD.findall(_lower(description)))) - {""}
        if stems:
            found.append((description, stems))
    return found


def _portions(text: str, deadline: Deadline) -> Iterator[str]:
    # A word that is cut at an edge is not seen; in a text that long it will not be the only one.
    for start in range(0, len(text), _PORTION):
        deadline.check()
        yield _lower(text[start : start + _PORTION])


def _words(lower: str) -> set[str]:
    """All that `_WORD` finds in a text in small letters."""
    if lower.isascii():
        return {word for word in set(lower.translate(_NO_LETTERS).split()) if len(word) > 1}
    return set(_WORD.findall(lower))


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


@lru_cache(8_192)
def _stem(word: str) -> str:
    """What inflections of a word have in common; empty for a word that says nothing by itself."""
    if word in STOP_WORDS or word in stop_words():
        return ""
    word = word[:_LONGEST]
    for _ in range(3):
        for suffix in _SUFFIXES_BY_LAST.get(word[-1], ()):
            if word.endswith(suffix) and len(word) - len(suffix) >= 4:
                word = word[: -len(suffix)]
                break
        else:
            break
    # shipping, shipp, ship
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


def _nearest(topics: list[tuple[str, frozenset[str]]], stems: set[str]) -> tuple[float, str]:
    """The largest share of a description's words that the text has, and the description."""
    best, which = 0.0, ""
    for topic, wanted in topics:
        share = len(wanted & stems) / len(wanted)
        if share > best:
            best, which = share, topic
    return best, which


def _off(allowed: list[tuple[str, frozenset[str]]], stems: set[str]) -> float:
    """How sure it is that the text is about nothing that is allowed; a greeting is about nothing at all."""
    if not allowed:
        return 0.0
    share, _ = _nearest(allowed, stems)
    return _PARTLY_ALLOWED * (1 - share) if share > 0 else len(stems) / (len(stems) + _EVEN)


def _places(text: str, wanted: frozenset[str], deadline: Deadline) -> tuple[Match, ...]:
    """Where the words of denied topics are."""
    found: list[Match] = []
    for start in range(0, len(text), _PORTION):
        deadline.check()
        for match in _WORD.finditer(text, start, min(start + _PORTION, len(text))):
            if _stem(_lower(match[0])) in wanted:
                found.append(Match(match.start(), match.end(), _LABEL))
    return tuple(found)
