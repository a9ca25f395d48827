"""Intervals of one share, and of one side's mean."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from llmops_tui.domain.statistics.quantiles import beta_quantile, normal_quantile, t_quantile

Interval = tuple[float, float]


def wilson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Two-sided score interval of a share k/n (Wilson, 1927); (0, 1) where n is 0."""
    if n <= 0:
        return 0.0, 1.0
    z = normal_quantile(0.5 + confidence / 2)
    centre = (k + z * z / 2) / (n + z * z)
    reach = z / (n + z * z) * math.sqrt(max(k * (n - k) / n, 0.0) + z * z / 4)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def clopper_pearson_upper(k: int, n: int, confidence: float = 0.95) -> float:
    """Exact one-sided upper bound of a share (Clopper & Pearson, 1934)."""
    return 1.0 if k >= n else beta_quantile(confidence, k + 1, n - k)


def clopper_pearson_lower(k: int, n: int, confidence: float = 0.95) -> float:
    """Exact one-sided lower bound of a share."""
    return 0.0 if k <= 0 else beta_quantile(1 - confidence, k, n - k + 1)


def mean_interval(
    values: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95
) -> tuple[float, float, float]:
    """(mean, low, high) of values in [0, 1], with the spread between clusters; never without width."""
    if not values:
        raise ValueError("a mean needs at least one value")
    sums: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums.setdefault(cluster, []).append(value)
    n, groups = len(values), len(sums)
    mean = sum(values) / n
    low, high = wilson(mean * groups, groups, confidence)
    if groups > 1:
        spread = sum((sum(v) - len(v) * mean) ** 2 for v in sums.values()) / (n * n)
        error = math.sqrt(spread * groups / (groups - 1))
        reach = t_quantile(0.5 + confidence / 2, groups - 1) * error
        # Clusters that are all alike show no spread: the score interval stays.
        if reach > 1e-9 and any(v not in (0.0, 1.0) for v in values):
            low, high = max(mean - reach, 0.0), min(mean + reach, 1.0)
    return mean, low, high
