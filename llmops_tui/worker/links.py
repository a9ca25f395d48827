"""What a job needs from the engine while it runs: was this call made before?"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw


class Links:
    """Open questions to the engine, by number, and tasks that belong to no job."""

    def __init__(self, send: Callable[[m.FromWorker], None]) -> None:
        self.send = send
        self._numbers = itertools.count()
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def find_call(self, key: str, draw: Draw, fresh: bool) -> Call | None:
        """The call if the engine has it."""
        number = next(self._numbers)
        found: Call | None = await self._answered(number, m.Lookup(number, key, draw, fresh))
        return found

    async def find_made(self, key: str, draw: Draw, fresh: bool) -> Any | None:
        """What a step, or a recorded tool, gave before, if the engine has it."""
        number = next(self._numbers)
        return await self._answered(number, m.FindMade(number, key, draw, fresh))

    def send_made(self, job: int, key: str, draw: Draw, result: Any) -> None:
        self.send(m.Made(job, key, draw, result))

    async def _answered(self, number: int, question: m.Lookup | m.FindMade) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        self.send(question)
        try:
            return await future
        finally:
            self._open.pop(number, None)

    def answer(self, found: m.Found | m.FoundMade) -> None:
        future = self._open.get(found.lookup)
        if future is not None and not future.done():
            future.set_result(found.call if isinstance(found, m.Found) else found.result)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
