"""Room for what is under way, so that a flood can't take the machine's memory."""

from __future__ import annotations

import asyncio
from types import TracebackType

from llmops_tui.monitoring.collector.answers import Refusal


class Received:
    """Bytes of bodies that came and were not read yet. Full, it refuses with a 503."""

    def __init__(self, limit: int, retry_s: int) -> None:
        self.limit = limit
        self.retry_s = retry_s
        self.bytes = 0

    def hold(self) -> Held:
        """One request's share of it."""
        return Held(self)


class Held:
    """What one request holds; given back when it is left."""

    def __init__(self, received: Received) -> None:
        self._received = received
        self._bytes = 0

    def add(self, count: int) -> None:
        """Raises a `Refusal` where there is no room: what is alone always has some."""
        others = self._received.bytes - self._bytes
        if others and self._received.bytes + count > self._received.limit:
            raise Refusal(
                503,
                "more is coming in than can be kept: try again later",
                retry_s=self._received.retry_s,
            )
        self._bytes += count
        self._received.bytes += count

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._received.bytes -= self._bytes
        self._bytes = 0


class Waiting:
    """What was read and is not durable yet. Full, it lets the next wait."""

    def __init__(self, bytes_limit: int, spans_limit: int) -> None:
        self._bytes_limit = bytes_limit
        self._spans_limit = spans_limit
        self._changed = asyncio.Condition()
        self.bytes = 0
        self.spans = 0
        self.requests = 0

    @property
    def is_full(self) -> bool:
        return self.bytes >= self._bytes_limit or self.spans >= self._spans_limit

    async def has_room(self) -> None:
        """Returns as soon as there is some."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.is_full)

    def take(self, size: int, spans: int) -> None:
        self.bytes += size
        self.spans += spans
        self.requests += 1

    async def give_back(self, size: int, spans: int) -> None:
        self.bytes -= size
        self.spans -= spans
        self.requests -= 1
        async with self._changed:
            self._changed.notify_all()
