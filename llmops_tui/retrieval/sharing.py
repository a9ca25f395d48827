"""Work that several ask for at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any


class Shared:
    """Tasks by key, each for all who wait for it. Work that nobody waits for any more is cancelled."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        self._waiters: dict[asyncio.Task[Any], int] = {}

    async def of(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What the work gives, or raises."""
        loop = asyncio.get_running_loop()
        task = self._tasks.get(key)
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._tasks[key] = loop.create_task(work())
            self._waiters[task] = 0
        self._waiters[task] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiters[task] -= 1
            if not self._waiters[task]:
                del self._waiters[task]
                if self._tasks.get(key) is task:
                    del self._tasks[key]
                task.cancel()
