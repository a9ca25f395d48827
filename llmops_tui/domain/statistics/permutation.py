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
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from llmops_tui.domain.statistics.sample import Floats, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Smaller p-values are told as this: round-off of the FFT.
SMALLEST_P = 1e-12
#: Lattice points × different clusters that are worth computing.
WORK = 4e7
#: Beyond so many different clusters with several trials, pairs of trials are flipped instead.
MANY = 400

Key = tuple[int, ...]


def drop_and_rise(sample: Sample, *, by_trials: bool) -> tuple[float, float]:
    """(p of "it did not drop", p of "it did not rise"), each one-sided, observed total included.

    Args:
        by_trials: what is exchanged are trials (`these_cases`), not clusters (`population`).
    """
    clusters = _trial_sums(sample) if by_trials else None
    if clusters is None:
        return _flips(_differences(sample))
    return _permuted(clusters)


# -- from a sample to clusters


def _differences(sample: Sample) -> Floats:
    """Candidate − baseline, summed over the rows of each cluster."""
    import numpy as np

    rows = (np.nansum(sample.candidate, axis=1) - np.nansum(sample.baseline, axis=1)) / sample.trials
    result: Floats = np.bincount(sample.clusters, weights=rows)
    return result


def _trial_sums(sample: Sample) -> list[tuple[Floats, Floats]] | None:
    """Per cluster its trials' sums on both sides, divided by the trials; None where one trial is all.

    A cluster whose rows differ in trials is one trial: its means.
    """
    import numpy as np

    if int(sample.trials.max()) == 1:
        return None
    order = np.argsort(sample.clusters, kind="stable")
    bounds = np.flatnonzero(np.diff(sample.clusters[order])) + 1
    result = []
    for rows in np.split(order, bounds):
        trials = sample.trials[rows]
        if (trials == trials[0]).all():
            t = int(trials[0])
            pair = (sample.baseline[rows, :t].sum(axis=0) / t, sample.candidate[rows, :t].sum(axis=0) / t)
        else:
            means = [np.nansum(side[rows], axis=1) / trials for side in (sample.baseline, sample.candidate)]
            pair = (np.array([means[0].sum()]), np.array([means[1].sum()]))
        result.append(pair)
    return result


# -- exchanging


def _permuted(clusters: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Every cluster's 2T trials in every arrangement."""
    import numpy as np

    moving = [(b, c) for b, c in clusters if (np.ptp(np.concatenate([b, c])) > 0)]
    if not moving:
        return 1.0, 1.0
    values = np.concatenate([np.concatenate(pair) for pair in moving])
    scale = _lattice(values, sum(float(np.ptp(np.concatenate(p))) * len(p[0]) for p in moving), len(moving))
    kinds: Counter[tuple[Key, int]] = Counter()
    observed = 0
    for b, c in moving:
        before, after = np.rint(b * scale).astype(int), np.rint(c * scale).astype(int)
        low = int(min(before.min(), after.min()))
        key = tuple(sorted(int(v) - low for v in (*before, *after)))
        kinds[key, len(b)] += 1
        observed += int(after.sum()) - low * len(after)
    if len(kinds) > MANY and any(t > 1 for _, t in kinds):
        return _flips(np.concatenate([c - b for b, c in moving]))
    return _tails([(_arrangements(key, t), n) for (key, t), n in kinds.items()], observed)


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
    scale = _lattice(moved, 2 * float(np.abs(moved).sum()), len(moved))
    whole = np.rint(moved * scale).astype(int)
    sizes, counts = np.unique(np.abs(whole[whole != 0]), return_counts=True)
    if not len(sizes):
        return 1.0, 1.0
    # A difference of d is 0 or d above its lowest place, −d; half the lattice is then enough.
    observed = int(whole[whole > 0].sum())
    kinds = [((0.5, *([0.0] * (int(d) - 1)), 0.5), int(n)) for d, n in zip(sizes, counts, strict=True)]
    return _tails(kinds, observed)


def _lattice(values: Floats, reach: float, clusters: int) -> float:
    """Points for a unit of the metric: the values' own lattice where they have one, else a fine one."""
    import numpy as np

    for scale in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40, 50, 60, 100, 120, 200, 300, 500, 1000):
        scaled = values * scale
        if reach * scale <= WORK / 8 and np.abs(scaled - np.rint(scaled)).max() < 1e-7:
            return float(scale)
    widest = float(np.abs(values).max()) or 1.0
    # Rounded values repeat, so there are at most scale × widest kinds of clusters.
    return max(min(math.sqrt(WORK / max(widest * reach, 1e-9)), WORK / (reach * min(clusters, 100)), 5000.0), 4.0)


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
