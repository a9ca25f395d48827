"""Records how one job comes about. Costs microseconds a span: it is always on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llmops_tui.domain.call import Call
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.trace import CallRef, SpanRecord


class Stopped(Exception):
    """The work within a span comes to an end early, and on purpose: no error of the span."""


class Clock:
    """Seconds since the trace began, as if nobody had waited and nothing had come from a cache."""

    __slots__ = ("_skew", "_start")

    def __init__(self, start: float, skew: float = 0.0) -> None:
        self._start = start
        self._skew = skew

    def now(self) -> float:
        return time.perf_counter() - self._start + self._skew

    def set(self, at: float) -> None:
        """From here on it is this late."""
        self._skew += at - self.now()

    def fork(self) -> Clock:
        """A clock of its own for what runs beside other things."""
        return Clock(self._start, self._skew)


class LiveSpan:
    """A span under way; it is put down when it ends.

    Attributes:
        attributes: may be filled until it ends. Redacted when the trace is made.
        chunks: what it retrieved.
    """

    __slots__ = (
        *("attributes", "call", "chunks", "clock", "end_s", "error", "kind", "name", "number", "parent"),
        *("start_s", "tracer"),
    )

    def __init__(self, tracer: Tracer, parent: int, kind: str, name: str, clock: Clock) -> None:
        self.tracer = tracer
        self.parent = parent
        self.kind = kind
        self.name = name
        self.clock = clock
        self.number = len(tracer.spans)
        self.start_s = clock.now()
        self.end_s: float | None = None
        self.error = ""
        self.attributes: dict[str, Any] = {}
        self.call: CallRef | None = None
        self.chunks: tuple[Chunk, ...] | None = None
        tracer.spans.append(self)

    @contextmanager
    def span(self, kind: str, name: str, clock: Clock | None = None) -> Iterator[LiveSpan]:
        """A span within this one. What is raised in it is its error, and goes on.

        Args:
            clock: of its own, for what runs beside other things; by default this span's.
        """
        child = LiveSpan(self.tracer, self.number, kind, name, clock or self.clock)
        try:
            yield child
        except Stopped:
            raise
        except BaseException as error:
            child.error = child.error or str(error) or type(error).__name__
            raise
        finally:
            child.end()

    def end(self) -> None:
        if self.end_s is None:
            self.end_s = self.clock.now()

    def asked(self, call: Call) -> None:
        """It is this call: it took as long as that, wherever the answer came from."""
        self.call = CallRef(call.key, call.draw.step, call.draw.occurrence, call.draw.generation)
        self.clock.set(self.start_s + call.latency_s)

    def add(self, records: tuple[SpanRecord, ...]) -> list[LiveSpan]:
        """Spans that were recorded elsewhere (their roots have the parent -1), moved to where this begins."""
        first = len(self.tracer.spans)
        made: list[LiveSpan] = []
        for record in records:
            parent = self.number if record.parent < 0 else first + record.parent
            span = LiveSpan(self.tracer, parent, record.kind, record.name, self.clock)
            span.start_s = self.start_s + record.start_s
            span.end_s = self.start_s + record.end_s
            span.error, span.attributes, span.call = record.error, dict(record.attributes), record.call
            made.append(span)
        return made


class Tracer:
    """The spans of one job, in the order in which they began."""

    def __init__(self, name: str) -> None:
        self.began_at = time.time()
        self.spans: list[LiveSpan] = []
        self.root = LiveSpan(self, -1, "request", name, Clock(time.perf_counter()))

    def records(self, retrieved: dict[int, int], since: LiveSpan | None = None) -> tuple[SpanRecord, ...]:
        """What was recorded.

        Args:
            retrieved: number of a span → place of its first chunk in what was retrieved in all.
            since: only what is within this span, as `LiveSpan.add` takes it.
        """
        if since is None:
            self.root.end()
        shift = since.start_s if since is not None else 0.0
        places: dict[int, int] = {}
        records: list[SpanRecord] = []
        for span in self.spans:
            if since is not None:
                if span.parent != since.number and span.parent not in places:
                    continue
                places[span.number] = len(records)
            span.end()
            first = retrieved.get(span.number)
            parent = span.parent if since is None else places.get(span.parent, -1)
            records.append(
                SpanRecord(
                    parent,
                    span.kind,
                    span.name,
                    round(span.start_s - shift, 6),
                    round((span.end_s or 0.0) - shift, 6),
                    span.error,
                    span.attributes,
                    span.call,
                    None if first is None or span.chunks is None else (first, first + len(span.chunks)),
                )
            )
        return tuple(records)
