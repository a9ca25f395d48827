"""One request of `/v1/logs` → the messages, scores and signals that programs write as events.

Programs that follow the conventions before 1.37 write messages as log records and leave them off the span.
All records of one span in a request become one span below it, of the kind `other`, with `llmops.dialect`
`gen_ai.logs`: nothing has to wait for the span that they belong to, and what is sent twice is the same span.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.tracing.incoming.dialects import translate
from llmops_tui.tracing.incoming.feedback import RESULT, SIGNALS, score, signal
from llmops_tui.tracing.incoming.otlp import set_aside
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.raw import Event, Raw, Record
from llmops_tui.tracing.incoming.safe import within_limits
from llmops_tui.tracing.incoming.said import MESSAGE_EVENTS

#: `llmops.dialect` of a span that was made of log records.
DIALECT = "gen_ai.logs"
NAME = "messages"


def read_otlp_logs(body: bytes, *, is_json: bool) -> Batch:
    """GenAI events of a request. Other log records are none of ours and passed over.

    Args:
        body: unpacked; an `ExportLogsServiceRequest` as protobuf, or as OTLP/JSON.

    Raises:
        IncomingError: the body is no such request.
    """
    from llmops_tui.tracing.incoming import otlp_json, protobuf

    batch = Batch([], [], [], [])
    told: dict[tuple[str, str], list[Record]] = {}
    for n, record in enumerate((otlp_json if is_json else protobuf).records(body), start=1):
        if isinstance(record, tuple):
            why, name = record
            batch.aside.append(set_aside("log record", n, why, name))
            continue
        try:
            _take(batch, told, record)
        except BadSpan as error:
            batch.aside.append(set_aside("log record", n, error, record.name))
    with within_limits():
        for records in told.values():
            if (arrived := _spoken(records)) is not None:
                batch.spans.append(arrived)
    return batch


def _take(batch: Batch, told: dict[tuple[str, str], list[Record]], record: Record) -> None:
    has = {**(record.body if isinstance(record.body, dict) else {}), **record.attributes}
    if record.name in SIGNALS:
        batch.signals.append(signal(has, record.trace_id, record.at))
    elif record.name == RESULT:
        if not record.trace_id:
            raise BadSpan("a score has to name its trace")
        if made := score(has, record.trace_id, record.at, "gen_ai"):
            batch.scores.append(made)
    elif record.name in MESSAGE_EVENTS:
        if not record.trace_id or not record.span_id:
            raise BadSpan("a message has to name its trace and span")
        told.setdefault((record.trace_id, record.span_id), []).append(record)


def _spoken(records: list[Record]) -> Arrived | None:
    """Records of one span as a span below it."""
    first, attributes = records[0], {}
    for record in records:
        for name in ("gen_ai.system", a.PROVIDER):
            if name in record.attributes:
                attributes[name] = record.attributes[name]
    events = [Event(r.name, r.at, {**r.attributes, **_body(r.body)}) for r in records]
    raw = Raw(
        first.trace_id,
        _id(records),
        first.span_id,
        NAME,
        0,
        min(r.at for r in records),
        max(r.at for r in records),
        attributes,
        events,
        0,
        "",
        [],
        first.resource,
        "",
    )
    span = translate(raw)
    if span is None:
        return None
    # The call itself is the span above: this one must not count as a second.
    known = {**span.attributes, a.DIALECT: DIALECT}
    return Arrived(first.trace_id, msgspec.structs.replace(span, kind="other", attributes=known))


def _body(body: Any) -> dict[str, Any]:
    return body if isinstance(body, dict) else {"content": body} if isinstance(body, str) and body else {}


def _id(records: list[Record]) -> str:
    """16 hexadecimal digits; the same records have the same."""
    told = [[r.trace_id, r.span_id, r.name, r.at, r.attributes, r.body] for r in records]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:16]
