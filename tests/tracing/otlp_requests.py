"""OTLP requests of spans that are written down as plain mappings, as real SDKs wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from llmops_tui.domain.live.arrival import Batch
from llmops_tui.domain.trace import Span
from llmops_tui.tracing.incoming import read_otlp

BEGAN = 1_764_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
RECORDED = Path(__file__).parent / "recorded"


def any_value(value: Any) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
        case _:
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))


def pairs(values: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=any_value(value)) for name, value in values.items()]


def request_of(
    spans: list[dict[str, Any]], resource: dict[str, Any] | None = None
) -> ExportTraceServiceRequest:
    """Spans as `{"name", "id", "parent", "scope", "attributes", "events", "status"…}`; all but the name may
    be left out."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(pairs({"service.name": "helpdesk"} if resource is None else resource))
    for n, span in enumerate(spans, start=1):
        scoped = group.scope_spans.add()
        scoped.scope.name = span.get("scope", "")
        made = scoped.spans.add(
            name=span.get("name", "span"),
            kind=span.get("kind", 1),
            trace_id=bytes.fromhex(span.get("trace", TRACE)),
            span_id=bytes.fromhex(span.get("id", f"{n:016x}")),
            parent_span_id=bytes.fromhex(span.get("parent", "")),
            start_time_unix_nano=int((BEGAN + span.get("at", 0)) * 1_000_000_000),
            end_time_unix_nano=int((BEGAN + span.get("at", 0) + span.get("length", 2)) * 1_000_000_000),
            attributes=pairs(span.get("attributes", {})),
        )
        made.status.code = span.get("status", 0)
        made.status.message = span.get("message", "")
        for link in span.get("links", ()):
            made.links.add(trace_id=bytes.fromhex(link), span_id=bytes.fromhex("ab" * 8))
        for event in span.get("events", ()):
            at = int((BEGAN + event.get("at", 0.5)) * 1_000_000_000)
            told = made.events.add(name=event["name"], time_unix_nano=at)
            told.attributes.extend(pairs(event.get("attributes", {})))
    return request


def read(spans: list[dict[str, Any]], resource: dict[str, Any] | None = None) -> Batch:
    return read_otlp(request_of(spans, resource).SerializeToString(), is_json=False)


def one(attributes: dict[str, Any], **rest: Any) -> Span:
    """A single span of these attributes, translated."""
    batch = read([{"attributes": attributes, **rest}])
    assert batch.aside == []
    (arrived,) = batch.spans
    return arrived.span


def recorded(name: str) -> list[Span]:
    """What an SDK wrote when it was tried, translated."""
    batch = read(json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8")))
    assert batch.aside == []
    return [arrived.span for arrived in batch.spans]
