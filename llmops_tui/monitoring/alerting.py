"""Alerts: once a minute every rule is brought up to date, and whoever wants to know is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from llmops_tui.domain.live.alert_event import AlertEvent, event_of
from llmops_tui.domain.live.alerting import AlertState, begin
from llmops_tui.domain.live.settings import AlertRule, Channel, LiveSettings
from llmops_tui.monitoring import channels, pausing
from llmops_tui.monitoring.alert_telling import Telling
from llmops_tui.monitoring.alert_watch import AlertWatch
from llmops_tui.monitoring.pausing import Pause
from llmops_tui.store.lock import WorkspaceLock

EVERY_S = 60.0
#: Who has this lock looks at the traffic just now.
LOCK = "alerts"

#: Tells one channel of an event; why it can't be told, empty where it was.
Send = Callable[[Path, Channel, AlertEvent], Awaitable[str]]


class AlertTask:
    """Watches one workspace's live traffic beside the collector.

    Args:
        root: the workspace.
        settings: its rules and channels.
        clock: Unix seconds; the time of the traffic.
        pause: waits so many seconds of that clock, or until `stop` is set.
        send: tells a channel.
    """

    name = "alerts"

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

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a minute until `stop` is set.

        Raises:
            StoreError: the database can't be had.
        """
        while not stop.is_set():
            await self.look()
            await self._pause(EVERY_S, stop)

    async def look(self) -> list[Telling] | None:
        """Bring every rule up to date, and tell what is to be told; None where another process is just at it.

        Raises:
            StoreError: the database can't be had.
        """
        lock = WorkspaceLock(self._root, LOCK)
        if lock.acquire() is not None:
            return None
        try:
            now = self._clock()
            tellings = await asyncio.to_thread(self._looked, now)
            if tellings:
                results = await asyncio.gather(*(self._told(telling) for telling in tellings))
                await asyncio.to_thread(self._recorded, list(zip(tellings, results, strict=True)), now)
            return tellings
        finally:
            lock.release()

    def _looked(self, now: float) -> list[Telling]:
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        with LiveStore.open(self._root / LIVE_DATABASE) as store:
            return AlertWatch(store, self._settings.rules).look(now)

    def _recorded(self, results: list[tuple[Telling, dict[str, str]]], now: float) -> None:
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        with LiveStore.open(self._root / LIVE_DATABASE) as store:
            AlertWatch(store, self._settings.rules).record(results, now)

    async def _told(self, telling: Telling) -> dict[str, str]:
        return await tell(self._root, self._settings, telling.event, telling.channels, self._send)


async def tell(
    root: Path, settings: LiveSettings, event: AlertEvent, names: tuple[str, ...], send: Send = channels.send
) -> dict[str, str]:
    """Tell channels of an event, all at once: channel → why it can't be told, empty where it was."""
    known = {channel.name: channel for channel in settings.channels}
    wanted = [name for name in names if name in known]
    told = await asyncio.gather(*(send(root, known[name], event) for name in wanted))
    return dict(zip(wanted, told, strict=True))


def trial_event(rule: AlertRule, state: AlertState | None, now: float) -> AlertEvent:
    """What a rule would tell just now, marked as a test."""
    return event_of(rule, state or begin(rule, now), "test", now)
