"""A week of live traffic against the one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.metrics import GROUPS
from llmops_tui.domain.live.overview import Figure, Overview, Plot
from llmops_tui.domain.live.request import Series
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.live.statistics.drift import Drift, judge_together
from llmops_tui.domain.live.tally import Tally
from llmops_tui.monitoring.drift import compared
from llmops_tui.monitoring.figures import figure
from llmops_tui.monitoring.overview import figures_of, overview, plots
from llmops_tui.monitoring.windows import Bucket, Frame, Window, frame, read, split, summed
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.rollups import DAY

WEEK = 7 * DAY
#: Figures of the table by version.
BY_VERSION = (
    "requests",
    "pass_rate",
    "cost_per_request",
    "latency_p95",
    "guardrail_rate",
    "complaint_rate",
    "error_rate",
)
_MOST = 10


class Regression(msgspec.Struct, frozen=True):
    """A figure that is plainly worse than the week before, of a part of the traffic.

    Attributes:
        dimension, value: which part; empty: all of it.
        change: relative, positive where it got worse.
    """

    dimension: str
    value: str
    figure: Figure
    change: float


class Spender(msgspec.Struct, frozen=True):
    """What a feature or a user cost."""

    name: str
    requests: int
    cost_usd: float
    before_usd: float | None = None


class Week(msgspec.Struct, frozen=True):
    """All that the weekly report tells, but for what the workspace knows."""

    view: Overview
    versions: tuple[Plot, ...]
    regressions: tuple[Regression, ...]
    features: tuple[Spender, ...]
    users: tuple[Spender, ...]
    worst: tuple[LiveRequest, ...]
    drift: tuple[Drift, ...]


def week(store: LiveStore, wanted: LiveFilter, settings: LiveSettings, now: float) -> Week:
    """The week (or the window of the filter, where it names one) that ends now."""
    if wanted.since <= 0:
        wanted = msgspec.structs.replace(wanted, since=min(wanted.until, now) - WEEK)
    place = frame(store, wanted, now)
    buckets = read(store, place)
    whole = summed(place, buckets)
    features = split(place, buckets, lambda s: s.feature)
    return Week(
        overview(store, wanted, settings, now),
        plots(store, wanted, BY_VERSION, "version", now),
        tuple(_regressions(place, buckets, whole)),
        tuple(_spenders(features)),
        tuple(Spender(name, n, usd) for name, n, usd, *_ in store.requests.users(place.wanted, _MOST)),
        tuple(_worst(store, place.wanted)),
        drift_of(whole.before, whole.total),
    )


def _regressions(place: Frame, buckets: Iterable[Bucket], whole: Window) -> list[Regression]:
    """The worst first; a part is left out where all of the traffic says the same."""
    buckets = list(buckets)
    found = _worse("", "", whole)
    told = {each.figure.metric for each in found}
    dimensions: dict[str, Callable[[Series], str]] = {
        "feature": lambda s: s.feature,
        "version": lambda s: f"{s.config} {s.version}".strip() if s.version else "",
        "model": lambda s: s.model,
    }
    for dimension, of in dimensions.items():
        parts = split(place, buckets, of)
        if len(parts) < 2:
            continue
        for value, part in parts.items():
            if value:
                found += [r for r in _worse(dimension, value, part) if r.figure.metric not in told]
    return sorted(found, key=lambda each: -each.change)[:_MOST]


def _worse(dimension: str, value: str, window: Window) -> list[Regression]:
    names = [
        name for group in GROUPS for first, others in [figures_of(window, group)] for name in (first, *others)
    ]
    made = []
    for name in names:
        found = figure(name, window)
        if found.status != "ok" and found.value is not None and found.before is not None:
            sign = 1 if found.worse == "up" else -1
            made.append(
                Regression(dimension, value, found, sign * (found.value / max(found.before, 1e-9) - 1))
            )
    return made


def _spenders(features: dict[str, Window]) -> list[Spender]:
    made = [
        Spender(name or "(none)", w.total.requests, w.total.cost_usd, w.before.cost_usd if w.before else None)
        for name, w in features.items()
        if w.total.cost_usd > 0
    ]
    return sorted(made, key=lambda each: -each.cost_usd)[:_MOST]


def _worst(store: LiveStore, wanted: LiveFilter) -> list[LiveRequest]:
    """Of what went wrong, that with the most against it."""
    bad = store.requests.listed(msgspec.structs.replace(wanted, only="worth"), limit=1_000)
    low = store.requests.listed(msgspec.structs.replace(wanted, only="low"), order="lowest", limit=200)
    every = {each.id: each for each in (*bad, *low)}.values()
    return sorted(every, key=lambda each: -badness(each))[:_MOST]


def badness(listed: LiveRequest) -> float:
    """How much speaks against a request: failures, bad signals, guardrails, low scores."""
    r = listed.request
    bad = sum(1 for _kind, _value, is_bad in r.signals if is_bad)
    low = 0.0 if r.score is None else 1.0 - r.score
    return 2.0 * r.failed + min(bad, 3) + r.flagged + r.refused + low


def drift_of(before: Tally | None, now: Tally) -> tuple[Drift, ...]:
    """What changed in what comes in and goes out; nothing where there is no week before."""
    return judge_together(compared(before, now)) if before is not None else ()
