"""Intervals of a paired difference: they explain a verdict, and a bound of theirs lets a version pass.

Every method has a floor: the variance under a hypothesised difference δ of shares is at least
|δ|(1 − |δ|)/n, so that unchanged results of few cases never give an interval without width (a bootstrap
of ten unchanged cases does, and passes what is wrong).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from llmops_tui.domain.statistics.quantiles import normal_quantile, t_quantile
from llmops_tui.domain.statistics.sample import Floats, Sample, cluster_sums

Interval = tuple[float, float]


def tango(lost: int, won: int, n: int, alpha: float) -> Interval:
    """Score interval of (won − lost)/n for paired shares; each bound is one-sided at `alpha`.

    Source: Tango, *Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design*, Statistics in Medicine 17 (1998).
    """
    z = normal_quantile(1 - alpha)

    def score(delta: float) -> float:
        b = (2 * n - won + lost) * delta - won - lost
        c = -lost * delta * (1 - delta)
        cell = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = n * (2 * cell + delta * (1 - delta))
        distance = won - lost - n * delta
        return distance / math.sqrt(variance) if variance > 1e-15 else math.copysign(math.inf, distance)

    seen = (won - lost) / n
    low = _root(lambda d: score(d) - z, -1.0, seen) if seen > -1 else -1.0
    high = _root(lambda d: score(d) + z, seen, 1.0) if seen < 1 else 1.0
    return low, high


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses 0."""
    for _ in range(80):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def floored(delta: float, variance: float, quantile: float, n: float) -> Interval:
    """delta ± quantile·√variance, and nowhere narrower than the floor over `n` draws allows."""
    reach = quantile * math.sqrt(max(variance, 0.0))
    low, high = delta - reach, delta + reach
    q2 = quantile * quantile / n
    # (δ̂ − δ)² = q²|δ|(1 − |δ|)/n, solved on the side of zero that δ lies on.
    for sign in (-1.0, 1.0):
        a, b, c = 1 + q2, -(2 * sign * delta + q2), delta * delta
        root = b * b - 4 * a * c
        if root < 0:
            continue
        for magnitude in ((-b - math.sqrt(root)) / (2 * a), (-b + math.sqrt(root)) / (2 * a)):
            if 0 <= magnitude <= 1:
                low, high = min(low, sign * magnitude), max(high, sign * magnitude)
    return max(low, -1.0), min(high, 1.0)


def between_clusters(sample: Sample, alpha: float) -> tuple[Interval, str]:
    """For users' requests, of which the cases are a sample: the spread between clusters counts.

    The jackknife over clusters with Student's t on their effective number less one: a small-sample
    cluster method (Cameron & Miller, *A Practitioner's Guide to Cluster-Robust Inference*, 2015, §VI).
    """
    import numpy as np

    sums, sizes = cluster_sums(sample)
    groups, n = len(sums), float(sizes.sum())
    delta = float(sums.sum() / n)
    if groups == 1:
        return (-1.0, 1.0), "no interval: there is one cluster"
    without = (sums.sum() - sums) / (n - sizes)
    variance = float((groups - 1) / groups * np.square(without - without.mean()).sum())
    effective = n * n / float(np.square(sizes).sum())
    quantile = t_quantile(1 - alpha, max(effective - 1, 1.0))
    return floored(delta, variance, quantile, effective), f"jackknife over {groups:,} clusters"


def between_trials(sample: Sample, alpha: float) -> tuple[Interval, str]:
    """For these cases asked again: the noise within each cluster's trials counts, and nothing else.

    The variance of a sum of independent means, each estimated from its own trials; degrees of freedom
    by Satterthwaite (*An approximate distribution of estimates of variance components*, 1946). A cluster
    of one trial has no spread of its own: its squared difference stands in, which is more.
    """
    import numpy as np

    sums, _ = cluster_sums(sample)
    n = float(sample.rows)
    per_trial = cluster_trials(sample)
    single = per_trial.trials == 1
    noise = np.where(single, np.square(sums), 0.0)
    several = ~single
    freedom = np.where(single, 1.0, 2.0 * (per_trial.trials - 1))
    noise[several] = per_trial.variance[several]
    variance = float(noise.sum()) / (n * n)
    squares = float((np.square(noise) / freedom).sum())
    df = max(float(np.square(noise.sum())) / squares, 1.0) if squares > 0 else float(freedom.sum())
    # Cases weigh alike: a case of many trials does not make up for those of few.
    draws = n * n / float((1.0 / sample.trials).sum())
    quantile = t_quantile(1 - alpha, df) if squares > 0 else normal_quantile(1 - alpha)
    return floored(float(sums.sum()) / n, variance, quantile, draws), "noise of the trials, by Satterthwaite"


class ClusterTrials:
    """Trials of each cluster and the variance of its summed difference of means."""

    def __init__(self, trials: Floats, variance: Floats) -> None:
        self.trials = trials
        self.variance = variance


def cluster_trials(sample: Sample) -> ClusterTrials:
    """The noise of each cluster, from what its rows have in common: the fewest trials of its rows."""
    import numpy as np

    count = int(sample.clusters.max()) + 1
    fewest = np.full(count, sample.baseline.shape[1] + 1)
    np.minimum.at(fewest, sample.clusters, sample.trials)
    variance = np.zeros(count)
    for side in (sample.baseline, sample.candidate):
        sums = np.zeros((count, side.shape[1]))
        np.add.at(sums, sample.clusters, np.nan_to_num(side))
        there = np.arange(side.shape[1])[None, :] < fewest[:, None]
        t = np.maximum(fewest, 2)
        mean = np.where(there, sums, 0.0).sum(axis=1) / np.maximum(fewest, 1)
        spread = np.where(there, np.square(sums - mean[:, None]), 0.0).sum(axis=1)
        variance += np.where(fewest > 1, spread / (t - 1) / t, 0.0)
    return ClusterTrials(fewest.astype(float), variance)
