"""Is it safe to go on with a version? Its live scores, signals, errors, latency and cost tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.histogram import histogram_of
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.rollout_view import Compared, RolloutView
from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.live.statistics.rollout import Metric, Rollout, compare_all, together
from llmops_tui.monitoring.rollout_figures import DROPS, Read, Seen, Value, figures_of, seen_of
from llmops_tui.monitoring.rollout_traffic import (
    Times,
    after_the_other,
    chosen,
    config_with_versions,
    fine_enough,
    only_shared,
    times_of,
    versions_of,
)
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.rollups import DAY, MINUTE

#: Requests of either version that are read; the newest.
MOST, _PAGE = 50_000, 2_000
#: Requests before the new version that limits of latency and cost are read off, at least.
_CALM = 50


class Sides(msgspec.Struct, frozen=True):
    """Two versions' traffic as it is compared.

    Attributes:
        by: what counts as one observation.
        metrics: tallies of `figures`, in their order.
        most: requests of either version that were read at most.
    """

    config: str
    before: str
    after: str
    times: Times
    olds: list[Seen]
    news: list[Seen]
    by: str
    figures: list[Read]
    metrics: tuple[Metric, ...]
    most: int

    def drop(self, metric: str) -> float | None:
        """How much lower the new version is in a figure, higher being better; None where it is not told."""
        for each in self.metrics:
            if each.name == metric and each.old.n and each.new.n:
                return each.old.mean - each.new.mean
        return None

    @property
    def may_fail(self) -> bool:
        """A figure looks worse than it may be. Where none does, nothing is proven either."""
        return any((self.drop(each.name) or 0.0) > each.max_drop for each in self.metrics)


def rollout(
    store: LiveStore,
    wanted: LiveFilter,
    now: float,
    *,
    old: str | None = None,
    new: str | None = None,
    alpha: float = 0.05,
    drops: Mapping[str, float] | None = None,
) -> RolloutView:
    """Hold a version's live traffic against another's.

    Args:
        wanted: `since` says how far back versions are looked for; a version in it is left aside.
        old, new: versions; by default the newest with traffic and the one before it.
        drops: over `DROPS`.

    Raises:
        UsageError: there are no two versions to compare.
    """
    return judged(sides_of(store, wanted, now, old=old, new=new, drops=drops), alpha)


def sides_of(
    store: LiveStore,
    wanted: LiveFilter,
    now: float,
    *,
    old: str | None = None,
    new: str | None = None,
    drops: Mapping[str, float] | None = None,
    most: int = MOST,
) -> Sides:
    """Read what is compared: as `rollout`.

    Args:
        most: requests of either version that are read; the newest.

    Raises:
        UsageError: there are no two versions to compare.
    """
    replace = msgspec.structs.replace
    until = min(wanted.until, now)
    wanted = replace(wanted, version="", until=until, since=max(wanted.since, until - 60 * DAY))
    wanted = replace(wanted, config=config_with_versions(store, wanted.config, wanted))
    found, resolution = versions_of(store, wanted, now)
    before, after = chosen(found, old, new)
    since = after.first - DAY
    if now - after.first <= 2 * DAY or fine_enough(since, now) < resolution:
        # As finely as can be: a version that leaves within minutes is not live beside the other.
        found, resolution = versions_of(store, replace(wanted, since=since), now)
        by_name = {each.version: each for each in found}
        before, after = by_name.get(before.version, before), by_name[after.version]
    of_old, of_new = replace(wanted, version=before.version), replace(wanted, version=after.version)
    times = times_of(before, after, resolution, until)
    if times.kind == "split":
        within = {"since": times.since, "until": times.until}
        counts = [store.requests.counts_by(MINUTE, replace(of, **within)) for of in (of_old, of_new)]
        times = only_shared(times, after, *counts) or after_the_other(before, after, resolution, until)
    olds = _read(store, replace(of_old, since=times.old_since, until=times.old_until), most)
    news = _read(store, replace(of_new, since=times.since, until=times.until), most)
    calm = _read(store, replace(of_old, since=times.calm_since, until=times.since), most)
    figures = figures_of([*olds, *news], calm if len(calm) >= _CALM else olds, {**DROPS, **(drops or {})})
    by, key = _cluster([*olds, *news])
    metrics = tuple(_metric(figure, olds, news, key) for figure in figures)
    return Sides(wanted.config, before.version, after.version, times, olds, news, by, figures, metrics, most)


def judged(sides: Sides, alpha: float = 0.05) -> RolloutView:
    """What the two sides tell."""
    results = compare_all(sides.metrics, alpha=alpha)
    olds, news, times = sides.olds, sides.news, sides.times
    view = RolloutView(
        config=sides.config,
        old=sides.before,
        new=sides.after,
        kind=times.kind,
        since=times.since,
        until=times.until,
        old_since=times.old_since,
        old_until=times.old_until,
        n_old=len(olds),
        n_new=len(news),
        by=sides.by,
        figures=tuple(_compared(f, r, olds, news) for f, r in zip(sides.figures, results, strict=True)),
        verdict=together(results) if results else "inconclusive",
        sentence="",
        notes=_notes(times, olds, news, sides.by, sides.most),
    )
    return msgspec.structs.replace(view, sentence=_sentence(view))


def _read(store: LiveStore, wanted: LiveFilter, most: int) -> list[Seen]:
    """The newest, a page at a time: whole requests are large."""
    seen: list[Seen] = []
    while wanted.since < wanted.until and len(seen) < most:
        page = store.requests.listed(wanted, limit=min(_PAGE, most - len(seen)), offset=len(seen))
        seen += [seen_of(each.request) for each in page]
        if len(page) < _PAGE:
            break
    return seen


# -- clusters


def _cluster(every: Sequence[Seen]) -> tuple[str, Callable[[Seen], str]]:
    """One observation each: what a user or a session saw hangs together, as far as most requests name one."""
    if sum(1 for r in every if r.user) > len(every) / 2:
        return "user", lambda r: r.user or r.session or r.trace_id
    if sum(1 for r in every if r.session) > len(every) / 2:
        return "session", lambda r: r.session or r.trace_id
    return "request", lambda r: r.trace_id


def moments_of(requests: Iterable[Seen], value: Value, key: Callable[[Seen], str]) -> Moments:
    """Of the means of clusters."""
    sums: dict[str, tuple[float, int]] = {}
    for request in requests:
        found = value(request)
        if found is not None and math.isfinite(found):
            name = key(request)
            total, n = sums.get(name, (0.0, 0))
            sums[name] = total + found, n + 1
    means = [total / n for total, n in sums.values()]
    return Moments(float(len(means)), sum(means), sum(mean * mean for mean in means))


def _metric(figure: Read, olds: Sequence[Seen], news: Sequence[Seen], key: Callable[[Seen], str]) -> Metric:
    old, new = (moments_of(side, figure.value, key) for side in (olds, news))
    return Metric(figure.name, old, new, figure.max_drop)


def _compared(figure: Read, result: Rollout, olds: Sequence[Seen], news: Sequence[Seen]) -> Compared:
    old, new = (_shown(figure, side) for side in (olds, news))
    more = None
    if result.verdict == "inconclusive" and result.would_decide is not None and result.n_new > 0:
        lacking = max(result.would_decide[1] - result.n_new, 0.0)
        more = max(math.ceil(lacking * len(news) / result.n_new), 1)
    return Compared(result, figure.title, figure.unit, old, new, figure.about, more)


def _shown(figure: Read, requests: Sequence[Seen]) -> float | None:
    values = [found for r in requests if (found := figure.shown(r)) is not None]
    if not values:
        return None
    return histogram_of(values).quantile(figure.p) if figure.p is not None else sum(values) / len(values)


# -- words


def _notes(times: Times, olds: Sequence[Seen], news: Sequence[Seen], by: str, most: int) -> tuple[str, ...]:
    notes = []
    if times.kind == "split":
        notes.append("both versions answered at the same time: only that time is compared")
    else:
        notes.append(
            "one version came after the other: whatever else changed at that time looks just the same"
        )
        before = fmt.seconds(times.old_until - times.old_since)
        if times.old_until == times.since:
            span = f"the {before} before"
        elif times.old_since == times.since - DAY:
            span = "the same hours of the day before"
        else:
            span = f"the last {before} in which it had traffic, up to {fmt.moment(times.old_until)}"
        notes.append(f"the old version is taken from {span}")
    if by != "request":
        notes.append(
            f"what one {by} saw counts once: the requests of a {by} hang together; "
            "more decide where they are of others"
        )
    if max(len(olds), len(news)) >= most:
        notes.append(f"of each version the newest {fmt.count(most)} requests are read")
    if not any(r.scores for r in (*olds, *news)):
        notes.append("no scorer judged either version: quality is not compared (docs/online.md)")
    return tuple(notes)


def _sentence(view: RolloutView) -> str:
    if view.verdict == "fail":
        worse = "; ".join(
            f"{f.title} {unit_text(f.old, f.unit)} → {unit_text(f.new, f.unit)}" for f in view.failed
        )
        return f"Stop: {view.new} is worse than {view.old}: {worse}."
    if view.verdict == "pass":
        figures = fmt.plural(len(view.figures), "figure")
        return f"Safe to go on: none of {figures} of {view.new} fell by more than it may."
    waiting = [f for f in view.figures if f.result.verdict == "inconclusive"]
    known = [f for f in waiting if f.more is not None]
    if not view.n_old:
        return f"Not yet: no requests to {view.old} to hold {view.new} against."
    if not known:
        return f"Not yet: too few requests to {view.new} to tell, and none of them says how many it takes."
    most = max(known, key=lambda f: f.more or 0)
    left = "" if len(known) == len(waiting) else f"; {len(waiting) - len(known)} more can't be told yet"
    requests = fmt.plural(most.more or 0, "more request", "more requests")
    return f"Not yet: about {requests} to {view.new} would decide {most.title}{left}."
