"""injection, by heuristics: text that gives orders to the model.

A text is folded (look-alikes, invisible characters, accents), and also read as leetspeak, backwards, as ROT13
and with escapes and encoded runs decoded. In each reading the phrases of `injection_phrases` are looked for, and
signs that no customer writes. What is found is combined as independent evidence: 1 - Π(1 - weight), the
strongest of a family counted once.
"""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import Any

from llmops_tui.guardrails.encodings import decoded_runs, unescaped
from llmops_tui.guardrails.injection_phrases import PHRASES, UNSPACED
from llmops_tui.guardrails.injection_signs import hidden, signs
from llmops_tui.guardrails.normalising import View, folded, turned_round
from llmops_tui.guardrails.phrases import Phrase, Phrases, phrase_of
from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, Match, guardrail

LABEL = "[injection]"
#: Characters of a portion, and of what two neighbours share: the longest phrase fits.
_PORTION, _SHARED = 16_000, 600
#: An encoded run may hold another.
_DEPTH = 2
#: How sure it makes that a text was written so as not to be read.
_ENCODED = 0.3
#: A person who tells what was done, or speaks of an order of their own.
_REPORTED = 0.5
#: Words by which a reading backwards or as ROT13 is worth a try: two of them.
_TELLING, _TELLING_LENGTH = 2, 5
#: A word this long has others in it.
_LONG_WORD = 16

_NO_WORD = str.maketrans({chr(i): " " for i in range(128) if not chr(i).isalnum()})
_NOT_WORD = re.compile(r"[\W_]")
_WORD = re.compile(r"\w+")
_LEET = str.maketrans("013457@$!|+", "oleastasilt")
_LEET_I = str.maketrans("013457@$!|+", "oieastasiit")
_ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM",
)
_UNSPACED_FROM = "\u2e7f"
_REPORTS = re.compile(
    r"\b(?:i|we|they|he|she|people|customers|users|ich|wir|je|nous|yo|io|ik|wij|eu|я)"
    r"(?: (?:can|could|should|must|may|might|will|would|just|always|usually|often|never|to|do|did|don t|simply|"
    r"also|have|had|muss|kann|soll|dois|peux|puedo|debo|posso|devo|kan|moet)){0,3} +$"
)
_OWN = re.compile(r" (?:my|our|mein\w*|unser\w*|mon|ma|mes|mi|mis|mio|miei|mijn|meu|minha|minhas|meus|мои) ")

#: (family, weight, [start, end) in the original)
Evidence = tuple[str, float, int, int]


@guardrail("injection")
def prepare(options: dict[str, Any]) -> Check:
    """The score grows with evidence. `phrases` count as much as the strongest of our own."""
    search = _Search(options["phrases"])

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        evidence: dict[Evidence, None] = {}
        for start in range(0, max(len(text), 1), _PORTION):
            deadline.check()
            for family, weight, begin, end in search(text[start : start + _PORTION + _SHARED], deadline):
                evidence[family, weight, start + begin, start + end] = None
        return _found(list(evidence), text) if evidence else NOTHING

    return check


@cache
def _built_in() -> tuple[Phrase, ...]:
    return tuple(phrase_of(family, *each) for family, rows in PHRASES.items() for each in rows)


