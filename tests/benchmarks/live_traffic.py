"""Live traffic, drawn: days of requests with day and night, sessions, and a change at a stated minute."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

MINUTES = 1440
#: Buckets of a latency grow by this factor.
GROWTH = 1.05
#: Requests of a session, where traffic is clumped, and how often all of them share one fate.
SESSION, SHARED = 3.0, 0.5

_angle = 2 * math.pi * (np.arange(MINUTES) - 14 * 60) / MINUTES
#: Share of a day's requests in each minute: nine times as many at two in the afternoon as at two at night.
PROFILE = (1 + 0.8 * np.cos(_angle)) / MINUTES


class Rule(msgspec.Struct, frozen=True):
    """What is watched.

    Attributes:
        sampled: share of the requests that have a value.
        draw: (rng, uniform numbers, relative change) → values in [0, 1], or of `p95` seconds.
        increase: margin put on top of the reference.
    """

    name: str
    sampled: float
    draw: Callable[[Any, Any, float], Any]
    kind: str = "share"
    increase: float = 0.0


def _bernoulli(share: float) -> Callable[[Any, Any, float], Any]:
    return lambda _rng, u, times: (u < share * times).astype(float)


def _latency(rng: Any, u: Any, times: Any) -> Any:
    return np.exp(rng.normal(0.0, 0.6, len(u))) * times


def _cost(rng: Any, u: Any, times: Any) -> Any:
    # Dollars over a cap of ten times the median.
    return np.minimum(np.exp(rng.normal(0.0, 0.7, len(u))) * times / 10, 1.0)


ERRORS = Rule("error rate, 1 %", 1.0, _bernoulli(0.01))
RULES = (
    ERRORS,
    Rule("p95 latency", 1.0, _latency, "p95"),
    Rule("failing share of sampled scores, 10 %", 0.1, _bernoulli(0.1)),
    Rule("thumbs down, 5 % of feedback", 0.05, _bernoulli(0.05)),
    Rule("mean cost", 1.0, _cost, "values"),
)


class Day(msgspec.Struct, frozen=True):
    """One day: requests in order of time.

    Attributes:
        minutes: of each request.
        values: of each request; of `p95` the bucket.
        sessions: of each request: its number within the day.
    """

    minutes: Any
    values: Any
    sessions: Any

    def tallies(self, limit: int | None = None) -> Any:
        """(1440, 3): n, total, squares of each minute; of `p95` of being above the limit."""
        values = self.values if limit is None else (self.values > limit).astype(float)
        n = np.bincount(self.minutes, minlength=MINUTES)
        total = np.bincount(self.minutes, values, minlength=MINUTES)
        return np.stack([n, total, np.bincount(self.minutes, values * values, minlength=MINUTES)], axis=1)

    def histogram(self) -> dict[int, float]:
        lowest = int(self.values.min()) if len(self.values) else 0
        counts = np.bincount(self.values - lowest)
        return {lowest + int(b): float(counts[b]) for b in np.flatnonzero(counts)}

    def averaged(self) -> Day:
        """One value for each session, when it began."""
        order, first = np.unique(self.sessions, return_index=True)
        n = np.bincount(self.sessions, minlength=int(order.max(initial=-1)) + 1)[order]
        mean = np.bincount(self.sessions, self.values)[order] / n if len(order) else self.values
        at = np.argsort(self.minutes[first], kind="stable")
        return Day(self.minutes[first][at], mean[at], order[at])


def draw_day(
    rng: Any,
    rule: Rule,
    requests: float,
    *,
    clumped: bool = False,
    seasonal: float = 0.0,
    wandering: float = 0.0,
    change: tuple[int, float] | None = None,
) -> Day:
    """A day of about so many requests.

    Args:
        seasonal: how much higher the figure is at the peak hour, and lower at night, as a share.
        wandering: the figure's spread from day to day, as a share.
        change: from this minute on the figure is this many times as high.
    """
    wanted = requests * rule.sampled
    if clumped:
        starts = np.repeat(np.arange(MINUTES), rng.poisson(wanted / SESSION * PROFILE))
        sizes = rng.geometric(1 / SESSION, len(starts))
        sessions = np.repeat(np.arange(len(starts)), sizes)
        step = rng.geometric(0.7, len(sessions))
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
        passed = np.cumsum(step)
        within = passed - np.repeat(passed[first] if len(first) else passed, sizes)
        minutes = np.minimum(np.repeat(starts, sizes) + within, MINUTES - 1)
        together = rng.random(len(starts)) < SHARED
        fate = np.where(together[sessions], rng.random(len(starts))[sessions], rng.random(len(sessions)))
    else:
        minutes = np.repeat(np.arange(MINUTES), rng.poisson(wanted * PROFILE))
        sessions = np.arange(len(minutes))
        fate = rng.random(len(minutes))
    times = 1 + seasonal * np.cos(_angle[minutes])
    if wandering:
        times = times * math.exp(rng.normal(0, wandering))
    if change is not None:
        times = np.where(minutes >= change[0], times * change[1], times)
    values = rule.draw(rng, fate, times)
    if rule.kind == "p95":
        values = np.ceil(np.log(values) / math.log(GROWTH)).astype(int)
    order = np.argsort(minutes, kind="stable")
    return Day(minutes[order], values[order], sessions[order])
