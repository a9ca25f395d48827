"""Lists that were flattened into names: `llm.input_messages.0.message.role`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_tui.tracing.incoming.messages import part_of, tool_call
from llmops_tui.tracing.incoming.safe import decoded

#: Rows of one list. What is beyond is not put in order any more.
ROWS = 10_000


def rows(left: dict[str, Any], starts: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """Take lists out of attributes.

    Args:
        starts: beginnings of names, each with a dot at its end.

    Returns:
        Beginning → rows in their order; a row is the rest of the name → value.
    """
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for name in [name for name in left if name.startswith(starts)]:
        start = next(each for each in starts if name.startswith(each))
        index, _dot, rest = name[len(start) :].partition(".")
        if index.isascii() and index.isdigit() and len(index) < 7 and int(index) < ROWS:
            found.setdefault(start, {}).setdefault(int(index), {})[rest] = left.pop(name)
    return {start: [by[n] for n in sorted(by)] for start, by in found.items()}


def nested(row: Mapping[str, Any], start: str) -> list[dict[str, Any]]:
    """A list within a row."""
    by: dict[int, dict[str, Any]] = {}
    for name, value in row.items():
        if name.startswith(start):
            index, _dot, rest = name[len(start) :].partition(".")
            if index.isascii() and index.isdigit() and len(index) < 7 and int(index) < ROWS:
                by.setdefault(int(index), {})[rest] = value
    return [by[n] for n in sorted(by)]


def openinference_message(row: Mapping[str, Any], role: str) -> dict[str, Any]:
    """A row of `llm.input_messages` or `llm.output_messages` as a message."""
    said = row.get("message.role")
    said = said if isinstance(said, str) and said else role
    content, parts = row.get("message.content"), list[dict[str, Any]]()
    if said in ("tool", "function"):
        call = row.get("message.tool_call_id")
        answer = {"type": "tool_call_response", "id": call or "", "response": decoded(content)}
        return {"role": "tool", "parts": [answer]}
    if len(row) > 2:
        for part in nested(row, "message.contents."):
            if (made := _content(part)) is not None:
                parts.append(made)
    if not parts and (text := part_of(content)) is not None:
        parts.append(text)
    if len(row) > 1:
        for call in nested(row, "message.tool_calls."):
            parts.append(_call(call))
        if name := row.get("message.function_call_name"):
            arguments = decoded(row.get("message.function_call_arguments_json"))
            parts.append({"type": "tool_call", "id": "", "name": name, "arguments": arguments})
    return {"role": said, "parts": parts}


def _call(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "tool_call",
        "id": row.get("tool_call.id") or "",
        "name": row.get("tool_call.function.name") or "",
        "arguments": decoded(row.get("tool_call.function.arguments")),
    }


def _content(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if "tool_call.function.name" in row:
        return _call(row)
    kind = row.get("message_content.type")
    if isinstance(url := row.get("message_content.image.image.url"), str):
        return {"type": "image_url", "image_url": {"url": url}}
    said = row.get("message_content.text")
    if kind == "text" or kind == "reasoning" or kind is None:
        return {"type": kind or "text", "content": said} if said else None
    return {name.removeprefix("message_content."): value for name, value in row.items()}


def openllmetry_message(row: Mapping[str, Any], role: str) -> dict[str, Any]:
    """A row of `gen_ai.prompt` or `gen_ai.completion` as a message."""
    said = row.get("role")
    said = said if isinstance(said, str) and said else role
    content = decoded(row.get("content"))
    if said == "tool":
        answer = {"type": "tool_call_response", "id": row.get("tool_call_id") or "", "response": content}
        return {"role": said, "parts": [answer]}
    if isinstance(content, list):
        parts = [part for each in content if (part := part_of(each))]
    else:
        parts = [part] if (part := part_of(row.get("content"))) else []
    if isinstance(refusal := row.get("refusal"), str) and refusal:
        parts.append({"type": "refusal", "content": refusal})
    parts += [tool_call(call) for call in nested(row, "tool_calls.")]
    if name := row.get("function_call.name"):
        parts.append(tool_call({"name": name, "arguments": row.get("function_call.arguments")}))
    made: dict[str, Any] = {"role": said, "parts": parts}
    if isinstance(reason := row.get("finish_reason"), str):
        made["finish_reason"] = reason
    return made


def documents(list_of: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `retrieval.documents` as ours: `{"id", "source", "position", "score", "content"}`."""
    found = []
    for row in list_of:
        about = decoded(row.get("document.metadata"))
        made: dict[str, Any] = {
            name: row[f"document.{name}"] for name in ("id", "score", "content") if f"document.{name}" in row
        }
        if isinstance(about, dict):
            made = {**{k: v for k, v in about.items() if k not in made}, **made}
        elif about is not None:
            made["metadata"] = about
        found.append(made)
    return found
