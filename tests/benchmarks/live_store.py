"""A million stored spans: how fast they come in, and how long each question of the Live screen takes.

    uv run python tests/benchmarks/live_store.py [--spans N] [--database PATH]

The database is kept where a path is given, and used again. `cold` is the first answer of a new process whose
file has left the page cache (as far as the system lets it go), `warm` the best of three more.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch, LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.trace import Span
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.rollups import resolution_for

DAYS = 30
BEGIN = 1_790_000_000.0
END = BEGIN + DAYS * 86_400
TRACES_AT_ONCE = 500
WORDS = ["how", "many", "days", "do", "I", "have", "to", "ask", "for", "a", "refund", "after", "delivery"]
WINDOWS = {"1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400}
FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "config": {"config": "helpdesk"},
    "version": {"version": "v2"},
    "feature": {"feature": "refunds"},
    "model": {"model": "small"},
    "provider": {"provider": "openai"},
    "user": {"user": "user-7"},
    "session": {"session": "session-77"},
    "error": {"error": "openai · timeout"},
    **{f"only {o}": {"only": o} for o in ("failed", "refused", "flagged", "bad", "scored", "low", "worth")},
}


def text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words))


def trace(chance: random.Random, at: float) -> tuple[list[Arrived], list[Signal], list[LiveScore]]:
    """A request of four spans, its messages about 500 characters."""
    id_ = chance.randbytes(16).hex()
    ids = [chance.randbytes(8).hex() for _ in range(4)]
    took = chance.lognormvariate(0, 0.6)
    failed = chance.random() < 0.02
    question, answer = text(chance, 60), text(chance, 60)
    root = {
        a.CONFIG: "helpdesk",
        a.VERSION: f"v{chance.randrange(4) + 1}",
        a.FEATURE: chance.choice(["refunds", "orders", "search", "chat", "mail"]),
        a.USER: f"user-{chance.randrange(2_000)}",
        a.SESSION: f"session-{chance.randrange(60_000)}",
        a.INPUT: question,
        a.OUTPUT: answer,
    }
    call = {
        a.MODEL: chance.choice(["small", "medium", "large"]),
        a.PROVIDER: "openai",
        a.INPUT_TOKENS: chance.randrange(200, 2_000),
        a.OUTPUT_TOKENS: chance.randrange(20, 400),
        a.COST: chance.randrange(1, 4_000) / 1e6,
        a.TIME_TO_FIRST_CHUNK: took / 4,
        a.INPUT_MESSAGES: [{"role": "user", "parts": [{"type": "text", "content": question}]}],
        a.OUTPUT_MESSAGES: [{"role": "assistant", "parts": [{"type": "text", "content": answer}]}],
        **({a.ERROR_TYPE: "timeout"} if failed else {}),
    }
    status = "error" if failed else "ok"
    check = {a.GUARDRAIL: "pii", a.TRIGGERED: chance.random() < 0.01}
    spans = [
        Span(ids[0], "", "answer", "request", at, at + took, status, attributes=root),
        Span(ids[1], ids[0], "find", "retrieval", at, at + took / 5, attributes={a.QUERY: question[:80]}),
        Span(ids[2], ids[0], "chat", "model", at + took / 5, at + took, status, attributes=call),
        Span(ids[3], ids[0], "check", "guardrail", at, at + 0.001, attributes=check),
    ]
    said = chance.random()
    signals = [Signal(id_, "thumb", float(said < 0.05), at + 30, id_)] if said < 0.08 else []
    judged = chance.random()
    scores = [LiveScore(id_, "faithful", judged * 10, judged > 0.04, at=at + 60)] if judged < 0.1 else []
    return [Arrived(id_, span) for span in spans], signals, scores


def batches(traces: int) -> Iterator[Batch]:
    chance = random.Random(11)
    for first in range(0, traces, TRACES_AT_ONCE):
        batch = Batch()
        for n in range(first, min(first + TRACES_AT_ONCE, traces)):
            spans, signals, scores = trace(chance, BEGIN + n * (END - BEGIN) / traces)
            batch.spans += spans
            batch.signals += signals
            batch.scores += scores
        yield batch


def fill(path: Path, spans: int) -> None:
    took, count = 0.0, 0
    with LiveStore.open(path) as store:
        for batch in batches(spans // 4):
            now = batch.spans[-1].span.end
            started = time.perf_counter()
            store.ingest([batch], now)
            took += time.perf_counter() - started
            count += len(batch.spans)
        store.sweep(END, 40, 10**12, 600)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = path.stat().st_size / 1e6
    print(f"took in {count:,} spans: {count / took:,.0f} spans/s, peak {peak:,.0f} MB, file {size:,.0f} MB")


def questions(store: LiveStore) -> dict[str, Callable[[], object]]:
    """Every question that the screen asks, by name."""
    asked: dict[str, Callable[[], object]] = {}
    for window, seconds in WINDOWS.items():
        for name, parts in FILTERS.items():
            wanted = LiveFilter(END - seconds, END, **parts)
            resolution = resolution_for(seconds)
            asked[f"tallies {window} {name}"] = lambda w=wanted, r=resolution: store.tallies(w, r)
        asked[f"totals {window}"] = lambda s=seconds: store.totals(
            LiveFilter(END - s, END), resolution_for(s)
        )
    month = WINDOWS["30d"]
    for name, parts in FILTERS.items():
        wanted = LiveFilter(END - month, END, **parts)
        for order in ("newest", "slowest", "dearest", "lowest"):
            asked[f"listed {order} {name}"] = lambda w=wanted, o=order: store.requests.listed(w, order=o)
        asked[f"count {name}"] = lambda w=wanted: store.requests.count(w)
        asked[f"users {name}"] = lambda w=wanted: store.requests.users(w)
    asked["counts"] = store.counts
    some = store.requests.listed(LiveFilter(), limit=1)[0]
    asked["trace"] = lambda: store.requests.trace(some.id)
    asked["find"] = lambda: store.requests.find(some.request.trace_id[:12])
    return asked


def forget(path: Path) -> None:
    """Have the system drop the file from its cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cold(path: Path, name: str) -> None:
    """Run as a process of its own: print the seconds of one question."""
    forget(path)
    with LiveStore.open(path, read_only=True) as store:
        ask = questions(store)[name]
        started = time.perf_counter()
        ask()
        print(time.perf_counter() - started)


def measure(path: Path) -> None:
    with LiveStore.open(path, read_only=True) as store:
        print(f"{'question':34}{'first':>9}{'warm':>9}   seconds")
        slow = 0
        for name, ask in questions(store).items():
            seconds = []
            for _ in range(4):
                started = time.perf_counter()
                ask()
                seconds.append(time.perf_counter() - started)
            warm = min(seconds[1:])
            slow += seconds[0] > 0.3
            if max(seconds[0], warm) > 0.1:
                print(f"{name:34}{seconds[0]:9.3f}{warm:9.3f}")
        print(f"questions over 0.3 s at first: {slow}; those not named took less than 0.1 s")
    for name in (
        "totals 7d",
        "tallies 30d all",
        "tallies 7d all",
        "listed slowest all",
        "users all",
        "tallies 30d only worth",
    ):
        command = [sys.executable, __file__, "--database", str(path), "--cold", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"cold {name:29}{float(done.stdout):9.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--database", type=Path)
    parser.add_argument("--cold", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cold:
        cold(options.database, options.cold)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = options.database or Path(folder) / "live.db"
        if not path.exists():
            fill(path, options.spans)
        measure(path)


if __name__ == "__main__":
    main()
