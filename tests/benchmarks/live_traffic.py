"""Live traffic, drawn: days of many streams with day and night, sessions, and a change at a stated minute."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
import numpy as np

from llmops_tui.domain.statistics.quantiles import normal_cdf

MINUTES = 1440
#: Requests of a session, where traffic is clumped, and how often all of them share one fate.
SESSION, SHARED = 3.0, 0.5
#: Latencies are log-normal; their buckets grow by 5 %, and this is how many lie on either side of 1 s.
SIGMA, GROWTH, SIDE = 0.6, 1.05, 90

_angle = 2 * math.pi * (np.arange(MINUTES) - 14 * 60) / MINUTES
#: Share of a day's requests in each minute: nine times as many at two in the afternoon as at two at night.
PROFILE = (1 + 0.8 * np.cos(_angle)) / MINUTES


class Rule(msgspec.Struct, frozen=True):
    """What is watched.

    Attributes:
        sampled: share of the requests that have a value.
        share: of bad ones; of `values` and `p95` it is not used.
    """

    name: str
    sampled: float
    share: float = 0.0
    kind: Literal["share", "values", "p95"] = "share"


ERRORS = Rule("error rate, 1 %", 1.0, 0.01)
RULES = (
    ERRORS,
    Rule("p95 latency", 1.0, kind="p95"),
    Rule("failing share, 10 %, a tenth is scored", 0.1, 0.1),
    Rule("thumbs down, 5 %, a twentieth gives one", 0.05, 0.05),
    Rule("mean cost", 1.0, kind="values"),
)


class Days(msgspec.Struct, frozen=True):
    """The same day of several streams.

    Attributes:
        tallies: (streams, 1440, 3): n, total, squares of each minute; of `p95` of being above the limit.
        histograms: (streams, buckets): latencies of the whole day; empty for others.
    """

    tallies: Any
    histograms: Any


def draw_days(rng: Any, rule: Rule, requests: float, times: Any, limits: Any = None) -> Days:
    """A day of each stream.

    Args:
        times: (streams, 1440): by how much the figure is raised.
        limits: (streams,): of `p95` the bucket that is the limit.
    """
    streams = len(times)
    n = rng.poisson(requests * rule.sampled * PROFILE, (streams, MINUTES))
    if rule.kind == "values":
        return Days(
            np.stack([_costs(rng, *pair) for pair in zip(n, times, strict=True)]), np.zeros((streams, 0))
        )
    if rule.kind == "p95":
        return _latencies(rng, n, times, limits)
    k = rng.binomial(n, np.minimum(rule.share * times, 1.0))
    return Days(np.stack([n, k, k], axis=2).astype(float), np.zeros((streams, 0)))


def _costs(rng: Any, n: Any, times: Any) -> Any:
    """Dollars over a cap of ten times the median, of one stream."""
    minutes = np.repeat(np.arange(MINUTES), n)
    values = np.minimum(np.exp(rng.normal(0.0, 0.7, len(minutes))) * times[minutes] / 10, 1.0)
    sums = [np.bincount(minutes, w, minlength=MINUTES) for w in (values, values * values)]
    return np.stack([n, *sums], axis=1)


def _latencies(rng: Any, n: Any, times: Any, limits: Any) -> Days:
    """Above the limit or not, minute by minute; then the day's histogram, given how many were."""
    above = np.zeros(n.shape)
    histograms = np.zeros((len(n), 2 * SIDE))
    for i, (count, row) in enumerate(zip(n, times, strict=True)):
        for factor in np.unique(row):
            where = row == factor
            chances = _buckets(float(factor))
            high = np.arange(2 * SIDE) > limits[i]
            over = float(chances[high].sum())
            above[i, where] = rng.binomial(count[where], min(over, 1.0))
            bad = int(above[i, where].sum())
            for part, size in ((high, bad), (~high, int(count[where].sum()) - bad)):
                weights = chances * part
                if size:
                    histograms[i] += rng.multinomial(size, weights / weights.sum())
    return Days(np.stack([n, above, above], axis=2).astype(float), histograms)


def _buckets(factor: float) -> Any:
    """Chances of the buckets of latencies with this median."""
    width = math.log(GROWTH) / SIGMA
    edges = [normal_cdf(width * (b - SIDE) - math.log(factor) / SIGMA) for b in range(1, 2 * SIDE)]
    return np.diff([0.0, *edges, 1.0])


def draw_clumped(rng: Any, rule: Rule, requests: float, streams: int, *, averaged: bool) -> Days:
    """Days of sessions; `averaged`: each is one value, when it began."""
    return Days(
        np.stack([_clumped(rng, rule, requests * rule.sampled, averaged) for _ in range(streams)]),
        np.zeros((streams, 0)),
    )


def _clumped(rng: Any, rule: Rule, wanted: float, averaged: bool) -> Any:
    starts = np.repeat(np.arange(MINUTES), rng.poisson(wanted / SESSION * PROFILE))
    count = len(starts)
    sizes = rng.geometric(1 / SESSION, count)
    sessions = np.repeat(np.arange(count), sizes)
    together = rng.random(count) < SHARED
    fate = np.where(together[sessions], rng.random(count)[sessions], rng.random(len(sessions)))
    values = (fate < rule.share).astype(float)
    if averaged:
        minutes, values = starts, np.bincount(sessions, values, minlength=count) / sizes
    else:
        # The next request of a session comes after a minute or two.
        passed = np.cumsum(rng.geometric(0.7, len(sessions)))
        first = np.cumsum(sizes) - sizes
        minutes = np.minimum(starts[sessions] + passed - passed[first][sessions], MINUTES - 1)
    sums = [np.bincount(minutes, w, minlength=MINUTES) for w in (values, values * values)]
    return np.stack([np.bincount(minutes, minlength=MINUTES), *sums], axis=1)


def seasonal(streams: int, swing: float) -> Any:
    """(streams, 1440): a figure that follows the hour by ± this share."""
    return np.broadcast_to(1 + swing * np.cos(_angle), (streams, MINUTES)).copy()
