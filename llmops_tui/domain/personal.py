"""Shapes of personal data in a text: where one might stand. What is one, a check digit or a library says.

Every pattern is bounded and costs a time in proportion to the text, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """How one kind is written.

    Its pattern begins with what must not stand before it, so `re` would try it at every character. Signs
    begin with a character or a set of them, which `re` looks for quickly, and most texts have few.

    Attributes:
        signs: what every one has in it.
        before: characters from its beginning to the sign, at most.
        begins: its first character.
        pattern: the whole.
        least: characters, at least.
        divides: what stands beside one may have been taken for a part of it.
    """

    signs: re.Pattern[str]
    before: int
    begins: re.Pattern[str]
    pattern: re.Pattern[str]
    least: int = 1
    divides: bool = True


#: Seven digits, with what may stand between those of one number. A longer row is several signs.
_NUMBER = re.compile(r"\d(?:[ ./()-]{0,3}\d){6,60}+")

EMAIL = Shape(
    re.compile(r"@[A-Za-z0-9]"),
    64,
    re.compile(r"(?<![\w.%+-])[\w.%+-]"),
    re.compile(
        r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}"
        r"[A-Za-z0-9-]{2,24}(?![\w-])"
    ),
    divides=False,
)
#: `jane (at) example (dot) com`, `jane[at]example.com`; in bare words both: `jane at example dot com`.
SPELT_EMAIL = Shape(
    re.compile(r"[(\[{] ?at ?[)\]}]|(?<=at )[\w-]{1,63} dot ", re.IGNORECASE),
    70,
    re.compile(r"(?<![\w.%+-])[\w.%+-]"),
    re.compile(
        r"(?<![\w.%+-])[\w.%+-]{1,64}(?: ?[(\[{] ?at ?[)\]}] ?| at (?=[\w-]{1,63} dot ))[A-Za-z0-9-]{1,63}"
        r"(?:(?: ?[(\[{] ?dot ?[)\]}] ?| dot |\.)[A-Za-z0-9-]{2,63}){1,4}(?![\w-])",
        re.IGNORECASE,
    ),
    divides=False,
)
CARD = Shape(
    _NUMBER,
    0,
    re.compile(r"(?<![\d.])\d"),
    re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?!\d)"),
    least=13,
)
IBAN = Shape(
    _NUMBER,
    24,
    re.compile(r"(?<![A-Za-z0-9])[A-Za-z](?=[A-Za-z]\d\d)"),
    re.compile(
        r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?"
        r"(?![A-Za-z0-9])"
    ),
    least=15,
)
IPV4 = Shape(
    re.compile(r"\.(?=\d{1,3}\.\d{1,3}\.\d)"),
    3,
    re.compile(r"(?<![\w.])\d"),
    re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"),
    least=7,
)
#: Of the older ones a port may stand behind and a name before, each with a colon.
IPV6 = Shape(
    re.compile(r":(?=[0-9A-Fa-f]{0,4}:)"),
    4,
    re.compile(r"(?<![\w.:])[0-9A-Fa-f]"),
    re.compile(r"(?<![\w.:])[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:]|\.\d)"),
    least=3,
)
PHONE = Shape(
    _NUMBER,
    2,
    re.compile(r"(?<![\w.,+-])[+(\d]"),
    re.compile(
        r"(?<![\w.,+-])(?:\+\d{7,15}|(?:\+\d{1,3}[ ./-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{2,5}"
        r"(?:[ ./-]\d{2,8}){1,5}|0\d{8,14})(?![\w-])"
    ),
    least=7,
)
#: A national number: eight to sixteen digits in groups, or a Spanish one with its letters.
NATIONAL = Shape(
    _NUMBER,
    3,
    re.compile(r"(?<![\w.,+-])[\dXYZxyz]"),
    re.compile(r"(?<![\w.,+-])[\dXYZxyz](?:[ ./-]?\d){7,15}(?:[ -]?[A-Za-z])?(?!\w)"),
    least=9,
)

#: What all but an e-mail address have in them.
DIGITS = re.compile(r"\d.?.?\d", re.DOTALL)
_DATE = re.compile(r"(?:19|20)\d\d[ ./-]\d\d?[ ./-]\d\d?|\d\d?[ ./-]\d\d?[ ./-](?:19|20)\d\d")
_WORD = re.compile("[+(]?[A-Za-z0-9.:]+")

Span = tuple[int, int]


def places(
    text: str, shape: Shape, is_one: Callable[[int, int], bool], signs: Iterable[Span] | None = None
) -> Iterator[Span]:
    """Where the kind stands, characters [start, end), in order, without overlaps.

    Of a candidate that is none as a whole, each run of its words is tried.

    Args:
        is_one: (start, end) → whether what stands there is one.
        signs: where its signs are, if that is known (`signs_of`).
    """
    done = 0
    for sign_start, sign_end in signs_of(text, shape) if signs is None else signs:
        if shape.signs is _NUMBER and sign_end - sign_start < shape.least - shape.before:
            continue
        for begin in shape.begins.finditer(text, max(done, sign_start - shape.before), sign_end):
            start = begin.start()
            candidate = shape.pattern.match(text, start) if start >= done else None
            if candidate is None:
                continue
            done = candidate.end()
            if is_one(start, done):
                yield start, done
            elif shape.divides and (part := _part(candidate, shape.least, is_one)) is not None:
                yield part
        done = max(done, sign_end)


def signs_of(text: str, shape: Shape, found: Iterable[re.Match[str]] | None = None) -> Iterator[Span]:
    """Where signs of a shape are.

    Args:
        found: all that `shape.signs` finds, where it was looked for already.
    """
    for sign in shape.signs.finditer(text) if found is None else found:
        # A date alone is the usual number of so many digits.
        if shape.signs is not _NUMBER or _DATE.fullmatch(text, *sign.span()) is None:
            yield sign.span()


def _part(candidate: re.Match[str], least: int, is_one: Callable[[int, int], bool]) -> Span | None:
    whole = candidate.span()
    words = [word.span() for word in _WORD.finditer(candidate.string, *whole)]
    for first, (start, _) in enumerate(words):
        for _, end in reversed(words[first:]):
            if end - start < least:
                break
            if (start, end) != whole and is_one(start, end):
                return start, end
    return None


def is_dated(text: str) -> bool:
    """It begins with a date: `2026-11-28`."""
    return _DATE.match(text) is not None
