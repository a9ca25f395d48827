"""Two versions live at the same time: is the new one worse? May be asked at any time, as often as wanted.

Bounds of the difference of two means that hold at all times at once, each with probability 1 − α, by betting
on both streams (`streams`). No approximation: they hold from the first request on, for rates of 0 and 1, and
for streams of any size that come in any order.

What is assumed: values lie in [0, 1], are independent given the version, and both versions see the same kind
of traffic at the same time. A version that came at noon and one that left at noon saw different hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.live.statistics.streams import log_evidence, lower_bound
from llmops_tui.domain.statistics.multiplicity import holm
from llmops_tui.domain.statistics.quantiles import normal_quantile

Verdict = Literal["pass", "fail", "inconclusive"]

#: Fewer of either version decide nothing.
FEWEST = 20
#: No more requests than this are suggested.
MOST_REQUESTS = 10_000_000
EPSILON = 1e-9


class Rollout(msgspec.Struct, frozen=True):
    """One metric of two versions; higher is better.

    Attributes:
        n_old, n_new: requests (or sessions) with a value.
        low, high: of new − old; each bound is one-sided at α and holds at all times at once.
        p_drop: of "no drop", valid whenever one looks; `p_adjusted` by Holm over the metrics.
        verdict: `fail`: a drop is proven, and larger than `max_drop` as it was seen; `pass`: a drop of
            `max_drop` or more is ruled out.
        would_decide: how many requests of each version would probably (80 %) settle it, those seen included,
            if things stay as they look; None where it is settled or beyond any reason.
    """

    metric: str
    n_old: float
    n_new: float
    old: float
    new: float
    delta: float
    low: float
    high: float
    p_drop: float
    max_drop: float
    verdict: Verdict
    p_adjusted: float
    would_decide: tuple[int, int] | None = None


class Metric(msgspec.Struct, frozen=True):
    """What is compared: tallies of values in [0, 1] where higher is better.

    Of errors, latencies over a limit and capped costs give `Moments.flipped`. Where a user or a session
    has several requests, average them first and tally those: one value each.
    """

    name: str
    old: Moments
    new: Moments
    max_drop: float


def compare(metric: Metric, *, alpha: float = 0.05, fewest: float = FEWEST) -> Rollout:
    """One metric by itself.

    Raises:
        ValueError: a tally is not finite, or `max_drop` is not above 0 (no traffic proves "not at all").
    """
    return compare_all([metric], alpha=alpha, fewest=fewest)[0]


def compare_all(
    metrics: Sequence[Metric], *, alpha: float = 0.05, fewest: float = FEWEST
) -> tuple[Rollout, ...]:
    """All metrics of a rollout: failing is corrected together (Holm), passing needs no correction."""
    p_values = [_p_value(log_evidence(*_sides(metric), 0.0)) for metric in metrics]
    results = []
    for metric, p, p_adjusted in zip(metrics, p_values, holm(p_values), strict=True):
        verdict = _decide(metric, p_adjusted, alpha, fewest)
        needed = _needed(metric, alpha, fewest) if verdict == "inconclusive" else None
        results.append(_told(metric, alpha, p, p_adjusted, verdict, needed))
    return tuple(results)


def verdict_of(metric: Metric, *, alpha: float = 0.05, fewest: float = FEWEST) -> Verdict:
    """The verdict alone: a twentieth of the price of `compare`."""
    return _decide(metric, _p_value(log_evidence(*_sides(metric), 0.0)), alpha, fewest)


def together(results: Sequence[Rollout]) -> Verdict:
    """Is it safe to go on? One failing metric fails it, all must pass to pass."""
    verdicts = {r.verdict for r in results}
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else "inconclusive"


def _told(
    metric: Metric,
    alpha: float,
    p: float,
    p_adjusted: float,
    verdict: Verdict,
    needed: tuple[int, int] | None,
) -> Rollout:
    old, new = _sides(metric)
    return Rollout(
        metric.name,
        n_old=old.n,
        n_new=new.n,
        old=old.mean,
        new=new.mean,
        delta=new.mean - old.mean if old.n and new.n else 0.0,
        low=lower_bound(new, old, alpha),
        high=-lower_bound(old, new, alpha),
        p_drop=p,
        max_drop=metric.max_drop,
        verdict=verdict,
        p_adjusted=p_adjusted,
        would_decide=needed,
    )


def _sides(metric: Metric) -> tuple[Moments, Moments]:
    if not metric.max_drop > 0:
        raise ValueError(
            "max_drop must be above 0: no number of requests proves that nothing at all was lost"
        )
    return metric.old.checked(), metric.new.checked()


def _p_value(evidence: float) -> float:
    return math.exp(-max(evidence, 0.0))


def _decide(metric: Metric, p_drop: float, alpha: float, fewest: float) -> Verdict:
    old, new = _sides(metric)
    if min(old.n, new.n) < max(fewest, 1e-9):
        return "inconclusive"
    if old.mean - new.mean > metric.max_drop + EPSILON and p_drop <= alpha:
        return "fail"
    ruled_out = log_evidence(new, old, -metric.max_drop) >= math.log(1 / alpha)
    return "pass" if ruled_out else "inconclusive"


def _needed(metric: Metric, alpha: float, fewest: float) -> tuple[int, int] | None:
    """The least multiple of what was seen that would decide, with the luck of the worst fifth."""
    smaller = min(metric.old.n, metric.new.n)
    if smaller < 2:
        return None
    least = max(fewest / smaller, 1.0)
    most = MOST_REQUESTS / max(metric.old.n, metric.new.n)
    if most <= least or not _would(metric, most, alpha):
        return None
    for _ in range(24):
        middle = math.sqrt(least * most)
        if _would(metric, middle, alpha):
            most = middle
        else:
            least = middle
        if most / least < 1.02:
            break
    return math.ceil(metric.old.n * most), math.ceil(metric.new.n * most)


def _would(metric: Metric, times: float, alpha: float) -> bool:
    old, new = _scaled(metric.old, times), _scaled(metric.new, times)
    fails = old.mean - new.mean > metric.max_drop
    error = math.sqrt(_floored(old) / old.n + _floored(new) / new.n)
    # Towards the limit, where neither verdict is given.
    unlucky = _moved(new, normal_quantile(0.8) * error * (1 if fails else -1))
    decided = verdict_of(Metric(metric.name, old, unlucky, metric.max_drop), alpha=alpha, fewest=0)
    return decided == ("fail" if fails else "pass")


def _scaled(side: Moments, times: float) -> Moments:
    return Moments(side.n * times, side.total * times, side.squares * times)


def _floored(side: Moments) -> float:
    """A variance that is not 0 where nothing has failed yet."""
    share = (side.total + 0.5) / (side.n + 1)
    return max(side.variance, share * (1 - share) if side.is_binary else 0.0)


def _moved(side: Moments, by: float) -> Moments:
    """With another mean, and the variance that it had."""
    mean = min(max(side.mean + by, 0.0), 1.0)
    squares = mean * side.n if side.is_binary else (mean * mean + side.variance) * side.n
    return Moments(side.n, mean * side.n, squares).checked()
