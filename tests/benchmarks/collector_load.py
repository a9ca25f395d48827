"""Load on the collector: senders in processes of their own, and every acknowledged span counted afterwards.

    uv run python tests/benchmarks/collector_load.py [--spans 200000] [--senders 8] [--kill 2]
    uv run python tests/benchmarks/collector_load.py --target phoenix --venv DIR

Each sender makes spans as an instrumented program does (four a trace: the whole, a retrieval, a prompt and
a model call, with twelve attributes and messages of some 500 characters each), posts them 512 at a time as
protobuf, and sends again what was not acknowledged. With `--kill` the collector is killed (SIGKILL) and
started again so many times on the way. Exits with 1 where an acknowledged span is missing or there twice.

A run against Phoenix is the same senders against a Phoenix in its own virtual environment; counted is what
is in its database, and the clock stops when all is there.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
BATCH = 512
PER_TRACE = 4
WORDS = "the refund window order desk open nine until five days please answer shortly thank you"
COMMAND = [sys.executable, "-c", "from llmops_tui.entry import main; main()"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--kill", type=int, default=0, help="times that the collector is killed on the way")
    parser.add_argument("--gzip", action="store_true", help="senders pack what they send")
    parser.add_argument("--target", choices=["collect", "phoenix"], default="collect")
    parser.add_argument("--venv", type=Path, help="virtual environment with Phoenix; made where not there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sender", nargs=3, metavar=("N", "SPANS", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sender is not None:
        number, spans, url = given.sender
        return send(int(number), int(spans), url, given.gzip)
    per_sender = given.spans // given.senders // PER_TRACE * PER_TRACE
    with tempfile.TemporaryDirectory(prefix="llmops-load-") as folder:
        if given.target == "phoenix":
            found = against_phoenix(Path(folder), given, per_sender)
        else:
            found = against_collector(Path(folder), given, per_sender)
    print(
        json.dumps(found) if given.json else "\n".join(f"{name:24} {value}" for name, value in found.items())
    )
    return 1 if found["missing"] or found["twice"] else 0


# -- a sender


def send(number: int, spans: int, url: str, packs: bool) -> int:
    """Send and send again until all is acknowledged; each acknowledgement is a line on stdout: its spans."""
    host, _, port = url.removeprefix("http://").partition(":")
    making = random.Random(number)
    texts = [" ".join(making.choices(WORDS.split(), k=90)) for _ in range(64)]
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    headers = {"Content-Type": "application/x-protobuf", **({"Content-Encoding": "gzip"} if packs else {})}
    for first in range(0, spans, BATCH):
        count = min(BATCH, spans - first)
        body = batch(number, first, count, texts)
        body = gzip.compress(body, 1) if packs else body
        while True:
            try:
                connection.request("POST", "/v1/traces", body, headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    break
                wait_s = float(answer.headers.get("Retry-After", 1))
            except (OSError, http.client.HTTPException):
                connection.close()
                wait_s = 0.2
            time.sleep(wait_s)
        print(count, len(body), flush=True)
    return 0


def batch(sender: int, first: int, count: int, texts: list[str]) -> bytes:
    """An export of spans, numbered from `first` on."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    put(group.resource.attributes, {"service.name": "helpdesk", "deployment.environment.name": "load"})
    scope = group.scope_spans.add()
    scope.scope.name = "openinference.instrumentation.openai"
    now_ns = time.time_ns()
    for n in range(first, first + count):
        trace, place = divmod(n, PER_TRACE)
        span = scope.spans.add()
        span.trace_id = trace_id(sender, trace)
        span.span_id = span_id(sender, n)
        if place:
            span.parent_span_id = span_id(sender, n - place)
        span.name = ("helpdesk", "retrieve", "prompt", "chat gpt-4o-mini")[place]
        span.start_time_unix_nano = now_ns + place * 1_000_000
        span.end_time_unix_nano = now_ns + (800 - place) * 1_000_000
        put(span.attributes, attributes(n, place, texts))
    return bytes(request.SerializeToString())


def attributes(n: int, place: int, texts: list[str]) -> dict[str, Any]:
    question, answer = texts[n % 64], texts[n * 7 % 64]
    shared = {
        "session.id": f"session-{n // 40}",
        "user.id": f"user-{n % 997}",
        "llmops.feature": ("refunds", "hours", "orders")[n // PER_TRACE % 3],
        "llmops.config": "helpdesk",
        "llmops.version": "v12",
        "input.value": question,
        "output.value": answer,
    }
    if place != 3:
        return {
            **shared,
            "openinference.span.kind": ("CHAIN", "RETRIEVER", "CHAIN")[place],
            "input.mime_type": "text/plain",
            "output.mime_type": "text/plain",
            "code.function.name": "answer",
            "thread.id": 140_000 + n % 8,
        }
    return {
        "session.id": shared["session.id"],
        "user.id": shared["user.id"],
        "llmops.feature": shared["llmops.feature"],
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.input_tokens": 180 + n % 50,
        "gen_ai.usage.output_tokens": 90 + n % 30,
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": question}]}]
        ),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
        ),
    }


