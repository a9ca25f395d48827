"""One thread that writes: all that waits goes into one transaction, and then everybody is answered."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.live.arrival import Batch
from llmops_tui.monitoring.collector.figures import Figures
from llmops_tui.monitoring.collector.ports import Ingested, OpenWriter, Writer
from llmops_tui.monitoring.collector.telling import Told
from llmops_tui.store.faults import DatabaseGone

T = TypeVar("T")


class NotWritten(Exception):
    """A batch is not durable; why is a sentence."""


class _Job(NamedTuple):
    batch: Batch
    written: asyncio.Future[None]


class Writing:
    """Group commit. What waits while a transaction is under way is the next one.

    Args:
        group_spans: of one transaction; a larger batch is one by itself.
        figures: counted up as things become durable.
        tell: is told of a fault.
        now: Unix seconds.
    """

    def __init__(
        self,
        open_writer: OpenWriter,
        group_spans: int,
        figures: Figures,
        tell: Told,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._open = open_writer
        self._group_spans = group_spans
        self._figures = figures
        self._tell = tell
        self._now = now
        # SQLite's connections belong to the thread that made them.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live writer")
        self._writer: Writer | None = None
        self._jobs: deque[_Job] = deque()
        self._some = asyncio.Event()
        self._is_ending = False
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the writer; raises what opening it raises."""
        try:
            self._writer = await self._in_thread(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._work = asyncio.create_task(self._write_all(), name="live writing")

    async def write(self, batch: Batch) -> None:
        """Returns when the batch is durable.

        Raises:
            NotWritten: it is not. It may be sent again, whatever became of it: spans are kept once.
        """
        if self._is_ending:
            raise NotWritten("the collector is ending")
        job = _Job(batch, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._some.set()
        await job.written

    async def call(self, function: Callable[[Writer], T]) -> T:
        """Something else to do with the writer, in its thread, between two transactions."""
        assert self._work is not None, "start it first"
        return await self._in_thread(lambda: function(self._opened()))

    async def close(self) -> None:
        """Write what waits, then close the writer."""
        self._is_ending = True
        self._some.set()
        if self._work is not None:
            await self._work
        if self._writer is not None:
            await self._in_thread(self._writer.close)
            self._writer = None
        self._thread.shutdown(wait=False)

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _write_all(self) -> None:
        while self._jobs or not self._is_ending:
            if not self._jobs:
                self._some.clear()
                await self._some.wait()
                continue
            await self._commit(self._take())

    async def _commit(self, group: list[_Job]) -> None:
        """Write a group and tell those who wait for it; never raises."""
        fault = await self._written(group)
        if fault is None or len(group) == 1 or isinstance(fault, LlmopsError | OSError):
            _settle(group, fault)
            return
        # Not the disk: perhaps one of them can't be written. The others must not suffer for it.
        for job in group:
            _settle([job], await self._written([job]))

    def _take(self) -> list[_Job]:
        group = [self._jobs.popleft()]
        spans = len(group[0].batch.spans)
        while self._jobs and spans + len(self._jobs[0].batch.spans) <= self._group_spans:
            group.append(self._jobs.popleft())
            spans += len(group[-1].batch.spans)
        return group

    async def _written(self, group: list[_Job]) -> Exception | None:
        batches = [job.batch for job in group]
        try:
            ingested = await self._in_thread(self._ingest, batches)
        except Exception as fault:  # whatever it is: nobody is answered that it is kept
            self._figures.faults += 1
            self._tell("writing", f"error: nothing can be kept: {_sentence(fault)}; senders are told to wait")
            return fault
        self._count(batches, ingested)
        return None

    def _opened(self) -> Writer:
        """In the writer's thread."""
        if self._writer is None:
            self._writer = self._open()
        return self._writer

    def _ingest(self, batches: list[Batch]) -> Ingested:
        writer = self._opened()
        try:
            return writer.ingest(batches, self._now())
        except DatabaseGone:
            # The next batch opens what is there then, or makes it.
            self._writer = None
            writer.close()
            raise

    def _count(self, batches: list[Batch], ingested: Ingested) -> None:
        figures = self._figures
        figures.faults = 0
        figures.spans += ingested.spans
        figures.duplicates += ingested.duplicates
        figures.signals += ingested.signals
        figures.scores += ingested.scores
        figures.aside += sum(len(batch.aside) for batch in batches)


def _settle(group: list[_Job], fault: Exception | None) -> None:
    for job in group:
        if job.written.done():  # whoever waited was cancelled
            continue
        if fault is None:
            job.written.set_result(None)
        else:
            job.written.set_exception(NotWritten(_sentence(fault)))


def _sentence(fault: Exception) -> str:
    return str(fault) if isinstance(fault, LlmopsError) else f"{type(fault).__name__}: {fault}"
