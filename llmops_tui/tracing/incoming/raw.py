"""Spans and log records as OTLP has them, before anybody's conventions are looked at."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.tracing.incoming.problems import BadSpan

#: `STATUS_CODE_ERROR` of opentelemetry-proto.
ERROR = 2
#: `SPAN_KIND_CLIENT`.
CLIENT = 3


class Event(msgspec.Struct):
    """Something that was told of within a span.

    Attributes:
        at: Unix seconds.
    """

    name: str
    at: float
    attributes: dict[str, Any]


class Raw(msgspec.Struct):
    """A span. Values of attributes are JSON values that are safe to keep.

    Attributes:
        trace_id, span_id, parent_id: hexadecimal, lower case; the parent's is empty for a root.
        start, end: Unix seconds.
        kind: number of the protocol's `SpanKind`.
        status: number of the protocol's `StatusCode`.
        links: trace ids of the spans that it is linked to.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    start: float
    end: float
    attributes: dict[str, Any]
    events: list[Event]
    status: int
    message: str
    links: list[str]
    resource: dict[str, Any]
    scope: str


class Record(msgspec.Struct):
    """A log record that is an event.

    Attributes:
        at: Unix seconds.
        trace_id, span_id: of the span within which it was written; perhaps empty.
    """

    name: str
    at: float
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    body: Any
    resource: dict[str, Any]


def hex_id(value: bytes, length: int, what: str) -> str:
    """Bytes of an id → hexadecimal.

    Raises:
        BadSpan: they are too few, too many, or all zero (which the protocol calls invalid).
    """
    if len(value) != length:
        found = f"{len(value)} bytes" if value else "nothing"
        raise BadSpan(f"{what} has to be {length} bytes, and is {found}")
    if not any(value):
        raise BadSpan(f"{what} is all zeros")
    return value.hex()


def hex_parent(value: bytes) -> str:
    """As `hex_id`; none, or all zeros, is a root's."""
    return hex_id(value, 8, "the parent's span id") if any(value) else ""
