"""What a provider's client gives back, read for what it says. OpenAI's shapes, which most speak.

Sources: platform.openai.com/docs/api-reference, "Chat completion object", "Chat completion chunk object".
"""

from __future__ import annotations

from llmops_tui.domain import semconv as a
from llmops_tui.log.bounded import Bound, held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read(value: Any) -> dict[str, Any] | None:
    """Attributes of a chat completion (mapping or object); None where it is none."""
    if isinstance(value, (str, list, type(None))):
        return None
    found = value if isinstance(value, dict) else Bound().of(value)
    if not isinstance(found, dict) or not isinstance(choices := found.get("choices"), list):
        return None
    choices = [choice for choice in choices if isinstance(choice, dict)]
    said = [choice.get("message") or choice.get("text") for choice in choices]
    reasons = [str(choice["finish_reason"]) for choice in choices if choice.get("finish_reason")]
    return {
        a.OUTPUT_MESSAGES: [message for message in said if message],
        a.FINISH_REASONS: reasons or None,
        a.RESPONSE_MODEL: found.get("model"),
        a.RESPONSE_ID: found.get("id"),
        **_usage(found.get("usage")),
    }


def _usage(usage: Any) -> dict[str, Any]:
    if not isinstance(usage, dict):
        return {}
    inner = usage.get("prompt_tokens_details")
    outer = usage.get("completion_tokens_details")
    return {
        a.INPUT_TOKENS: usage.get("prompt_tokens", usage.get("input_tokens")),
        a.OUTPUT_TOKENS: usage.get("completion_tokens", usage.get("output_tokens")),
        a.CACHED_TOKENS: inner.get("cached_tokens") if isinstance(inner, dict) else None,
        a.REASONING_TOKENS: outer.get("reasoning_tokens") if isinstance(outer, dict) else None,
    }


def joined(items: list[Any]) -> Any:
    """Items of a stream as one: texts as a text, chunks of a completion as a completion; else None."""
    if not items:
        return None
    if all(type(item) is str for item in items):
        return "".join(items)
    if not all(type(_of(item, "choices")) is list for item in items):
        return None
    return _completion(items)


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else held(value, name)


def _completion(chunks: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"choices": []}
    texts: list[str] = []
    calls: dict[Any, dict[str, Any]] = {}
    reason = None
    for chunk in chunks:
        for name in ("id", "model", "usage"):
            if (found := _of(chunk, name)) is not None:
                made[name] = found
        for choice in _of(chunk, "choices")[:1]:
            reason = _of(choice, "finish_reason") or reason
            delta = _of(choice, "delta")
            if delta is None:
                continue
            if type(content := _of(delta, "content")) is str:
                texts.append(content)
            pieces = _of(delta, "tool_calls")
            for call in pieces if type(pieces) is list else ():
                _grow(calls, Bound().of(call))
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts)}
    if calls:
        message["tool_calls"] = list(calls.values())
    made["usage"] = Bound().of(made.get("usage"))
    made["choices"] = [{"message": message, "finish_reason": reason}]
    return made


def _grow(calls: dict[Any, dict[str, Any]], piece: Any) -> None:
    """A tool call comes in pieces: its name first, its arguments letter by letter."""
    if not isinstance(piece, dict):
        return
    call = calls.setdefault(piece.get("index", 0), {"id": "", "function": {"name": "", "arguments": ""}})
    call["id"] = piece.get("id") or call["id"]
    function = piece.get("function")
    if isinstance(function, dict):
        for name in ("name", "arguments"):
            if isinstance(function.get(name), str):
                call["function"][name] += function[name]


def document(value: Any, place: int) -> dict[str, Any]:
    """A document that was found: a text, a mapping, or an object with `page_content` or `text`."""
    if isinstance(value, str):
        return {"position": place, "content": value}
    found = value if isinstance(value, dict) else Bound().of(value)
    if not isinstance(found, dict):
        return {"position": place, "content": str(found)}
    made: dict[str, Any] = {"position": place}
    for name, names in (
        ("id", ("id", "chunk_id")),
        ("source", ("source", "file", "url")),
        ("score", ("score",)),
        ("content", ("content", "page_content", "text")),
    ):
        value = next((found[n] for n in names if found.get(n) is not None), None)
        if value is not None:
            made[name] = value
    return made
