"""Evidence that one stream's mean is above another's, at any time.

Against a pair of means (μ of the higher stream, ν of the lower) the evidence is a mixture of products: the
higher stream is bet to be above μ and the lower to be below ν. Each product is an e-process, so that
whenever one looks it exceeds 1/α with at most probability α, where the pair is true (Waudby-Smith & Ramdas,
*Estimating means of bounded random variables by betting*, 2024). Against "the difference is at most d" the
evidence is the least over all pairs with μ = ν + d; the pairs below that line are less likely still.

A bet tilts a stream by s per unit of value. For passes that is the likelihood ratio where the odds have grown
e^s-fold, which is valid for any values in [0, 1] since it is convex in them; for values that vary little
there are the bets of Fan, Grama & Liu (2015) beside it. Both streams are tilted alike, or one of them alone,
which is best where one stream is much larger and its mean as good as known.
"""

from __future__ import annotations

import math
from functools import lru_cache

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.statistics.sample import Floats

#: (share of the stakes, tilt of the higher stream, tilt of the lower one).
DIRECTIONS = ((0.5, 1.0, 1.0), (0.25, 1.0, 0.0), (0.25, 0.0, 1.0))
#: Points at which a pair is tried, and how often the best of them is looked at more closely.
POINTS, CLOSER = 48, 4
_EDGE = 1e-9


def log_evidence(higher: Moments, lower: Moments, difference: float) -> float:
    """Natural logarithm of the evidence against mean(higher) − mean(lower) ≤ `difference`, at least −∞.

    Args:
        higher, lower: tallies, checked.
    """
    import numpy as np

    if difference >= 1:
        return -math.inf
    if difference <= -1:
        return math.inf
    first, last = max(-difference, 0.0) + _EDGE, min(1 - difference, 1.0) - _EDGE
    if first >= last:
        return 0.0
    # Dense at both ends, where rates near 0 and 1 are.
    spread = 1 / (1 + np.exp(-np.linspace(-14.0, 14.0, 2 * POINTS)))
    points = first + (last - first) * np.concatenate([[0.0], spread, [1.0]])
    flipped = Moments.flipped(lower)
    least = math.inf
    for _ in range(CLOSER):
        values = _mixture(higher, flipped, points + difference, 1 - points)
        at = int(values.argmin())
        least = min(least, float(values[at]))
        points = np.linspace(points[max(at - 1, 0)], points[min(at + 1, len(points) - 1)], POINTS)
    return least


def lower_bound(higher: Moments, lower: Moments, alpha: float) -> float:
    """What mean(higher) − mean(lower) is above, at all times at once with probability 1 − `alpha`."""
    most = math.log(1 / alpha)
    seen = higher.mean - lower.mean if higher.n and lower.n else 1.0
    low, high = -1.0, seen
    for _ in range(24):
        middle = (low + high) / 2
        if log_evidence(higher, lower, middle) >= most:
            low = middle
        else:
            high = middle
    return low


def _mixture(higher: Moments, flipped: Moments, means: Floats, flipped_means: Floats) -> Floats:
    """Logarithm of the evidence against each pair (means[i], 1 − flipped_means[i])."""
    import numpy as np

    tilts, others = _tilts()
    weights = np.log([share for share, _, _ in DIRECTIONS])
    parts = [_all_ways(_shares, higher, flipped, means, flipped_means, tilts, weights)]
    if not (higher.is_binary and flipped.is_binary):
        parts.append(_all_ways(_values, higher, flipped, means, flipped_means, others, weights))
    mixed: Floats = np.logaddexp.reduce(np.array(parts), axis=0) - math.log(len(parts))
    return mixed


def _all_ways(
    worth: object, higher: Moments, flipped: Moments, means: Floats, flipped_means: Floats, tilts: Floats,
    weights: Floats,
) -> Floats:  # fmt: skip
    import numpy as np

    assert callable(worth)
    up = worth(higher, means, tilts[:, None])
    down = worth(flipped, flipped_means, tilts[:, None])
    ways = [
        weight + high * up + low * down for weight, (_, high, low) in zip(weights, DIRECTIONS, strict=True)
    ]
    mixed: Floats = np.logaddexp.reduce(np.concatenate(ways), axis=0) - math.log(len(tilts))
    return mixed


def _shares(seen: Moments, means: Floats, tilt: Floats) -> Floats:
    """Worth of bets on odds that have grown, (tilts, means)."""
    import numpy as np

    worth: Floats = tilt * seen.total - seen.n * np.log1p(means * np.expm1(tilt))
    return worth


def _values(seen: Moments, means: Floats, tilt: Floats) -> Floats:
    """Worth of bets on values that vary little, (tilts, means)."""
    import numpy as np

    lean = np.minimum(tilt * means, 0.9)
    psi = -np.log1p(-lean) - lean
    moved = seen.total / means - seen.n
    spread = np.maximum(seen.squares / (means * means) - 2 * seen.total / means + seen.n, 0.0)
    worth: Floats = lean * moved - psi * spread
    return worth


@lru_cache(maxsize=1)
def _tilts() -> tuple[Floats, Floats]:
    """Tilts of shares, and of values that vary little."""
    import numpy as np

    return np.geomspace(0.006, 3.0, 16), np.geomspace(0.01, 40.0, 16)
