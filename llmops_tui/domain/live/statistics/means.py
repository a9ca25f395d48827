"""Evidence against each value that a mean could have, at any time.

The evidence against μ is an e-process: whenever one looks, it exceeds 1/α with at most probability α where
μ is the mean of every value given those before (Waudby-Smith & Ramdas, *Estimating means of bounded random
variables by betting*, 2024). Half of it is the mixture of likelihood ratios over all shares with Jeffreys'
prior, valid for any values in [0, 1] since it is convex in each; half, where values are not just 0 and 1, is
a mixture of bets on values that vary little (Fan, Grama & Liu, 2015), in both directions.
"""

from __future__ import annotations

import math

import msgspec

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.statistics.sample import Floats

#: Points over (0, 1), and points where a mean is likely.
COARSE, FINE = 400, 500


def log_evidence(seen: Moments, means: Floats) -> Floats:
    """Natural logarithm of the evidence against each of these means, all inside of (0, 1)."""
    import numpy as np

    k, rest = seen.total, seen.n - seen.total
    shares = math.lgamma(k + 0.5) + math.lgamma(rest + 0.5) - math.lgamma(seen.n + 1) - math.log(math.pi)
    shares_evidence: Floats = shares - k * np.log(means) - rest * np.log1p(-means)
    if seen.is_binary:
        return shares_evidence
    leans = np.geomspace(0.004, 0.9, 12)[:, None]
    psi = -np.log1p(-leans) - leans
    moved = seen.total - seen.n * means
    spread = np.maximum(seen.squares - 2 * means * seen.total + seen.n * means * means, 0.0)
    up = leans * (moved / means) - psi * (spread / (means * means))
    down = leans * (-moved / (1 - means)) - psi * (spread / np.square(1 - means))
    bets = np.logaddexp(np.logaddexp.reduce(up, axis=0), np.logaddexp.reduce(down, axis=0))
    both: Floats = np.logaddexp(shares_evidence, bets - math.log(2 * len(leans))) - math.log(2)
    return both


class Curve(msgspec.Struct, frozen=True):
    """Evidence on a grid, made to rise away from the mean that was seen: nowhere more than it is.

    Attributes:
        means: the grid, rising.
        evidence: logarithms.
        middle: index of the last point that is not above the mean seen.
    """

    means: Floats
    evidence: Floats
    middle: int


def curves(sides: tuple[Moments, Moments], most: float) -> tuple[Curve, Curve]:
    """Evidence of both sides on one grid, dense where it is below `most`."""
    import numpy as np

    spread = np.linspace(-18.0, 18.0, COARSE)
    coarse = 1 / (1 + np.exp(-spread))
    grids = [coarse]
    lowest = [_lowest(side) for side in sides]
    for side, other in zip(sides, reversed(lowest), strict=True):
        curve = _curve(side, coarse)
        inside = np.flatnonzero(curve.evidence < most - other)
        first, last = (inside[0], inside[-1]) if len(inside) else (curve.middle, curve.middle)
        low, high = coarse[max(first - 1, 0)], coarse[min(last + 1, COARSE - 1)]
        grids.append(np.linspace(low, high, FINE))
        if 0 < side.mean < 1:
            grids.append(np.array([side.mean]))
    grid = np.unique(np.concatenate(grids))
    return _curve(sides[0], grid), _curve(sides[1], grid)


def _lowest(seen: Moments) -> float:
    """No evidence is below this: that of the mean seen, less what the mixing costs."""
    import numpy as np

    mean = min(max(seen.mean, 1e-8), 1 - 1e-8)
    return float(log_evidence(seen, np.array([mean]))[0]) - 1.0


def _curve(seen: Moments, grid: Floats) -> Curve:
    import numpy as np

    evidence = log_evidence(seen, grid)
    middle = max(int(np.searchsorted(grid, seen.mean, side="right")) - 1, 0)
    # Where the mixture dips away from the mean, the smaller figure is taken: the region only grows.
    evidence[: middle + 1] = np.minimum.accumulate(evidence[: middle + 1])
    evidence[middle:] = np.minimum.accumulate(evidence[middle:][::-1])[::-1]
    return Curve(grid, evidence, middle)


def difference_bounds(old: Curve, new: Curve, most: float) -> tuple[float, float]:
    """(low, high) of new − old over all pairs of means whose evidence together is below `most`."""
    import numpy as np

    left = most - old.evidence
    there = np.flatnonzero(left > new.evidence.min())
    if not len(there):
        return -1.0, 1.0
    grid, last = old.means, len(old.means) - 1
    # The neighbour outside of the region, on both axes, so that the grid makes nothing narrower.
    falling = new.evidence[: new.middle + 1][::-1]
    reach = np.searchsorted(falling, left[there], side="left")
    low = np.where(new.middle - reach < 0, 0.0, grid[np.maximum(new.middle - reach, 0)])
    rising = new.evidence[new.middle :]
    reach = np.searchsorted(rising, left[there], side="left")
    beyond = new.middle + reach
    high = np.where(beyond > last, 1.0, grid[np.minimum(beyond, last)])
    above = np.where(there == last, 1.0, grid[np.minimum(there + 1, last)])
    below = np.where(there == 0, 0.0, grid[np.maximum(there - 1, 0)])
    return max(float((low - above).min()), -1.0), min(float((high - below).max()), 1.0)


def log_evidence_of_drop(old: Curve, new: Curve) -> float:
    """Against "new is at least as good as old": the least over all pairs that say so."""
    import numpy as np

    if new.middle >= old.middle:
        return min(float(np.min(old.evidence) + np.min(new.evidence)), 0.0)
    both = old.evidence + new.evidence
    # One point beyond on either side: a pair between two points of the grid is no better than its ends.
    between = slice(new.middle, old.middle + 2)
    grid_gap = np.minimum(old.evidence[:-1], old.evidence[1:]) + np.minimum(
        new.evidence[:-1], new.evidence[1:]
    )
    return float(min(both[between].min(), grid_gap[new.middle : old.middle + 1].min()))
