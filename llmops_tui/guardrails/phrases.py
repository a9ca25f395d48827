"""Rows of words as they are looked for: compiled, and asked only where their words are there at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from llmops_tui.guardrails.injection_words import CLASSES
from llmops_tui.guardrails.normalising import folded

#: The longest word that may stand between two of a phrase: a bound for what one place costs.
_LONGEST = 40
#: Letters by which words run together are recognised.
_START = 5
#: Characters of a phrase to either side of a word of it.
_REACH = 160
#: Words so common that a phrase is not looked up by them where it has others.
_COMMON_TEXT = """
a about add all always an and answer any are as at be before by customer customers die do don email for from
give has have how i if in include is it je just let list mail my never no not of on only or order orders other
our para per post que say send show so system tell tes text that the then these this to todo tout tu use user
we what when which who will with without write you your
"""
_COMMON = frozenset(_COMMON_TEXT.split())


class Phrase(msgspec.Struct, frozen=True):
    """One row of words.

    Attributes:
        needs: sets of words, of each of which the text must have one.
        lead: words of its first item that may stand before the one by which it is looked up; -1: that one is
            of another item.
        spaced: over words with spaces between, one before the first.
        compact: over letters with none between words; rarely needed, so not compiled.
    """

    family: str
    weight: float
    needs: tuple[frozenset[str], ...]
    lead: int
    spaced: re.Pattern[str]
    compact: str


class Phrases:
    """Many, found by the words of a text.

    Attributes:
        words: all by which one is found.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for word in min(phrase.needs, key=_commonness):
                self._by_word.setdefault(word, []).append(phrase)
        self.words = frozenset(self._by_word)
        self._by_start: dict[str, list[Phrase]] = {}
        for word, those in self._by_word.items():
            if len(word) >= _START:
                self._by_start.setdefault(word[:_START], []).extend(those)

    def within(self, letters: str) -> list[Phrase]:
        """Those that there may be in letters without spaces between."""
        starts = {letters[i : i + _START] for i in range(len(letters) - _START + 1)} & self._by_start.keys()
        return list({id(phrase): phrase for start in starts for phrase in self._by_start[start]}.values())

    def found(self, line: str, words: set[str]) -> Iterator[tuple[Phrase, int, int]]:
        """Each phrase and where it is.

        Args:
            line: words with spaces between.
            words: those of the line.
        """
        near: dict[int, tuple[Phrase, set[str]]] = {}
        for word in words & self.words:
            for phrase in self._by_word[word]:
                near.setdefault(id(phrase), (phrase, set()))[1].add(word)
        # A space at both ends: each word ends at one, and each phrase begins with one, which `re` is fast at.
        padded, places = f" {line} ", _Places(line)
        for phrase, keys in near.values():
            if any(need.isdisjoint(words) for need in phrase.needs):
                continue
            begins = places.of(keys)
            seek = _led if phrase.lead >= 0 else _near
            for match in seek(phrase, padded, begins):
                yield phrase, match.start(), match.start() + len(match[0].rstrip()) - 1


class _Places:
    """Where words begin in a line, each looked up once."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._known: dict[str, list[int]] = {}

    def of(self, words: set[str]) -> list[int]:
        """In order; of words within others too."""
        for word in words - self._known.keys():
            found = self._known[word] = []
            place = self._line.find(word)
            while place >= 0:
                found.append(place)
                place = self._line.find(word, place + len(word))
        return sorted(place for word in words for place in self._known[word])


def _led(phrase: Phrase, padded: str, places: list[int]) -> Iterator[re.Match[str]]:
    """Where the word by which it was found is of its first item: it begins there, or a few words before."""
    done = -1
    for place in places:
        start = place
        for step in range(phrase.lead + 1):
            if step:
                before = padded[max(start - _LONGEST, 0) : start].rstrip()
                if " " not in before:
                    break
                start = max(start - _LONGEST, 0) + before.rfind(" ")
            if start > done and (match := phrase.spaced.match(padded, start)) is not None:
                done = match.end() - 1
                yield match
                break


def _near(phrase: Phrase, padded: str, places: list[int]) -> Iterator[re.Match[str]]:
    """In stretches around the places: the rest of the line can't have it."""
    stretches: list[tuple[int, int]] = []
    for place in places:
        # Not within a word: what is left of it would pass for one.
        start = max(padded.rfind(" ", 0, max(place - _REACH, 1)), 0)
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], place + _REACH)
        else:
            stretches.append((start, place + _REACH))
    for start, end in stretches:
        yield from phrase.spaced.finditer(padded, start, end)


def phrase_of(family: str, weight: float, row: str) -> Phrase:
    """A row as `injection_phrases` writes it, compiled."""
    needs: list[frozenset[str]] = []
    first = row.split()[0]
    spaced, compact = " ", ""
    for item in row.split():
        if item[0] == "~":
            spaced += rf"(?:\w{{1,{_LONGEST}}}+ ++){{0,{item[1:]}}}"
            compact += rf"\w{{0,{10 * int(item[1:])}}}"
            continue
        if item[0] == "!":
            spaced += rf"(?!(?:{_either(_choices(item[1:]))}) )"
            continue
        choices = _choices(item.rstrip("?"))
        either = _either(choices)
        if item.endswith("?"):
            spaced += rf"(?:(?:{either}) ++)?"
            compact += f"(?:{either.replace(' ++', '')})?"
            continue
        needs.append(frozenset(max(choice.split("_"), key=_rareness) for choice in choices))
        spaced += rf"(?:{either})(?= ) *+"
        compact += f"(?:{either.replace(' ++', '')})"
    return Phrase(
        family, weight, tuple(needs), _lead(first, needs), re.compile(spaced.removesuffix(" *+")), compact
    )


def _lead(first: str, needs: list[frozenset[str]]) -> int:
    """`Phrase.lead` of a row with this first item."""
    if min(needs, key=_commonness) != needs[0]:
        return -1
    split = (choice.split("_") for choice in _choices(first))
    return max(words.index(max(words, key=_rareness)) for words in split)


def _choices(item: str) -> list[str]:
    """`IGNORE|drop` as words, longest first: a shorter one must not take a longer one's place."""
    found: list[str] = []
    for part in item.split("|"):
        found += _class(part) if part in CLASSES else [folded(part).text.lower()]
    return sorted(dict.fromkeys(found), key=len, reverse=True)


@cache
def _class(name: str) -> list[str]:
    return folded(CLASSES[name]).text.lower().split("|")


def _either(choices: list[str]) -> str:
    return "|".join(re.escape(choice).replace("_", " ++") for choice in choices)


def _rareness(word: str) -> tuple[bool, int]:
    return len(word) > 2 and word not in _COMMON, len(word)


def _commonness(need: frozenset[str]) -> tuple[int, int]:
    return len(need & _COMMON), len(need)
