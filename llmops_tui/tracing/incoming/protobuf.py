"""OTLP's protobuf form → `Raw` spans and `Record`s."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llmops_tui.tracing.incoming.problems import BadSpan, IncomingError
from llmops_tui.tracing.incoming.raw import Event, Raw, Record, hex_id, hex_parent
from llmops_tui.tracing.incoming.safe import DEPTH, text

#: Whole, so that the quotient is the nearest double.
_NANOS = 1_000_000_000


def spans(body: bytes) -> Iterator[Raw | tuple[BadSpan, str]]:
    """Every span of an `ExportTraceServiceRequest`; of one that can't be taken, why and its name.

    Raises:
        IncomingError: the body is no such request.
    """
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    for group in _parsed(ExportTraceServiceRequest, body).resource_spans:
        resource = _values(group.resource.attributes, lenient=True)
        for scoped in group.scope_spans:
            scope = text(scoped.scope.name)
            for span in scoped.spans:
                try:
                    yield _span(span, resource, scope)
                except BadSpan as error:
                    yield error, text(span.name)


def records(body: bytes) -> Iterator[Record | tuple[BadSpan, str]]:
    """Every log record of an `ExportLogsServiceRequest` that is an event.

    Raises:
        IncomingError: the body is no such request.
    """
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    for group in _parsed(ExportLogsServiceRequest, body).resource_logs:
        resource = _values(group.resource.attributes, lenient=True)
        for scoped in group.scope_logs:
            for record in scoped.log_records:
                try:
                    found = _record(record, resource)
                except BadSpan as error:
                    yield error, text(record.event_name)
                else:
                    if found.name:
                        yield found


def _parsed(kind: Any, body: bytes) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(body)
    except DecodeError:
        raise IncomingError(
            f"the body is no OTLP protobuf ({kind.DESCRIPTOR.name}), or a text in it is no UTF-8"
        ) from None


def _span(span: Any, resource: dict[str, Any], scope: str) -> Raw:
    start = span.start_time_unix_nano / _NANOS
    events = span.events
    links = span.links
    status = span.status
    return Raw(
        hex_id(span.trace_id, 16, "the trace id"),
        hex_id(span.span_id, 8, "the span id"),
        hex_parent(span.parent_span_id),
        text(span.name),
        span.kind,
        start,
        max(span.end_time_unix_nano / _NANOS, start),
        _values(span.attributes),
        [Event(text(e.name), e.time_unix_nano / _NANOS, _values(e.attributes)) for e in events]
        if events
        else [],
        status.code,
        text(status.message),
        [link.trace_id.hex() for link in links if len(link.trace_id) == 16] if links else [],
        resource,
        scope,
    )


def _record(record: Any, resource: dict[str, Any]) -> Record:
    attributes = _values(record.attributes)
    at = record.time_unix_nano or record.observed_time_unix_nano
    return Record(
        text(record.event_name) or str(attributes.get("event.name") or ""),
        at / _NANOS,
        hex_id(record.trace_id, 16, "the trace id") if record.trace_id else "",
        hex_id(record.span_id, 8, "the span id") if record.span_id else "",
        attributes,
        _value(record.body, DEPTH),
        resource,
    )


def _values(pairs: Iterable[Any], *, lenient: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        kind = value.WhichOneof("value")
        if kind == "string_value":
            made: Any = value.string_value
            if "\0" in made:
                made = text(made)
        elif kind == "int_value":
            made = value.int_value
        else:
            try:
                made = _value(value, DEPTH)
            except BadSpan:
                if not lenient:
                    raise
                made = None
        key = pair.key
        found[text(key) if "\0" in key else key] = made
    return found


def _value(value: Any, depth: int) -> Any:
    read = _KINDS.get(value.WhichOneof("value"))
    if read is None:
        return None
    if depth <= 0:
        raise BadSpan(f"values are nested deeper than {DEPTH}")
    return read(value, depth)


def _double(value: Any, _depth: int) -> float | str:
    number: float = value.double_value
    return number if math.isfinite(number) else str(number)


#: Member of the protocol's `AnyValue` → its reader.
_KINDS: dict[str | None, Callable[[Any, int], Any]] = {
    "string_value": lambda value, _depth: text(value.string_value),
    "bool_value": lambda value, _depth: value.bool_value,
    "int_value": lambda value, _depth: value.int_value,
    "double_value": _double,
    "array_value": lambda value, depth: [_value(each, depth - 1) for each in value.array_value.values],
    "kvlist_value": lambda value, depth: {
        text(pair.key): _value(pair.value, depth - 1) for pair in value.kvlist_value.values
    },
    "bytes_value": lambda value, _depth: f"({len(value.bytes_value)} bytes)",
}
