"""A request → checked, read, decoded, durable, answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from llmops_tui import __version__
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.live.arrival import Batch
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.monitoring.collector import bodies
from llmops_tui.monitoring.collector.answers import JSON, ContentType, Refusal, success
from llmops_tui.monitoring.collector.figures import Figures
from llmops_tui.monitoring.collector.guard import Guard
from llmops_tui.monitoring.collector.ports import Decode, Intake
from llmops_tui.monitoring.collector.room import Received, Waiting
from llmops_tui.monitoring.collector.settings import CollectorSettings
from llmops_tui.monitoring.collector.signals import read_signals
from llmops_tui.monitoring.collector.telling import Told
from llmops_tui.monitoring.collector.weight import check_weight
from llmops_tui.monitoring.collector.writing import NotWritten, Writing

if TYPE_CHECKING:
    from aiohttp import web

TRACES, LOGS, METRICS, SIGNALS, HEALTH = "traces", "logs", "metrics", "signals", "health"
#: Path → what is there. The longer ones are Langfuse's.
PATHS = {
    "/v1/traces": TRACES,
    "/v1/logs": LOGS,
    "/v1/metrics": METRICS,
    "/signals": SIGNALS,
    "/health": HEALTH,
    "/api/public/otel/v1/traces": TRACES,
    "/api/public/otel/v1/logs": LOGS,
    "/api/public/otel/v1/metrics": METRICS,
}
_NOUNS = {TRACES: "Spans", LOGS: "LogRecords", METRICS: "DataPoints"}
_SHOWN = 300
_LONGEST = 1_200


class Receiver:
    """Answers requests. What goes wrong in one is an answer to that one.

    Args:
        decodes: `traces` and `logs` → who reads them.
        intake: what is done with each batch before it is kept.
        connections: how many are open.
    """

    def __init__(
        self,
        decodes: dict[str, Decode],
        intake: Intake,
        writing: Writing,
        guard: Guard,
        settings: CollectorSettings,
        figures: Figures,
        tell: Told,
        connections: Callable[[], int],
    ) -> None:
        self._decodes = decodes
        self._intake = intake
        self._writing = writing
        self._guard = guard
        self._settings = settings
        self._figures = figures
        self._tell = tell
        self._connections = connections
        self._received = Received(settings.received_bytes, settings.retry_s)
        self._waiting = Waiting(settings.waiting_bytes, settings.waiting_spans)
        # One at a time: Python runs one anyway, and what one body takes is bounded.
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live decoder")
        self._idle = asyncio.Event()
        self._idle.set()
        self.under_way = 0
        self.is_ending = False

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handles one request; never raises but for cancelling."""
        from aiohttp import web

        kind = bodies.kind_of(request)
        self.under_way += 1
        self._idle.clear()
        try:
            body, said = await self._taken(request, kind)
            response = web.Response(body=body, content_type=said)
        except Refusal as refusal:
            response = self._refused(refusal, kind)
        except Exception as error:
            self._tell("defect", f"error: a defect of llmops-tui: {type(error).__name__}: {error}")
            response = self._refused(Refusal(500, "a defect of llmops-tui; its terminal says more"), kind)
        finally:
            self.under_way -= 1
            if not self.under_way:
                self._idle.set()
        self._figures.requests[response.status] += 1
        response.headers["Server"] = "llmops-tui"
        if self.is_ending:
            response.force_close()
        return response

    async def idle(self) -> None:
        """Returns when no request is under way."""
        await self._idle.wait()

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    def _refused(self, refusal: Refusal, kind: ContentType | None) -> web.Response:
        from aiohttp import web

        said = kind or JSON
        response = web.Response(
            status=refusal.status, body=refusal.body(said), headers=refusal.headers, content_type=said
        )
        if refusal.closes:
            response.force_close()
        return response

    async def _taken(self, request: web.BaseRequest, kind: ContentType | None) -> tuple[bytes, ContentType]:
        """The body and content type of a good answer."""
        self._admit()
        self._guard.check(request.headers)
        what = _what(request.path, request.method)
        if what == HEALTH:
            return msgspec.json.encode(self._health()), JSON
        if kind is None or (what == SIGNALS and kind != JSON):
            raise _other_kind(request, what)
        if what == METRICS:
            # Many SDKs send them unasked; an error would fill their logs. aiohttp drops the body.
            return success(kind), kind
        packing = bodies.packing_of(request)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        with self._received.hold() as held:
            body = await bodies.read(request, self._settings, held)
            batch, size = await self._read(body, packing, what, kind)
        await self._kept(batch, size)
        if what == SIGNALS:
            return msgspec.json.encode(
                {"taken": len(batch.signals), "ids": [s.id for s in batch.signals]}
            ), JSON
        message = clean_line(batch.aside[0].why)[:_SHOWN] if batch.aside else ""
        return success(kind, len(batch.aside), message, _NOUNS[what]), kind

    def _admit(self) -> None:
        settings = self._settings
        if self.is_ending:
            raise Refusal(503, "the collector is ending", retry_s=settings.retry_s, closes=True)
        if self.under_way > settings.requests or self._connections() > settings.connections:
            raise Refusal(
                429,
                f"more than {settings.requests} requests or {settings.connections} connections at a time: "
                "send larger batches, or later",
                retry_s=settings.retry_s,
                closes=True,
            )

    async def _read(self, body: bytes, packing: str, what: str, kind: ContentType) -> tuple[Batch, int]:
        """The batch of a body and what it takes, as soon as there is room for it; room is then taken."""
        await self._its_turn()
        try:
            loop = asyncio.get_running_loop()
            batch, size = await loop.run_in_executor(self._thread, self._decoded, body, packing, what, kind)
            self._waiting.take(size, len(batch.spans))
        finally:
            self._turn.release()
        return batch, size

    async def _its_turn(self) -> None:
        """Returns with the turn taken, and room for what is read."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.patience_s):
                await self._turn.acquire()
                try:
                    await self._waiting.has_room()
                except BaseException:
                    self._turn.release()
                    raise
        except TimeoutError:
            text = "the database does not keep up: try again later"
            raise Refusal(503, text, retry_s=settings.retry_s) from None

    def _decoded(self, body: bytes, packing: str, what: str, kind: ContentType) -> tuple[Batch, int]:
        """In the decoder's thread."""
        data = bodies.unpack(body, packing, self._settings.unpacked_bytes)
        size = self._weigh(data, what, kind)
        try:
            if what == SIGNALS:
                batch = Batch(signals=read_signals(data, time.time()))
            else:
                batch = self._decodes[what](data, is_json=kind == JSON)
        except LlmopsError as error:
            raise Refusal(400, clean_line(str(error))[:_LONGEST]) from None
        except RecursionError:
            raise Refusal(400, "the body is nested too deeply") from None
        except MemoryError:
            raise Refusal(413, "there is no memory for this body: send smaller batches") from None
        return self._intake(batch), size

    def _weigh(self, data: bytes, what: str, kind: ContentType) -> int:
        settings = self._settings
        if what == SIGNALS:
            return len(data)
        is_json, of_logs = kind == JSON, what == LOGS
        return check_weight(data, settings.spans, settings.parts, is_json=is_json, of_logs=of_logs)

    async def _kept(self, batch: Batch, size: int) -> None:
        settings = self._settings
        try:
            if batch.spans or batch.signals or batch.scores or batch.aside:
                await self._writing.write(batch)
        except NotWritten as fault:
            raise Refusal(
                503, f"nothing can be kept now: {clean_line(str(fault))[:_SHOWN]}", retry_s=settings.retry_s
            ) from None
        finally:
            await self._waiting.give_back(size, len(batch.spans))

    def _health(self) -> dict[str, object]:
        figures = self._figures
        return {
            "name": "llmops-tui",
            "version": __version__,
            "status": "ok" if not figures.faults else "not writing",
            "since": figures.since,
            "spans": figures.spans,
            "duplicates": figures.duplicates,
            "signals": figures.signals,
            "aside": figures.aside,
            "queue": {
                "requests": self._waiting.requests,
                "spans": self._waiting.spans,
                "bytes": self._waiting.bytes,
                "received_bytes": self._received.bytes,
            },
        }


def _what(path: str, method: str) -> str:
    what = PATHS.get(path.rstrip("/"))
    if what is None:
        raise Refusal(
            404, f"there is nothing at {clean_line(path)[:80]}: spans go to /v1/traces (docs/collect.md)"
        )
    allowed = "GET" if what == HEALTH else "POST"
    if method != allowed and not (what == HEALTH and method == "HEAD"):
        raise Refusal(405, f"{path} takes {allowed} only", headers={"Allow": allowed})
    return what


def _other_kind(request: web.BaseRequest, what: str) -> Refusal:
    said = clean_line(request.headers.get("Content-Type", ""))[:80]
    given = f"the content type '{said}'" if said else "a body without a content type"
    wanted = JSON if what == SIGNALS else "application/x-protobuf or application/json"
    return Refusal(415, f"{given} can't be read: send {wanted}")
