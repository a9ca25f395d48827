"""How well a guardrail does, estimated from what people said of some of its looks. Pure.

Two strata are known exactly: F requests on which it fired, P that it let pass. Of each a random part was
reviewed: k of n firings were right, m of n passes were misses. With p the share of firings that are right and
q the share of passes that are misses, there were F·p hits, F·(1 − p) false alarms and P·q misses.

Each unknown share has its exact interval (Clopper & Pearson, 1934), all together at 95 % (Bonferroni). The
figures are monotone in each share, so their extremes over the box of the intervals are at its corners: the
interval between these holds what is true in 95 of 100 times or more, however few were reviewed. Shares are
taken to be of binomial samples; where a large part of a stratum was reviewed that is wider than it need be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import product

import msgspec

from llmops_tui.domain.live.guards import Estimate, ThresholdPoint
from llmops_tui.domain.statistics.proportion import clopper_pearson_lower, clopper_pearson_upper, wilson

Interval = tuple[float, float]
CONFIDENCE = 0.95
#: Points of a curve at most; beyond, scores are thinned out evenly.
MOST_POINTS = 100


class Strata(msgspec.Struct, frozen=True):
    """What is known of both strata.

    Attributes:
        fired, passed: requests, exact.
        reviewed_firings, right: of the firings that count. reviewed_passes, missed: of the sample.
    """

    fired: int
    passed: int
    reviewed_firings: int
    right: int
    reviewed_passes: int
    missed: int


class Judged(msgspec.Struct, frozen=True):
    """A reviewed row that counts.

    Attributes:
        bad: it is what the guardrail is for: a firing that was right, or a miss.
    """

    score: float
    triggered: bool
    bad: bool


@lru_cache(maxsize=20_000)
def clopper_pearson(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Two-sided exact interval of a share; (0, 1) where n is 0."""
    side = (1 + confidence) / 2
    return clopper_pearson_lower(k, n, side), clopper_pearson_upper(k, n, side)


def share_of(k: int, n: int) -> Estimate:
    """A share of reviewed rows."""
    return Estimate(k / n if n else None, *clopper_pearson(k, n), n)


def rate_of(k: int, n: int) -> Estimate:
    """A share of requests: of many, so Wilson's interval, as for every rate of live traffic."""
    return Estimate(k / n if n else None, *wilson(k, n), n)


def recall_of(s: Strata) -> Estimate:
    """Of what it should have fired on, the share on which it did: F·p / (F·p + P·q)."""

    def recall(p: float, q: float) -> float | None:
        hits, misses = s.fired * p, s.passed * q
        return hits / (hits + misses) if hits + misses else None

    return _of_both(s, recall)


def false_alarms_of(s: Strata) -> Estimate:
    """Of what it should have left alone, the share it fired on: F·(1 − p) / (F·(1 − p) + P·(1 − q))."""

    def false_alarms(p: float, q: float) -> float | None:
        alarms, rest = s.fired * (1 - p), s.passed * (1 - q)
        return alarms / (alarms + rest) if alarms + rest else None

    return _of_both(s, false_alarms)


def _of_both(s: Strata, figure: Callable[[float, float], float | None]) -> Estimate:
    """A figure of a share of each stratum. A stratum in which nothing is needs no review."""
    n, m = s.reviewed_firings, s.reviewed_passes
    confidence = 1 - (1 - CONFIDENCE) / 2
    box = (clopper_pearson(s.right, n, confidence), clopper_pearson(s.missed, m, confidence))
    is_known = (n > 0 or not s.fired) and (m > 0 or not s.passed) and n + m > 0
    value = figure(s.right / n if n else 0.0, s.missed / m if m else 0.0) if is_known else None
    return Estimate(value, *_over(box, lambda shares: figure(*shares)), n + m if is_known else 0)


def _over(box: Sequence[Interval], figure: Callable[[tuple[float, ...]], float | None]) -> Interval:
    """The extremes of a figure that is monotone in each share, over all that the shares may be.

    Where it is not defined in a corner (nothing there was ever to be found), nothing is known.
    """
    found = [figure(corner) for corner in product(*box)]
    known = [value for value in found if value is not None]
    return (min(known), max(known)) if known and len(known) == len(found) else (0.0, 1.0)


# -- thresholds


