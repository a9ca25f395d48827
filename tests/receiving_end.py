"""A collector on loopback for tests: real sockets, a real database, and what is sent to it."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from llmops_tui.domain.live.arrival import Batch
from llmops_tui.monitoring.collector import Collector, CollectorSettings, Intake
from llmops_tui.store.live import Ingested, LiveStore
from llmops_tui.tracing.incoming import read_otlp, read_otlp_logs

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
START_NS = 1_700_000_000_000_000_000


def request_of(*spans: tuple[int, int], name: str = "chat", text: str = "hello") -> ExportTraceServiceRequest:
    """An export of spans, each (number of its trace, its own number)."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for trace, number in spans:
        span = scope.spans.add()
        span.trace_id = trace.to_bytes(16, "big")
        span.span_id = number.to_bytes(8, "big")
        span.name = name
        span.start_time_unix_nano = START_NS
        span.end_time_unix_nano = START_NS + 1_000_000
        attribute = span.attributes.add()
        attribute.key = "gen_ai.output.messages"
        attribute.value.string_value = text
    return request


def body_of(*spans: tuple[int, int], **rest: str) -> bytes:
    return request_of(*spans, **rest).SerializeToString()


def json_of(*spans: tuple[int, int]) -> bytes:
    """OTLP/JSON: ids in hexadecimal."""
    found = MessageToDict(request_of(*spans))
    for span in found["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        import base64

        for name in ("traceId", "spanId"):
            span[name] = base64.b64decode(span[name]).hex()
    return json.dumps(found).encode()


class WriterOfTests:
    """The live database, which can be told to wait or to fail.

    Attributes:
        fault: raised instead of writing.
        gate: writing waits until it is set.
        waits: set once somebody waits there.
        groups: spans of each transaction.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault: Callable[[Sequence[Batch]], Exception | None] = lambda batches: None
        self.gate = threading.Event()
        self.gate.set()
        self.waits = threading.Event()
        self.groups: list[int] = []
        self.is_closed = False
        self.store: LiveStore | None = None

    def open(self) -> WriterOfTests:
        self.store = LiveStore.open(self.path)
        return self

    def ingest(self, batches: Sequence[Batch], now: float) -> Ingested:
        assert self.store is not None
        self.waits.set()
        self.gate.wait(30)
        fault = self.fault(batches)
        if fault is not None:
            raise fault
        self.groups.append(sum(len(batch.spans) for batch in batches))
        return self.store.ingest(batches, now)

    def close(self) -> None:
        assert self.store is not None
        self.store.close()
        self.is_closed = True


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """What a `google.rpc.Status` or a partial success says."""
        if JSON in self.headers["Content-Type"]:
            found = json.loads(self.body)
            return str(found.get("message", found.get("partialSuccess", {}).get("errorMessage", "")))
        if self.status != 200:
            from opentelemetry.proto.trace.v1.trace_pb2 import Status

            return Status.FromString(self.body).message
        return ExportTraceServiceResponse.FromString(self.body).partial_success.error_message


class End:
    """The collector, and a client of it."""

    def __init__(self, collector: Collector, writer: WriterOfTests, said: list[str]) -> None:
        self.collector = collector
        self.writer = writer
        self.said = said
        self.session = aiohttp.ClientSession()

    @property
    def port(self) -> int:
        return int(self.collector.url.rpartition(":")[2])

    async def post(
        self, body: Any, path: str = "/v1/traces", kind: str | None = PROTOBUF, **headers: str
    ) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind is not None:
            given["Content-Type"] = kind
        return await self.ask("POST", path, given, body)

    async def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        url = self.collector.url + path
        skipped = ("Content-Type",)
        async with self.session.request(
            method, url, data=body, headers=headers, skip_auto_headers=skipped
        ) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def packed(self, body: bytes) -> Answer:
        return await self.post(gzip.compress(body), Content_Encoding="gzip")

    async def health(self) -> Any:
        return json.loads((await self.ask("GET", "/health", {})).body)

    def spans(self) -> list[tuple[int, int]]:
        """What is on disk, as another connection sees it: (trace, span), in order."""
        return stored(self.writer.path)


def stored(path: Path) -> list[tuple[int, int]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as db:
        rows = db.execute(
            "SELECT r.trace_id, s.span_id FROM spans s JOIN requests r ON r.id = s.request_id"
        ).fetchall()
    return sorted((_int(trace), _int(span)) for trace, span in rows)


def _int(value: Any) -> int:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(str(value), 16)


@asynccontextmanager
async def receiving(
    folder: Path, intake: Intake = lambda batch: batch, **settings: Any
) -> AsyncIterator[End]:
    """A collector that listens on a port of its own."""
    writer, said = WriterOfTests(folder / "live.db"), list[str]()
    collector = Collector(
        intake,
        writer.open,
        CollectorSettings(**{"port": 0, "drain_s": 0.5, **settings}),
        traces=read_otlp,
        logs=read_otlp_logs,
        say=said.append,
    )
    await collector.start()
    end = End(collector, writer, said)
    try:
        yield end
    finally:
        writer.gate.set()
        await end.session.close()
        await collector.close()


async def is_still_up(end: End) -> None:
    """It takes a span, and holds nothing any more."""
    before = len(end.spans())
    assert (await end.post(body_of((99, 1)))).status == 200
    assert len(end.spans()) == before + 1
    queue = (await end.health())["queue"]
    assert queue == {"requests": 0, "spans": 0, "bytes": 0, "received_bytes": 0}


async def until(seen: Callable[[], bool]) -> None:
    """Waits for what another thread or process does."""
    async with asyncio.timeout(30):
        while not seen():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
