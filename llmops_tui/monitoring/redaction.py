"""Patterns out of what comes in, before anything of it is written.

Built-in ones are cheap and bounded; a person's own run with a time limit, and a text that takes longer is
left out as a whole.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from typing import Any

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.personal import (
    CARD,
    DIGITS,
    EMAIL,
    IBAN,
    IPV4,
    IPV6,
    PHONE,
    Shape,
    is_dated,
    places,
)
from llmops_tui.domain.redact import MARK, MIN_LENGTH, Redactor

#: Seconds for one pattern on one text, and for all of a batch: beyond it long texts are not searched.
_TEXT_LIMIT_S, _BATCH_LIMIT_S = 0.05, 1.0
_LONG = 1_000
TOO_SLOW = "[redacted: it took too long to search]"


def _is_card(text: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1)."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or not any(digits):
        return False
    doubled = [d if n % 2 == 0 else d * 2 - 9 * (d > 4) for n, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """The remainder of ISO 13616."""
    plain = text.replace(" ", "").replace("-", "").upper()
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
    if not 7 <= digits <= 15 or is_dated(text):
        return False
    return text[0] in "+0(" or digits >= 9


_ALWAYS: Callable[[str], bool] = bool
#: Name → how it may be written, and whether what is found is one. In this order: a card's number is no
#: telephone's.
_BUILT_IN: dict[str, tuple[tuple[Shape, ...], Callable[[str], bool]]] = {
    "email": ((EMAIL,), _ALWAYS),
    "iban": ((IBAN,), _is_iban),
    "card": ((CARD,), _is_card),
    "ip": ((IPV4, IPV6), _is_ip),
    "phone": ((PHONE,), _is_phone),
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
            has_digits = DIGITS.search(text) is not None
            for mark, shapes, is_one in self._rules:
                if "@" in text if mark == "[email]" else has_digits:
                    for shape in shapes:
                        text = _replaced(text, mark, shape, is_one)
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


def _replaced(text: str, mark: str, shape: Shape, is_one: Callable[[str], bool]) -> str:
    parts, done = [], 0
    for start, end in places(text, shape, lambda start, end: is_one(text[start:end])):
        parts += [text[done:start], mark]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


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