def points_of(
    judged: Iterable[Judged],
    fired: int,
    passed: int,
    thresholds: Sequence[float],
    further: Sequence[float] = (),
) -> tuple[ThresholdPoint, ...]:
    """What would be with other thresholds: at each score that was reviewed, and at those it had.

    Args:
        judged: rows of both strata, each drawn at random from its own.
        fired, passed: requests, exact.
        thresholds: those that it had in this time. No pass has a score from the highest on, and no firing
            one below the lowest.
        further: thresholds that no traffic had, and that are points as well.

    Returns:
        From the lowest to the highest. Rates, recall and false alarms never rise with the threshold, nor do
        the ends of their intervals. Each interval holds for its point alone.
    """
    rows = list(judged)
    scores = sorted({*(row.score for row in rows), *thresholds, *further})
    if len(scores) > MOST_POINTS:
        kept = {scores[at * (len(scores) - 1) // (MOST_POINTS - 1)] for at in range(MOST_POINTS)}
        scores = sorted({*kept, *thresholds, *further})
    # Shares that have to hold at once: those of the two strata, and how each is split by a threshold; of one
    # threshold, either nothing of the passes is above it or all of the firings are.
    at_once = 3 if len(set(thresholds)) == 1 else 4
    sides = (
        _Side([r for r in rows if r.triggered], fired, all_from=min(thresholds, default=None)),
        _Side([r for r in rows if not r.triggered], passed, none_from=max(thresholds, default=None)),
    )
    return tuple(_point(threshold, *sides, at_once) for threshold in scores)


class _Side:
    """One stratum: how much of it lies at or above a threshold.

    Args:
        size: requests in it, exact.
        all_from: up to this threshold all of it does. none_from: from this one on nothing does.
    """

    def __init__(
        self,
        rows: Sequence[Judged],
        size: int,
        *,
        all_from: float | None = None,
        none_from: float | None = None,
    ) -> None:
        self.rows = rows
        self.size = size
        self.n = len(rows)
        self.bad = sum(row.bad for row in rows)
        self._all_from = all_from
        self._none_from = none_from

    def known(self, threshold: float) -> float | None:
        """The share above, where it follows from the thresholds it had."""
        if self._all_from is not None and threshold <= self._all_from:
            return 1.0
        if self._none_from is not None and threshold >= self._none_from:
            return 0.0
        return None

    def above(self, threshold: float) -> list[Judged]:
        return [row for row in self.rows if row.score >= threshold]


class _Share(msgspec.Struct, frozen=True):
    """k of n, or a share that is known."""

    k: int
    n: int
    known: float | None = None

    @property
    def value(self) -> float:
        return self.known if self.known is not None else self.k / self.n if self.n else 0.0

    def interval(self, confidence: float) -> Interval:
        if self.known is not None:
            return self.known, self.known
        return clopper_pearson(self.k, self.n, confidence)


def _point(threshold: float, fired: _Side, passed: _Side, at_once: int) -> ThresholdPoint:
    up, down = fired.above(threshold), passed.above(threshold)
    up_bad, down_bad = sum(row.bad for row in up), sum(row.bad for row in down)
    up_known, down_known = fired.known(threshold), passed.known(threshold)
    # Of the bad, of the good and of all of a stratum, the share at or above the threshold.
    bad = _Share(up_bad, fired.bad, up_known), _Share(down_bad, passed.bad, down_known)
    good = (
        _Share(len(up) - up_bad, fired.n - fired.bad, up_known),
        _Share(len(down) - down_bad, passed.n - passed.bad, down_known),
    )
    above = _Share(len(up), fired.n, up_known), _Share(len(down), passed.n, down_known)
    right = _Share(up_bad, len(up)), _Share(down_bad, len(down))
    both = _Share(fired.bad, fired.n), _Share(passed.bad, passed.n)
    big, small = fired.size, passed.size
    n = fired.n + passed.n if fired.n and passed.n else 0

    def of_bad(x: tuple[float, ...]) -> float | None:
        return _mean((big * x[0], x[2]), (small * x[1], x[3]))

    def of_good(x: tuple[float, ...]) -> float | None:
        return _mean((big * (1 - x[0]), x[2]), (small * (1 - x[1]), x[3]))

    if down_known == 0.0:
        precision = share_of(up_bad, len(up))
    else:
        precision = _estimate((*above, *right), of_bad, len(up) + len(down), at_once)
    return ThresholdPoint(
        threshold,
        precision,
        _estimate((*both, *bad), of_bad, n, at_once),
        _estimate((*both, *good), of_good, n, at_once),
        _mean((big, above[0].value), (small, above[1].value)) or 0.0,
    )


def _estimate(
    shares: Sequence[_Share], figure: Callable[[tuple[float, ...]], float | None], n: int, at_once: int
) -> Estimate:
    confidence = 1 - (1 - CONFIDENCE) / at_once
    value = figure(tuple(share.value for share in shares)) if n else None
    return Estimate(value, *_over([share.interval(confidence) for share in shares], figure), n)


def _mean(*parts: tuple[float, float]) -> float | None:
    """The mean of values by their weights; None where nothing weighs anything."""
    whole = sum(weight for weight, _value in parts)
    return sum(weight * value for weight, value in parts) / whole if whole else None
