"""Shapes of personal data in a text: where one might stand. What is one, a check digit or a library says.

Every pattern is bounded and costs a time in proportion to the text, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """How one kind is written.

    Attributes:
        starts: a sign of a beginning. It starts with one set of characters, which `re` looks for quickly;
            the whole pattern, with what must not stand before it, would be tried at every character.
        pattern: the whole, from its beginning.
        back: characters from the beginning to the sign.
        divides: what stands beside one may have been taken for a part of it.
    """

    starts: re.Pattern[str]
    pattern: re.Pattern[str]
    back: int = 0
    divides: bool = True


EMAIL = Shape(
    re.compile(r"[\w.%+-](?<![\w.%+-].)(?=[\w.%+-]{0,63}@[A-Za-z0-9])", re.DOTALL),
    re.compile(
        r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}"
        r"[A-Za-z0-9-]{2,24}(?![\w-])"
    ),
    divides=False,
)
#: `jane (at) example (dot) com`, `jane[at]example.com`; in bare words both: `jane at example dot com`.
SPELT_EMAIL = Shape(
    re.compile(
        r"[\w.%+-](?<![\w.%+-].)(?=[\w.%+-]{0,63}(?: ?[(\[{] ?at ?[)\]}]| at [\w-]{1,63} dot))",
        re.DOTALL | re.IGNORECASE,
    ),
    re.compile(
        r"[\w.%+-]{1,64}(?: ?[(\[{] ?at ?[)\]}] ?| at )[A-Za-z0-9-]{1,63}"
        r"(?:(?: ?[(\[{] ?dot ?[)\]}] ?| dot |\.)[A-Za-z0-9-]{2,63}){1,4}(?![\w-])",
        re.IGNORECASE,
    ),
    divides=False,
)
CARD = Shape(
    re.compile(r"\d(?<![\d.].)(?=(?:[ -]?\d){12})", re.DOTALL),
    re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?!\d)"),
)
IBAN = Shape(
    re.compile(r"\d(?<=[A-Za-z]{2}.)(?<![A-Za-z0-9][A-Za-z]{2}.)(?=\d(?: ?[A-Za-z0-9]){8})"),
    re.compile(
        r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
    ),
    back=2,
)
IPV4 = Shape(
    re.compile(r"\d(?<![\w.].)(?=\d{0,2}\.\d{1,3}\.)", re.DOTALL),
    re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"),
)
#: Of the older ones a port may stand behind and a name before, each with a colon.
IPV6 = Shape(
    re.compile(r"[0-9A-Fa-f](?<![\w.:].)(?=[0-9A-Fa-f]{0,3}:[0-9A-Fa-f]{0,4}:)", re.DOTALL),
    re.compile(r"(?<![\w.:])[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:]|\.\d)"),
)
PHONE = Shape(
    re.compile(r"[+(\d](?<![\w.,+-].)(?=(?:[ ./()-]{0,3}\d){5})", re.DOTALL),
    re.compile(
        r"(?<![\w.,+-])(?:\+\d{7,15}|(?:\+\d{1,3}[ ./-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{2,5}"
        r"(?:[ ./-]\d{2,8}){1,5}|0\d{8,14})(?![\w-])"
    ),
)
#: A national number: nine to fifteen digits in groups, or a Spanish one with its letters.
NATIONAL = Shape(
    re.compile(r"[\dXYZxyz](?<![\w.,+-].)(?=(?:[ ./-]?\d){7})", re.DOTALL),
    re.compile(r"(?<![\w.,+-])[\dXYZxyz](?:[ ./-]?\d){7,15}(?:[ -]?[A-Za-z])?(?![\w])"),
)

_DATE = re.compile(r"(?:19|20)\d\d[ ./-]\d\d?[ ./-]\d\d?|\d\d?[ ./-]\d\d?[ ./-](?:19|20)\d\d")
#: What all but an e-mail address have in them.
DIGITS = re.compile(r"\d.?.?\d", re.DOTALL)
_WORD = re.compile("[+(]?[A-Za-z0-9.:]+")


def places(text: str, shape: Shape, is_one: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Where the kind stands, characters [start, end), in order, without overlaps.

    Of a candidate that is none as a whole, each run of its words is tried.

    Args:
        is_one: (start, end) → whether what stands there is one.
    """
    done = 0
    for sign in shape.starts.finditer(text):
        start = sign.start() - shape.back
        if start < done:
            continue
        candidate = shape.pattern.match(text, start)
        if candidate is None:
            continue
        done = candidate.end()
        if is_one(start, done):
            yield start, done
        elif shape.divides and (part := _part(candidate, is_one)) is not None:
            yield part


def _part(candidate: re.Match[str], is_one: Callable[[int, int], bool]) -> tuple[int, int] | None:
    whole = candidate.span()
    words = [word.span() for word in _WORD.finditer(candidate.string, *whole)]
    for first, (start, _) in enumerate(words):
        for _, end in reversed(words[first:]):
            if (start, end) != whole and is_one(start, end):
                return start, end
    return None


def is_dated(text: str) -> bool:
    """It begins with a date: `2026-11-28`."""
    return _DATE.match(text) is not None
