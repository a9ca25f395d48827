"""Patterns out of what comes in, before anything of it is written.

Built-in ones are cheap and bounded; a person's own run with a time limit, and a text that takes longer is
left out as a whole.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.redact import MARK, MIN_LENGTH, Redactor

#: Seconds for one pattern on one text, and for all of a batch: beyond it long texts are not searched.
_TEXT_LIMIT_S, _BATCH_LIMIT_S = 0.05, 1.0
_LONG = 1_000
TOO_SLOW = "[redacted: it took too long to search]"

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z0-9-]{2,24}(?![\w-])"
)
_CARD = re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?!\d)")
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
#: Of the older ones a port may stand behind and a name before, each with a colon.
_IP = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
    r"|(?<![\w.:])[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:]|\.\d)"
)
_PHONE = re.compile(
    r"(?<![\w.,+-])(?:\+\d{7,15}|(?:\+\d{1,3}[ ./-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{2,5}(?:[ ./-]\d{2,8}){1,5}"
    r"|0\d{8,14})(?![\w-])"
)
_DATE = re.compile(r"(?:19|20)\d\d[ ./-]\d\d?[ ./-]\d\d?|\d\d?[ ./-]\d\d?[ ./-](?:19|20)\d\d")
_WORD = re.compile("[+(]?[A-Za-z0-9.:]+")
#: What all but `email` have in them.
_DIGITS = re.compile(r"\d.?.?\d", re.DOTALL)


def _is_card(text: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1)."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or not any(digits):
        return False
    doubled = [d if n % 2 == 0 else d * 2 - 9 * (d > 4) for n, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """The remainder of ISO 13616."""
    plain = text.replace(" ", "").upper()
    if not 15 <= len(plain) <= 34 or not plain.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    # `1::2` is an address as well, and a slice of Python.
    return "." in text or any(len(group) > 2 for group in text.split(":"))


def _is_phone(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    if not 7 <= digits <= 15 or _DATE.match(text):
        return False
    return text[0] in "+0(" or digits >= 9


_ALWAYS: Callable[[str], bool] = bool
#: Name → pattern and whether what it found is one. In this order: a card's number is no telephone's.
_BUILT_IN: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (_EMAIL, _ALWAYS),
    "iban": (_IBAN, _is_iban),
    "card": (_CARD, _is_card),
    "ip": (_IP, _is_ip),
    "phone": (_PHONE, _is_phone),
}
BUILT_IN = tuple(_BUILT_IN)


class Redaction:
    """Replaces what patterns find by `[email]`, `[card]` …, or `[redacted]`; and a workspace's secrets.

    Args:
        patterns: names of `BUILT_IN`, or regular expressions.
        secrets: values, such as keys of providers.

    Raises:
        UsageError: a pattern is no regular expression.
    """

    def __init__(self, patterns: Iterable[str], secrets: Iterable[str] = ()) -> None:
        wanted = list(dict.fromkeys(patterns))
        self._rules = [(f"[{name}]", *rule) for name, rule in _BUILT_IN.items() if name in wanted]
        self._own = [_compiled(pattern) for pattern in wanted if pattern not in _BUILT_IN]
        known = [secret for secret in secrets if len(secret.strip()) >= MIN_LENGTH]
        self._redactor = Redactor(known)
        self._has_secrets = bool(known)
        self._left_s = _BATCH_LIMIT_S

    @property
    def is_empty(self) -> bool:
        return not (self._rules or self._own or self._has_secrets)

    def begin(self) -> None:
        """A new batch begins: its time limit does."""
        self._left_s = _BATCH_LIMIT_S

    def text(self, text: str) -> str:
        """The text without what the patterns find."""
        if self._has_secrets:
            text = self._redactor.redact(text)
        if self._rules:
            has_digits = _DIGITS.search(text) is not None
            for mark, pattern, is_one in self._rules:
                if mark == "[email]":
                    if "@" in text:
                        text = pattern.sub(mark, text)
                elif has_digits:
                    text = pattern.sub(_replaced(mark, is_one), text)
        for own in self._own:
            text = self._own_pattern(own, text)
        return text

    def number(self, value: int) -> Any:
        """A number as it is, or a mark: a card's number may come as one."""
        if -999_999 <= value <= 999_999:
            return value
        plain = str(value) if abs(value) < 10**40 else ""
        redacted = self.text(plain)
        return value if redacted == plain else redacted

    def _own_pattern(self, pattern: Any, text: str) -> str:
        if self._left_s <= 0 and len(text) > _LONG:
            return TOO_SLOW
        started = time.perf_counter()
        try:
            return str(pattern.sub(MARK, text, timeout=_TEXT_LIMIT_S))
        except TimeoutError:
            self._left_s -= time.perf_counter() - started
            return TOO_SLOW


def _replaced(mark: str, is_one: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    """What a match becomes: what stands beside a number may have been taken for a part of it."""

    def replaced(match: re.Match[str]) -> str:
        text = match[0]
        if is_one(text):
            return mark
        words = [(word.start(), word.end()) for word in _WORD.finditer(text)]
        for first, (start, _) in enumerate(words):
            for _, end in reversed(words[first:]):
                if end - start < len(text) and is_one(text[start:end]):
                    return text[:start] + mark + text[end:]
        return text

    return replaced


def _compiled(pattern: str) -> Any:
    import regex

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise UsageError(
            Problem(
                f"live.redact: '{pattern}' is no regular expression ({error})",
                f"correct it, or name a built-in one: {', '.join(BUILT_IN)}",
            )
        ) from None
