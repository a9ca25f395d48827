"""Ids and times of other tools → ours. The same record has the same ids, however often it is read. Pure."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

_TRACE = re.compile(r"[0-9a-fA-F]{32}")
_SPAN = re.compile(r"[0-9a-fA-F]{16}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: Digits of a fraction of a second that Python reads.
_FRACTION = re.compile(r"(\.\d{6})\d+")
_DOTTED = re.compile(r"(\d{8}T\d{6})(\d{3,6})Z")
#: Numbers below so much are seconds, milli-, micro-, nanoseconds.
_SCALES = ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
#: What is a time at all: 1980 to 2200.
_EARLIEST, _LATEST = 315_532_800.0, 7_258_118_400.0


def digest(*parts: Any) -> str:
    """64 hexadecimal digits of JSON values."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def trace_id(value: Any) -> str:
    """32 hexadecimal digits: the id itself where it is such digits or a UUID, else the digest of it."""
    text = str(value).strip()
    if _UUID.fullmatch(text):
        text = text.replace("-", "")
    if _TRACE.fullmatch(text) and text.strip("0"):
        return text.lower()
    return digest("trace", text)[:32]


def span_id(value: Any) -> str:
    """16 hexadecimal digits: the id itself where it is such digits, else of the digest of it."""
    text = str(value).strip()
    if _SPAN.fullmatch(text) and text.strip("0"):
        return text.lower()
    return digest("span", text)[:16]


def moment(value: Any) -> float | None:
    """Unix seconds, of a number (seconds, milli-, micro- or nanoseconds, told by its size), an ISO 8601 or
    RFC 5322 date, or either as a text; without a zone UTC is meant. None for what is no time since 1980."""
    if isinstance(value, str):
        return _written(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    scale = next((scale for limit, scale in _SCALES if value < limit), None)
    if scale is None:
        return None
    seconds = value / scale
    return seconds if _EARLIEST <= seconds < _LATEST else None


def _written(text: str) -> float | None:
    if not text or len(text) > 64:
        return None
    try:
        return moment(float(text))
    except ValueError:
        pass
    for read in (_iso, _dotted, parsedate_to_datetime):
        try:
            found = read(text)
            return moment((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(_FRACTION.sub(r"\1", text.replace(",", ".")).removesuffix(" UTC"))


def _dotted(text: str) -> datetime:
    """LangSmith's `dotted_order`: `20230914T223155647Z…`."""
    found = _DOTTED.match(text)
    if found is None:
        raise ValueError(text)
    return datetime.strptime(found[1] + found[2].ljust(6, "0"), "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)


def seconds(value: Any) -> float | None:
    """A length of time in seconds, perhaps as a text."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found >= 0 and not isinstance(value, bool) else None
