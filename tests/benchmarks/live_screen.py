"""The Live screen over a million spans: from the key to the frame that shows it, from a filter to figures.

    python tests/benchmarks/live_store.py --database million.db     # makes the database
    python tests/benchmarks/live_screen.py --database million.db

The app runs without a terminal over a real session, its clock standing at the end of the traffic. What is
measured is what a person waits for: figures, list and plot are all on screen. `first` is the first time in a
new process.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import msgspec  # noqa: E402
from live_store import END, FILTERS  # noqa: E402
from small_workspace import write_workspace  # noqa: E402

from llmops_tui.app.app import LlmopsApp  # noqa: E402
from llmops_tui.app.settings import Settings  # noqa: E402
from llmops_tui.domain.live.listing import LiveFilter  # noqa: E402
from llmops_tui.engine.session import Session  # noqa: E402
from llmops_tui.store.live import LIVE_DATABASE  # noqa: E402

TIMES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmops-live-screen-") as folder:
        root = write_workspace(Path(folder) / "ws")
        (root / LIVE_DATABASE).parent.mkdir()
        shutil.copyfile(given.database, root / LIVE_DATABASE)
        asyncio.run(measured(root))


async def measured(root: Path) -> None:
    session = Session(root)
    app = LlmopsApp(session, Settings(theme="llmops-dark"), clock=lambda: END)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: app.is_engine_up and not app.model.bench.running)
            print(f"{'':<34}{'first':>8}{'best':>8}   seconds")
            await told("opens, 24 h", lambda: reopened(app, pilot))
            for window in (3_600, 6 * 3_600, 24 * 3_600, 7 * 86_400, 30 * 86_400):
                for name, parts in FILTERS.items():
                    if name.startswith("only") or name == "provider":
                        continue
                    wanted = LiveFilter(**parts)
                    what = f"{window // 3_600} h, {name}"
                    await told(
                        what, lambda wanted=wanted, window=window: filtered(app, pilot, wanted, window)
                    )
    finally:
        session.close()


async def told(what: str, act: Callable[[], Awaitable[float]]) -> None:
    took = [await act() for _ in range(TIMES)]
    print(f"{what:<34}{took[0]:>8.3f}{min(took):>8.3f}", flush=True)


async def reopened(app: Any, pilot: Any) -> float:
    await pilot.press("1")
    await pilot.pause()
    start = time.perf_counter()
    await pilot.press("5")
    await until(pilot, lambda: is_shown(app))
    return time.perf_counter() - start


async def filtered(app: Any, pilot: Any, wanted: LiveFilter, window: int) -> float:
    screen = app.screen
    # Something else first, so that all of it is read anew.
    screen.set_state(
        msgspec.structs.replace(screen.state, wanted=LiveFilter(version="v1"), window_s=3_600), *PARTS
    )
    await until(pilot, lambda: is_shown(app))
    start = time.perf_counter()
    screen.set_state(msgspec.structs.replace(screen.state, wanted=wanted, window_s=window), *PARTS)
    await until(pilot, lambda: is_shown(app))
    return time.perf_counter() - start


PARTS = ("figures", "requests", "plot")


def is_shown(app: Any) -> bool:
    screen = app.screen
    loader = getattr(screen, "_loader", None)
    return loader is not None and screen.overview is not None and not loader.is_busy


async def until(pilot: Any, holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - a benchmark looks from outside
        await asyncio.sleep(0.002)
    await pilot.pause()


if __name__ == "__main__":
    main()
