"""Where the spans of one running step are gathered, and who takes them in the end."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

#: Spans of one step at most; the rest is counted.
SPAN_LIMIT = 2_000


class Recorder(Protocol):
    """Takes spans, each parent before its children."""

    def span(
        self,
        kind: str,
        name: str,
        start: float,
        end: float,
        attributes: dict[str, Any],
        error: str,
        parent: int,
    ) -> int:
        """A span that ended. Texts are not redacted yet.

        Args:
            kind: of `domain.trace.Kind`: `model`, `embedding`, or what OpenTelemetry told (`other` mostly).
            start, end: Unix seconds.
            error: empty where nothing went wrong.
            parent: what `span` gave for its parent; -1: the step itself.

        Returns:
            What names this span as a parent.
        """


class Seen(msgspec.Struct):
    """A span before it is recorded.

    Attributes:
        key: its own name within the step.
        parent: key of the span that it lies in; empty: the step.
        is_ours: a hook of ours saw the request; not what OpenTelemetry told.
    """

    key: str
    parent: str
    kind: str
    name: str
    start: float
    end: float
    attributes: dict[str, Any] = {}
    error: str = ""
    is_ours: bool = True


class Scope:
    """The spans that one running step makes by other ways than ours. May be told from any thread.

    Args:
        own: `host:port` of the gateway: what is asked there is recorded there.
    """

    def __init__(self, own: str = "") -> None:
        self.own = own
        self._seen: list[Seen] = []
        self._counted: set[str] = set()
        self._dropped = 0
        self._open: set[Any] = set()
        self._closed = False
        self._lock = threading.Lock()

    def add(self, seen: Seen) -> None:
        """A span that ended; one that ends after its step is left out."""
        with self._lock:
            if self._closed:
                return
            if len(self._seen) >= SPAN_LIMIT:
                self._dropped += 1
                return
            self._seen.append(seen)

    def begin(self, exchange: Any) -> None:
        """A request that is under way; `finish` ends it, with what has come, if it has not ended by then."""
        with self._lock:
            if not self._closed:
                self._open.add(exchange)

    def ended(self, exchange: Any) -> None:
        with self._lock:
            self._open.discard(exchange)

    def asked_us(self, parent: str) -> None:
        """The gateway was asked inside of a span of OpenTelemetry: the tokens are counted by us."""
        if parent:
            with self._lock:
                self._counted.add(parent)

    def finish(self, recorder: Recorder) -> None:
        """Give all spans to the recorder, parents first, siblings by start. A second time does nothing."""
        with self._lock:
            unread = tuple(self._open)
        for exchange in unread:
            exchange.end("was not read to its end")
        with self._lock:
            if self._closed:
                return
            self._closed = True
            seen, self._seen = self._seen, []
        _count_once(seen, self._counted)
        known = {each.key for each in seen}
        children: dict[str, list[Seen]] = {}
        for each in sorted(seen, key=lambda s: s.start):
            children.setdefault(each.parent if each.parent in known else "", []).append(each)
        stack = [(-1, each) for each in reversed(children.get("", ()))]
        while stack:
            parent, each = stack.pop()
            place = recorder.span(
                each.kind, each.name, each.start, each.end, each.attributes, each.error, parent
            )
            stack += [(place, child) for child in reversed(children.get(each.key, ()))]
        if self._dropped:
            now = time.time()
            recorder.span("other", f"{self._dropped:,} further spans, not kept", now, now, {}, "", -1)


def _count_once(seen: list[Seen], counted: set[str]) -> None:
    """Tokens count once: a span of OpenTelemetry around a request that we saw is not taken for a model's."""
    by_key = {each.key: each for each in seen}
    around = [each.parent for each in seen if each.is_ours] + list(counted)
    passed: set[str] = set()
    for key in around:
        while key in by_key and key not in passed:
            passed.add(key)
            each = by_key[key]
            if not each.is_ours and each.kind in ("model", "embedding"):
                each.kind = "other"
            key = each.parent


class SpanList:
    """A recorder that keeps a list; each entry's parent is a place in it."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, float, float, dict[str, Any], str, int]] = []

    def span(
        self,
        kind: str,
        name: str,
        start: float,
        end: float,
        attributes: dict[str, Any],
        error: str,
        parent: int,
    ) -> int:
        self.spans.append((kind, name, start, end, attributes, error, parent))
        return len(self.spans) - 1


#: The scope of the step that runs.
current: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("llmops_step", default=None)


@contextlib.contextmanager
def recording(scope: Scope | None) -> Iterator[None]:
    """What is called inside is recorded in this scope; None: not at all."""
    token = current.set(scope)
    try:
        yield
    finally:
        current.reset(token)
