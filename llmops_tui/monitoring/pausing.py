"""Waiting that ends at once when it is to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

#: Waits so many seconds, or until the event is set.
Pause = Callable[[float, asyncio.Event], Awaitable[None]]


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait so many seconds, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
