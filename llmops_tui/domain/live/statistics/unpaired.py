"""The difference of two independent samples, looked at once: for reports of a span that is over."""

from __future__ import annotations

import math

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.statistics.proportion import wilson
from llmops_tui.domain.statistics.quantiles import t_quantile

Interval = tuple[float, float]


def difference(old: Moments, new: Moments, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """(new − old, low, high), two-sided; (0, −1, 1) where a side is empty."""
    old, new = old.checked(), new.checked()
    if old.n <= 0 or new.n <= 0:
        return 0.0, -1.0, 1.0
    binary = old.is_binary and new.is_binary
    low, high = (newcombe if binary else welch)(old, new, confidence)
    return new.mean - old.mean, low, high


def newcombe(old: Moments, new: Moments, confidence: float) -> Interval:
    """Of shares: Wilson's intervals, squared and added (Newcombe, *Interval estimation for the difference
    between independent proportions*, Statistics in Medicine 17, 1998, method 10)."""
    old_low, old_high = wilson(old.total, old.n, confidence)
    new_low, new_high = wilson(new.total, new.n, confidence)
    delta = new.mean - old.mean
    low = delta - math.hypot(new.mean - new_low, old_high - old.mean)
    high = delta + math.hypot(new_high - new.mean, old.mean - old_low)
    return max(low, -1.0), min(high, 1.0)


def welch(old: Moments, new: Moments, confidence: float) -> Interval:
    """Of scores: Student's t with Welch's degrees of freedom (1947). A side with fewer than two values, or
    whose values are all the same, is given the interval of a share instead: never one without width."""
    if min(old.n, new.n) < 2 or old.variance <= 0 or new.variance <= 0:
        return newcombe(old, new, confidence)
    parts = (old.variance / old.n, new.variance / new.n)
    variance = sum(parts)
    df = variance**2 / (parts[0] ** 2 / (old.n - 1) + parts[1] ** 2 / (new.n - 1))
    reach = t_quantile(0.5 + confidence / 2, max(df, 1.0)) * math.sqrt(variance)
    delta = new.mean - old.mean
    return max(delta - reach, -1.0), min(delta + reach, 1.0)
