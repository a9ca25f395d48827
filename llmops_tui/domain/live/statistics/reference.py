"""A limit from what was usual: bounds, so that an estimate's luck is no alarm."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

import msgspec

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.statistics.quantiles import beta_cdf, beta_quantile

#: A reference takes a week, and more where that has fewer values than this, but never more than four weeks.
ENOUGH = 1000
DAYS = (7, 28)


class Budget(msgspec.Struct, frozen=True):
    """How the false alarms of a rule are shared out between its two causes.

    Attributes:
        false_alarms_per_day: the detector's.
        confidence: of each reference's bound.
    """

    false_alarms_per_day: float
    confidence: float


def budget(false_alarms_per_day: float, references_per_day: float = 1.0) -> Budget:
    """Half for chance in the traffic, half for references that were lucky.

    Args:
        references_per_day: how many references take turns in a day: 1 where one is renewed daily, 24
            where each hour is held against the same hour of the days before, 1/7 for a weekly one.
    """
    half = false_alarms_per_day / 2
    return Budget(half, 1 - min(half / max(references_per_day, 1e-9), 0.25))


def reference_days(values: Sequence[float]) -> int:
    """How many of the days before to take.

    Args:
        values: of each day, the newest first.
    """
    least, most = DAYS
    seen = 0.0
    for day, n in enumerate(values[:most], 1):
        seen += n
        if day >= least and seen >= ENOUGH:
            return day
    return min(len(values), most)


def reference_mean(
    tally: Moments, confidence: float, *, design_effect: float = 1.0, increase: float = 0.0
) -> float:
    """An upper bound of the mean, `increase` (0.2 is 20 %) put on top; 1 where nothing is known.

    Of passes Clopper and Pearson's, exact. Of other values in [0, 1] the lower of two bounds, each at half
    the error: Chernoff's by the divergence of shares (Hoeffding, 1963), and the empirical Bernstein
    bound (Maurer & Pontil, *Empirical Bernstein bounds and sample-variance penalization*, 2009, thm 4),
    which is narrow where values vary little.
    """
    tally = tally.checked()
    if tally.n <= 0:
        return 1.0
    seen = tally.thinned(design_effect)
    if tally.is_binary:
        rest = seen.n - seen.total
        bound = beta_quantile(confidence, seen.total + 1, rest) if rest > 1e-9 else 1.0
    else:
        error = (1 - confidence) / 2
        bound = min(_chernoff(seen.mean, math.log(1 / error) / seen.n), _bernstein(seen, error))
    return min(bound * (1 + increase), 1.0)


def _bernstein(seen: Moments, error: float) -> float:
    if seen.n < 2:
        return 1.0
    log = math.log(2 / error)
    return seen.mean + math.sqrt(2 * seen.variance * log / seen.n) + 7 * log / (3 * (seen.n - 1))


def _chernoff(mean: float, budget_nats: float) -> float:
    """The largest u with KL(mean, u) ≤ budget."""
    low, high = mean, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _divergence(mean, middle) <= budget_nats:
            low = middle
        else:
            high = middle
    return high


def _divergence(p: float, q: float) -> float:
    if q >= 1:
        return math.inf if p < 1 else 0.0
    first = p * math.log(p / q) if p > 0 else 0.0
    return first + ((1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0)


def exceedance_limit(
    histogram: Mapping[int, float], quantile: float, confidence: float, *, design_effect: float = 1.0
) -> int | None:
    """The bucket above which at most 1 − `quantile` of the requests lie, as a bound; None: too few of them.

    A live p95 over the reference's is then "more than 5 % of the requests lie in higher buckets": hold
    `exceeding` against a mean limit of 1 − `quantile`. For a margin (p95 × 1.2) add to the bucket as many
    as make up the factor. The bucket is an upper bound of the quantile at `confidence`, for any distribution.

    Args:
        histogram: count by bucket, in the order of the values.
    """
    buckets = sorted(histogram)
    up_to = list(accumulate(histogram[b] for b in buckets))
    if not up_to:
        return None
    n = up_to[-1]
    if n <= 0:
        return None
    effect = max(design_effect, 1.0)

    def is_enough(place: int) -> bool:
        above, below = (n - up_to[place]) / effect, up_to[place] / effect
        return below > 1e-9 and beta_cdf(1 - quantile, above + 1, below) >= confidence

    first = bisect_left(range(len(buckets)), True, key=is_enough)
    return buckets[first] if first < len(buckets) else None


def exceeding(histogram: Mapping[int, float], limit: int) -> Moments:
    """How many lie in buckets above the limit."""
    above = sum(count for bucket, count in histogram.items() if bucket > limit)
    return Moments.of_share(above, sum(histogram.values()))
