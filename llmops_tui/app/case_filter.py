"""The filter of the case list: `tag:refunds is:regressed score<0.5 "any text"`.

Terms are joined by "and"; a `-` before one turns it round. A bare text is looked for in id and tags
(also by beginnings of words: `rewi` finds `refund-window`) and inside the outputs.
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable, Mapping

import msgspec

from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.run import passes
from llmops_tui.domain.statistics.flaky import is_flaky

InOutputs = Callable[[str, Pair], bool]
Known = Callable[[str, Pair], bool]

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": lambda a, b: abs(a - b) < 1e-9,
}
_NUMERIC = re.compile(r"(score|delta|latency)(<=|>=|<|>|=)(.*)", re.IGNORECASE)
_WORD_START = re.compile(r"[a-z0-9]+")

IS_WORDS: dict[str, Callable[[Pair], bool]] = {
    "regressed": lambda p: p.change == "regressed" and not p.pending,
    "improved": lambda p: p.change == "improved" and not p.pending,
    "same": lambda p: p.change == "same" and not p.pending,
    "reworded": lambda p: p.change == "same" and bool(p.output_changed) and not p.pending,
    "new": lambda p: p.change == "new",
    "removed": lambda p: p.change == "removed",
    "error": lambda p: p.change == "error",
    "changed": lambda p: is_changed(p),
    "flipped": lambda p: p.flip is not None,
    "flaky": lambda p: p.candidate is not None and is_flaky(passes(p.candidate)),
    "pending": lambda p: p.pending,
    "passed": lambda p: p.candidate is not None and p.candidate.status == "passed",
    "failed": lambda p: p.candidate is not None and p.candidate.status == "failed",
    "unscored": lambda p: p.candidate is not None and p.candidate.status == "unscored",
}

#: Words that need more than the pair: the review, the verdict, the eval file.
KNOWN_WORDS = ("open", "accepted", "rejected", "flaky", "critical", "known-failing")


def is_changed(pair: Pair) -> bool:
    """A person should look at it: the score moved, the text did, a side is missing or erred."""
    return not pair.pending and (pair.change != "same" or bool(pair.output_changed))


class Term(msgspec.Struct, frozen=True):
    """One condition. `kind` is `tag`, `is`, `id`, `model`, `text`, `score`, `delta` or `latency`."""

    kind: str
    value: str
    negated: bool = False
    compare: str = ""
    number: float = 0.0


class Filter(msgspec.Struct, frozen=True):
    """A parsed filter. `problem` says what was not understood; that term is left out."""

    terms: tuple[Term, ...] = ()
    problem: str = ""

    @property
    def is_of_review(self) -> bool:
        """A decision may change what passes."""
        return any(term.kind == "is" and term.value in KNOWN_WORDS for term in self.terms)

    @property
    def reads_outputs(self) -> bool:
        return any(term.kind == "text" for term in self.terms)


def parse(text: str) -> Filter:
    """What a person typed → a filter; never raises."""
    terms: list[Term] = []
    problem = ""
    for word in _words(text):
        term, mistake = _term(word)
        problem = problem or mistake
        if term is not None:
            terms.append(term)
    return Filter(tuple(terms), problem)


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.quotes, lexer.escape = True, "", '"', ""
    try:
        return list(lexer)
    except ValueError:  # a quotation mark that is still open while the person types
        return [word for word in text.replace('"', " ").split() if word]


def _term(word: str) -> tuple[Term | None, str]:
    negated = len(word) > 1 and word.startswith("-")
    body = word[1:] if negated else word
    numeric = _NUMERIC.fullmatch(body)
    if numeric is not None:
        kind, compare, figure = numeric[1].lower(), numeric[2], numeric[3].replace("−", "-")
        if not figure:
            return None, ""
        try:
            return Term(kind, body, negated, compare, float(figure)), ""
        except ValueError:
            return None, f"'{figure}' is not a number; write {kind}{compare}0.5"
    kind, colon, value = body.partition(":")
    if colon and kind in ("tag", "is", "id", "model"):
        if not value:
            return None, ""
        words = (*IS_WORDS, *KNOWN_WORDS)
        if kind == "is" and value not in words:
            near = [known for known in words if known.startswith(value)]
            if near:
                return Term("is", near[0], negated), ""
            return None, f"there is no is:{value}; {did_you_mean(value, set(words))}"
        return Term(kind, value.lower(), negated), ""
    return Term("text", body.lower(), negated), ""


def matches(
    terms: tuple[Term, ...],
    pair: Pair,
    tags: tuple[str, ...],
    in_outputs: InOutputs,
    known: Known = lambda _word, _pair: False,
) -> bool:
    """Whether a case passes the filter.

    Args:
        tags: of the case.
        in_outputs: says whether an output of the case holds a text (lower case).
        known: says whether a word of `KNOWN_WORDS` is so of a pair.
    """
    return all(_holds(term, pair, tags, in_outputs, known) != term.negated for term in terms)


def _holds(term: Term, pair: Pair, tags: tuple[str, ...], in_outputs: InOutputs, known: Known) -> bool:
    match term.kind:
        case "is":
            word = IS_WORDS.get(term.value)
            return word(pair) if word is not None else known(term.value, pair)
        case "tag":
            return any(loosely(term.value, tag) for tag in tags)
        case "id":
            return loosely(term.value, pair.case_id)
        case "model":
            return term.value in pair.model.lower()
        case "text":
            return (
                loosely(term.value, pair.case_id)
                or any(loosely(term.value, tag) for tag in tags)
                or in_outputs(term.value, pair)
            )
        case _:
            figure = _figure(term.kind, pair)
            return figure is not None and _OPERATORS[term.compare](figure, term.number)


def _figure(kind: str, pair: Pair) -> float | None:
    if kind == "delta":
        return pair.delta
    row = pair.candidate
    if row is None:
        return None
    return row.score if kind == "score" else row.first.latency_s


def loosely(wanted: str, name: str) -> bool:
    """`wanted` is in `name`, or is made of beginnings of its words in order (`rw`, `rewi`)."""
    lower = name.lower()
    if wanted in lower:
        return True
    if len(wanted) < 2 or not set(wanted) <= set(lower):
        return False
    return _by_words(wanted, tuple(_WORD_START.findall(lower)))


def _by_words(wanted: str, words: tuple[str, ...]) -> bool:
    if not wanted:
        return True
    for k, word in enumerate(words):
        size = 0
        while size < min(len(word), len(wanted)) and word[size] == wanted[size]:
            size += 1
        if any(_by_words(wanted[n:], words[k + 1 :]) for n in range(size, 0, -1)):
            return True
    return False
