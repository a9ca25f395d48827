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
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "app"), str(Path(__file__).parents[1])]

from fake_session import FakeSession  # noqa: E402
from made_up_traces import compared, large  # noqa: E402
from piloting import opened  # noqa: E402

from llmops_tui.app.trace_doc import build  # noqa: E402
from llmops_tui.engine.trace_events import TraceView  # noqa: E402

KEYS = 50


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
    for name, ms in found.items():
        print(f"  {name:<28} {ms:8.1f} ms")


if __name__ == "__main__":
    main()
