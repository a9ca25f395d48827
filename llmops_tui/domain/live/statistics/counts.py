"""Two samples as counts by bucket or by name: how far apart they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate

import msgspec

from llmops_tui.domain.live.statistics.tails import chi_square_tail, kolmogorov_tail
from llmops_tui.domain.statistics.quantiles import normal_cdf

#: Cells in which fewer than so many are expected on either side are pooled (Cochran, 1954).
EXPECTED = 5.0
#: Bins of the population stability index, of equal size in the reference.
BINS = 10


class Ordered(msgspec.Struct, frozen=True):
    """Two windows of a figure, by the buckets that either has, in the order of the values."""

    reference: tuple[float, ...]
    current: tuple[float, ...]

    @classmethod
    def of(cls, reference: Mapping[int, float], current: Mapping[int, float]) -> Ordered:
        buckets = sorted(reference.keys() | current.keys())
        return cls(
            tuple(max(reference.get(b, 0.0), 0.0) for b in buckets),
            tuple(max(current.get(b, 0.0), 0.0) for b in buckets),
        )

    @property
    def sizes(self) -> tuple[float, float]:
        return sum(self.reference), sum(self.current)


def kolmogorov_smirnov(seen: Ordered, design_effect: float = 1.0) -> tuple[float, float]:
    """(largest distance of the two distributions, p)."""
    n, m = seen.sizes
    distance = max(
        (
            abs(a / n - b / m)
            for a, b in zip(accumulate(seen.reference), accumulate(seen.current), strict=True)
        ),
        default=0.0,
    )
    return distance, kolmogorov_tail(distance, n / design_effect, m / design_effect)


def mann_whitney(seen: Ordered, design_effect: float = 1.0) -> tuple[float, float]:
    """(Cliff's delta, two-sided p with ties): how much more often a current value is the larger of a pair.

    Sources: Mann & Whitney (1947); Cliff, *Dominance statistics*, 1993. Normal, with a correction for
    continuity; below some 10 a side it is rough.
    """
    n, m = seen.sizes
    below, wins, ties = 0.0, 0.0, 0.0
    for a, b in zip(seen.reference, seen.current, strict=True):
        wins += b * (below + a / 2)
        ties += (a + b) ** 3 - (a + b)
        below += a
    delta = 2 * wins / (n * m) - 1
    both = n + m
    if both < 3:
        return delta, 1.0
    variance = n * m / 12 * ((both + 1) - ties / (both * (both - 1)))
    if variance <= 0:
        return delta, 1.0
    distance = max(abs(wins - n * m / 2) - 0.5, 0.0)
    z = distance / math.sqrt(variance * design_effect)
    return delta, min(2 * normal_cdf(-z), 1.0)


def stability_index(seen: Ordered) -> float:
    """The population stability index over bins of equal size in the reference, less what chance adds.

    Σ(q − p)·ln(q/p) (Siddiqi, *Credit Risk Scorecards*, 2006); of equal samples it is about
    (bins − 1)(1/n + 1/m), which is taken off (Yurdakul, *Statistical properties of PSI*, 2018).
    """
    n, m = seen.sizes
    bins: list[list[float]] = [[0.0, 0.0]]
    for a, b in zip(seen.reference, seen.current, strict=True):
        if bins[-1][0] >= n / BINS:
            bins.append([0.0, 0.0])
        bins[-1][0] += a
        bins[-1][1] += b
    if len(bins) > 1 and bins[-1][0] < n / BINS / 2:
        a, b = bins.pop()
        bins[-1][0] += a
        bins[-1][1] += b
    return _index([(a, b) for a, b in bins], n, m)


def _index(cells: list[tuple[float, float]], n: float, m: float) -> float:
    k = len(cells)
    if k < 2:
        return 0.0
    total = 0.0
    for a, b in cells:
        p, q = (a + 0.5) / (n + k / 2), (b + 0.5) / (m + k / 2)
        total += (q - p) * math.log(q / p)
    return max(total - (k - 1) * (1 / n + 1 / m), 0.0)


class Table(msgspec.Struct, frozen=True):
    """Counts by name on both sides, rare names pooled.

    Attributes:
        cells: (name, reference, current), the largest contribution to χ² first; the pooled rest is named "".
    """

    cells: tuple[tuple[str, float, float], ...]
    statistic: float
    df: int
    p: float
    cramers_v: float
    index: float


def chi_square(
    reference: Mapping[str, float], current: Mapping[str, float], design_effect: float = 1.0
) -> Table:
    """Pearson's test that both windows have the same shares; Cramér's V without what chance adds (Bergsma,
    *A bias-correction for Cramér's V and Tschuprow's T*, 2013)."""
    n, m = sum(reference.values()), sum(current.values())
    smaller = min(n, m) / (n + m)
    cells: list[tuple[str, float, float]] = []
    rest = [0.0, 0.0]
    for name in sorted(reference.keys() | current.keys()):
        a, b = reference.get(name, 0.0), current.get(name, 0.0)
        if (a + b) * smaller >= EXPECTED:
            cells.append((name, a, b))
        else:
            rest[0] += a
            rest[1] += b
    if sum(rest) > 0:
        cells.append(("", rest[0], rest[1]))

    def part(cell: tuple[str, float, float]) -> float:
        _, a, b = cell
        expected = ((a + b) * n / (n + m), (a + b) * m / (n + m))
        return (a - expected[0]) ** 2 / expected[0] + (b - expected[1]) ** 2 / expected[1]

    df = len(cells) - 1
    statistic = sum(part(cell) for cell in cells) / design_effect
    squared = max(statistic * design_effect / (n + m) - df * design_effect / (n + m - 1), 0.0)
    ordered = tuple(sorted(cells, key=part, reverse=True))
    p = chi_square_tail(statistic, df) if df > 0 else 1.0
    index = _index([(a, b) for _, a, b in cells], n, m)
    return Table(ordered, statistic, df, p, min(math.sqrt(squared), 1.0), index)
