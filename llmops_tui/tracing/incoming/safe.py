"""Values from outside made safe to keep: texts that UTF-8 and SQLite hold, numbers that JSON has, and an end
to nesting. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from llmops_tui.domain.safe_text import whole_text
from llmops_tui.tracing.incoming.problems import BadSpan

#: How deep values may be nested. OpenTelemetry's own need three.
DEPTH = 32
#: Characters of a value that nobody understood.
LONGEST = 1 << 16
#: Attributes of a span that nobody understood.
MOST = 256
#: How many more there were.
LEFT_OUT = "llmops.left_out"
#: Objects, arrays and members that the JSON texts of one request may have beyond one in `_CHARACTERS`: a text
#: made of nothing but them takes some hundred times its size when it is read.
PARTS = 100_000
_CHARACTERS = 32
_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_parts_left: ContextVar[int | None] = ContextVar("parts of JSON texts that are read", default=None)
_LONGEST_INT = 1 << 63
_TOO_DEEP = f"values are nested deeper than {DEPTH}"


def text(value: str) -> str:
    """The text without halves of characters and NULs, which become U+FFFD."""
    value = value if value.isascii() else whole_text(value)
    return value.replace("\0", "\ufffd") if "\0" in value else value


def safe(value: Any, depth: int = DEPTH) -> Any:
    """A JSON value: no NaN, no integer beyond 64 bits (both become texts), no bytes (their size is told).

    Raises:
        BadSpan: it is nested deeper than `depth`.
    """
    match value:
        case str():
            return text(value)
        case bool() | None:
            return value
        case int():
            return value if -_LONGEST_INT <= value < _LONGEST_INT else number_text(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            if depth <= 0:
                raise BadSpan(_TOO_DEEP)
            return {text(str(key)): safe(each, depth - 1) for key, each in value.items()}
        case list() | tuple():
            if depth <= 0:
                raise BadSpan(_TOO_DEEP)
            return [safe(each, depth - 1) for each in value]
        case bytes():
            return f"({len(value)} bytes)"
        case _:
            return text(str(value))


def number_text(value: int) -> str:
    """A whole number as a text, also one with more digits than Python writes."""
    try:
        return str(value)
    except ValueError:
        return f"(a number of {value.bit_length()} bits)"


@contextmanager
def within_limits() -> Iterator[None]:
    """What one request says: of its JSON texts those beyond `PARTS` stay as they stand."""
    held = _parts_left.set(PARTS)
    try:
        yield
    finally:
        _parts_left.reset(held)


def _has_room(value: str) -> bool:
    """Whether a JSON text may be read; what it takes is then taken."""
    left = _parts_left.get()
    if left is None:
        return True
    beyond = _beyond(value, value)
    if beyond > 0:
        # Perhaps they stand in what it quotes.
        beyond = _beyond(_QUOTED.sub("", value), value)
    if beyond <= 0:
        return True
    if beyond > left:
        return False
    _parts_left.set(left - beyond)
    return True


def _beyond(bare: str, value: str) -> int:
    parts = bare.count(",") + bare.count("{") + bare.count("[")
    return parts - len(value) // _CHARACTERS


def decoded(value: Any) -> Any:
    """What a JSON object or array in a text says, safe; anything else as it stands."""
    if not isinstance(value, str) or value[:1] not in ("{", "[") or not _has_room(value):
        return value
    try:
        return safe(msgspec.json.decode(value))
    except (msgspec.DecodeError, UnicodeError):
        return _by_the_book(value)
    except (RecursionError, ValueError):  # too deep, or no such number
        return value


def _by_the_book(value: str) -> Any:
    """Python's own reader takes halves of characters and NaN, which others write."""
    try:
        return safe(json.loads(value))
    except (ValueError, RecursionError):
        return value


def bounded(value: Any) -> Any:
    """A value that nobody understood: cut with a note where it is long."""
    if isinstance(value, list | dict):
        written = msgspec.json.encode(value)
        if len(written) <= LONGEST:
            return value
        value = written.decode()
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]} … (cut; {len(value):,} characters came in)"
    return value


def left_over(left: dict[str, Any], found: dict[str, Any]) -> None:
    """Keep what nobody understood under the name that it came with."""
    kept = 0
    for name, value in left.items():
        if kept == MOST:
            found[LEFT_OUT] = sum(1 for each in left if each not in found)
            return
        if name not in found:
            long = isinstance(value, list | dict) or (isinstance(value, str) and len(value) > LONGEST)
            found[name[:LONGEST] if len(name) > LONGEST else name] = bounded(value) if long else value
            kept += 1
