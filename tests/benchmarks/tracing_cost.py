"""What tracing adds to a plain case: time in the worker, on the way and in the store, and bytes on disk.

    uv run python tests/benchmarks/tracing_cost.py

Each step is done for the same cases with spans and without; the difference is what tracing costs.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Call, ChatRequest, Draw
from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.manifest import make_manifest, make_part
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.run import Item
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.store import Result, Store
from llmops_tui.worker.tracer import Tracer

CASES = 2_000
ROUNDS = 5
QUESTION = "How many days do I have to ask for a refund of a lamp that came broken, number {}?"
CHUNKS = tuple(Chunk(f"docs/{n}.md", f"Text of document {n}. " * 20, 2.5, 0) for n in range(3))


def call_of(n: int) -> Call:
    request = ChatRequest(({"role": "user", "content": QUESTION.format(n)},), {"temperature": 0})
    return Call(text_digest(f"call {n}"), Draw(), "gate/fake", request, f"answer {n}", latency_s=0.5)


def spans_of(n: int, call: Call) -> tuple[SpanRecord, ...]:
    """As the worker records a prompt with retrieval."""
    tracer = Tracer(f"case-{n}")
    with tracer.root.span("retrieval", "retrieval docs") as span:
        span.attributes |= {
            a.DATA_SOURCE: "docs",
            a.QUERY: QUESTION.format(n),
            a.TOP_K: 3,
            a.METHOD: "bm25",
        }
        span.chunks = CHUNKS
    with tracer.root.span("prompt", "assemble prompt") as span:
        span.attributes |= {
            a.PROMPT_HASH: text_digest("prompt"),
            a.VARIABLES: {"question": QUESTION.format(n)},
        }
    with tracer.root.span("model", "chat fake") as span:
        span.asked(call)
    return tracer.records({1: 0})


def evaluated(n: int, call: Call, spans: tuple[SpanRecord, ...]) -> m.Evaluated:
    output = Output(call.text, retrieved=CHUNKS, calls=(call.key,), latency_s=0.5)
    score = Score(text_digest(f"score {n}"), "contains", 1.0, True, "it is in the output")
    return m.Evaluated(n, output, (score,), None, spans, 1_700_000_000.0 if spans else 0.0)


def per_case_ms(work: Callable[[], object]) -> float:
    """Median of the rounds, milliseconds a case."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000 / CASES)
    return statistics.median(times)


def stored(folder: Path, calls: list[Call], done: list[m.Evaluated]) -> tuple[float, int]:
    """Milliseconds a case to commit them in batches of 20, and the bytes of the database."""
    path = folder / ".llmops" / "llmops.db"
    path.parent.mkdir(parents=True)
    manifest = make_manifest([make_part("prompt", "", {"messages": [], "includes": {}, "defaults": {}})])
    with Store.open(path) as store:
        version, _ = store.versions.ensure("bench", manifest, {}, at=1.0)
        run = store.runs.start(
            version.id, "manual", total=CASES, asked_total=CASES, generation=0, eval_hash="", at=1.0
        )
        results = [
            Result(
                *(n, text_digest(f"key {n}"), 0, None, each.output, each.scores, None),
                Item(f"case-{n}", "gate/fake", 0, "passed", 1.0),
                spans=each.spans,
                began_at=each.began_at,
            )
            for n, each in enumerate(done)
        ]
        started = time.perf_counter()
        for n in range(0, CASES, 20):
            store.record(run.id, calls=calls[n : n + 20], results=results[n : n + 20], at=2.0)
        elapsed_ms = (time.perf_counter() - started) * 1000 / CASES
    with Store.open(path) as store:
        ((pages,), (size,)) = (store._db.one(f"PRAGMA {what}") for what in ("page_count", "page_size"))
    return elapsed_ms, pages * size


def main() -> int:
    calls = [call_of(n) for n in range(CASES)]
    recording_ms = per_case_ms(lambda: [spans_of(n, call) for n, call in enumerate(calls)])
    spans = [spans_of(n, call) for n, call in enumerate(calls)]
    plain = [evaluated(n, call, ()) for n, call in enumerate(calls)]
    traced = [evaluated(n, call, spans[n]) for n, call in enumerate(calls)]

    def there_and_back(messages: list[m.Evaluated]) -> None:
        for each in messages:
            m.decode_from_worker(m.encode(each))

    sending_ms = per_case_ms(lambda: there_and_back(traced)) - per_case_ms(lambda: there_and_back(plain))
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            without = stored(Path(folder, "without"), calls, plain)
            with_ = stored(Path(folder, "with"), calls, traced)
            rounds.append((with_[0] - without[0], with_[1] - without[1]))
    storing_ms = statistics.median(each[0] for each in rounds)
    size = statistics.median(each[1] for each in rounds) / CASES
    total_ms = recording_ms + sending_ms + storing_ms
    print(f"recorded in the worker  {recording_ms:.3f} ms a case")
    print(f"sent to the engine      {sending_ms:.3f} ms")
    print(f"kept in the store       {storing_ms:.3f} ms")
    print(f"together                {total_ms:.3f} ms (goal 0.3)")
    print(f"on disk                 {size / 1024:.2f} KB a case (goal 4)")
    print(f"the records themselves  {len(msgspec.json.encode(spans[0]))} bytes of JSON")
    return 0 if total_ms <= 0.3 and size <= 4096 else 1


if __name__ == "__main__":
    sys.exit(main())
