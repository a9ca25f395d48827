"""What the collector needs of others, as protocols: it knows no database, no prices and no dialect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from llmops_tui.domain.live.arrival import Batch


class Ingested(Protocol):
    """What of some batches was new."""

    @property
    def spans(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def signals(self) -> int: ...
    @property
    def scores(self) -> int: ...


class Writer(Protocol):
    """Keeps batches. Opened, called and closed in one thread."""

    def ingest(self, batches: Sequence[Batch], now: float) -> Ingested:
        """Keep all of them, or none and raise. When it returns they are durable."""
        ...

    def close(self) -> None: ...


#: Opens the writer, in the thread that it is used in; again where its file was taken away (`DatabaseGone`).
OpenWriter = Callable[[], Writer]

#: A batch priced, attributed and redacted. Called in the thread that decodes.
Intake = Callable[[Batch], Batch]


class Decode(Protocol):
    """The body of a request → what it holds.

    Raises:
        LlmopsError: it can't be read; a sentence.
    """

    def __call__(self, body: bytes, *, is_json: bool) -> Batch: ...


class Task(Protocol):
    """Work beside the receiver: online evals, alerts, retention, the canary.

    Attributes:
        name: for sentences: `alerts`.
    """

    @property
    def name(self) -> str: ...

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, or until there is nothing more to do. What it raises is told, and it
        is run again some time later."""
        ...
