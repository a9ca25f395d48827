"""injection, by heuristics: text that gives orders to the model.

A text is folded (look-alikes, invisible characters, accents), and also read as leetspeak, backwards, as
ROT13 and with escapes and encoded runs decoded. In each reading the phrases of `injection_phrases` are looked
for, and the signs of `injection_signs`. What is found is combined as independent evidence: 1 - Π(1 - weight),
of each family the strongest.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from llmops_tui.guardrails.encodings import Shape, decoded_runs, may_hide, smuggled, unescaped
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
_LISTED = "says what is listed as an attack"
#: How sure it makes that a text was written so as not to be read.
_ENCODED, _IN_ENCODING = 0.3, "hides it in an encoding"
#: A person who tells what was done, or speaks of an order of their own.
_REPORTED = 0.5
#: A weaker phrase is not looked for in letters without spaces.
_STRONG = 0.6
#: Words by which a reading backwards or as ROT13 is worth a try: two of them.
_TELLING, _TELLING_LENGTH = 2, 5

_NO_WORD = str.maketrans({chr(i): " " for i in range(128) if not chr(i).isalnum()})
_NOT_WORD = re.compile(r"[\W_]")
_WORD = re.compile(r"\w+")
_LEET = str.maketrans("013457@$!|+", "oleastasilt")
_LEET_I = str.maketrans("013457@$!|+", "oieastasiit")
_ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM",
)
#: Up to so many different characters are replaced one after the other, which is faster.
_FEW = 24
_UNSPACED_FROM = "\u2e7f"
_REPORTS = re.compile(
    r"\b(?:i|we|they|he|she|people|customers|users|ich|wir|je|nous|yo|io|ik|wij|eu|я)"
    r"(?: (?:can|could|should|must|may|might|will|would|just|always|usually|often|never|to|do|did|"
    r"don t|simply|also|have|had|muss|kann|soll|dois|peux|puedo|debo|posso|devo|kan|moet)){0,3} +$"
)
_OWN = re.compile(r" (?:my|our|mein\w*|unser\w*|mon|ma|mes|mi|mis|mio|miei|mijn|meu|minha|minhas|meus|мои) ")

#: What is left of a sentence, which says what to do in place of what is to be ignored.
_REST = re.compile(r"(?:[^.!?\n。！？]|[.!?](?=\w)){0,300}+")

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
        own = []
        self._literal: list[str] = []
        self._symbols: list[str] = []
        for phrase in phrases:
            plain = folded(phrase).text.lower().strip()
            words = _words(plain).split()
            if words and max(plain) < _UNSPACED_FROM:
                own.append(phrase_of(_LISTED, 0.9, " ".join(words)))
            elif phrase.strip():
                (self._literal if plain else self._symbols).append(plain or phrase.strip())
        self._phrases = Phrases((*_built_in(), *own))
        telling = {word for word in self._phrases.words if len(word) >= _TELLING_LENGTH}
        self._backwards = frozenset(word[::-1] for word in telling)
        self._rotated = frozenset(word.translate(_ROT13) for word in telling)

    def __call__(self, text: str, deadline: Deadline, depth: int = 0) -> list[Evidence]:
        view = folded(text)
        hides = may_hide(text)
        found = (hidden(text) if hides else []) + self._readings(view, deadline, depth)
        for symbols in self._symbols:
            found += _literally(View(text), text, symbols)
        if hides and depth < _DEPTH:
            for start, end, inside in smuggled(text):
                found += _encoded(self._inside(inside, (start, end), deadline, depth))
        plainer, times = unescaped(view), 0
        while plainer is not None and times < _DEPTH:
            deadline.check()
            plainer = folded(plainer.text, plainer)
            known = set(found)
            found += [each for each in self._readings(plainer, deadline, depth) if each not in known]
            plainer, times = unescaped(plainer), times + 1
        return found

    def _inside(self, text: str, place: tuple[int, int], deadline: Deadline, depth: int) -> list[Evidence]:
        """What is in a text that was decoded, at the place of the run."""
        found = self(text, deadline, depth + 1)
        if " " not in text:
            found += self._run_together(text.lower())
        return [(family, weight, *place) for family, weight, *_ in found]

    def _readings(self, view: View, deadline: Deadline, depth: int) -> list[Evidence]:
        lower = view.text.lower()
        line = _words(lower)
        words = set(line.split())
        found = self._phrases_in(view, line, words) + signs(view, lower, words, deadline)
        for literal in self._literal:
            found += _literally(view, lower, literal)
        if not lower.isascii() and max(lower) > _UNSPACED_FROM:
            found += [(f, w, *view.span(*m.span())) for w, f, p in _unspaced() for m in p.finditer(lower)]
        shape = Shape(words, lower, view.text)
        if shape.mixed or "@" in lower or "$" in lower:
            found += self._as_leet(view, lower, words)
        if len(words & self._backwards) >= _TELLING:
            found += self._backward(view, lower)
        if len(words & self._rotated) >= _TELLING:
            turned = lower.translate(_ROT13)
            found += _encoded(
                self._phrases_in(view, turned_words := _words(turned), set(turned_words.split()))
            )
        if depth < _DEPTH and shape.may_be_encoded:
            found += self._decoded(view, shape, deadline, depth)
        if shape.long:
            found += self._in_long_words(view, line, shape.long)
        return found

    def _phrases_in(self, view: View, line: str, words: set[str]) -> list[Evidence]:
        """Phrases in a line of words, which has the places of the view."""
        found: list[Evidence] = []
        for phrase, start, end in self._phrases.found(line, words):
            weight = phrase.weight
            if _OWN.search(line, start, end) or _REPORTS.search(line[max(start - 40, 0) : start]):
                weight *= _REPORTED
            found.append((phrase.family, weight, *view.span(start, end)))
        return found

    def _as_leet(self, view: View, lower: str, words: set[str]) -> list[Evidence]:
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

    def _decoded(self, view: View, shape: Shape, deadline: Deadline, depth: int) -> list[Evidence]:
        found: list[Evidence] = []
        for start, end, text in decoded_runs(view.text, shape):
            deadline.check()
            found += _encoded(self._inside(text, view.span(start, end), deadline, depth))
        return found

    def _in_long_words(self, view: View, line: str, long: list[str]) -> list[Evidence]:
        found: list[Evidence] = []
        for word in _WORD.finditer(line):
            if word[0] in long:
                begin = word.start()
                for family, weight, start, end in self._run_together(word[0]):
                    found.append((family, weight, *view.span(begin + start, begin + end)))
        return found

    def _run_together(self, text: str) -> list[Evidence]:
        """Strong phrases in letters without spaces between."""
        found: list[Evidence] = []
        for letters in dict.fromkeys((text, text.translate(_LEET), text.translate(_LEET_I))):
            for phrase in self._phrases.within(letters):
                match = _compiled(phrase.compact).search(letters) if phrase.weight >= _STRONG else None
                if match is not None:
                    found.append((phrase.family, phrase.weight, *match.span()))
            if found:
                break
        return found


def _words(lower: str) -> str:
    """With spaces for all that is no letter and no digit; as long as before."""
    if lower.isascii():
        return lower.translate(_NO_WORD)
    others = [char for char in set(lower) if not char.isalnum()]
    if len(others) > _FEW:
        return _NOT_WORD.sub(" ", lower)
    for char in others:
        lower = lower.replace(char, " ")
    return lower


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _unspaced() -> list[tuple[float, str, re.Pattern[str]]]:
    return [(weight, family, re.compile(pattern)) for weight, family, pattern in UNSPACED]


def _literally(view: View, lower: str, literal: str) -> list[Evidence]:
    found: list[Evidence] = []
    start = lower.find(literal)
    while start >= 0:
        found.append((_LISTED, 0.9, *view.span(start, start + len(literal))))
        start = lower.find(literal, start + len(literal))
    return found


def _encoded(inside: list[Evidence]) -> list[Evidence]:
    """What was found in a run that had to be decoded, and that it had to."""
    hidden_in = {(_IN_ENCODING, _ENCODED, start, end) for _, _, start, end in inside}
    return [*inside, *hidden_in]


def _found(evidence: list[Evidence], text: str) -> Found:
    strongest: dict[str, float] = {}
    for family, weight, _, _ in evidence:
        strongest[family] = max(weight, strongest.get(family, 0.0))
    # In an order that no hash decides, so that a text has the same score and reason in every process.
    families = sorted(strongest, key=lambda family: (-strongest[family], family))
    doubt = 1.0
    for family in families:
        doubt *= 1 - strongest[family]
    return Found(1 - doubt, ", ".join(families), _matches(evidence, text))


def _matches(evidence: list[Evidence], text: str) -> tuple[Match, ...]:
    """Places in order, those that touch as one: each to the end of its sentence, a decoded run as it is."""
    runs = {(start, end) for family, _, start, end in evidence if family == _IN_ENCODING}
    places: list[list[int]] = []
    for start, end in sorted({(start, min(end, len(text))) for _, _, start, end in evidence}):
        if places and start <= places[-1][1]:
            end = max(places[-1][1], end)
        elif start < end:
            places.append([start, end])
        else:
            continue
        rest = None if (start, end) in runs else _REST.match(text, end)
        places[-1][1] = end if rest is None else rest.end()
    return tuple(Match(start, end, LABEL) for start, end in places)
