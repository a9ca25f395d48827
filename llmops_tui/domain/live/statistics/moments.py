"""What the statistics need of a set of values: how many, their sum, the sum of their squares."""

from __future__ import annotations

import math

import msgspec


class Moments(msgspec.Struct, frozen=True):
    """Values in [0, 1] of independent requests, added up. Of passes or errors `squares` equals `total`.

    Attributes:
        n: how many; may be a fraction, where it was divided by a design effect.
        total: their sum.
        squares: the sum of their squares.
    """

    n: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of_share(cls, k: float, n: float) -> Moments:
        """`k` of `n`."""
        return cls(n, k, k)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n > 0 else 0.0

    @property
    def variance(self) -> float:
        """Of one value, with n − 1; 0 where n is below 2."""
        if self.n < 2:
            return 0.0
        return max(self.squares - self.total * self.total / self.n, 0.0) / (self.n - 1)

    @property
    def is_binary(self) -> bool:
        """All values are 0 or 1."""
        return self.total - self.squares <= 1e-9 * max(self.total, 1.0)

    def flipped(self) -> Moments:
        """Of 1 − value: errors become successes."""
        return Moments(self.n, self.n - self.total, self.n - 2 * self.total + self.squares)

    def thinned(self, design_effect: float) -> Moments:
        """As so many independent values; a design effect below 1 counts as 1."""
        if design_effect <= 1:
            return self
        d = design_effect
        return Moments(self.n / d, self.total / d, self.squares / d)

    def checked(self) -> Moments:
        """Free of round-off: no sum is outside of what values in [0, 1] can give.

        Raises:
            ValueError: a figure is not finite, or n is negative.
        """
        if not (math.isfinite(self.n) and math.isfinite(self.total) and math.isfinite(self.squares)):
            raise ValueError("tallies must be finite")
        if self.n < 0:
            raise ValueError("a number of requests can't be negative")
        total = min(max(self.total, 0.0), self.n)
        least = total * total / self.n if self.n else 0.0
        squares = min(max(self.squares, least), total)
        if total == self.total and squares == self.squares:
            return self
        return Moments(self.n, total, squares)
