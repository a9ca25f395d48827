"""The exact one-sided permutation test of a paired difference, for any number of rows.

Under "nothing changed" the two sides of a unit are interchangeable. `population`: the unit is a
cluster, and its difference may have either sign (the sign-flip test; with one row a cluster and one
trial it is the exact McNemar test). `these_cases`: a cluster's 2T trials may fall to either side in
any way (with one trial, the same sign flip). Good, *Permutation, Parametric, and Bootstrap Tests of
Hypotheses*, 3rd ed., ch. 3.

The distribution of the total is the convolution of the clusters' own, so it is computed and not
sampled: equal clusters are one polynomial, raised to their number by FFT. Values that lie on no common
lattice are rounded to a fine one first, on which the test is exact again.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from llmops_tui.domain.statistics.quantiles import normal_cdf
from llmops_tui.domain.statistics.sample import Floats, Sample, cluster_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Smaller p-values are told as this: round-off of the FFT.
SMALLEST_P = 1e-12
#: Lattice points × different clusters that are worth computing.
WORK = 4e7
#: Beyond so many different clusters with several trials, pairs of trials are flipped instead.
MANY = 400
#: Beyond so many flips of values on no lattice, their sum is taken as normal.
MANY_FLIPS = 3000

Key = tuple[int, ...]


def drop_and_rise(sample: Sample, *, by_trials: bool) -> tuple[float, float]:
    """(p of "it did not drop", p of "it did not rise"), each one-sided, observed total included.

    Args:
        by_trials: what is exchanged are trials (`these_cases`), not clusters (`population`).
    """
    if by_trials and int(sample.trials.max()) > 1:
        return _permuted(_trial_sums(sample))
    return _flips(cluster_sums(sample)[0])


# -- exchanging


def _trial_sums(sample: Sample) -> list[Floats]:
    """For each number of trials T, (clusters, 2T): sums over the rows of a cluster, divided by T.

    The first T columns are the baseline's. A cluster whose rows differ in trials is one trial: its means.
    """
    import numpy as np

    count = int(sample.clusters.max()) + 1
    fewest = np.full(count, sample.baseline.shape[1] + 1)
    most = np.zeros(count, dtype=int)
    np.minimum.at(fewest, sample.clusters, sample.trials)
    np.maximum.at(most, sample.clusters, sample.trials)
    own = np.where(fewest == most, fewest, 1)
    sums = []
    for t in np.unique(own):
        wanted = own == t
        rows = wanted[sample.clusters]
        place = np.cumsum(wanted) - 1
        table = np.zeros((int(wanted.sum()), 2 * int(t)))
        for side, values in enumerate((sample.baseline, sample.candidate)):
            if t == 1:
                means = np.nansum(values[rows], axis=1) / sample.trials[rows]
                parts = means[:, None]
            else:
                parts = values[rows, :t] / t
            np.add.at(table[:, side * t : (side + 1) * t], place[sample.clusters[rows]], parts)
        sums.append(table)
    return sums


def _permuted(tables: list[Floats]) -> tuple[float, float]:
    """Every cluster's 2T trials in every arrangement."""
    import numpy as np

    moving = [part for table in tables if len(part := table[np.ptp(table, axis=1) > 0])]
    if not moving:
        return 1.0, 1.0
    values = np.concatenate([table.ravel() for table in moving])
    reach = sum(float(np.ptp(table, axis=1).sum()) * table.shape[1] / 2 for table in moving)
    scale = _lattice(values, reach, sum(len(table) for table in moving))
    kinds: list[tuple[Sequence[float], int]] = []
    observed = 0
    for table in moving:
        t = table.shape[1] // 2
        whole = np.rint(table * scale).astype(np.int64)
        whole -= whole.min(axis=1, keepdims=True)
        observed += int(whole[:, t:].sum())
        keys, counts = np.unique(np.sort(whole, axis=1), axis=0, return_counts=True)
        if len(keys) > MANY and t > 1:
            return _flips(
                np.concatenate([(m[:, m.shape[1] // 2 :] - m[:, : m.shape[1] // 2]).ravel() for m in moving])
            )
        kinds += [
            (_arrangements(tuple(key.tolist()), t), int(n)) for key, n in zip(keys, counts, strict=True)
        ]
    return _tails(kinds, observed)


@lru_cache(maxsize=4096)
def _arrangements(key: Key, t: int) -> tuple[float, ...]:
    """Distribution of the sum of `t` of these 2t whole numbers, drawn without replacement."""
    import numpy as np

    if set(key) <= {0, key[-1]}:
        top, successes = key[-1], sum(1 for v in key if v)
        pmf = np.zeros(top * min(successes, t) + 1)
        for k in range(max(0, successes - t), min(successes, t) + 1):
            pmf[k * top] = math.comb(successes, k) * math.comb(2 * t - successes, t - k)
        return tuple(pmf / math.comb(2 * t, t))
    size = sum(key[-t:]) + 1
    ways = np.zeros((t + 1, size))
    ways[0, 0] = 1.0
    for value in key:
        shifted = ways[:-1, : size - value] if value else ways[:-1]
        ways[1:, value:] += shifted.copy()
    return tuple(ways[t] / math.comb(2 * t, t))


def _flips(differences: Floats) -> tuple[float, float]:
    """Every difference with either sign."""
    import numpy as np

    moved = differences[np.abs(differences) > 1e-12]
    if not len(moved):
        return 1.0, 1.0
    if len(moved) > MANY_FLIPS and _own_lattice(moved, 2 * float(np.abs(moved).sum())) is None:
        # A sum of so many symmetric terms is normal to O(1/n): no lattice is fine enough to do better.
        z = float(moved.sum()) / math.sqrt(float(np.square(moved).sum()))
        return max(normal_cdf(z), SMALLEST_P), max(normal_cdf(-z), SMALLEST_P)
    scale = _lattice(moved, 2 * float(np.abs(moved).sum()), len(moved))
    whole = np.rint(moved * scale).astype(int)
    sizes, counts = np.unique(np.abs(whole[whole != 0]), return_counts=True)
    if not len(sizes):
        return 1.0, 1.0
    # A difference of d is 0 or d above its lowest place, −d; half the lattice is then enough.
    observed = int(whole[whole > 0].sum())
    kinds = [((0.5, *([0.0] * (int(d) - 1)), 0.5), int(n)) for d, n in zip(sizes, counts, strict=True)]
    return _tails(kinds, observed)


def _own_lattice(values: Floats, reach: float) -> float | None:
    """Points for a unit of the metric on which the values lie, where there are few enough."""
    import numpy as np

    for scale in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40, 50, 60, 100, 120, 200, 300, 500, 1000):
        scaled = values * scale
        if reach * scale <= WORK / 8 and np.abs(scaled - np.rint(scaled)).max() < 1e-7:
            return float(scale)
    return None


def _lattice(values: Floats, reach: float, clusters: int) -> float:
    """Points for a unit of the metric: the values' own lattice where they have one, else a fine one."""
    import numpy as np

    own = _own_lattice(values, reach)
    if own is not None:
        return own
    widest = float(np.abs(values).max()) or 1.0
    # Rounded values repeat, so there are at most scale × widest kinds of clusters.
    return max(
        min(math.sqrt(WORK / max(widest * reach, 1e-9)), WORK / (reach * min(clusters, 100)), 5000.0), 4.0
    )


def _tails(kinds: Sequence[tuple[Sequence[float], int]], observed: int) -> tuple[float, float]:
    """P(sum ≤ observed) and P(sum ≥ observed) of independent whole numbers with these distributions.

    Args:
        kinds: (probabilities of 0, 1, 2, …; how many such numbers).
    """
    import numpy as np

    size = sum((len(pmf) - 1) * n for pmf, n in kinds) + 1
    padded = 1 << max(size - 1, 1).bit_length()
    product = np.ones(padded // 2 + 1, dtype=complex)
    for pmf, n in kinds:
        product *= np.fft.rfft(np.asarray(pmf), padded) ** n
    mass = np.clip(np.fft.irfft(product, padded)[:size], 0.0, None)
    mass /= mass.sum()
    below, above = float(mass[: observed + 1].sum()), float(mass[observed:].sum())
    return min(max(below, SMALLEST_P), 1.0), min(max(above, SMALLEST_P), 1.0)
