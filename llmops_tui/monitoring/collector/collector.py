"""The collector as a whole: opens, listens, and ends in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmops_tui.monitoring.collector.figures import Figures
from llmops_tui.monitoring.collector.guard import Guard, check_place
from llmops_tui.monitoring.collector.listening import is_loopback, listen
from llmops_tui.monitoring.collector.ports import Decode, Intake, OpenWriter, Task
from llmops_tui.monitoring.collector.receiving import LOGS, TRACES, Receiver
from llmops_tui.monitoring.collector.settings import CollectorSettings
from llmops_tui.monitoring.collector.supervising import supervise
from llmops_tui.monitoring.collector.telling import Say, Told
from llmops_tui.monitoring.collector.writing import Writing

if TYPE_CHECKING:
    from aiohttp import web

#: Time that tasks beside the receiver have at the end.
_TASKS_S = 5.0


class Collector:
    """Takes OTLP and signals over HTTP, and answers once they are durable.

    Args:
        intake: what is done with each batch before it is kept.
        writer: opens what keeps them.
        say: prints a line for the person: faults, at most once a minute each.
        traces, logs: read the bodies of the two.

    Attributes:
        url: where it listens, once it is started: `http://127.0.0.1:4318`.
        figures: what it did so far.

    Raises:
        UsageError: others could reach it and there is no token.
    """

    def __init__(
        self,
        intake: Intake,
        writer: OpenWriter,
        settings: CollectorSettings,
        *,
        traces: Decode,
        logs: Decode,
        say: Say,
    ) -> None:
        self._on_loopback = is_loopback(settings.host)
        check_place(settings.host, settings.token, on_loopback=self._on_loopback)
        self.settings = settings
        self.url = ""
        self.figures = Figures(since=time.time())
        self.tell = Told(say)
        self._decodes = {TRACES: traces, LOGS: logs}
        self._intake = intake
        self._open_writer = writer
        self._sockets: list[socket.socket] = []
        self._runner: web.ServerRunner | None = None
        self._server: web.Server | None = None
        self._receiver: Receiver | None = None
        self._writing: Writing | None = None

    @property
    def writing(self) -> Writing:
        """Where tasks beside the receiver write: there is one writer."""
        assert self._writing is not None, "start it first"
        return self._writing

    @property
    def connections(self) -> int:
        """How many are open."""
        return 0 if self._server is None else len(self._server.connections)

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: it can't be listened there.
            LlmopsError: the writer can't be opened.
        """
        settings = self.settings
        self._sockets = listen(settings.host, settings.port)
        host, port = self._sockets[0].getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        writing = Writing(self._open_writer, settings.group_spans, self.figures, self.tell)
        try:
            await writing.start()
        except BaseException:
            self._close_sockets()
            raise
        self._writing = writing
        await self._serve(writing)

    async def _serve(self, writing: Writing) -> None:
        from aiohttp import web

        settings = self.settings
        self._server = _server(settings, self._answer)
        self._receiver = Receiver(
            self._decodes,
            self._intake,
            writing,
            Guard(settings.token, on_loopback=self._on_loopback),
            settings,
            self.figures,
            self.tell,
            lambda: self.connections,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.5)
        await self._runner.setup()
        for made in self._sockets:
            await web.SockSite(self._runner, made).start()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._receiver is not None
        return await self._receiver.answer(request)

    async def run(self, stop: asyncio.Event, tasks: Sequence[Task] = ()) -> None:
        """Receive, with tasks beside it, until `stop` is set; then close.

        Args:
            tasks: a fault in one of them is told and the task run again; it never ends the receiver.
        """
        beside = [asyncio.create_task(supervise(task, stop, self.tell), name=task.name) for task in tasks]
        try:
            await stop.wait()
        finally:
            if beside:
                _, late = await asyncio.wait(beside, timeout=_TASKS_S)
                for task in late:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """Take nothing more, finish what is under way, write what waits, close the writer."""
        receiver, runner = self._receiver, self._runner
        if receiver is not None and runner is not None:
            receiver.is_ending = True
            for site in runner.sites:
                await site.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.drain_s):
                    await receiver.idle()
            await runner.cleanup()
            receiver.close()
        self._close_sockets()
        if self._writing is not None:
            await self._writing.close()
        self._receiver = self._runner = self._writing = None

    def _close_sockets(self) -> None:
        for made in self._sockets:
            made.close()


def _server(settings: CollectorSettings, handler: Any) -> web.Server:
    from aiohttp import web

    class Door(web.Server):
        """Lets in as many as there is room for; a bit more are let in to be told so."""

        def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
            super().connection_made(handler, transport)
            if len(self.connections) > 2 * settings.connections:
                transport.abort()

    # What clients send wrongly is their answer, and no news for the terminal.
    silent = logging.getLogger("llmops_tui.collector")
    silent.disabled = True
    return Door(
        handler,
        auto_decompress=False,  # it has no limit for what is unpacked
        keepalive_timeout=settings.header_s,  # and this is the time for a head as well
        lingering_time=2.0,
        access_log=None,
        logger=silent,
    )
