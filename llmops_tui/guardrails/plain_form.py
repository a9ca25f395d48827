"""A text as it reads, for patterns: invisible characters out, fullwidth and styled ones as plain ones.

Who hides a number from patterns writes `４１１１`, or puts something of no width between the digits.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache

import msgspec

from llmops_tui.guardrails.registry import Deadline

#: Characters between two looks at the clock.
_PORTION = 10_000
#: Up to so many different characters are replaced one after the other, which is faster.
_FEW = 12
_SPACES_AND_DASHES = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2028\u2029\x85", "\n"),
}
#: Where characters with another form are. Between them are ideographs, Hangul, private and free places.
_BLOCKS = (
    *(range(0x80, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0x17000), range(0x1B000, 0x20000)),
    *(range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200)),
)


class Plain(msgspec.Struct, frozen=True):
    """A plain text, and where its characters stand in the original.

    Attributes:
        left_out: of each character of the original that is not there, in order, where in `text` it would be.
    """

    text: str
    left_out: list[int] = []

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Characters [start, end) of the plain text, as those of the original; start < end."""
        return self._original(start), self._original(end - 1) + 1

    def _original(self, place: int) -> int:
        return place + bisect_right(self.left_out, place)


def plain_form(text: str, deadline: Deadline) -> Plain:
    """The text as it reads. Of compatibility forms (Unicode NFKC) those of one character are resolved.

    Raises:
        TooSlow: the time is over.
    """
    if text.isascii():
        return Plain(text)
    parts: list[str] = []
    left_out: list[int] = []
    length = 0
    for start in range(0, len(text), _PORTION):
        deadline.check()
        portion = text[start : start + _PORTION]
        made = _plain_portion(portion)
        if len(made) < len(portion):
            unseen = plain_forms().unseen
            gone = [at for at, char in enumerate(portion) if char in unseen]
            left_out += [length + at - before for before, at in enumerate(gone)]
        parts.append(made)
        length += len(made)
    return Plain("".join(parts), left_out)


def _plain_portion(text: str) -> str:
    forms = plain_forms()
    changed = forms.changed & set(text)
    if len(changed) > _FEW:
        return text.translate(forms.of)
    for char in changed:
        text = text.replace(char, forms.of[ord(char)])
    return text


class _Forms(msgspec.Struct, frozen=True):
    """Characters that read otherwise than they are written.

    Attributes:
        of: code point → how it reads, which reads as itself; empty for what is not seen.
        changed, unseen: the characters of `of`, and those that are not seen.
    """

    of: dict[int, str]
    changed: frozenset[str]
    unseen: frozenset[str]


@cache
def plain_forms() -> _Forms:
    """Takes 40 ms once: a check asks for them when it is prepared, not in the time of its first look."""
    of = {point: form for block in _BLOCKS for point in block if (form := _plain(chr(point))) != chr(point)}
    of = {point: of.get(ord(form), form) if form else "" for point, form in of.items()}
    return _Forms(
        of, frozenset(map(chr, of)), frozenset(chr(point) for point, form in of.items() if not form)
    )


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
