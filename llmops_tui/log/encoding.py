"""Spans as OTLP/JSON, one at a time: between two of them another thread of the program may run.

Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding": ids are hexadecimal, 64-bit integers text.
"""

from __future__ import annotations

import contextlib
import json

from llmops_tui import __version__
from llmops_tui.domain import semconv as a

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from llmops_tui.log.spans import Span

SCOPE = "llmops-tui.log"
_MESSAGES = (a.INPUT_MESSAGES, a.OUTPUT_MESSAGES)
_INTERNAL, _CLIENT = 1, 3


def request_of(spans: list[bytes], resource: dict[str, str]) -> bytes:
    """One export request, of spans that `encoded` gave."""
    about = [attribute(name, value) for name, value in resource.items() if value]
    scope = {"name": SCOPE, "version": __version__}
    head = f'{{"resourceSpans":[{{"resource":{{"attributes":{_dumps(about)}}},"scopeSpans":[{{"scope":'
    return b"".join(
        [_bytes(head), _bytes(_dumps(scope)), b',"spans":[', b",".join(spans), b"]}]}]}"],
    )


def encoded(span: Span) -> bytes:
    found = {
        "traceId": span.trace_id,
        "spanId": span.id,
        "parentSpanId": span.parent_id,
        "name": span.name[:200],
        "kind": _CLIENT if a.PROVIDER in span.attributes or a.MODEL in span.attributes else _INTERNAL,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": [attribute(*_whole(name, value)) for name, value in list(span.attributes.items())],
    }
    if span.failed:
        found["status"] = {"code": 2, "message": span.failure}
    return _bytes(_dumps(found))


def signals_of(signals: list[dict[str, Any]]) -> bytes:
    """Signals as `POST /signals` takes them."""
    return _bytes(_dumps(signals))


def attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": _value(value)}


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list() if value and all(type(each) is str for each in value):
            return {"arrayValue": {"values": [{"stringValue": each} for each in value]}}
        case _:
            return {"stringValue": _dumps(value)}


def _whole(name: str, value: Any) -> tuple[str, Any]:
    if name in _MESSAGES:
        role = "user" if name == a.INPUT_MESSAGES else "assistant"
        return name, _dumps(messages(value, role))
    return name, value


def messages(value: Any, role: str) -> list[dict[str, Any]]:
    """A text, one chat message or several → the conventions' messages, `{"role", "parts"}` each."""
    given = value if isinstance(value, list) else [value]
    return [_message(each, role) for each in given]


def _message(value: Any, role: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {"role": role, "parts": [_text(value)]}
    if isinstance(value.get("parts"), list):
        return value
    role = str(value.get("role") or role)
    content = value.get("content")
    if role == "tool":
        part = {"type": "tool_call_response", "id": value.get("tool_call_id", ""), "response": content}
        return {"role": role, "parts": [part]}
    parts = [_part(each) for each in (content if isinstance(content, list) else [content]) if each]
    calls = value.get("tool_calls")
    parts += [_call(call) for call in (calls if isinstance(calls, list) else []) if isinstance(call, dict)]
    return {"role": role, "parts": parts}


def _part(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and not isinstance(value.get("text"), str):
        return value
    return _text(value["text"] if isinstance(value, dict) else value)


def _text(value: Any) -> dict[str, Any]:
    return {"type": "text", "content": value if isinstance(value, str) else _dumps(value)}


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    about = function if isinstance(function, dict) else call
    arguments = about.get("arguments", "")
    if isinstance(arguments, str):
        with contextlib.suppress(ValueError, RecursionError):  # no JSON: as it stands
            arguments = json.loads(arguments)
    return {
        "type": "tool_call",
        "id": call.get("id", ""),
        "name": about.get("name", ""),
        "arguments": arguments,
    }


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    """As UTF-8: halves of characters, which Python can hold, as question marks."""
    return text.encode("utf-8", "replace")
