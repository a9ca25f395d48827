"""Durations and limits as people write them: `15m`, `6h`, `7d`; `4s`, `350ms`, `5%`."""

from __future__ import annotations

import math
import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|min|s|m|h|d|w)(?: |(?=[0-9])|$)")
_PERCENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%")


def duration_s(text: str) -> float | None:
    """Seconds of `15m`, `1h 30m` or `350ms`; None where it is no duration."""
    text = text.strip()
    total, at = 0.0, 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            return None
        total += float(found[1]) * _SECONDS[found[2]]
        at = found.end()
    return total if text else None


def percentage(text: str) -> float | None:
    """0.05 of `5%`; None where it is no percentage."""
    found = _PERCENT.fullmatch(text.strip())
    return float(found[1]) / 100 if found else None


def plain_number(text: str) -> float | None:
    """The number that a text is; None where it is none, or not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