def put(into: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        added = into.add()
        added.key = key
        if isinstance(value, str):
            added.value.string_value = value
        elif isinstance(value, float):
            added.value.double_value = value
        else:
            added.value.int_value = value


def trace_id(sender: int, trace: int) -> bytes:
    return (sender + 1 << 64 | trace + 1).to_bytes(16, "big")


def span_id(sender: int, n: int) -> bytes:
    return (sender + 1 << 40 | n + 1).to_bytes(8, "big")


# -- all of them


class Sent(NamedTuple):
    spans: int
    bytes: int
    length_s: float


def flood(url: str, given: argparse.Namespace, per_sender: int, on_progress: Any) -> Sent:
    """Start the senders and wait for them; `on_progress` is given the spans acknowledged so far."""
    import selectors

    started = time.monotonic()
    senders = [
        subprocess.Popen(
            [sys.executable, __file__, "--sender", str(n), str(per_sender), url, *(["--gzip"] * given.gzip)],
            stdout=subprocess.PIPE,
        )
        for n in range(given.senders)
    ]
    spans = size = 0
    with selectors.DefaultSelector() as ready:
        for sender in senders:
            assert sender.stdout is not None
            ready.register(sender.stdout, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if not line:
                    ready.unregister(key.fileobj)
                    continue
                spans += int(line.split()[0])
                size += int(line.split()[1])
                on_progress(spans)
    assert all(sender.wait() == 0 for sender in senders), "a sender failed"
    return Sent(spans, size, time.monotonic() - started)


class Collecting:
    """`llmops-tui collect` on a workspace of its own; killed and started again on the same port."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "configs").mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.peak_mb = 0.0
        self.cpu_s = 0.0
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [*COMMAND, "collect", "--json", "--port", str(self.port), "--workspace", str(self.root)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        return process

    def _measure(self) -> None:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        self.peak_mb = max(self.peak_mb, int(peak.split()[1]) / 1024)
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        self.cpu_s += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self._measure()
        self._process.kill()
        self._process.wait()
        self._process = self._started()

    def __enter__(self) -> Collecting:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()

    def end(self) -> int:
        self._measure()
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)


def against_collector(room: Path, given: argparse.Namespace, per_sender: int) -> dict[str, Any]:
    wanted = per_sender * given.senders
    kills_at = [wanted * n // (given.kill + 1) for n in range(1, given.kill + 1)]

    def progress(acknowledged: int) -> None:
        if kills_at and acknowledged >= kills_at[0]:
            kills_at.pop(0)
            collector.kill()

    with Collecting(room / "workspace") as collector:
        sent = flood(f"http://127.0.0.1:{collector.port}", given, per_sender, progress)
        assert not kills_at, "not killed as often as wanted"
        assert collector.end() == 0, "the collector did not end well"
    database = room / "workspace" / ".llmops" / "live.db"
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute(
            "SELECT r.trace_id, s.span_id FROM spans s JOIN requests r ON r.id = s.request_id"
        ).fetchall()
    missing, twice = compared(rows, given.senders, per_sender)
    return {
        "spans acknowledged": sent.spans,
        "missing": missing,
        "twice": twice,
        "spans/s durable": round(sent.spans / sent.length_s),
        "seconds": round(sent.length_s, 1),
        "MB sent": round(sent.bytes / 1e6, 1),
        "MB of the database": round(database.stat().st_size / 1e6, 1),
        "collector's peak MB": round(collector.peak_mb),
        "collector's CPU s": round(collector.cpu_s, 1),
        "kills": given.kill,
    }


def compared(rows: list[tuple[bytes, bytes]], senders: int, per_sender: int) -> tuple[int, int]:
    """How many acknowledged spans are missing, and how many are there more than once."""
    there = set(rows)
    wanted = {
        (trace_id(sender, n // PER_TRACE), span_id(sender, n))
        for sender in range(senders)
        for n in range(per_sender)
    }
    return len(wanted - there), len(rows) - len(there)


def against_phoenix(room: Path, given: argparse.Namespace, per_sender: int) -> dict[str, Any]:
    sys.path[:0] = [str(HERE.parent / "real")]
    from phoenix_roundtrip import Phoenix, installed

    python = installed(given.venv or room / "venv", "arize-phoenix")
    with Phoenix(python, room) as phoenix:
        sent = flood(phoenix.url, given, per_sender, lambda spans: None)
        database = next((room / "phoenix").rglob("*.db"))
        started = changed = time.monotonic()
        stored = -1
        while stored < sent.spans and time.monotonic() - changed < 60:
            found = count(database)
            if found != stored:
                stored, changed = found, time.monotonic()
            time.sleep(0.2)
    length_s = sent.length_s + changed - started
    return {
        "spans acknowledged": sent.spans,
        "missing": max(sent.spans - stored, 0),
        "twice": max(stored - sent.spans, 0),
        "spans/s durable": round(stored / length_s),
        "spans/s acknowledged": round(sent.spans / sent.length_s),
        "seconds": round(length_s, 1),
        "MB sent": round(sent.bytes / 1e6, 1),
        "MB of the database": round(database.stat().st_size / 1e6, 1),
    }


def count(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as db:
        return int(db.execute("SELECT count(*) FROM spans").fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
