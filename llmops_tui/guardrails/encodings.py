"""Runs of a text that stand for another text: base64, hex, binary, Morse, letters set apart, escapes.

Every run is bounded, and what it decodes to is only looked at where it reads like text.
"""

from __future__ import annotations

import binascii
import html
import re
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Iterator

from llmops_tui.guardrails.normalising import View, replaced

#: A word this long has others in it, or is encoded.
LONG_WORD = 16
#: How many different letters set apart, or bytes, make a run likely.
_DIFFERENT_LETTERS, _DIFFERENT_BYTES = 5, 5
#: Characters of one run that are decoded: an order fits well.
_LONGEST_RUN = 4_096

_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}+(?:[ \t]?+\r?\n[ \t]{0,8}+[A-Za-z0-9+/_-]{16,}+){0,64}+"
    r"(?:\r?\n[A-Za-z0-9+/_-]{1,80}+(?==))?={0,2}"
)
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:;-]?+){8,2048}+(?![0-9A-Za-z])")
_BINARY = re.compile(r"(?<![01])(?:[01]{8}[ ,]?+){4,512}+(?![01])")
_MORSE = re.compile(r"(?<![.\-\w])(?:[.-]{1,5}+[ /|]{1,3}+){7,512}+[.-]{1,5}+")
_APART = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9@$!][ .\-_*/|,+~]{1,3}+(?=[A-Za-z0-9@$!](?![A-Za-z0-9]))){5,500}+"
    r"[A-Za-z0-9]"
)
_TAG_RUN = re.compile("[\U000e0020-\U000e007e]{4,4096}")
_SELECTOR_RUN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{6,4096}")
_HIDING = frozenset(
    chr(point)
    for first, last in (
        *((0xAD, 0xAD), (0x180E, 0x180E), (0x200B, 0x200D), (0x202D, 0x202E), (0x2060, 0x2064)),
        *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0020, 0xE007E), (0xE0100, 0xE01EF)),
    )
    for point in range(first, last + 1)
)
_ESCAPE = re.compile(
    r"(?:%[0-9A-Fa-f]{2}){1,64}+|\\u\{?[0-9A-Fa-f]{4,6}\}?|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}"
    r"|&#[xX]?[0-9A-Fa-f]{1,7};?|&[a-zA-Z]{2,8};"
)
_CODES = (
    "a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- "
    "u..- v...- w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----."
)
_MORSE_LETTERS = {code[1:]: code[0] for code in _CODES.split()}


class Shape:
    """What the words of a text look like: a cheap answer to which dear look is worth it.

    Attributes:
        mixed: some words have digits and letters.
        long: those so long that they may be others run together.
        coded: there may be base64 or hex.
        apart, pairs, dotted: there may be letters set apart, bytes in hex or bits, Morse.
    """

    def __init__(self, words: set[str], lower: str, text: str) -> None:
        lengths = sorted(map(len, words))
        no_letters = len(words) - sum(map(str.isalpha, words))
        self.mixed = no_letters > sum(map(str.isdigit, words))
        self.long: list[str] = []
        if lengths and lengths[-1] >= LONG_WORD:
            self.long = [word for word in words if len(word) >= LONG_WORD]
        self.coded = any(_no_word(word, lower, text) for word in self.long)
        self.apart = bisect_right(lengths, 1) >= _DIFFERENT_LETTERS
        self.dotted = ".-" in lower and "-." in lower
        self.pairs = (
            no_letters >= _DIFFERENT_BYTES
            and len([word for word in words if len(word) in (2, 4, 8) and not word.isalpha()])
            >= _DIFFERENT_BYTES
        )
        self.may_be_encoded = self.coded or self.apart or self.dotted or self.pairs


def _no_word(word: str, lower: str, text: str) -> bool:
    """It has digits, or capitals within."""
    start = lower.find(word)
    written = text[start + 1 : start + len(word)]
    return not (word.isalpha() and (written.islower() or written.isupper()))


def decoded_runs(text: str, shape: Shape) -> Iterator[tuple[int, int, str]]:
    """(start, end, what it decodes to) of the runs in a folded text."""
    if shape.coded:
        for match in _BASE64.finditer(text):
            yield from _if_text(match, _base64(match[0]))
    if shape.coded or shape.pairs:
        for match in _HEX.finditer(text):
            digits = re.sub(r"0x|\\x|[ ,:;-]", "", match[0])[:_LONGEST_RUN]
            yield from _if_text(match, binascii.unhexlify(digits[: len(digits) // 2 * 2]))
    if (shape.coded or shape.pairs) and "011" in text:
        for match in _BINARY.finditer(text):
            bits = re.sub("[ ,]", "", match[0])
            yield from _if_text(match, bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))
    if shape.dotted:
        for match in _MORSE.finditer(text):
            words = re.split(r" *[/|] *| {2,}", match[0])
            yield match.start(), match.end(), " ".join(map(_from_morse, words))
    if shape.apart:
        for match in _APART.finditer(text):
            yield match.start(), match.end(), re.sub(r"[ .\-_*/|,+~]", "", match[0])


def may_hide(original: str) -> bool:
    """Whether `smuggled` or `injection_signs.hidden` may find anything: few texts have such characters."""
    return not original.isascii() and not _HIDING.isdisjoint(original)


def smuggled(original: str) -> Iterator[tuple[int, int, str]]:
    """What is hidden in characters that have no look, before folding takes them out.

    Tag characters stand for ASCII; variation selectors for bytes (Butler, 2025).
    """
    for match in _TAG_RUN.finditer(original):
        yield match.start(), match.end(), "".join(chr(ord(c) - 0xE0000) for c in match[0])
    for match in _SELECTOR_RUN.finditer(original):
        values = [ord(c) - 0xFE00 if c < "\uff00" else ord(c) - 0xE0100 + 16 for c in match[0]]
        yield from _if_text(match, bytes(values))


def unescaped(view: View) -> View | None:
    """With the characters that percent, backslash and HTML escapes stand for; None where there are none."""
    if "%" not in view.text and "\\" not in view.text and "&" not in view.text:
        return None
    return replaced(view, _ESCAPE, _unescaped)


def _unescaped(match: re.Match[str]) -> str:
    escape = match[0]
    if escape[0] == "%":
        return bytes.fromhex(escape.replace("%", "")).decode("utf-8", "replace")
    if escape[0] == "&":
        return html.unescape(escape)
    point = int(escape[1:], 8) if escape[1].isdigit() else int(escape[2:].strip("{}"), 16)
    return chr(point) if point < 0x110000 else ""


def _from_morse(word: str) -> str:
    return "".join(_MORSE_LETTERS.get(code, " ") for code in word.split())


def _base64(run: str) -> bytes:
    letters = re.sub(r"[\s=]", "", run)[:_LONGEST_RUN].replace("-", "+").replace("_", "/")
    return b64decode(
        letters[: len(letters) // 4 * 4 if len(letters) % 4 == 1 else None] + "=" * (-len(letters) % 4)
    )


def _if_text(match: re.Match[str], data: bytes) -> Iterator[tuple[int, int, str]]:
    """Nothing where the bytes are no text: nearly every long word is valid base64."""
    for encoding in ("utf-8", "utf-16-le") if data[1:2] == b"\0" else ("utf-8",):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            # A run that was cut, or a letter too many: the end may be lost.
            text = data[:-4].decode(encoding, "replace")
        if (
            text
            and sum(c.isprintable() or c.isspace() for c in text) > 0.9 * len(text) > 0.9 * 4
            and "\ufffd" not in text
        ):
            yield match.start(), match.end(), text
