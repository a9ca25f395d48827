"""Runs of a text that stand for another text: base64, hex, binary, Morse, letters set apart, escapes.

Every run is bounded, and what it decodes to is only looked at where it reads like text.
"""

from __future__ import annotations

import binascii
import html
import re
from base64 import b64decode
from collections.abc import Iterator

from llmops_tui.guardrails.normalising import View, replaced

#: Characters of one run that are decoded: an order fits well.
_LONGEST_RUN = 4_096

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{16,80}+[ \t\r\n]{0,3}+){1,64}+={0,2}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:;-]?+){8,2048}+(?![0-9A-Za-z])")
_BINARY = re.compile(r"(?<![01])(?:[01]{8}[ ,]?+){4,512}+(?![01])")
_MORSE = re.compile(r"(?<![.\-\w])(?:[.-]{1,5}+[ /|]{1,3}+){7,512}+[.-]{1,5}+")
_APART = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9@$!][ .\-_*/|,+~]{1,3}+(?=[A-Za-z0-9@$!](?![A-Za-z0-9]))){5,500}+[A-Za-z0-9]"
)
_SMUGGLED = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{6,4096}")
_ESCAPE = re.compile(
    r"(?:%[0-9A-Fa-f]{2}){1,64}+|\\u\{?[0-9A-Fa-f]{4,6}\}?|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}"
    r"|&#[xX]?[0-9A-Fa-f]{1,7};?|&[a-zA-Z]{2,8};"
)
_CODES = (
    "a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- "
    "w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----."
)
_MORSE_LETTERS = {code[1:]: code[0] for code in _CODES.split()}


def decoded_runs(text: str, original: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, what it decodes to) of the runs in a folded text.

    Args:
        original: before folding, for what is smuggled in variation selectors; places are in it then.
    """
    for match in _BASE64.finditer(text):
        yield from _if_text(match, _base64(match[0]))
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[ ,:;-]", "", match[0])[:_LONGEST_RUN]
        yield from _if_text(match, binascii.unhexlify(digits[: len(digits) // 2 * 2]))
    if "0110" in text:
        for match in _BINARY.finditer(text):
            bits = re.sub("[ ,]", "", match[0])
            yield from _if_text(match, bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))
    if ".." in text or "--" in text or ".-" in text:
        for match in _MORSE.finditer(text):
            letters = [_MORSE_LETTERS.get(code, " ") for code in re.split(r" +(?![/|])|[/|]", match[0])]
            yield match.start(), match.end(), "".join(letters)
    for match in _APART.finditer(text):
        yield match.start(), match.end(), re.sub(r"[ .\-_*/|,+~]", "", match[0])
    if not original.isascii():
        for match in _SMUGGLED.finditer(original):
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
