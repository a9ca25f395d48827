"""Traces: how one output came about, span by span.

The worker makes `SpanRecord`s, as small as they can be: what the store holds anyway (a call, a chunk) is
named, not repeated. `engine.traces` puts them together as a `Trace`, which is what is shown, compared and
exported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from llmops_tui.domain import semconv as a

Kind = Literal[
    "request",  # the whole: the root
    "turn",  # one turn of a conversation
    "step",  # one step of a chain
    "retrieval",
    "prompt",  # a prompt put together
    "model",  # a call of a model
    "embedding",
    "tool",
    "function",  # Python of the workspace
    "command",
    "guardrail",
    "scorer",
    "other",  # what somebody's own program traced
]
SpanStatus = Literal["ok", "error"]


class CallRef(msgspec.Struct, frozen=True, array_like=True):
    """A call of the store; its trial is the output's."""

    key: str
    step: str = ""
    occurrence: int = 0
    generation: int = 0


class SpanRecord(msgspec.Struct, frozen=True, array_like=True):
    """A span as it is made and kept.

    Attributes:
        parent: place of its parent in the output's records; -1 for the root.
        start_s, end_s: since the trace began. Waiting for a place at a provider is left out, and a call from
            the cache takes as long as it did when it was made.
        error: what went wrong, a sentence; empty where nothing did.
        attributes: names of `semconv` → JSON values, redacted.
        call: the call that it is; of a prompt, the call that its messages went into.
        chunks: what was retrieved, as first and last-but-one place in `Output.retrieved`.
    """

    parent: int
    kind: str
    name: str
    start_s: float
    end_s: float
    error: str = ""
    attributes: dict[str, Any] = {}
    call: CallRef | None = None
    chunks: tuple[int, int] | None = None


class Span(msgspec.Struct, frozen=True):
    """One span in full.

    Attributes:
        id: 16 hexadecimal digits; `parent_id` is empty for the root.
        start, end: Unix seconds.
        attributes: names of `semconv` → JSON values. Untrusted text throughout.
    """

    id: str
    parent_id: str
    name: str
    kind: str
    start: float
    end: float
    status: SpanStatus = "ok"
    error: str = ""
    attributes: dict[str, Any] = {}

    @property
    def length_s(self) -> float:
        return max(self.end - self.start, 0.0)


class Trace(msgspec.Struct, frozen=True):
    """All spans of one output, each parent before its children, siblings by start.

    Attributes:
        id: 32 hexadecimal digits; the same output has the same.
        title: who it is about, for people: `refund-window · v12 · local/smollm2-135m-instruct`.
    """

    id: str
    title: str
    spans: tuple[Span, ...]

    @property
    def root(self) -> Span:
        return self.spans[0]

    def children(self) -> dict[str, list[Span]]:
        """Id of a span → its children, in order; those of `""` are roots."""
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            found.setdefault(span.parent_id, []).append(span)
        return found

    def walk(self) -> Iterator[tuple[int, Span]]:
        """Every span with its depth, as a tree is read."""
        children = self.children()
        known = {span.id for span in self.spans}
        stack = [(0, s) for s in reversed(self.spans) if s.parent_id not in known]
        while stack:
            depth, span = stack.pop()
            yield depth, span
            stack += [(depth + 1, child) for child in reversed(children.get(span.id, ()))]


class Totals(msgspec.Struct, frozen=True):
    """Tokens and cost of a span and everything below it; None where nothing is known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    calls: int = 0


def totals(trace: Trace) -> dict[str, Totals]:
    """Rolled up, by span id. Only model and embedding spans count, and what a program told of its own calls,
    so nothing counts twice."""
    found: dict[str, Totals] = {}
    for span in reversed(trace.spans):  # children come after their parents
        own = found.get(span.id, Totals())
        if span.kind in ("model", "embedding"):
            own = _added(
                own,
                Totals(
                    _number(span.attributes.get(a.INPUT_TOKENS)),
                    _number(span.attributes.get(a.OUTPUT_TOKENS)),
                    _number(span.attributes.get(a.COST)),
                    1,
                ),
            )
        elif span.kind in ("function", "command"):
            told = [_number(span.attributes.get(name)) for name in (a.INPUT_TOKENS, a.OUTPUT_TOKENS, a.COST)]
            own = _added(own, Totals(*told))
        found[span.id] = own
        if span.parent_id:
            found[span.parent_id] = _added(found.get(span.parent_id, Totals()), own)
    return found


def _added(one: Totals, two: Totals) -> Totals:
    return Totals(
        _sum(one.input_tokens, two.input_tokens),
        _sum(one.output_tokens, two.output_tokens),
        _sum(one.cost_usd, two.cost_usd),
        one.calls + two.calls,
    )


def _number(value: Any) -> Any:
    """What somebody's own program traced may be anything."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sum(one: Any, two: Any) -> Any:
    if one is None:
        return two
    return one if two is None else one + two


def text_of(messages: Any) -> str:
    """Messages as a person reads them: `role:` lines and their texts; tool calls as calls."""
    blocks: list[str] = []
    for message in messages if isinstance(messages, list | tuple) else ():
        if not isinstance(message, dict):
            continue
        parts = message.get("parts")
        said = [_part(part) for part in parts] if isinstance(parts, list | tuple) else []
        blocks.append(f"{message.get('role', '')}:\n" + "\n".join(s for s in said if s))
    return "\n\n".join(blocks)


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return ""
    match part.get("type"):
        case "text" | "reasoning":
            return str(part.get("content", ""))
        case "tool_call":
            return f"→ {part.get('name', '')}({_json(part.get('arguments'))})"
        case "tool_call_response":
            return f"← {_json(part.get('response', part.get('result')))}"
        case _:
            return _json(part)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def messages_of(chat: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Chat messages as a provider is sent them → the conventions' messages with parts."""
    return [_message(message) for message in chat]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    role, content = message.get("role", ""), message.get("content")
    if role == "tool":
        part = {"type": "tool_call_response", "id": message.get("tool_call_id", ""), "response": content}
        return {"role": role, "parts": [part]}
    parts: list[dict[str, Any]] = []
    if isinstance(content, str) and content:
        parts.append({"type": "text", "content": content})
    elif isinstance(content, list | tuple):
        parts += [_typed(part) for part in content]
    parts += [tool_call_part(call) for call in message.get("tool_calls") or ()]
    return {"role": role, "parts": parts}


def _typed(part: Any) -> Any:
    """A part of a provider's message: text as the conventions have it, anything else as it stands."""
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return {"type": "text", "content": part["text"]}
    return part


def tool_call_part(call: dict[str, Any]) -> dict[str, Any]:
    """A tool call in the provider's form → a part of a message."""
    function = call.get("function") or {}
    arguments: Any = function.get("arguments", "")
    if isinstance(arguments, str):
        with contextlib.suppress(msgspec.DecodeError):  # no JSON: as it stands
            arguments = msgspec.json.decode(arguments)
    return {
        "type": "tool_call",
        "id": call.get("id", ""),
        "name": function.get("name", ""),
        "arguments": arguments,
    }
