"""Rows of words as they are looked for: compiled, and asked only where their words are there at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from llmops_tui.guardrails.injection_phrases import CLASSES
from llmops_tui.guardrails.normalising import folded

#: The longest word that may stand between two of a phrase: a bound for what one place costs.
_LONGEST = 40
#: Words so common that a phrase is never looked up by them, where it has others.
_COMMON = frozenset(
    "a about all an and any are as at be before by for from give has have how i if in is it just let list my "
    "no not of on only or other our que say send show so system tell text that the then these this to use user "
    "we what when which who with without you your write answer always customer customers if_you_are never no "
    "include add email mail post a je per para tu an die tout todo tes order orders do_not don_t".split()
)


class Phrase(msgspec.Struct, frozen=True):
    """One row of words.

    Attributes:
        needs: sets of words, of each of which the text must have one.
        spaced: over words with spaces between; compact: over letters with none.
    """

    family: str
    weight: float
    needs: tuple[frozenset[str], ...]
    spaced: re.Pattern[str]
    compact: re.Pattern[str]


class Phrases:
    """Many, found by the words of a text.

    Attributes:
        words: all by which one is found.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self.all = tuple(phrases)
        self._by_word: dict[str, list[Phrase]] = {}
        for phrase in self.all:
            for word in min(phrase.needs, key=_commonness):
                self._by_word.setdefault(word, []).append(phrase)
        self.words = frozenset(self._by_word)

    def possible(self, words: set[str]) -> Iterator[Phrase]:
        """Those whose words are all among these, each once."""
        seen: set[int] = set()
        for word in words & self.words:
            for phrase in self._by_word[word]:
                if id(phrase) in seen:
                    continue
                seen.add(id(phrase))
                if all(not need.isdisjoint(words) for need in phrase.needs):
                    yield phrase


def phrase_of(family: str, weight: float, row: str) -> Phrase:
    """A row as `injection_phrases` writes it, compiled."""
    needs: list[frozenset[str]] = []
    spaced, compact = r"(?<![^\W_])", ""
    for item in row.split():
        if item[0] == "~":
            spaced += rf"(?:\w{{1,{_LONGEST}}}+ ++){{0,{item[1:]}}}"
            compact += rf"\w{{0,{10 * int(item[1:])}}}"
            continue
        if item[0] == "!":
            spaced += rf"(?!(?:{_either(_choices(item[1:]))})(?!\w))"
            continue
        choices = _choices(item.rstrip("?"))
        either = _either(choices)
        if item.endswith("?"):
            spaced += rf"(?:(?:{either}) ++)?"
            compact += f"(?:{either.replace(' ++', '')})?"
            continue
        needs.append(frozenset(max(choice.split("_"), key=len) for choice in choices))
        spaced += rf"(?:{either})(?!\w) *+"
        compact += f"(?:{either.replace(' ++', '')})"
    return Phrase(family, weight, tuple(needs), re.compile(spaced), re.compile(compact))


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


def _commonness(need: frozenset[str]) -> tuple[int, int]:
    return len(need & _COMMON), len(need)
