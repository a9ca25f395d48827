"""The Trace screen with many spans: how long until it is drawn, and how it scrolls.

    python tests/benchmarks/trace_screen.py                  # 5,000 spans, as in docs/benchmarks.md
    python tests/benchmarks/trace_screen.py --spans 500

The app runs without a terminal, over a session that answers at once: what is measured is what the screen
does, from the key to the frame that shows the steps, or to the step under the cursor in its pane.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "app"), str(Path(__file__).parents[1])]

import msgspec  # noqa: E402
from fake_session import FakeSession  # noqa: E402
from made_up_traces import compared, large  # noqa: E402
from piloting import opened  # noqa: E402

from llmops_tui.app.trace_doc import build  # noqa: E402
from llmops_tui.domain import semconv as a  # noqa: E402
from llmops_tui.domain.call import Call, ChatRequest, Draw  # noqa: E402
from llmops_tui.domain.canonical import text_digest  # noqa: E402
from llmops_tui.domain.manifest import make_manifest, make_part  # noqa: E402
from llmops_tui.domain.output import Output  # noqa: E402
from llmops_tui.domain.run import Item, VersionInfo  # noqa: E402
from llmops_tui.domain.trace import CallRef, SpanRecord  # noqa: E402
from llmops_tui.domain.trace_diff import diff_traces  # noqa: E402
from llmops_tui.engine.trace_events import TraceView  # noqa: E402
from llmops_tui.engine.traces import Traces  # noqa: E402
from llmops_tui.store import Result, Store  # noqa: E402

KEYS = 50


def from_database(spans: int, times: int) -> dict[str, float]:
    """Milliseconds to read such a trace from the database, and to hold two against each other.

    A third of the spans are model calls, each with messages and an answer of its own.
    """
    found: dict[str, list[float]] = {"read from the database": [], "two compared": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ".llmops" / "llmops.db"
        path.parent.mkdir()
        with Store.open(path) as store:
            version = stored(store, spans)
        for _ in range(times):
            with Store.open(path, read_only=True) as store:
                traces = Traces(store)
                start = time.perf_counter()
                one = traces.of(version, "large")
                found["read from the database"].append(time.perf_counter() - start)
                assert len(one.spans) == spans
                two = msgspec.structs.replace(one, id="0" * 32)
                found["two compared"].append(_ms(lambda one=one, two=two: diff_traces(one, two)) / 1000)
    return {name: _median(values) * 1000 for name, values in found.items()}


def stored(store: Store, spans: int) -> VersionInfo:
    """A version whose one case has a trace of so many spans."""
    manifest = make_manifest([make_part("prompt", "", {"messages": [], "includes": {}, "defaults": {}})])
    version, _ = store.versions.ensure("bench", manifest, {}, at=1.0)
    run = store.runs.start(version.id, "manual", total=1, asked_total=1, generation=0, eval_hash="", at=1.0)
    records, calls = [SpanRecord(-1, "request", "large", 0.0, float(spans))], []
    while len(records) < spans:
        n = len(records)
        calls.append(
            Call(
                text_digest(f"call {n}"),
                Draw(step="agent", occurrence=n),
                "gate/fake",
                ChatRequest(({"role": "user", "content": f"question {n} " * 20},)),
                f"answer {n} " * 20,
            )
        )
        ref = CallRef(calls[-1].key, "agent", n)
        records.append(SpanRecord(0, "step", f"step {n}", n, n + 3.0, "", {a.STEP: f"step {n}"}))
        records.append(SpanRecord(n, "tool", "execute_tool look", n, n + 1.0, "", {a.TOOL_NAME: "look"}))
        records.append(SpanRecord(n, "model", "chat fake", n + 1.0, n + 3.0, call=ref))
    item = Item("large", "gate/fake", 0, "unscored")
    output = Output("answer", calls=tuple(call.key for call in calls))
    result = Result(
        *(0, text_digest("key"), 0, None, output, (), None, item), spans=tuple(records[:spans]), began_at=1.0
    )
    store.record(run.id, calls=calls, results=[result], at=2.0)
    return version


async def measure(spans: int, times: int) -> dict[str, float]:
    """Milliseconds by what is done."""
    one, two = large(spans), large(spans, side=2)
    views = {"one trace": TraceView(after=one), "two, compared": TraceView(one, two, compared(one, two))}
    found: dict[str, float] = {}
    for name, view in views.items():
        found[f"made ready, {name}"] = _median(
            [_ms(lambda view=view: build(view, "both")) for _ in range(times)]
        )
        session = FakeSession(Path("/nowhere"))
        session.traces = view
        async with opened(session, size=(160, 50)) as (app, _, pilot):
            opens, moves, folds = [], [], []
            for _ in range(times):
                start = time.perf_counter()
                app.simulate_key("t")
                await _until(lambda: _steps(app) == spans and "▾ ■" in _screen(app))
                opens.append(time.perf_counter() - start)
                await _until(lambda: app.screen._loader.shown is app.screen.node)
                for key in ["j", "ctrl+d"] * (KEYS // 2):
                    before = app.screen.node
                    start = time.perf_counter()
                    app.simulate_key(key)
                    await _until(lambda before=before: app.screen._loader.shown is not before)
                    moves.append(time.perf_counter() - start)
                start = time.perf_counter()
                app.simulate_key("z")
                await _until(lambda: _steps(app) < spans)
                folds.append(time.perf_counter() - start)
                await pilot.press("escape")
            found[f"opened, {name}"] = _median(opens) * 1000
            found[f"a key, {name}"] = _median(moves) * 1000
            found[f"all folded, {name}"] = _median(folds) * 1000
    return found


def _steps(app: Any) -> int:
    trees = app.screen.query("#steps")
    return len(trees.first().keys) if trees else 0


def _screen(app: Any) -> str:
    return "".join(s.text for strip in app.screen._compositor.render_strips() for s in strip)


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - as soon as it holds
        await asyncio.sleep(0.001)


def _ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _median(values: list[float]) -> float:
    return statistics.median(values)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    found = asyncio.run(measure(options.spans, options.times))
    print(f"{options.spans:,} spans, median of {options.times}")
    found |= from_database(options.spans, options.times)
    for name, ms in found.items():
        print(f"  {name:<28} {ms:8.1f} ms")


if __name__ == "__main__":
    main()
