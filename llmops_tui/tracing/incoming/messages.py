"""Messages in any of the shapes that providers and tools write → lists of `{"role", "parts"}`. Pure.

Parts are the conventions': `text`, `reasoning`, `tool_call`, `tool_call_response`; `refusal` where a model
would not answer; whatever is none of these stays as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmops_tui.tracing.incoming.safe import decoded

Part = dict[str, Any]
#: Messages of one list. What has more is no conversation, and would take a thousand times its size.
MOST = 10_000
#: Roles by other names.
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "developer": "system"}


def messages(value: Any, role: str) -> list[dict[str, Any]] | None:
    """Messages of an attribute: a list, one alone, or a text, each perhaps as JSON; None for anything else.

    Args:
        role: whose they are where they don't say.
    """
    value = decoded(value)
    if isinstance(value, dict):
        if "role" not in value and isinstance(held := value.get("messages"), list | str):
            return _with_system(value, messages(held, role))
        if "role" not in value and isinstance(held := value.get("prompt"), str | list):
            return _with_system(value, messages(held, role))
        if not value.keys() & _MESSAGE:
            return None
        value = [value]
    if isinstance(value, str):
        return [{"role": role, "parts": [{"type": "text", "content": value}]}] if value else []
    if not isinstance(value, list) or len(value) > MOST:
        return None
    return [message(each, role) for each in value]


_MESSAGE = frozenset(["role", "parts", "content", "tool_calls", "message"])


def _with_system(given: Mapping[str, Any], found: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    system = given.get("system", given.get("instructions"))
    if found is not None and isinstance(system, str) and system:
        return [{"role": "system", "parts": [{"type": "text", "content": system}]}, *found]
    return found


def message(value: Any, role: str) -> dict[str, Any]:
    """One message; what is none is one with a single part."""
    if not isinstance(value, Mapping):
        return {"role": role, "parts": [part] if (part := part_of(value)) else []}
    named = value.get("role")
    said = _ROLES.get(named, named) if isinstance(named, str) and named else role
    if isinstance(parts := value.get("parts"), list):
        found = {"role": said, "parts": [each for part in parts if (each := part_of(part))]}
    else:
        found = {"role": said, "parts": _parts(value, said)}
    for name in ("finish_reason", "name"):
        if isinstance(held := value.get(name), str) and held:
            found[name] = held
    return found


def _parts(value: Mapping[str, Any], role: str) -> list[Part]:
    """Parts of a message as chat APIs have it."""
    content = value.get("content")
    if role == "tool" and not _holds_results(content):
        call = value.get("tool_call_id") or value.get("id")
        return [{"type": "tool_call_response", "id": call or "", "response": content}]
    parts: list[Part] = []
    for reasoning in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(held := value.get(reasoning), str) and held:
            parts.append({"type": "reasoning", "content": held})
    if isinstance(content, list):
        parts += [part for each in content if (part := part_of(each))]
    elif content is not None and content != "":
        parts.append(part_of(content) or {})
    if isinstance(held := value.get("refusal"), str) and held:
        parts.append({"type": "refusal", "content": held})
    calls = decoded(value.get("tool_calls"))
    for each in calls if isinstance(calls, list) else ():
        if isinstance(each, Mapping):
            parts.append(tool_call(each))
    if isinstance(call := value.get("function_call"), Mapping):
        parts.append(tool_call({"function": call}))
    return parts


def _holds_results(content: Any) -> bool:
    return isinstance(content, list) and any(
        isinstance(each, Mapping) and each.get("type") in ("tool-result", "tool_result") for each in content
    )


def part_of(value: Any) -> Part | None:
    """One part; None where it holds nothing."""
    if isinstance(value, str):
        return {"type": "text", "content": value} if value else None
    if not isinstance(value, Mapping):
        return None if value is None else {"type": "text", "content": str(value)}
    kind = value.get("type")
    if (kind == "text" or kind == "reasoning") and isinstance(value.get("content"), str):
        return value if isinstance(value, dict) else dict(value)
    if isinstance(kind, str) and (read := _PART.get(kind)) is not None:
        return read(value)
    if kind is None and isinstance(value.get("text"), str):
        return {"type": "text", "content": value["text"]}
    return dict(value)


def _first(value: Mapping[str, Any], *names: str) -> Any:
    for name in names:
        if (held := value.get(name)) is not None:
            return held
    return None


def _text(value: Mapping[str, Any]) -> Part:
    return {"type": "text", "content": _first(value, "content", "text") or ""}


def _reasoning(value: Mapping[str, Any]) -> Part:
    return {"type": "reasoning", "content": _first(value, "content", "text", "thinking", "reasoning") or ""}


def _refusal(value: Mapping[str, Any]) -> Part:
    return {"type": "refusal", "content": _first(value, "content", "refusal", "text") or ""}


def _response(value: Mapping[str, Any]) -> Part:
    answer = _first(value, "response", "result", "output", "content")
    if isinstance(answer, Mapping) and answer.keys() <= {"type", "value"} and "value" in answer:
        answer = answer["value"]  # the Vercel AI SDK's `{"type": "text", "value": …}`
    call = _first(value, "id", "toolCallId", "tool_use_id", "tool_call_id", "call_id")
    made: Part = {"type": "tool_call_response", "id": call or "", "response": decoded(answer)}
    if isinstance(name := _first(value, "name", "toolName"), str):
        made["name"] = name
    return made


def tool_call(value: Mapping[str, Any]) -> Part:
    """A call of a tool, in whosever form, as a part."""
    function = value.get("function")
    told = function if isinstance(function, Mapping) else value
    arguments = _first(told, "arguments", "input", "args")
    return {
        "type": "tool_call",
        "id": _first(value, "id", "toolCallId", "tool_call_id", "call_id") or "",
        "name": _first(told, "name", "toolName") or "",
        "arguments": decoded(arguments),
    }


#: Type of a part, by whoever has it → its reader.
_PART: dict[str, Callable[[Mapping[str, Any]], Part]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "reasoning": _reasoning,
    "thinking": _reasoning,
    "refusal": _refusal,
    "tool_call": tool_call,
    "tool-call": tool_call,
    "tool_use": tool_call,
    "function_call": tool_call,
    "function": tool_call,
    "tool_call_response": _response,
    "tool-result": _response,
    "tool_result": _response,
    "function_call_output": _response,
}


def last_text(found: Any, role: str) -> str:
    """Text of the last message of a role; empty where there is none."""
    for each in reversed(found) if isinstance(found, list) else ():
        if each.get("role") == role:
            said = [p["content"] for p in each["parts"] if p.get("type") == "text" and p.get("content")]
            if said:
                return "\n".join(str(text) for text in said)
    return ""


def definitions(value: Any) -> list[Any] | None:
    """Definitions of tools: a list, each perhaps a JSON text."""
    value = decoded(value)
    if not isinstance(value, list):
        return None
    return [_definition(decoded(each)) for each in value]


def _definition(tool: Any) -> Any:
    """The Vercel AI SDK's and Anthropic's `inputSchema` as everybody else's `parameters`."""
    for name in ("inputSchema", "input_schema"):
        if isinstance(tool, dict) and name in tool and "parameters" not in tool:
            tool = {**tool, "parameters": tool[name]}
            del tool[name]
            tool.setdefault("type", "function")
    return tool
