"""What works beside the receiver: retention, traits, alerts, regressions, online evals and the canary.

Those that need the engine have a thread and an event loop of their own: a commit or a run of theirs never
makes a sender wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.monitoring.pausing import pause

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.monitoring.collector import Task

#: What is under way has so long to end.
END_S = 5.0
RETENTION_S = 60.0
#: What is too old is looked for this often; what is too much, every time.
OLD_S = 3_600.0
#: How long one sweep may take.
SWEEP_S = 2.0


def tasks_beside(root: Path, settings: LiveSettings, say: Callable[[str], None]) -> list[Task]:
    """All that the settings ask for.

    Args:
        say: prints a line for the person.
    """
    from llmops_tui.monitoring.alerting import AlertTask
    from llmops_tui.monitoring.regressions import RegressionTask
    from llmops_tui.monitoring.traits import TraitTask

    tasks: list[Task] = [
        RetentionTask(root, settings, say),
        TraitTask(root),
        AlertTask(root, settings),
        RegressionTask(root, settings),
    ]
    if settings.sampling.scorers:
        tasks.append(
            EngineTask("online evals", root, lambda engine, stop: _online(engine, settings, say, stop))
        )
    if settings.canary is not None:
        tasks.append(EngineTask("canary", root, lambda engine, stop: _canary(engine, settings, say, stop)))
    return tasks


async def _online(
    engine: Engine, settings: LiveSettings, say: Callable[[str], None], stop: asyncio.Event
) -> None:
    from llmops_tui.engine.online import OnlineEvals
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    with LiveStore.open(engine.root / LIVE_DATABASE) as live:
        await OnlineEvals(engine, live, settings.sampling, say).run(stop)


async def _canary(
    engine: Engine, settings: LiveSettings, say: Callable[[str], None], stop: asyncio.Event
) -> None:
    from llmops_tui.engine.canary import CanaryTask
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    assert settings.canary is not None
    with LiveStore.open(engine.root / LIVE_DATABASE) as live:
        await CanaryTask(engine, live, settings.canary, say).run(stop)


class EngineTask:
    """A task with an engine of its own, in a thread of its own.

    Args:
        body: works until `stop` is set.
    """

    def __init__(
        self, name: str, root: Path, body: Callable[[Engine, asyncio.Event], Awaitable[None]]
    ) -> None:
        self._name = name
        self._root = root
        self._body = body
        self._is_over = False
        self._end: Callable[[], object] = lambda: None

    @property
    def name(self) -> str:
        return self._name

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises:
            LlmopsError: the workspace or its database can't be had.
        """
        self._is_over = False
        working = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(self._work())))
        ended = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_over = True
            ended.cancel()
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended by itself
                self._end()
            await working

    async def _work(self) -> None:
        from llmops_tui.engine.engine import Engine

        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(stop.set)
        if self._is_over:
            stop.set()
        try:
            engine = Engine.open(self._root)
        except BaseException:
            self._end = lambda: None
            raise
        try:
            engine.load()
            body = asyncio.ensure_future(self._body(engine, stop))
            ended = asyncio.create_task(stop.wait())
            await asyncio.wait({body, ended}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not body.done():
                # A judge may be thinking: what it says comes too late.
                await asyncio.wait({body}, timeout=END_S)
                body.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await body
        finally:
            self._end = lambda: None
            engine.close()


class RetentionTask:
    """Keeps the database of live traffic under its limit, beside the collector.

    Args:
        say: told what was dropped.
        clock: Unix seconds.
    """

    name = "retention"

    def __init__(
        self,
        root: Path,
        settings: LiveSettings,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
        every_s: float = RETENTION_S,
    ) -> None:
        self._root = root
        self._settings = settings
        self._say = say
        self._clock = clock
        self._every_s = every_s
        self._looked_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set.

        Raises:
            StoreError: the database can't be written.
        """
        while not stop.is_set():
            is_done = await asyncio.to_thread(self.sweep)
            if is_done:
                await pause(self._every_s, stop)

    def sweep(self) -> bool:
        """Drop what is to be dropped; False where there is more of it."""
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        limit = int(self._settings.max_mb * 1e6)
        now = self._clock()
        with LiveStore.open(self._root / LIVE_DATABASE) as live:
            if now - self._looked_at < OLD_S and not live.retention.is_due(limit):
                return True
            swept = live.retention.sweep(now, self._settings.keep_days, limit, SWEEP_S)
        if swept.sentence():
            self._say(swept.sentence())
        if swept.is_done:
            self._looked_at = now
        return swept.is_done
