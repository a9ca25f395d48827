"""Intervals of several figures that hold together: with probability 1 − α all of them are right.

Each figure is a mean over rows of values in [−1, 1] that were made of the same answers, so figures are
not independent; Bonferroni's correction holds whatever their dependence (Dunn, *Multiple comparisons
among means*, 1961). The noise is estimated as for one figure (`intervals`): from the values of each trial,
which carries along what corners share (one and the same answer).
"""

from __future__ import annotations

from llmops_tui.domain.statistics.assess import Estimand
from llmops_tui.domain.statistics.intervals import Interval, floored
from llmops_tui.domain.statistics.quantiles import normal_quantile, t_quantile
from llmops_tui.domain.statistics.sample import Floats, Ints

#: A variance, its degrees of freedom.
Noise = tuple[float, float]


def joint_intervals(
    values: Floats,
    trials: Ints,
    clusters: Ints,
    *,
    estimand: Estimand,
    alpha: float,
    by_fact: bool = False,
    draws: Floats | None = None,
) -> list[Interval]:
    """One interval for the mean of each figure.

    Args:
        values: float64, (rows, most trials, figures), in [−1, 1]; what is beyond a row's trials is 0.
        trials: int64, (rows,).
        clusters: int64, (rows,): numbers from 0 on.
        alpha: two-sided, of all intervals together.
        by_fact: these values would be the same again: only what was drawn is uncertain.
        draws: float64, (draws, figures): what each drawn order (with its reverse) gave for the figure.
            Their spread is added.
    """
    import numpy as np

    figures = values.shape[2]
    means = (values.sum(axis=1) / trials[:, None]).mean(axis=0)
    tail = alpha / (2 * figures)
    result = []
    for n in range(figures):
        noises: list[Noise] = []
        size = None
        if not by_fact:
            # One trial has no spread of its own: that between clusters stands in, which is more.
            if estimand == "population" or int(trials.max()) == 1:
                variance, freedom, size = _between_clusters(values[:, :, n], trials, clusters)
            else:
                variance, freedom, size = _between_trials(values[:, :, n], trials, clusters)
            noises.append((variance, freedom))
        if draws is not None and len(draws) > 1:
            noises.append((float(np.var(draws[:, n], ddof=1)) / len(draws), len(draws) - 1.0))
        variance, freedom = _together(noises)
        quantile = t_quantile(1 - tail, freedom) if freedom else normal_quantile(1 - tail)
        delta = float(means[n])
        if size is None:
            reach = quantile * variance**0.5
            result.append((max(delta - reach, -1.0), min(delta + reach, 1.0)))
        else:
            result.append(floored(delta, variance, quantile, size))
    return result


def _together(noises: list[Noise]) -> Noise:
    """Independent noises as one, by Satterthwaite (1946); 0 degrees where there is none."""
    variance = sum(v for v, _ in noises)
    squares = sum(v * v / f for v, f in noises if f)
    if squares <= 0:
        return variance, max((f for _, f in noises), default=0.0)
    return variance, max(variance * variance / squares, 1.0)


def _between_trials(values: Floats, trials: Ints, clusters: Ints) -> tuple[float, float, float]:
    """(variance of the mean, degrees of freedom, draws) where these cases are asked again.

    A cluster of one trial has no spread of its own: its squared value stands in, which is more.
    """
    import numpy as np

    rows, most = values.shape
    count = int(clusters.max()) + 1
    fewest = np.full(count, most + 1)
    np.minimum.at(fewest, clusters, trials)
    sums = np.bincount(clusters, weights=values.sum(axis=1) / trials, minlength=count)
    each = np.zeros((count, most))
    np.add.at(each, clusters, values)
    there = np.arange(most)[None, :] < fewest[:, None]
    mean = np.where(there, each, 0.0).sum(axis=1) / fewest
    spread = np.where(there, np.square(each - mean[:, None]), 0.0).sum(axis=1)
    several = fewest > 1
    freedom = np.where(several, fewest - 1.0, 1.0)
    noise = np.where(several, spread / freedom / fewest, np.square(sums))
    squares = float((np.square(noise) / freedom).sum())
    total = float(noise.sum())
    df = max(total * total / squares, 1.0) if squares > 0 else float(freedom.sum())
    return total / (rows * rows), df, float(trials.sum())


def _between_clusters(values: Floats, trials: Ints, clusters: Ints) -> tuple[float, float, float]:
    """The same where the cases are a sample of users' requests: the jackknife over clusters."""
    import numpy as np

    rows = values.sum(axis=1) / trials
    sums = np.bincount(clusters, weights=rows)
    sizes = np.bincount(clusters).astype(float)
    groups, n = len(sums), float(sizes.sum())
    if groups == 1:
        return 4.0, 1.0, 1.0
    without = (sums.sum() - sums) / (n - sizes)
    variance = float((groups - 1) / groups * np.square(without - without.mean()).sum())
    effective = n * n / float(np.square(sizes).sum())
    return variance, max(effective - 1, 1.0), effective
