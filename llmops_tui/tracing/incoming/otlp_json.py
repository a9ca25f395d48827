"""OTLP's JSON form → `Raw` spans and `Record`s.

Its rules (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): names in camelCase, ids in
hexadecimal, 64-bit integers as texts, enums as numbers. Exporters break each of them, so snake_case, base64,
numbers and names of enums are read as well.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from llmops_tui.tracing.incoming.problems import BadSpan, IncomingError
from llmops_tui.tracing.incoming.raw import Event, Raw, Record, hex_id, hex_parent
from llmops_tui.tracing.incoming.safe import DEPTH, safe, text

#: Whole, so that the quotient is the nearest double.
_NANOS = 1_000_000_000
_SPAN_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUS_CODES = ("UNSET", "OK", "ERROR")
_NOT_A_NUMBER = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def spans(body: bytes) -> Iterator[Raw | tuple[BadSpan, str]]:
    """Every span of a request; of one that can't be taken, why and its name.

    Raises:
        IncomingError: the body is no such request.
    """
    for group in _groups(body, "resourceSpans", "resource_spans"):
        resource = _resource(group)
        for scoped in _list(group, "scopeSpans", "scope_spans") or _list(
            group, "instrumentationLibrarySpans", "instrumentation_library_spans"
        ):
            scope = _dict(scoped, "scope", "instrumentationLibrary").get("name")
            for span in _list(scoped, "spans"):
                try:
                    yield _span(span, resource, text(scope) if isinstance(scope, str) else "")
                except BadSpan as error:
                    yield error, _name(span, "name")


def records(body: bytes) -> Iterator[Record | tuple[BadSpan, str]]:
    """Every log record of a request that is an event.

    Raises:
        IncomingError: the body is no such request.
    """
    for group in _groups(body, "resourceLogs", "resource_logs"):
        resource = _resource(group)
        for scoped in _list(group, "scopeLogs", "scope_logs"):
            for record in _list(scoped, "logRecords", "log_records"):
                try:
                    found = _record(record, resource)
                except BadSpan as error:
                    yield error, _name(record, "eventName")
                else:
                    if found.name:
                        yield found


def _groups(body: bytes, *names: str) -> list[dict[str, Any]]:
    request = _parsed(body)
    if not isinstance(request, dict):
        raise IncomingError(f"the body is no OTLP/JSON: an object with `{names[0]}` is expected")
    groups = request.get(names[0], request.get(names[1], []))
    if not isinstance(groups, list):
        raise IncomingError(f"`{names[0]}` has to be a list")
    if not groups and request and not any(name in request for name in names):
        raise IncomingError(f"the body has no `{names[0]}`")
    return [group for group in groups if isinstance(group, dict)]


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise IncomingError("the JSON is nested too deep") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        reason = error
    try:
        # Halves of characters and NaN, which JavaScript and Python write, are no reason to lose a request.
        return json.loads(body)
    except RecursionError:
        raise IncomingError("the JSON is nested too deep") from None
    except UnicodeDecodeError as error:
        raise IncomingError(f"the body is no UTF-8 (byte {error.start})") from None
    except ValueError:
        raise IncomingError(f"the body is no JSON: {reason}") from None


def _list(holder: Any, *names: str) -> list[Any]:
    for name in names:
        if isinstance(found := holder.get(name) if isinstance(holder, dict) else None, list):
            return found
    return []


def _dict(holder: Any, *names: str) -> dict[str, Any]:
    for name in names:
        if isinstance(found := holder.get(name) if isinstance(holder, dict) else None, dict):
            return found
    return {}


def _name(holder: Any, name: str) -> str:
    value = holder.get(name) if isinstance(holder, dict) else None
    return text(value) if isinstance(value, str) else ""


def _resource(group: dict[str, Any]) -> dict[str, Any]:
    try:
        return _values(_list(_dict(group, "resource"), "attributes"))
    except BadSpan:
        return {}


def _span(span: Any, resource: dict[str, Any], scope: str) -> Raw:
    if not isinstance(span, dict):
        raise BadSpan("a span has to be an object")
    get = span.get
    status = _dict(span, "status")
    start = _nanos(get("startTimeUnixNano", get("start_time_unix_nano")))
    return Raw(
        hex_id(_id(get("traceId", get("trace_id")), 16), 16, "the trace id"),
        hex_id(_id(get("spanId", get("span_id")), 8), 8, "the span id"),
        hex_parent(_id(get("parentSpanId", get("parent_span_id")), 8)),
        _name(span, "name"),
        _enum(get("kind"), "SPAN_KIND_", _SPAN_KINDS),
        start,
        max(_nanos(get("endTimeUnixNano", get("end_time_unix_nano"))), start),
        _values(_list(span, "attributes")),
        [_event(event) for event in _list(span, "events")],
        _enum(status.get("code"), "STATUS_CODE_", _STATUS_CODES),
        _name(status, "message"),
        [found for link in _list(span, "links") if (found := _linked(link))],
        resource,
        scope,
    )


def _event(event: Any) -> Event:
    if not isinstance(event, dict):
        raise BadSpan("an event has to be an object")
    at = _nanos(event.get("timeUnixNano", event.get("time_unix_nano")))
    return Event(_name(event, "name"), at, _values(_list(event, "attributes")))


def _linked(link: Any) -> str:
    value = _id(link.get("traceId", link.get("trace_id")), 16) if isinstance(link, dict) else b""
    return value.hex() if len(value) == 16 and any(value) else ""


def _record(record: Any, resource: dict[str, Any]) -> Record:
    if not isinstance(record, dict):
        raise BadSpan("a log record has to be an object")
    get = record.get
    attributes = _values(_list(record, "attributes"))
    at = _nanos(get("timeUnixNano", get("time_unix_nano"))) or _nanos(
        get("observedTimeUnixNano", get("observed_time_unix_nano"))
    )
    trace, span = _id(get("traceId", get("trace_id")), 16), _id(get("spanId", get("span_id")), 8)
    return Record(
        _name(record, "eventName") or _name(record, "event_name") or str(attributes.get("event.name") or ""),
        at,
        hex_id(trace, 16, "the trace id") if trace else "",
        hex_id(span, 8, "the span id") if span else "",
        attributes,
        _value(get("body"), DEPTH),
        resource,
    )


def _id(value: Any, length: int) -> bytes:
    """Bytes of an id, in hexadecimal or as base64; what is neither stays too short to be taken."""
    if value is None or value == "":
        return b""
    if not isinstance(value, str):
        raise BadSpan("an id has to be a text")
    try:
        if len(value) == 2 * length:
            return bytes.fromhex(value)
        if len(value) == -(-length // 3) * 4:
            return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        pass
    raise BadSpan(f"an id has to be {2 * length} hexadecimal digits, and is {len(value)} characters")


def _nanos(value: Any) -> float:
    """Unix nanoseconds, a number or a text, → seconds."""
    try:
        nanos = int(value or 0)
    except (ValueError, TypeError, OverflowError):
        raise BadSpan("a time has to be a number of nanoseconds") from None
    return min(max(nanos, 0), (1 << 64) - 1) / _NANOS


def _enum(value: Any, start: str, names: tuple[str, ...]) -> int:
    if isinstance(value, str):
        word = value.removeprefix(start)
        return names.index(word) if word in names else int(value) if value in "012345" and value else 0
    return value if isinstance(value, int) and 0 <= value < len(names) else 0


def _values(pairs: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        if isinstance(pair, dict) and isinstance(key := pair.get("key", ""), str):
            found[text(key)] = _value(pair.get("value"), DEPTH)
    return found


def _value(value: Any, depth: int) -> Any:
    if not isinstance(value, dict):
        return safe(value, depth)
    if depth <= 0:
        raise BadSpan(f"values are nested deeper than {DEPTH}")
    for kind, held in value.items():
        match kind:
            case "stringValue" | "string_value":
                return safe(held, depth)
            case "intValue" | "int_value":
                return _int(held, depth)
            case "doubleValue" | "double_value":
                return _double(held, depth)
            case "arrayValue" | "array_value":
                return [_value(each, depth - 1) for each in _list(held, "values")]
            case "kvlistValue" | "kvlist_value":
                return _pairs(held, depth - 1)
            case "bytesValue" | "bytes_value" if isinstance(held, str):
                return f"({len(held.rstrip('=')) * 3 // 4} bytes)"
            case _:
                return safe(held, depth)
    return None


def _pairs(held: Any, depth: int) -> dict[str, Any]:
    found = {}
    for pair in _list(held, "values"):
        if isinstance(pair, dict) and isinstance(key := pair.get("key", ""), str):
            found[text(key)] = _value(pair.get("value"), depth)
    return found


def _int(held: Any, depth: int) -> Any:
    if isinstance(held, str) and len(held) < 40:
        try:
            return safe(int(held), depth)
        except ValueError:
            pass
    return safe(held, depth)


def _double(held: Any, depth: int) -> Any:
    if isinstance(held, str):
        try:
            return safe(float(_NOT_A_NUMBER.get(held, held)), depth)
        except ValueError:
            pass
    return float(held) if type(held) is int and abs(held) < 1 << 53 else safe(held, depth)
