"""`collect` as a process: ends in order, is there once, and loses nothing when it is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from desk import Desk, make_desk
from receiving_end import PROTOBUF, body_of, stored

from llmops_tui.store.live import LIVE_DATABASE

COMMAND = [sys.executable, "-c", "from llmops_tui.entry import main; main()", "collect"]


class Process:
    """A collector in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, first: str) -> None:
        self.process = process
        self.first = first
        self.url = json.loads(first)["url"] if first.startswith("{") else ""

    async def ended(self) -> tuple[int, str]:
        """Its exit code and what it said on stderr."""
        assert self.process.stderr is not None
        said = (await self.process.stderr.read()).decode()
        return await self.process.wait(), said


_processes: list[asyncio.subprocess.Process] = []


@pytest.fixture(autouse=True)
async def _no_orphans() -> AsyncIterator[None]:
    """A test that fails leaves no collector behind."""
    yield
    while _processes:
        process = _processes.pop()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def started(root: Path, *arguments: str, **environment: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *(arguments or ("--json", "--port", "0")),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    _processes.append(process)
    assert process.stdout is not None
    return Process(process, (await process.stdout.readline()).decode())


async def post(session: aiohttp.ClientSession, url: str, body: bytes, **headers: str) -> int:
    given = {"Content-Type": PROTOBUF, **headers}
    async with session.post(f"{url}/v1/traces", data=body, headers=given) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_in_order_when_it_is_told_to(tmp_path: Path, kind: signal.Signals) -> None:
    root = make_desk(tmp_path / "desk")
    collector = await started(root)
    async with aiohttp.ClientSession() as session:
        sending = [asyncio.create_task(post(session, collector.url, body_of((n, 1)))) for n in range(1, 9)]
        assert set(await asyncio.gather(*sending)) == {200}
        collector.process.send_signal(kind)
        assert await collector.ended() == (0, "")
    assert len(stored(root / LIVE_DATABASE)) == 8
    assert not (root / f"{LIVE_DATABASE}-wal").exists()  # it was closed
    again = await started(root)
    assert again.url
    again.process.terminate()
    assert (await again.ended())[0] == 0


async def test_what_it_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    root = make_desk(tmp_path / "desk")
    acknowledged: set[tuple[int, int]] = set()
    for life in range(1, 3):
        collector = await started(root)
        async with aiohttp.ClientSession() as session:

            async def send(
                sender: int,
                session: aiohttp.ClientSession = session,
                collector: Process = collector,
                life: int = life,
            ) -> None:
                for n in range(1, 1_000):
                    # Each trace comes again in the next life: it is there once all the same.
                    spans = [(sender * 1_000 + n, life), (sender * 1_000 + n, 9)]
                    try:
                        if await post(session, collector.url, body_of(*spans)) == 200:
                            acknowledged.update(spans)
                    except aiohttp.ClientError:
                        return
                    if len(acknowledged) > life * 100:
                        collector.process.kill()
                        return

            await asyncio.gather(*(send(sender) for sender in range(1, 5)))
            assert (await collector.ended())[0] == -signal.SIGKILL
    there = stored(root / LIVE_DATABASE)
    assert len(there) == len(set(there))
    assert acknowledged <= set(there)


async def test_a_second_one_is_told_who_the_first_is(tmp_path: Path) -> None:
    root = make_desk(tmp_path / "desk")
    first = await started(root)
    second = await started(root, "--port", "0")
    async with asyncio.timeout(30):
        code, said = await second.ended()
    assert code == 2
    assert f"process {first.process.pid} collects for this workspace already" in said
    first.process.terminate()
    await first.ended()


async def test_it_says_how_to_point_a_program_at_it(tmp_path: Path) -> None:
    root = make_desk(tmp_path / "desk")
    collector = await started(root, "--port", "0")
    url = collector.first.split()[2]
    assert collector.first == f"collecting at {url} (OTEL_EXPORTER_OTLP_ENDPOINT={url})\n"
    async with aiohttp.ClientSession() as session:
        assert await post(session, url, body_of((1, 1))) == 200
    collector.process.terminate()
    assert await collector.ended() == (0, "")  # no terminal: no report


async def test_the_token_of_the_environment_is_asked_for(tmp_path: Path) -> None:
    root = make_desk(tmp_path / "desk")
    (root / ".env").write_text("LLMOPS_TUI_TOKEN=s3cret\n")
    collector = await started(root)
    async with aiohttp.ClientSession() as session:
        assert await post(session, collector.url, body_of((1, 1))) == 401
        assert await post(session, collector.url, body_of((1, 1)), Authorization="Bearer s3cret") == 200
    collector.process.terminate()
    await collector.ended()


async def test_spans_of_a_real_sdk_are_kept(tmp_path: Path) -> None:
    root = make_desk(tmp_path / "desk")
    collector = await started(root)
    exported = await asyncio.to_thread(trace_and_export, collector.url)
    collector.process.terminate()
    assert (await collector.ended())[0] == 0
    assert stored(root / LIVE_DATABASE) == sorted(exported)


def trace_and_export(url: str) -> list[tuple[int, int]]:
    """Spans by OpenTelemetry's SDK, batched by it, and posted as its exporters do."""
    import gzip
    import urllib.request
    from collections.abc import Sequence

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    exported: list[tuple[int, int]] = []

    class Exporter(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            request = ExportTraceServiceRequest()
            scope = request.resource_spans.add().scope_spans.add()
            for span in spans:
                made: Any = scope.spans.add(
                    trace_id=span.context.trace_id.to_bytes(16, "big"),
                    span_id=span.context.span_id.to_bytes(8, "big"),
                    name=span.name,
                    start_time_unix_nano=span.start_time,
                    end_time_unix_nano=span.end_time,
                )
                if span.parent is not None:
                    made.parent_span_id = span.parent.span_id.to_bytes(8, "big")
                exported.append((span.context.trace_id, span.context.span_id))
            headers = {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}
            body = gzip.compress(request.SerializeToString())
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(urllib.request.Request(f"{url}/v1/traces", body, headers)) as answer:
                return SpanExportResult.SUCCESS if answer.status == 200 else SpanExportResult.FAILURE

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Exporter(), schedule_delay_millis=50))
    tracer = provider.get_tracer("test")
    for _ in range(50):
        with tracer.start_as_current_span("helpdesk"), tracer.start_as_current_span("chat"):
            pass
    provider.shutdown()
    assert len(exported) == 100
    return exported


class TestSaysNo:
    def test_to_others_without_a_token(self, desk: Desk) -> None:
        code, _, said = desk("collect", "--host", "0.0.0.0", "--port", "0")
        assert code == 2
        assert "there is no token; set LLMOPS_TUI_TOKEN" in said

    def test_to_a_port_in_use(self, desk: Desk) -> None:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            code, _, said = desk("collect", "--port", str(port))
            assert code == 2
            assert f"port {port} is in use; name another with --port N" in said
