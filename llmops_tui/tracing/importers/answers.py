"""Requests to chat APIs and their answers, as OpenAI and LangChain write them → attributes. Pure.

Sources: platform.openai.com/docs/api-reference (chat completions, responses); LangChain's serialized messages
(`{"lc": 1, "type": "constructor", "id": […, "HumanMessage"], "kwargs": {…}}`) and its usage metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming.messages import definitions, message, messages
from llmops_tui.tracing.incoming.reading import count, word

_ROLES = {"human": "user", "ai": "assistant", "aimessagechunk": "assistant", "chat": "user"}
#: Of a request: what is no parameter.
_NO_PARAMETER = frozenset(
    [
        "messages",
        "model",
        "input",
        "prompt",
        "tools",
        "functions",
        "stream",
        "metadata",
        "user",
        "store",
        "instructions",
    ]
)


def first(held: Any, *names: str) -> Any:
    """The first of these fields that is there; a name may be a path, `usage.input`."""
    for name in names:
        found = held
        for step in name.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None and found != "":
            return found
    return None


def request(body: Any) -> dict[str, Any]:
    """Attributes of what was sent: messages, model, tools, parameters."""
    if not isinstance(body, Mapping):
        return {}
    asked = first(body, "messages", "input", "prompt")
    found: dict[str, Any] = {
        a.MODEL: word(body.get("model")),
        a.INPUT_MESSAGES: chat(asked, "user"),
        a.TOOL_DEFINITIONS: definitions(first(body, "tools", "functions")),
    }
    if (instructions := word(body.get("instructions"))) and found[a.INPUT_MESSAGES]:
        found[a.INPUT_MESSAGES] = [message(instructions, "system"), *found[a.INPUT_MESSAGES]]
    for name, value in body.items():
        if name not in _NO_PARAMETER and isinstance(value, str | int | float | bool):
            found[f"{a.REQUEST}{name}"] = value
    return found


def answer(body: Any) -> dict[str, Any]:
    """Attributes of what came back: a chat or text completion, or a response of the Responses API."""
    if not isinstance(body, Mapping):
        return {a.OUTPUT_MESSAGES: chat(body, "assistant")} if body else {}
    found: dict[str, Any] = {
        a.RESPONSE_ID: word(body.get("id")),
        a.RESPONSE_MODEL: word(body.get("model")),
        a.FINGERPRINT: word(body.get("system_fingerprint")),
        **usage(body.get("usage")),
    }
    choices = body.get("choices")
    if isinstance(choices, list):
        each = [choice for choice in choices if isinstance(choice, Mapping)]
        made = [message(first(choice, "message", "text", "delta") or "", "assistant") for choice in each]
        found[a.OUTPUT_MESSAGES] = made
        found[a.FINISH_REASONS] = [r for choice in each if (r := word(choice.get("finish_reason")))]
    elif isinstance(items := body.get("output"), list):
        found[a.OUTPUT_MESSAGES] = _items(items)
    elif said := chat(body, "assistant"):
        found[a.OUTPUT_MESSAGES] = said
    return found


def _items(items: list[Any]) -> list[dict[str, Any]]:
    """Output items of the Responses API: messages, calls, reasoning."""
    found: list[dict[str, Any]] = []
    for item in items:
        if isinstance(item, Mapping) and item.get("type") == "message":
            found.append(message(item, "assistant"))
        elif isinstance(item, Mapping):
            found.append(message({"role": "assistant", "content": [item]}, "assistant"))
    return found


def usage(held: Any) -> dict[str, Any]:
    """Tokens, by any of the names that they go by."""
    if not isinstance(held, Mapping):
        return {}
    return {
        a.INPUT_TOKENS: count(first(held, "prompt_tokens", "input_tokens", "input", "promptTokens")),
        a.OUTPUT_TOKENS: count(
            first(held, "completion_tokens", "output_tokens", "output", "completionTokens")
        ),
        a.CACHED_TOKENS: count(
            first(held, "prompt_tokens_details.cached_tokens", "input_token_details.cache_read")
        ),
        a.REASONING_TOKENS: count(
            first(held, "completion_tokens_details.reasoning_tokens", "output_token_details.reasoning")
        ),
    }


def chat(value: Any, role: str) -> list[dict[str, Any]] | None:
    """Messages in any form; LangChain's, and lists of lists of them, too."""
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        return [message(_plain(each), role) for each in value]
    return messages(_plain(value), role)


def _plain(value: Any) -> Any:
    """A message of LangChain as chat APIs have it; any other as it is."""
    if not isinstance(value, Mapping):
        return value
    held = value.get("kwargs") if value.get("type") == "constructor" else value.get("data")
    names = value.get("id")
    if isinstance(held, Mapping):
        kind = str(names[-1]) if isinstance(names, list) and names else str(value.get("type", ""))
    elif "role" not in value and isinstance(value.get("type"), str) and "content" in value:
        held, kind = value, str(value["type"])
    else:
        return value
    said = kind.lower().removesuffix("messagechunk").removesuffix("message")
    found = {name: each for name, each in held.items() if name not in ("type", "id", "name") and each}
    return {"role": word(held.get("role")) or _ROLES.get(said, said) or "user", **found}
