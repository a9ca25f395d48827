"""Tails of the distributions that drift is tested with, without SciPy."""

from __future__ import annotations

import math


def chi_square_tail(x: float, df: float) -> float:
    """P(X ≥ x) of a χ² variable: the regularised upper incomplete gamma function Q(df/2, x/2)."""
    if x <= 0 or df <= 0:
        return 1.0
    a, half = df / 2, x / 2
    front = math.exp(a * math.log(half) - half - math.lgamma(a))
    if half < a + 1:
        return max(1.0 - front * _series(a, half), 0.0)
    return front * _fraction(a, half)


def _series(a: float, x: float) -> float:
    """γ(a, x)/(x^a e^−x), DLMF 8.7.1."""
    term = total = 1.0 / a
    for n in range(1, 100_000):
        term *= x / (a + n)
        total += term
        if term < total * 1e-16:
            break
    return total


def _fraction(a: float, x: float) -> float:
    """Γ(a, x)/(x^a e^−x), Lentz's continued fraction, DLMF 8.9.2."""
    b = x + 1 - a
    c, d = 1e300, 1 / b
    fraction = d
    for n in range(1, 100_000):
        step = -n * (n - a)
        b += 2
        d = 1 / (step * d + b or 1e-300)
        c = b + step / c or 1e-300
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return fraction


def kolmogorov_tail(statistic: float, n: float, m: float) -> float:
    """P(D ≥ statistic) of the largest distance between two samples' distributions.

    The limit distribution with Stephens' correction for small samples (1970). Too large, never too small,
    where values are binned or repeat.
    """
    if n <= 0 or m <= 0 or statistic <= 0:
        return 1.0
    root = math.sqrt(n * m / (n + m))
    x = (root + 0.12 + 0.11 / root) * statistic
    if x < 0.3:
        return 1.0
    total = 2 * sum((1.0 if k % 2 else -1.0) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(max(total, 0.0), 1.0)
