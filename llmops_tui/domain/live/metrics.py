"""Figures of live traffic: what each is, and how it is read off a tally. Pure.

A name may have a part after a dot: `score.faithfulness`, `step_p95.search`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal

import msgspec

from llmops_tui.domain.live.histogram import Histogram, value_of
from llmops_tui.domain.live.tally import Sums, Tally
from llmops_tui.domain.statistics.proportion import wilson
from llmops_tui.domain.statistics.quantiles import t_quantile

Group = Literal["traffic", "quality", "cost", "latency", "safety", "signals", "errors"]
Unit = Literal["count", "share", "seconds", "usd", "tokens", "words", "score"]
#: The six at a glance, in the order of the screen.
GROUPS: tuple[Group, ...] = ("quality", "cost", "latency", "safety", "signals", "errors")
_FAITHFULNESS = re.compile(r"faithfulness(?!\w)", re.IGNORECASE)


class Measured(msgspec.Struct, frozen=True):
    """A figure and how many observations it rests on; None where there are none."""

    value: float | None
    n: int


class Evidence(msgspec.Struct, frozen=True):
    """Observations as values in [0, 1], for a test of whether their mean is above a bound.

    Attributes:
        squares: sum of squares; of ones and zeros the same as `total`.
    """

    n: int
    total: float
    squares: float


class Metric(msgspec.Struct, frozen=True):
    """One figure.

    Attributes:
        worse: where things get worse: up, down, or neither.
        part: what stands after the dot, as the help calls it; empty where nothing may.
    """

    name: str
    title: str
    group: Group
    unit: Unit
    worse: Literal["up", "down", ""]
    help: str
    part: str = ""


class _Share(msgspec.Struct, frozen=True):
    count: Callable[[Tally, str], int]
    of: Callable[[Tally, str], int]


class _Quantile(msgspec.Struct, frozen=True):
    histogram: Callable[[Tally, str], Histogram | None]
    p: float


class _Mean(msgspec.Struct, frozen=True):
    """Of values in [0, 1]."""

    sums: Callable[[Tally, str], Sums | None]


class _HistogramMean(msgspec.Struct, frozen=True):
    """Of values without a bound."""

    histogram: Callable[[Tally, str], Histogram]


class _Count(msgspec.Struct, frozen=True):
    count: Callable[[Tally, str], float]


_How = _Share | _Quantile | _Mean | _HistogramMean | _Count


def _bad(t: Tally, kind: str) -> int:
    return t.signals.get(kind, Sums()).bad


def _said(t: Tally, kind: str) -> int:
    return t.signals.get(kind, Sums()).n


def _score(t: Tally, scorer: str) -> Sums | None:
    return t.scores.get(scorer)


def _decided(t: Tally, scorer: str) -> Sums:
    return t.scores.get(scorer, Sums())


#: A guardrail that never looked.
_NEVER = (0, 0, 0, 0)


def is_faithfulness(scorer: str) -> bool:
    """The first word of its name says so: `faithfulness`, `faithfulness#2`, `faithfulness:strict`."""
    return _FAITHFULNESS.match(scorer) is not None


def _quantiles(
    name: str, title: str, histogram: Callable[[Tally, str], Histogram | None], part: str = ""
) -> list[tuple[Metric, _How]]:
    return [
        (
            Metric(
                f"{name}_p{p}",
                f"{title} p{p}",
                "latency",
                "seconds",
                "up",
                f"{title.capitalize()}: {100 - p} % take longer.",
                part,
            ),
            _Quantile(histogram, p / 100),
        )
        for p in (50, 95, 99)
    ]


_TABLE: list[tuple[Metric, _How]] = [
    (Metric("spans", "spans", "traffic", "count", "", "Spans that came in."), _Count(lambda t, _: t.spans)),
    (Metric("traces", "traces", "traffic", "count", "", "Traces that began."), _Count(lambda t, _: t.traces)),
    (
        Metric("requests", "requests", "traffic", "count", "", "Traces in which a model had a part."),
        _Count(lambda t, _: t.requests),
    ),
    # -- quality
    (
        Metric(
            *("pass_rate", "pass rate", "quality", "share", "down"),
            "Of the judged requests, those that passed every scorer.",
        ),
        _Share(lambda t, _: t.passed, lambda t, _: t.judged),
    ),
    (
        Metric(
            *("score", "score", "quality", "score", "down"),
            "Mean of a scorer's values: `score.NAME`.",
            "scorer",
        ),
        _Mean(_score),
    ),
    (
        Metric(
            *("passed", "passed", "quality", "share", "down"),
            "Share that passed a scorer: `passed.NAME`.",
            "scorer",
        ),
        _Share(lambda t, s: _decided(t, s).passed, lambda t, s: _decided(t, s).decided),
    ),
    (
        Metric(
            *("hallucination_rate", "hallucinations", "quality", "share", "up"),
            "Of the judgements of faithfulness, those that failed; a request that two scorers judge has two.",
        ),
        _Share(
            lambda t, _: sum(s.decided - s.passed for n, s in t.scores.items() if is_faithfulness(n)),
            lambda t, _: sum(s.decided for n, s in t.scores.items() if is_faithfulness(n)),
        ),
    ),
    # -- cost
    (
        Metric("cost", "cost", "cost", "usd", "", "USD in all."),
        _Count(lambda t, _: t.cost_usd),
    ),
    (
        Metric(
            "cost_per_request", "cost a request", "cost", "usd", "up", "USD a request, where it is known."
        ),
        _HistogramMean(lambda t, _: t.cost),
    ),
    (
        Metric("tokens", "tokens", "cost", "tokens", "", "Tokens in and out, in all."),
        _Count(lambda t, _: t.input_tokens + t.output_tokens),
    ),
    (
        Metric("priced_rate", "priced", "cost", "share", "down", "Of the calls, those whose cost is known."),
        _Share(lambda t, _: t.priced, lambda t, _: t.calls),
    ),
    # -- latency
    *_quantiles("latency", "latency", lambda t, _: t.latency),
    *_quantiles("ttft", "time to first token", lambda t, _: t.ttft),
    *_quantiles("step", "step", lambda t, s: t.steps.get(s), "step"),
    # -- safety
    (
        Metric(
            *("guardrail_rate", "guardrails fired", "safety", "share", "up"),
            "Requests in which a guardrail fired.",
        ),
        _Share(lambda t, _: t.flagged, lambda t, _: t.requests),
    ),
    (
        Metric(
            *("guardrail", "guardrail", "safety", "share", "up"),
            "Of the requests that one looked at, those in which it fired: `guardrail.NAME`.",
            "guardrail",
        ),
        _Share(lambda t, g: t.guarded.get(g, _NEVER)[1], lambda t, g: t.guarded.get(g, _NEVER)[0]),
    ),
    (
        Metric(
            *("guardrail_failed", "guardrails failed", "safety", "share", "up"),
            "Requests in which a guardrail failed itself: it raised, took too long or died.",
        ),
        _Share(lambda t, _: t.unguarded, lambda t, _: t.requests),
    ),
    (
        Metric("refusal_rate", "refusals", "safety", "share", "up", "Requests that the model refused."),
        _Share(lambda t, _: t.refused, lambda t, _: t.requests),
    ),
    # -- signals
    (
        Metric(
            *("complaint_rate", "bad signals", "signals", "share", "up"),
            "Requests with a bad signal of the user.",
        ),
        _Share(lambda t, _: t.complained, lambda t, _: t.requests),
    ),
    (
        Metric(
            *("thumbs_down_rate", "thumbs down", "signals", "share", "up"),
            "Of the thumbs, those that were down.",
        ),
        _Share(lambda t, _: _bad(t, "thumb"), lambda t, _: _said(t, "thumb")),
    ),
    (
        Metric(
            *("signal_rate", "signal", "signals", "share", ""),
            "Signals of a kind for each request: `signal_rate.retry`.",
            "kind",
        ),
        _Share(lambda t, k: min(_said(t, k), t.requests), lambda t, _: t.requests),
    ),
    (
        Metric(
            *("signal", "signal value", "signals", "score", ""),
            "Mean value of a kind of signal: `signal.rating`.",
            "kind",
        ),
        _Mean(lambda t, k: t.signals.get(k)),
    ),
    # -- errors
    (
        Metric("error_rate", "errors", "errors", "share", "up", "Requests that failed."),
        _Share(lambda t, _: t.failed, lambda t, _: t.requests),
    ),
    (
        Metric(
            *("error", "error", "errors", "share", "up"),
            "Share that failed in one way: `error.KIND`.",
            "kind",
        ),
        _Share(lambda t, k: t.errors.get(k, 0), lambda t, _: t.requests),
    ),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric, _how in _TABLE}
_HOW: dict[str, _How] = {metric.name: how for metric, how in _TABLE}


def metric_of(name: str) -> Metric | None:
    """The metric that a name means; None where there is none, or its part is missing or too much."""
    stem, _, part = name.partition(".")
    metric = METRICS.get(stem)
    return metric if metric is not None and bool(part) == bool(metric.part) else None


def measure(name: str, tally: Tally) -> Measured:
    """Read a metric off a tally.

    Raises:
        KeyError: there is no such metric.
    """
    stem, _, part = name.partition(".")
    match _HOW[stem]:
        case _Share(count, of):
            n = of(tally, part)
            return Measured(count(tally, part) / n if n else None, n)
        case _Quantile(histogram, p):
            found = histogram(tally, part)
            return Measured(found.quantile(p), found.n) if found is not None else Measured(None, 0)
        case _Mean(sums):
            values = sums(tally, part)
            return Measured(values.total / values.n, values.n) if values and values.n else Measured(None, 0)
        case _HistogramMean(histogram):
            spread = histogram(tally, part)
            return Measured(spread.mean, spread.n)
        case _Count(count):
            return Measured(float(count(tally, part)), tally.traces)


def interval(name: str, tally: Tally, confidence: float = 0.95) -> tuple[float, float] | None:
    """Two-sided interval of a figure; None where none can be given.

    Of a share Wilson's, of a mean from its spread, of a quantile p between the quantiles at the ends of
    Wilson's interval of p (its order statistics).

    Raises:
        KeyError: there is no such metric.
    """
    stem, _, part = name.partition(".")
    match _HOW[stem]:
        case _Share(count, of):
            n = of(tally, part)
            return wilson(count(tally, part), n, confidence) if n else None
        case _Quantile(histogram, p):
            found = histogram(tally, part)
            if found is None or not found.n:
                return None
            low, high = wilson(p * found.n, found.n, confidence)
            return found.quantile(low) or 0.0, found.quantile(high) or 0.0
        case _Mean(sums):
            s = sums(tally, part) or Sums()
            around = _around(s.n, s.total, s.squares, confidence)
            return around and (max(around[0], 0.0), min(around[1], 1.0))
        case _HistogramMean(histogram):
            spread = histogram(tally, part)
            squares = sum(count * value_of(bucket) ** 2 for bucket, count in spread.counts.items())
            around = _around(spread.n, spread.total, squares, confidence)
            return around and (max(around[0], 0.0), around[1])
        case _Count():
            return None


def _around(n: int, total: float, squares: float, confidence: float) -> tuple[float, float] | None:
    if n < 2:
        return None
    mean = total / n
    variance = max(squares / n - mean * mean, 0.0) * n / (n - 1)
    reach = t_quantile(0.5 + confidence / 2, n - 1) * math.sqrt(variance / n)
    return mean - reach, mean + reach


def is_testable(name: str) -> bool:
    """It is made of single observations, so that chance can be told from change."""
    return not isinstance(_HOW[name.partition(".")[0]], _Count)


def evidence(name: str, tally: Tally, limit: float, *, falling: bool = False) -> tuple[Evidence, float]:
    """The observations as values in [0, 1], and the bound that their mean is held against.

    "The metric is above `limit`" is then "their mean is above the bound". Of a quantile p they say which
    requests were above the limit, and the bound is 1 − p. Of a mean without a bound they are values as a
    share of twice the limit, those beyond it cut off there, and the bound is a half. Cut off they may be
    below it where the mean is not: falling, it is the mean of values so cut off that is tested.

    Args:
        falling: the other direction: below `limit`.

    Raises:
        KeyError: there is no such metric.
        ValueError: it is no metric of single observations.
    """
    stem, _, part = name.partition(".")
    match _HOW[stem]:
        case _Share(count, of):
            n = of(tally, part)
            k = n - count(tally, part) if falling else count(tally, part)
            return Evidence(n, k, k), 1 - limit if falling else limit
        case _Quantile(histogram, p):
            found = histogram(tally, part) or Histogram()
            n, above = found.n, found.above(limit)
            k = n - above if falling else above
            return Evidence(n, k, k), p if falling else 1 - p
        case _Mean(sums):
            s = sums(tally, part) or Sums()
            if falling:
                return Evidence(s.n, s.n - s.total, s.n - 2 * s.total + s.squares), 1 - limit
            return Evidence(s.n, s.total, s.squares), limit
        case _HistogramMean(histogram):
            return _shares(histogram(tally, part), max(limit, 1e-12), falling), 0.5
        case _Count():
            raise ValueError(name)


def _shares(histogram: Histogram, limit: float, falling: bool) -> Evidence:
    n, total, squares = 0, 0.0, 0.0
    for bucket, count in histogram.counts.items():
        share = min(value_of(bucket) / (2 * limit), 1.0)
        share = 1 - share if falling else share
        n += count
        total += count * share
        squares += count * share * share
    return Evidence(n, total, squares if math.isfinite(squares) else total)
