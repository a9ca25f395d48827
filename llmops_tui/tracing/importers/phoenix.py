"""Phoenix: spans as its pages, its client and its dataframes write them (`df.to_json`).

Source: Arize-ai/phoenix, `Span` of its REST API (`context`, `span_kind`, `parent_id`, flattened attributes),
the columns of `get_spans_dataframe` (`context.trace_id`, `attributes.llm.model_name`), annotations as
attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from llmops_tui.tracing.importers import ids
from llmops_tui.tracing.importers.formats import Importer, importer
from llmops_tui.tracing.importers.portion import Portion, raw_span
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.raw import Event
from llmops_tui.tracing.incoming.reading import word
from llmops_tui.tracing.incoming.safe import decoded

#: JSON texts in OpenInference, which Phoenix unpacks.
_TEXTS = frozenset(
    [
        "metadata",
        "llm.invocation_parameters",
        "llm.prompt_template.variables",
        "tool.parameters",
        "input.value",
        "output.value",
    ]
)
_ATTRIBUTES = "attributes."


@importer("phoenix", "spans of Phoenix")
class Phoenix(Importer):
    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        if "context.trace_id" in record:
            return "it has a context.trace_id"
        context = record.get("context")
        if isinstance(context, dict) and "trace_id" in context and "start_time" in record:
            return "it has a context and a start_time"
        data = record.get("data")
        return (
            cls.recognised(data[0]) if isinstance(data, list) and data and isinstance(data[0], dict) else ""
        )

    def read(self, record: dict[str, Any], into: Portion) -> None:
        if isinstance(record.get("context.trace_id"), dict):
            for row in _rows(record):
                self._span(row, into)
        elif (
            "context" not in record
            and "context.trace_id" not in record
            and isinstance(record.get("data"), list)
        ):
            for row in record["data"]:
                self._span(row if isinstance(row, dict) else {}, into)
        else:
            self._span(record, into)

    def _span(self, record: dict[str, Any], into: Portion) -> None:
        context = record.get("context")
        held = context if isinstance(context, dict) else {}
        trace = word(held.get("trace_id") or record.get("context.trace_id"))
        span = word(held.get("span_id") or record.get("context.span_id") or record.get("index"))
        start = ids.moment(record.get("start_time"))
        if not trace or not span or start is None:
            missing = "trace id" if not trace else "span id" if not span else "start_time"
            raise BadSpan(f"the span has no {missing}")
        attributes = dict(_flat(record.get("attributes")))
        for name, value in record.items():
            if name.startswith(_ATTRIBUTES) and value is not None:
                attributes.update(_flattened(name.removeprefix(_ATTRIBUTES), value))
        kind = word(record.get("span_kind"))
        if kind and kind != "UNKNOWN":
            attributes.setdefault("openinference.span.kind", kind)
        failed = str(record.get("status_code")).upper() == "ERROR"
        raw = raw_span(
            trace,
            span,
            word(record.get("parent_id")) or "",
            word(record.get("name")) or "",
            start,
            ids.moment(record.get("end_time")),
            attributes,
            error=(word(record.get("status_message")) or "") if failed else None,
        )
        raw.events = list(_events(record.get("events"), start))
        into.span(raw)


def _rows(columns: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`df.to_json()` writes column for column: name → row → value."""
    for row in columns["context.trace_id"]:
        found = {name: cells.get(row) for name, cells in columns.items() if isinstance(cells, dict)}
        yield {"context.span_id": row, **{name: value for name, value in found.items() if value is not None}}


def _flat(attributes: Any) -> Iterator[tuple[str, Any]]:
    attributes = decoded(attributes)
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        yield from _flattened(name, value).items()


def _flattened(name: str, value: Any) -> dict[str, Any]:
    """Names as OpenTelemetry has them: `llm.input_messages.0.message.role`."""
    if name in _TEXTS and isinstance(value, dict | list):
        return {name: msgspec.json.encode(value).decode()}
    found: dict[str, Any] = {}
    if isinstance(value, dict):
        for key, each in value.items():
            found.update(_flattened(f"{name}.{key}", each))
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for n, each in enumerate(value):
            found.update(_flattened(f"{name}.{n}", each))
    elif value is not None:
        found[name] = value
    return found


def _events(held: Any, start: float) -> Iterator[Event]:
    held = decoded(held)
    for event in held if isinstance(held, list) else ():
        if isinstance(event, dict):
            attributes = event.get("attributes")
            at = ids.moment(event.get("timestamp"))
            about = attributes if isinstance(attributes, dict) else {}
            yield Event(str(event.get("name", "")), start if at is None else at, about)
