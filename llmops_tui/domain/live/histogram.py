"""Histograms that can be added up: counts in buckets whose width grows with the value.

Bucket b holds values in (GROWTH^(b-1), GROWTH^b], so every value told is within 2 % of one that was put in.
Source: Masson, Rim & Lee, *DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
Guarantees*, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

GROWTH = 1.04
_LOG = math.log(GROWTH)
#: Bucket of 0, and of what is too small to tell from it.
ZERO = -10_000
_SMALLEST = 1e-9
LARGEST = 1e15


def bucket_of(value: float) -> int:
    """The bucket of a value; what is negative or no number is taken as 0."""
    if not value > _SMALLEST:
        return ZERO
    return math.ceil(math.log(min(value, LARGEST)) / _LOG - 1e-9)


def value_of(bucket: int) -> float:
    """The value that a bucket stands for: within 2 % of all it holds."""
    return 0.0 if bucket == ZERO else 2 * GROWTH**bucket / (GROWTH + 1)


class Histogram(msgspec.Struct, array_like=True):
    """Counts of values by bucket.

    Attributes:
        counts: bucket → how many.
        total: sum of the values as they were; exact where they were made by `amounts`.
    """

    counts: dict[int, int] = {}
    total: float = 0.0

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        n = self.n
        return self.total / n if n else None

    def add(self, value: float, times: int = 1) -> None:
        """Count a value; what is negative or no number as 0, what is beyond `LARGEST` as that."""
        value = min(value, LARGEST) if value > 0 else 0.0
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + times
        self.total += value * times

    def merge(self, other: Histogram, sign: int = 1) -> None:
        """Add another to this one, or with sign −1 take it away again.

        A difference may have negative counts until it is added to the rest.
        """
        if other.counts:
            counts = self.counts
            for bucket, count in other.counts.items():
                now = counts.get(bucket, 0) + sign * count
                if now:
                    counts[bucket] = now
                else:
                    counts.pop(bucket, None)
        self.total += sign * other.total

    @property
    def is_empty(self) -> bool:
        return not (self.counts or self.total)

    def quantile(self, p: float) -> float | None:
        """The value that a share `p` of all is not above; None where there is none (nearest rank)."""
        n = self.n
        if not n:
            return None
        rank = max(math.ceil(p * n), 1)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                return value_of(bucket)
        return value_of(max(self.counts))

    def above(self, limit: float) -> int:
        """How many were above a limit; those in the limit's own bucket are not."""
        edge = bucket_of(limit)
        return sum(count for bucket, count in self.counts.items() if bucket > edge)


def histogram_of(values: Iterable[float]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made
