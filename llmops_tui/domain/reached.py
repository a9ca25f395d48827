"""Which words of a retrieved chunk reached the answer. Pure.

A plain count of words, and no judgement: a word that is in both may have come from elsewhere, and a
paraphrase shares none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Literal

import msgspec

from llmops_tui.domain.words import CJK, words

#: Words in a row from which on a run counts as taken over.
RUN = 3

_STOPPED = (
    "a about after all also am an and any are as at be been before but by can could did do does for from had "
    "has have he her here him his how i if in into is it its just may me might more most must my no not of "
    "off on once only or other our out over own s shall she should so some such t than that the their them "
    "then there these they this those through to too under until up us very was we were what when where "
    "which while who whom why will with within would you your"
)
#: Function words of English: in a run they count, alone they say nothing.
STOPPED = frozenset(_STOPPED.split())


class Mark(msgspec.Struct, frozen=True):
    """Part of a chunk's text: a `run` of words that the answer has in that order, or one `word`."""

    start: int
    end: int
    kind: Literal["run", "word"]


class Reached(msgspec.Struct, frozen=True):
    """What of a chunk is in the answer.

    Attributes:
        marks: apart from each other, in order; places in the text as given.
        found, total: words of the chunk that are in the answer, and all of them; without function words.
        longest: words of the longest run; 0 where there is none.
    """

    marks: tuple[Mark, ...] = ()
    found: int = 0
    total: int = 0
    longest: int = 0

    @property
    def share(self) -> float | None:
        """0 to 1; None where the chunk has no words that tell anything."""
        return self.found / self.total if self.total else None


def reached(chunk: str, answer: str) -> Reached:
    """Hold a chunk against the answer. Takes time in proportion to both."""
    said, runs_of = _answer(answer)
    tokens = list(_tokens(chunk))
    names = [word for _, _, word in tokens]
    run_from = [-1] * len(tokens)  # where the run begins that a token is part of
    lengths = runs_of.lengths(names)
    for last, length in enumerate(lengths):
        if length >= RUN and (last + 1 == len(lengths) or lengths[last + 1] != length + 1):
            first = last - length + 1
            if run_from[first] >= 0:  # two runs that overlap are marked as one
                first = run_from[first]
            run_from[first : last + 1] = [first] * (last + 1 - first)
    marks: list[Mark] = []
    for k, (start, end, word) in enumerate(tokens):
        if run_from[k] >= 0:
            begin = start if run_from[k] == k else marks.pop().start
            marks.append(Mark(begin, end, "run"))
        elif word in said:
            marks.append(Mark(start, end, "word"))
    telling = [word for word in names if word not in STOPPED]
    longest = max(lengths, default=0)
    found = sum(word in said for word in telling)
    return Reached(tuple(marks), found, len(telling), longest if longest >= RUN else 0)


class _Runs:
    """Every run of words of a text: its suffix automaton (Blumer et al., 1985), of linear size."""

    def __init__(self, text: list[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._link, self._length = [-1], [0]
        last = 0
        for word in text:
            last = self._extend(last, word)

    def _add(self, next_: dict[str, int], link: int, length: int) -> int:
        self._next.append(next_)
        self._link.append(link)
        self._length.append(length)
        return len(self._next) - 1

    def _extend(self, last: int, word: str) -> int:
        new = self._add({}, 0, self._length[last] + 1)
        at = last
        while at != -1 and word not in self._next[at]:
            self._next[at][word] = new
            at = self._link[at]
        if at != -1:
            to = self._next[at][word]
            if self._length[to] != self._length[at] + 1:
                copy = self._add(dict(self._next[to]), self._link[to], self._length[at] + 1)
                self._link[to] = copy
                while at != -1 and self._next[at].get(word) == to:
                    self._next[at][word] = copy
                    at = self._link[at]
                to = copy
            self._link[new] = to
        return new

    def lengths(self, text: list[str]) -> list[int]:
        """For each word: how many words up to it stand in the other text in a row."""
        found, at, length = [], 0, 0
        for word in text:
            while at and word not in self._next[at]:
                at = self._link[at]
                length = self._length[at]
            if word in self._next[at]:
                at, length = self._next[at][word], length + 1
            found.append(length)
        return found


@lru_cache(maxsize=2)
def _answer(answer: str) -> tuple[frozenset[str], _Runs]:
    """Its telling words and its runs: the chunks of one retrieval are all held against the same answer."""
    said = words(answer)
    return frozenset(said) - STOPPED, _Runs(said)


@cache
def _token() -> re.Pattern[str]:
    # As `domain.words`, over the text as it stands, so that places in it are known.
    return re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’_][^\W_{CJK}]+)*")


def _tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, word as it is compared). What NFKC makes several words of stays one token."""
    for match in _token().finditer(text):
        yield match.start(), match.end(), " ".join(words(match[0]))
