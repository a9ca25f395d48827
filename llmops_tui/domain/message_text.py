r"""Chat messages as a text that a person can edit, and back. Pure.

    system:
    You help.

    user:
    How many days?

A message that holds more than a text (tool calls, a result with its id, pictures) is written as JSON below
`role: json`. A line of a text that looks like a head is written with a `\` before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import Problem, UsageError

_SENT_AS = {"stop_sequences": "stop"}
ROLES = ("system", "developer", "user", "assistant", "tool")
_HEAD = re.compile(rf"({'|'.join(ROLES)}):( json)?[ \t]*")
_ESCAPED = re.compile(rf"\\+(?:{'|'.join(ROLES)}):(?: json)?[ \t]*")


def written(messages: Iterable[dict[str, Any]]) -> str:
    """Chat messages → text."""
    blocks = []
    for message in messages:
        role, content = str(message.get("role", "")), message.get("content")
        if isinstance(content, str) and set(message) == {"role", "content"}:
            body = "\n".join(_escaped(line) for line in content.split("\n"))
            blocks.append(f"{role}:\n{body}")
        else:
            rest = {name: value for name, value in message.items() if name != "role"}
            blocks.append(f"{role}: json\n{json.dumps(rest, indent=2, ensure_ascii=False)}")
    return "\n\n".join(blocks)


def read(text: str) -> tuple[dict[str, Any], ...]:
    """Text → chat messages.

    Raises:
        UsageError: it does not begin with a role, holds no message, or JSON that is none.
    """
    found: list[tuple[str, bool, list[str]]] = []
    for line in text.split("\n"):
        head = _HEAD.fullmatch(line)
        if head is not None:
            if found:
                # One empty line stands between two messages.
                _drop_last_empty(found[-1][2])
            found.append((head[1], bool(head[2]), []))
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            raise UsageError(Problem("the text begins with no role", f"begin with one of {_roles()}"))
    if not found:
        raise UsageError(Problem("there is no message", f"begin with one of {_roles()}"))
    return tuple(_message(role, is_json, lines) for role, is_json, lines in found)


def _message(role: str, is_json: bool, lines: list[str]) -> dict[str, Any]:
    if not is_json:
        return {"role": role, "content": "\n".join(_unescaped(line) for line in lines)}
    try:
        rest = msgspec.json.decode("\n".join(lines))
    except msgspec.DecodeError as error:
        raise UsageError(
            Problem(f"what stands below '{role}: json' is no JSON ({error})", "mend it")
        ) from None
    if not isinstance(rest, dict):
        raise UsageError(Problem(f"what stands below '{role}: json' is no object", "write it as {…}"))
    return {**rest, "role": role}


def _drop_last_empty(lines: list[str]) -> None:
    if lines and not lines[-1]:
        lines.pop()


def _escaped(line: str) -> str:
    return "\\" + line if _HEAD.fullmatch(line) or _ESCAPED.fullmatch(line) else line


def _unescaped(line: str) -> str:
    return line[1:] if _ESCAPED.fullmatch(line) else line


def _roles() -> str:
    return ", ".join(f"'{role}:'" for role in ROLES)


def params_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a model's span, by the names that a provider is sent."""
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        if name.startswith(a.OTHER_PARAM):
            found[name.removeprefix(a.OTHER_PARAM)] = value
        elif name.startswith(a.REQUEST) and name != a.MODEL:
            plain = name.removeprefix(a.REQUEST)
            found[_SENT_AS.get(plain, plain)] = value
    return found


def chat_of(messages: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """The conventions' messages with parts → chat messages as a provider is sent them."""
    found: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message, dict):
            found += _chat(message)
    return tuple(found)


def _chat(message: dict[str, Any]) -> list[dict[str, Any]]:
    role = message.get("role", "user")
    parts = [p for p in message.get("parts") or () if isinstance(p, dict)]
    results = [p for p in parts if p.get("type") == "tool_call_response"]
    if results:
        return [
            {"role": "tool", "tool_call_id": str(p.get("id", "")), "content": _text(_result(p))}
            for p in results
        ]
    calls = [p for p in parts if p.get("type") == "tool_call"]
    rest = [p for p in parts if p.get("type") not in ("tool_call", "reasoning")]
    content: Any = "" if not calls else None
    if len(rest) == 1 and rest[0].get("type") == "text":
        content = str(rest[0].get("content", ""))
    elif rest:
        content = [_part(p) for p in rest]
    chat: dict[str, Any] = {"role": role, "content": content}
    if calls:
        chat["tool_calls"] = [
            {
                "id": str(p.get("id", "")),
                "type": "function",
                "function": {"name": str(p.get("name", "")), "arguments": _text(p.get("arguments", ""))},
            }
            for p in calls
        ]
    return [chat]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": str(part.get("content", ""))} if part.get("type") == "text" else part


def _result(part: dict[str, Any]) -> Any:
    return part.get("response", part.get("result"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
