"""Texts that a configuration allows: `*@example.org`, `+49 30 1234567`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_GAPS = re.compile(r"[\s().-]+")


def allowing(wanted: Iterable[str]) -> Callable[[str], bool]:
    """Whether a text is one of those; case and what groups digits do not count, `*` stands for anything."""
    known = [[_squeezed(part) for part in each.split("*")] for each in wanted if each.strip()]

    def is_allowed(text: str) -> bool:
        squeezed = _squeezed(text)
        return any(_fits(squeezed, parts) for parts in known)

    return is_allowed if known else lambda _text: False


def _squeezed(text: str) -> str:
    return _GAPS.sub("", text.casefold())


def _fits(text: str, parts: list[str]) -> bool:
    """Glob by its literal parts: the time is in proportion to the text, unlike that of `.*a.*b.*`."""
    first, *rest = parts
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(rest[-1]) and text.endswith(rest[-1])