class _Search:
    """All readings of one portion."""

    def __init__(self, phrases: list[str]) -> None:
        own, self._literal = [], []
        for phrase in phrases:
            words = _words(folded(phrase).text.lower()).split()
            if words:
                own.append(phrase_of(f"says what is listed as an attack", 0.9, " ".join(words)))
            elif phrase.strip():
                self._literal.append(folded(phrase).text.lower())
        self._phrases = Phrases((*_built_in(), *own))
        telling = {word for word in self._phrases.words if len(word) >= _TELLING_LENGTH}
        self._backwards = frozenset(word[::-1] for word in telling)
        self._rotated = frozenset(word.translate(_ROT13) for word in telling)

    def __call__(self, text: str, deadline: Deadline, depth: int = 0) -> list[Evidence]:
        view = folded(text)
        found = hidden(text)
        found += self._readings(view, text, deadline, depth)
        plainer, times = unescaped(view), 0
        while plainer is not None and times < _DEPTH:
            deadline.check()
            plainer = folded(plainer.text, plainer)
            inside = self._readings(plainer, "", deadline, depth)
            found += [each for each in inside if each[:1] not in {known[:1] for known in found}]
            plainer, times = unescaped(plainer), times + 1
        return found

    def _readings(self, view: View, original: str, deadline: Deadline, depth: int) -> list[Evidence]:
        lower = view.text.lower()
        line = _words(lower)
        words = set(line.split())
        found = self._phrases_in(view, line, words) + signs(view, lower, words)
        for literal in self._literal:
            found += _literally(view, lower, literal)
        if not lower.isascii() and max(lower) > _UNSPACED_FROM:
            found += [(f, w, *view.span(*m.span())) for w, f, p in _unspaced() for m in p.finditer(lower)]
        found += self._as_leet(view, lower, words)
        if len(words & self._backwards) >= _TELLING:
            found += self._backward(view, lower)
        if len(words & self._rotated) >= _TELLING:
            turned = lower.translate(_ROT13)
            found += _encoded(
                self._phrases_in(view, turned_words := _words(turned), set(turned_words.split()))
            )
        if depth < _DEPTH and _may_be_encoded(line, words):
            found += self._decoded(view, lower, original, deadline, depth)
        return found

    def _phrases_in(self, view: View, line: str, words: set[str]) -> list[Evidence]:
        """Phrases in a line of words, which has the places of the view."""
        found: list[Evidence] = []
        for phrase in self._phrases.possible(words):
            for match in phrase.spaced.finditer(line):
                start, end = match.span()
                end -= len(match[0]) - len(match[0].rstrip())
                weight = phrase.weight
                if _OWN.search(match[0]) or _REPORTS.search(line, max(start - 40, 0), start):
                    weight *= _REPORTED
                found.append((phrase.family, weight, *view.span(start, max(end, start + 1))))
        return found

    def _as_leet(self, view: View, lower: str, words: set[str]) -> list[Evidence]:
        mixed = any(not word.isalpha() and not word.isdigit() for word in words)
        if not mixed and "@" not in lower and "$" not in lower:
            return []
        found: list[Evidence] = []
        for table in (_LEET, _LEET_I) if "1" in lower else (_LEET,):
            line = _words(lower.translate(table))
            read = set(line.split())
            if read & self._phrases.words - words:
                known = set(found)
                found += [each for each in self._phrases_in(view, line, read) if each not in known]
        return found

    def _backward(self, view: View, lower: str) -> list[Evidence]:
        """The whole from its end, and each word from its end."""
        whole = turned_round(View(lower, made_of=view))
        line = _words(whole.text)
        each = _WORD.sub(lambda word: word[0][::-1], _words(lower))
        return _encoded(
            self._phrases_in(whole, line, set(line.split())) + self._phrases_in(view, each, set(each.split()))
        )

    def _decoded(
        self, view: View, lower: str, original: str, deadline: Deadline, depth: int
    ) -> list[Evidence]:
        found: list[Evidence] = []
        for start, end, text in decoded_runs(view.text, original):
            deadline.check()
            inside = self(text, deadline, depth + 1) + self._run_together(text.lower())
            if inside:
                place = view.span(start, end)
                found += _encoded([(family, weight, *place) for family, weight, *_ in inside])
        for word in _WORD.finditer(_words(lower)):
            if len(word[0]) >= _LONG_WORD and word[0].isalpha():
                place = view.span(*word.span())
                found += [(family, weight, *place) for family, weight, *_ in self._run_together(word[0])]
        return found

    def _run_together(self, text: str) -> list[Evidence]:
        """Strong phrases in letters without spaces between."""
        found: list[Evidence] = []
        for table in (None, _LEET, _LEET_I):
            letters = text if table is None else text.translate(table)
            for phrase in self._phrases.all:
                if phrase.weight >= 0.6 and any(word in letters for word in phrase.needs[0]):
                    match = phrase.compact.search(letters)
                    if match is not None:
                        found.append((phrase.family, phrase.weight, *match.span()))
            if found:
                break
        return found


def _words(lower: str) -> str:
    """With spaces for all that is no letter and no digit; as long as before."""
    return lower.translate(_NO_WORD) if lower.isascii() else _NOT_WORD.sub(" ", lower)


@cache
def _unspaced() -> list[tuple[float, str, re.Pattern[str]]]:
    return [(weight, family, re.compile(pattern)) for weight, family, pattern in UNSPACED]


def _literally(view: View, lower: str, literal: str) -> list[Evidence]:
    found: list[Evidence] = []
    start = lower.find(literal)
    while start >= 0:
        found.append(("says what is listed as an attack", 0.9, *view.span(start, start + len(literal))))
        start = lower.find(literal, start + len(literal))
    return found


def _may_be_encoded(line: str, words: set[str]) -> bool:
    """Cheaply, whether there may be a run that `decoded_runs` finds."""
    lengths = [*map(len, line.split())]
    return not lengths or max(lengths) >= _LONG_WORD or lengths.count(1) >= 6 or lengths.count(2) >= 8


def _encoded(inside: list[Evidence]) -> list[Evidence]:
    """What was found in a run that had to be decoded, and that it had to."""
    hidden_in = {("hides it in an encoding", _ENCODED, start, end) for _, _, start, end in inside}
    return [*inside, *hidden_in]


def _found(evidence: list[Evidence], text: str) -> Found:
    strongest: dict[str, float] = {}
    for family, weight, _, _ in evidence:
        strongest[family] = max(weight, strongest.get(family, 0.0))
    doubt = 1.0
    for weight in strongest.values():
        doubt *= 1 - weight
    families = sorted(strongest, key=lambda family: -strongest[family])
    return Found(1 - doubt, ", ".join(families), _matches(evidence, len(text)))


def _matches(evidence: list[Evidence], length: int) -> tuple[Match, ...]:
    """Places in order, those that touch as one."""
    places: list[list[int]] = []
    for start, end in sorted((start, min(end, length)) for _, _, start, end in evidence):
        if places and start <= places[-1][1]:
            places[-1][1] = max(places[-1][1], end)
        elif start < end:
            places.append([start, end])
    return tuple(Match(start, end, LABEL) for start, end in places)
