"""The fake server beside a command that runs in this process: on a loop and in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fake_openai import FakeOpenAI, Script


@contextmanager
def serving(script: Script | None = None) -> Iterator[FakeOpenAI]:
    """A server that answers by `script`, or by the model's name."""
    server = FakeOpenAI(script)
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
