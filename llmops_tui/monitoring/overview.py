"""All of a window of live traffic at a glance: six groups of figures, plots, and what can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import GROUPS, METRICS, Group, is_faithfulness
from llmops_tui.domain.live.overview import (
    Dimension,
    Figure,
    FiringAlert,
    GroupView,
    Line,
    Overview,
    Plot,
    Status,
)
from llmops_tui.domain.live.request import Series
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.live.tally import lean
from llmops_tui.monitoring.figures import figure
from llmops_tui.monitoring.firing import firing
from llmops_tui.monitoring.windows import Bucket, Frame, Window, frame, read, split, summed, without
from llmops_tui.store.live import LiveStore

#: Lines of a plot; what is beyond them is drawn together.
MOST_LINES = 8
#: Parts (scorers, steps, kinds of error) of which figures are made, the commonest first.
MOST_PARTS = 12
REST = "(the rest)"
NONE = "(none)"
_BADNESS: dict[Status, int] = {"ok": 0, "unknown": 1, "warning": 2, "critical": 3}
_OF_DIMENSION: dict[str, Callable[[Series], str]] = {
    "version": lambda s: s.version,
    "feature": lambda s: s.feature,
    "model": lambda s: s.model,
    "provider": lambda s: s.provider,
    "config": lambda s: s.config,
}


#: Versions are told with their configuration.
_TOLD = {"version": ("config", "version")}


def overview(store: LiveStore, wanted: LiveFilter, settings: LiveSettings, now: float) -> Overview:
    """The six at a glance.

    Args:
        wanted: `since` 0 means from the first request on; `until` is cut off at `now`.
        now: Unix seconds.
    """
    place = frame(store, wanted, now)
    window = summed(place, read(store, place))
    alerts = firing(store, place.wanted, settings)
    newest = store.requests.listed(LiveFilter(), limit=1)
    return Overview(
        place.wanted,
        place.resolution_s,
        tuple(_group(group, window, alerts) for group in GROUPS),
        tuple(figure(name, window) for name in ("spans", "traces", "requests")),
        alerts,
        newest[0].request.start if newest else None,
        store.aside_count(),
    )


def plot(store: LiveStore, wanted: LiveFilter, metric: str, by: Dimension | None, now: float) -> Plot:
    """A metric over time, by a dimension: the busiest values, and the rest of them together.

    Where several configurations have traffic, versions are named with theirs: `triage v12`.

    Raises:
        KeyError: there is no such metric.
    """
    return plots(store, wanted, (metric,), by, now)[0]


def plots(
    store: LiveStore, wanted: LiveFilter, metrics: Sequence[str], by: Dimension | None, now: float
) -> tuple[Plot, ...]:
    """Several of one dimension, read once; the lines of all are the same, in the same order.

    Raises:
        KeyError: there is no such metric.
    """
    place = frame(store, wanted, now)
    if by is None:
        parts = {"": summed(place, read(store, place))}
    elif by == "user":
        parts = _by_user(store, place)
    else:
        groups = {METRICS[name.partition(".")[0]].group for name in metrics}
        buckets = read(store, place, _TOLD.get(by, (by,)))
        parts = _by_series(place, [(at, series, lean(tally, groups)) for at, series, tally in buckets], by)
    return tuple(
        Plot(
            metric,
            by,
            place.resolution_s,
            tuple(Line(name, figure(metric, part)) for name, part in parts.items()),
        )
        for metric in metrics
    )


def _by_user(store: LiveStore, place: Frame) -> dict[str, Window]:
    """The busiest users, and all the others (and who is not known) together."""
    only = place.wanted.user
    names = [only] if only else [name for name, _count in choices(store, place.wanted, "user")[:MOST_LINES]]
    reading = place.reading
    if reading.is_of_series:
        # Sums of all take the last bucket whole.
        reading = msgspec.structs.replace(reading, until=float(place.starts[-1] + place.resolution_s))
    found: dict[str, Window] = {}
    for name in names:
        theirs = msgspec.structs.replace(place, reading=msgspec.structs.replace(reading, user=name))
        found[name] = summed(place, read(store, theirs))
    if only:
        return found
    whole = summed(place, read(store, place))
    left = without(whole, found.values())
    if left.total.requests > 0 and len(found) == MOST_LINES:
        found.pop(names[-1])
        left = without(whole, found.values())
    return {**found, REST: left} if left.total.requests > 0 else found


def _by_series(place: Frame, buckets: list[Bucket], by: str) -> dict[str, Window]:
    key = _naming(by, {series for _at, series, _tally in buckets})
    busy: dict[str, int] = {}
    for at, series, tally in buckets:
        if at >= place.starts[0]:
            busy[key(series)] = busy.get(key(series), 0) + tally.requests
    order = sorted((name for name in busy if busy[name]), key=lambda name: (-busy[name], name))
    kept = order if len(order) <= MOST_LINES else order[: MOST_LINES - 1]
    found = split(place, buckets, lambda s: key(s) if key(s) in kept else REST)
    return {name: found[name] for name in (*kept, REST) if name in found and found[name].total.requests}


def choices(store: LiveStore, wanted: LiveFilter, dimension: str) -> list[tuple[str, int]]:
    """(value, requests) of a dimension, the busiest first; whatever the filter says of that dimension itself.

    Args:
        dimension: one of `DIMENSIONS`.
    """
    wide = msgspec.structs.replace(wanted, **{dimension: ""})
    if dimension == "user":
        users = [(name, count) for name, count, *_ in store.requests.users(wide, 200)]
        return sorted(users, key=lambda each: (-each[1], each[0]))
    counts: dict[str, int] = {}
    until = min(wide.until, 1e11)
    place = frame(store, wide, until if until < 1e11 else _newest(store) + 1)
    for at, series, tally in store.tallies(
        msgspec.structs.replace(place.wanted, since=float(place.starts[0])), place.resolution_s, (dimension,)
    ):
        if at >= place.starts[0] and (name := _OF_DIMENSION[dimension](series)):
            counts[name] = counts.get(name, 0) + tally.requests
    return sorted(((n, c) for n, c in counts.items() if c), key=lambda each: (-each[1], each[0]))


def figures_of(window: Window, group: Group) -> tuple[str, tuple[str, ...]]:
    """Names of the headline and of the other metrics that a group has in a window."""
    tally = window.total
    match group:
        case "quality":
            scorers = _commonest({name: s.n + s.decided for name, s in tally.scores.items()})
            faithful = ("hallucination_rate",) if any(map(is_faithfulness, tally.scores)) else ()
            return "pass_rate", (*faithful, *_each(("score", "passed"), scorers))
        case "cost":
            return "cost_per_request", ("cost", "tokens", "priced_rate")
        case "latency":
            steps = _commonest({name: histogram.n for name, histogram in tally.steps.items()})
            rest = ("latency_p50", "latency_p99", "ttft_p50", "ttft_p95", "ttft_p99")
            return "latency_p95", (*rest, *_each(("step_p95",), steps))
        case "safety":
            names = _commonest({name: fired for name, (_looked, fired) in tally.guardrails.items()})
            failed = ("guardrail_failed",) if tally.unguarded else ()
            return "guardrail_rate", (*failed, "refusal_rate", *_each(("guardrail",), names))
        case "signals":
            kinds = _commonest({kind: s.n for kind, s in tally.signals.items()})
            means = tuple(f"signal.{kind}" for kind in ("edit", "rating") if kind in tally.signals)
            return "complaint_rate", ("thumbs_down_rate", *_each(("signal_rate",), kinds), *means)
        case _:
            return "error_rate", _each(("error",), _commonest(tally.errors))


def _commonest(counts: dict[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))[:MOST_PARTS]


def _each(stems: Iterable[str], parts: list[str]) -> tuple[str, ...]:
    return tuple(f"{stem}.{part}" for part in parts for stem in stems)


def _group(group: Group, window: Window, alerts: tuple[FiringAlert, ...]) -> GroupView:
    headline, others = figures_of(window, group)
    made = [alerted(figure(name, window), alerts) for name in (headline, *others)]
    # What nobody measures is no news; what only the rest of a group has is.
    told = [each for each in made[1:] if each.status != "unknown"]
    status = max((each.status for each in (made[0], *told)), key=_BADNESS.__getitem__)
    return GroupView(group, made[0], tuple(told), status)


def alerted(made: Figure, alerts: tuple[FiringAlert, ...]) -> Figure:
    """With the status of the worst alert about it that fires."""
    about = [alert for alert in alerts if alert.metric == made.metric and alert.until is None]
    if not about:
        return made
    worst = max(about, key=lambda alert: alert.severity == "critical")
    if worst.severity == "info":
        return msgspec.structs.replace(made, why=worst.sentence)
    status: Status = "critical" if worst.severity == "critical" else "warning"
    return msgspec.structs.replace(made, status=status, why=worst.sentence)


def _naming(by: str, series: set[Series]) -> Callable[[Series], str]:
    read_off = _OF_DIMENSION[by]
    if by == "version" and len({each.config for each in series if each.version}) > 1:
        return lambda s: f"{s.config} {s.version}".strip() if s.version else NONE
    return lambda s: read_off(s) or NONE


def _newest(store: LiveStore) -> float:
    newest = store.requests.listed(LiveFilter(), limit=1)
    return newest[0].request.start if newest else 0.0
