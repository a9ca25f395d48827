"""Numbers that somebody's program told of, made harmless and exact.

Sums are taken apart again when more is learned about a request, and come in any order. So what is added up
is rounded to a fraction of a power of two: floating point adds and subtracts these without any error, until a
sum is 2^53 of them (of money 131,072 USD in one bucket, of time 272 years); beyond that it is off by parts in
10^16.
"""

from __future__ import annotations

import math
from typing import Any

#: About a microsecond, 15 millionths of a millionth of a dollar, and 1/65,536 of a score.
_SECOND, _USD, _SHARE = 2.0**20, 2.0**36, 2.0**16
MOST_S = 1e7
MOST_USD = 1e5


def number(value: Any) -> float | None:
    """A finite number as one; None where it is none (a truth value is none)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def whole(value: Any) -> int:
    """A count; 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0
    return int(value)


def seconds(value: float) -> float:
    """A duration that can be added up, at most `MOST_S`."""
    return round(value * _SECOND) / _SECOND if 0 < value < MOST_S else MOST_S if value >= MOST_S else 0.0


def usd(value: float) -> float:
    """Money that can be added up, at most `MOST_USD`."""
    return round(value * _USD) / _USD if 0 < value < MOST_USD else MOST_USD if value >= MOST_USD else 0.0


def share(value: float) -> float:
    """A value in [0, 1] that can be added up, and its square."""
    return round(value * _SHARE) / _SHARE if 0 < value < 1 else 1.0 if value >= 1 else 0.0
