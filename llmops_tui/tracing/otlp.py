"""Traces → OTLP: `ExportTraceServiceRequest`s, as protobuf and as JSON.

Source: opentelemetry-proto 1.x, `collector/trace/v1/trace_service.proto`; its JSON is protobuf's with ids in
hexadecimal and enums as numbers (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from llmops_tui import __version__
from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.tracing.attributes import attributes
from llmops_tui.tracing.values import Value, text, value_of

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1 import trace_pb2

SERVICE = "llmops-tui"
#: Kinds that call another process for an answer; all others happen within.
_CLIENTS = frozenset(["model", "embedding"])
_NANOS = 1_000_000_000
#: Endings of a file → what is written into it.
FORMATS = {
    ".json": "OTLP/JSON, one request",
    ".jsonl": "OTLP/JSON, a request a line, as the collector's file exporter writes it",
    ".pb": "OTLP, one request as protobuf",
}
#: Bytes of one request, before it is packed. Collectors take 4 MB at least, and Langfuse asks for small ones.
BATCH_BYTES = 1 << 20


def batches(
    traces: Iterable[Trace], *, project: str = SERVICE, limit: int = BATCH_BYTES
) -> Iterator[ExportTraceServiceRequest]:
    """Requests of about `limit` bytes at most; a span that is larger is one on its own.

    Args:
        project: the project it lands in, for Phoenix.
    """
    request, spans, size = _empty(project)
    for trace in traces:
        for span in trace.spans:
            made = _span(trace, span)
            length = made.ByteSize()
            if spans and size + length > limit:
                yield request
                request, spans, size = _empty(project)
            spans.append(made)
            size += length
    if spans:
        yield request


def request_of(traces: Iterable[Trace], *, project: str = SERVICE) -> ExportTraceServiceRequest:
    """All of them as one request."""
    request, spans, _size = _empty(project)
    spans.extend(_span(trace, span) for trace in traces for span in trace.spans)
    return request


def encode(request: ExportTraceServiceRequest) -> bytes:
    """As it is sent."""
    return bytes(request.SerializeToString())


def jsonable(request: ExportTraceServiceRequest) -> dict[str, Any]:
    """OTLP/JSON."""
    import base64

    from google.protobuf.json_format import MessageToDict

    made: dict[str, Any] = MessageToDict(request, use_integers_for_enums=True)
    for resource in made.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64decode(span[name]).hex()
    return made


def _empty(project: str) -> tuple[ExportTraceServiceRequest, Any, int]:
    """A request without spans, the list that they go into, and its size in bytes."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    about: dict[str, Value] = {"service.name": SERVICE, "service.version": __version__}
    # Phoenix's name for what sorts traces; without it everything lands in `default`.
    about["openinference.project.name"] = text(project)
    resource.resource.attributes.extend(_key_values(about))
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = SERVICE, __version__
    return request, scope.spans, request.ByteSize()


def _span(trace: Trace, span: Span) -> trace_pb2.Span:
    from opentelemetry.proto.trace.v1 import trace_pb2

    start = _nanos(span.start)
    end = max(_nanos(span.end), start)
    is_error = span.status == "error"
    has = attributes(trace, span)
    made = trace_pb2.Span(
        trace_id=bytes.fromhex(trace.id),
        span_id=bytes.fromhex(span.id),
        parent_span_id=bytes.fromhex(span.parent_id),
        name=text(span.name),
        kind=trace_pb2.Span.SPAN_KIND_CLIENT if span.kind in _CLIENTS else trace_pb2.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        attributes=_key_values(has),
        status=trace_pb2.Status(
            code=trace_pb2.Status.STATUS_CODE_ERROR if is_error else trace_pb2.Status.STATUS_CODE_OK,
            message=text(span.error) if is_error else "",
        ),
    )
    for told in _events(span):
        event = made.events.add(time_unix_nano=_nanos(told["time"]), name=text(told["name"]))
        values = {str(name): value_of(value) for name, value in told["attributes"].items()}
        event.attributes.extend(_key_values({name: v for name, v in values.items() if v is not None}))
    if is_error and all(event.name != "exception" for event in made.events):
        event = made.events.add(time_unix_nano=end, name="exception")
        event.attributes.extend(
            _key_values({"exception.type": has[a.ERROR_TYPE], "exception.message": text(span.error)})
        )
    return made


def _events(span: Span) -> list[dict[str, Any]]:
    """What somebody's own program told of within a span."""
    told = span.attributes.get(a.EVENTS)
    return [
        event
        for event in (told if isinstance(told, list | tuple) else ())
        if isinstance(event, dict)
        and isinstance(event.get("name"), str)
        and isinstance(event.get("time"), int | float)
        and isinstance(event.get("attributes"), dict)
    ]


def _nanos(seconds: float) -> int:
    """Unix nanoseconds, as far as 64 bits hold them; what is no time is 0."""
    return min(max(round(seconds * _NANOS), 0), (1 << 64) - 1) if math.isfinite(seconds) else 0


def _key_values(values: dict[str, Value]) -> list[KeyValue]:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    return [KeyValue(key=text(name), value=_any(value)) for name, value in values.items()]


def _any(value: Value) -> AnyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue

    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case _:
            return AnyValue(array_value=ArrayValue(values=[_any(each) for each in value]))
