"""Regressions found by themselves: every version that came lately, against the one before it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent, order_of
from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.rollout_view import Compared, RolloutView
from llmops_tui.domain.live.settings import Channel, LiveSettings
from llmops_tui.monitoring import channels, pausing
from llmops_tui.monitoring.firing import episodes
from llmops_tui.monitoring.pausing import Pause
from llmops_tui.monitoring.rollout import Sides, judged, sides_of
from llmops_tui.monitoring.rollout_traffic import VersionTraffic, versions_of
from llmops_tui.store.live import LIVE_DATABASE, LiveStore
from llmops_tui.store.live.rollups import DAY, HOUR
from llmops_tui.store.lock import WorkspaceLock

#: Seconds between looks.
EVERY_S = 300.0
#: What could not be told is tried again at each look, for so long.
TRY_FOR_S = 4 * HOUR
#: Who has this lock looks for them just now.
LOCK = "regressions"
#: Rules of this name are not written anywhere: `regression CONFIG VERSION`.
PREFIX = "regression"
#: A version that came longer ago is no rollout any more; one without traffic for so long, while others of
#: its configuration have some, has gone.
_LATELY_S, _GONE_S = 3 * DAY, 2 * HOUR
#: Of false alarms for each version, over all its time.
ALPHA = 0.01
#: Where one version came after the other, what is its doing is there from its first hours on: so much of its
#: time, and at most so long.
_EARLY, _EARLY_S, _EARLY_N = 0.25, 3 * HOUR, 30
_EVENTS = 2_000
#: Requests of either version that are read: the collector has little memory.
MOST = 10_000

#: Tells one channel of an event; why it can't be told, empty where it was.
Send = Callable[[Path, Channel, AlertEvent], Awaitable[str]]


class Regression(msgspec.Struct, frozen=True):
    """A version whose live figures are proven to be worse than the ones of the version before it.

    Attributes:
        figures: those that are worse, and were from the beginning.
    """

    view: RolloutView
    figures: tuple[Compared, ...]

    @property
    def rule(self) -> str:
        return rule_of(self.view.config, self.view.new)


class Looked(msgspec.Struct, frozen=True):
    """A version that is being rolled out."""

    sides: Sides
    regression: Regression | None

    @property
    def rule(self) -> str:
        return rule_of(self.sides.config, self.sides.after)


def rule_of(config: str, version: str) -> str:
    """The name under which a regression is told."""
    return " ".join(word for word in (PREFIX, config, version) if word)


def regressions(store: LiveStore, now: float, *, alpha: float = ALPHA) -> list[Regression]:
    """Versions that came in the last days and have traffic, as far as they are worse.

    Args:
        now: Unix seconds.
    """
    return [x.regression for x in looked_at(store, now, alpha=alpha) if x.regression is not None]


def looked_at(store: LiveStore, now: float, *, alpha: float = ALPHA) -> list[Looked]:
    """Every version that is being rolled out, and what is wrong with it."""
    wanted = LiveFilter(since=now - 14 * DAY, until=now)
    configs = {
        s.config
        for _at, s, t in store.tallies(wanted, DAY, ("config", "version"))
        if s.version and t.requests
    }
    looked: list[Looked] = []
    for config in sorted(configs):
        of = msgspec.structs.replace(wanted, config=config)
        versions, _resolution = versions_of(store, of, now)
        newest = max((each.last for each in versions), default=0)
        for before, after in pairwise(versions):
            if _is_rolling_out(after, newest, now):
                looked.append(_looked(store, of, now, before.version, after.version, alpha))
    return looked


def _is_rolling_out(version: VersionTraffic, newest: float, now: float) -> bool:
    """A night in which nobody asks anything is no end of it: a version has gone where others go on."""
    return now - version.first <= _LATELY_S and newest - version.last <= _GONE_S


def _looked(store: LiveStore, of: LiveFilter, now: float, old: str, new: str, alpha: float) -> Looked:
    sides = sides_of(store, of, now, old=old, new=new, most=MOST)
    if not sides.may_fail:
        return Looked(sides, None)
    view = judged(sides, alpha)
    worse = view.failed
    if worse and view.kind == "after":
        worse = _since_it_came(store, of, now, view)
    return Looked(sides, Regression(view, worse) if worse else None)


def _since_it_came(store: LiveStore, of: LiveFilter, now: float, view: RolloutView) -> tuple[Compared, ...]:
    """Those that were worse in its first hours already: what began later is not its doing.

    A provider that became slow in the evening makes every version slow.
    """
    early = max(min(_EARLY * (view.until - view.since), _EARLY_S), 600.0)
    then = msgspec.structs.replace(of, until=min(view.since + early, now))
    first = sides_of(store, then, now, old=view.old, new=view.new, most=MOST)
    if len(first.news) < _EARLY_N:
        return view.failed
    drops = {each.result.metric: first.drop(each.result.metric) for each in view.failed}
    return tuple(
        each
        for each in view.failed
        if (drop := drops[each.result.metric]) is None or drop > each.result.max_drop / 2
    )


def events_of(store: LiveStore, now: float) -> list[AlertEvent]:
    """What is new since the last look: regressions that were found, and those that are over.

    What fires stays until the version does well again, or has no traffic any more.
    """
    fires = {a.rule: a for a in open_regressions(store)}
    looked = {found.rule: found for found in looked_at(store, now)}
    found: list[AlertEvent] = []
    for rule, each in looked.items():
        if each.regression is not None and rule not in fires:
            found.append(_fired(each.regression, now))
        elif each.regression is None and rule in fires and _is_back(each.sides, fires[rule].metric):
            found.append(_over(fires[rule], "cleared", now, "its figures are no longer worse"))
    for rule, alert in fires.items():
        if rule not in looked:
            found.append(_over(alert, "ended", now, "it has no traffic any more, or is not new any more"))
    return found


def _is_back(sides: Sides, metric: str) -> bool:
    """The figure that was worst is clearly back: less than half of what it may fall is left of the drop."""
    found = next((each for each in sides.metrics if each.name == metric), None)
    drop = sides.drop(metric)
    return found is None or drop is None or drop < found.max_drop / 2


def open_regressions(store: LiveStore) -> list[FiringAlert]:
    """Those that fire."""
    return [
        alert
        for alert in episodes(store.alerts.events(limit=_EVENTS))
        if alert.until is None and (alert.rule == PREFIX or alert.rule.startswith(f"{PREFIX} "))
    ]


def _fired(regression: Regression, now: float) -> AlertEvent:
    view = regression.view
    worst = min(regression.figures, key=lambda f: f.result.delta / f.result.max_drop)
    figures = "; ".join(
        f"{f.title} {unit_text(f.old, f.unit)} → {unit_text(f.new, f.unit)}" for f in regression.figures
    )
    how = "both live at once" if view.kind == "split" else "since it came"
    name = f"{view.config} {view.new}".strip()
    return AlertEvent(
        regression.rule,
        "fired",
        now,
        "critical",
        worst.result.metric,
        f"{name} is worse than {view.old} ({how}): {figures}",
        worst.new,
        round(worst.result.n_new),
        worst.old,
        LiveFilter(since=view.since, until=now, config=view.config, version=view.new),
        order_of(worst.result.metric),
    )


def _over(alert: FiringAlert, what: str, now: float, why: str) -> AlertEvent:
    return AlertEvent(
        rule=alert.rule,
        what="cleared" if what == "cleared" else "ended",
        at=now,
        severity="critical",
        metric=alert.metric,
        sentence=f"{alert.rule.removeprefix(PREFIX).strip()}: {why}",
        filter=alert.filter,
    )


class RegressionTask:
    """Looks for regressions beside the collector, and tells every channel of those it finds.

    Args:
        root: the workspace.
        clock: Unix seconds; the time of the traffic.
        pause: waits so many seconds of that clock, or until `stop` is set.
        send: tells a channel.
    """

    name = "regressions"

    def __init__(
        self,
        root: Path,
        settings: LiveSettings,
        *,
        clock: Callable[[], float] = time.time,
        pause: Pause = pausing.pause,
        send: Send = channels.send,
    ) -> None:
        self._root = root
        self._settings = settings
        self._clock = clock
        self._pause = pause
        self._send = send
        self._untold: list[tuple[AlertEvent, Channel]] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few minutes until `stop` is set.

        Raises:
            StoreError: the database can't be had.
        """
        while not stop.is_set():
            await self.look()
            await self._pause(EVERY_S, stop)

    async def look(self) -> list[AlertEvent]:
        """Look once; gives what is new, which is kept and told. What could not be told is tried again then.

        Where another process is just at it, nothing is new.

        Raises:
            StoreError: the database can't be had.
        """
        lock = WorkspaceLock(self._root, LOCK)
        if lock.acquire() is not None:
            return []
        try:
            now = self._clock()
            found = await asyncio.to_thread(self._looked, now)
            again = [(event, channel) for event, channel in self._untold if now - event.at < TRY_FOR_S]
            fresh = [(event, channel) for event in found for channel in self._settings.channels]
            self._untold = []
            for event, channel in (*again, *fresh):
                why = await self._send(self._root, channel, event)
                if why:
                    self._untold.append((event, channel))
                    await asyncio.to_thread(self._failed, event, channel.name, why, now)
            return found
        finally:
            lock.release()

    def _looked(self, now: float) -> list[AlertEvent]:
        if not (self._root / LIVE_DATABASE).exists():
            return []
        with LiveStore.open(self._root / LIVE_DATABASE) as store:
            found = events_of(store, now)
            if found:
                store.alerts.keep({}, found)
            return found

    def _failed(self, event: AlertEvent, channel: str, why: str, now: float) -> None:
        failed = msgspec.structs.replace(event, what="failed", at=now, channel=channel, sentence=why)
        with LiveStore.open(self._root / LIVE_DATABASE) as store:
            store.alerts.keep({}, [failed])
