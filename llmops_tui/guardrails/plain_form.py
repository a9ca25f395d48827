"""A text as it reads, for patterns: invisible characters out, fullwidth and styled ones as plain ones.

Who hides a number from patterns writes `４１１１`, or puts something of no width between the digits.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import msgspec

_SPACES_AND_DASHES = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2028\u2029\x85", "\n"),
}


class Plain(msgspec.Struct, frozen=True):
    """A plain text, and where its characters stand in the original.

    Attributes:
        places: place in the original of each character; None where they are the same.
    """

    text: str
    places: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Characters [start, end) of the plain text, as those of the original; start < end."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def plain_form(text: str) -> Plain:
    """The text as it reads. Of compatibility forms (Unicode NFKC) those of one character are resolved."""
    if text.isascii():
        return Plain(text)
    plain = {char: _plain(char) for char in set(text) if char > "\x7f"}
    changed = {ord(char): form for char, form in plain.items() if form != char}
    if not changed:
        return Plain(text)
    made = text.translate(changed)
    if len(made) == len(text):
        return Plain(made)
    return Plain(made, [at for at, char in enumerate(text) if plain.get(char, char)])


@lru_cache(maxsize=4_096)
def _plain(char: str) -> str:
    """One character, or nothing for one that is not seen."""
    if char in _SPACES_AND_DASHES:
        return _SPACES_AND_DASHES[char]
    if unicodedata.category(char) in ("Cf", "Mn", "Me") and not unicodedata.combining(char):
        return ""
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    form = unicodedata.normalize("NFKC", char)
    return form if len(form) == 1 else char
