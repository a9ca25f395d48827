"""Logfire and Pydantic AI: `logfire.*`, `pydantic_ai.*`, beside the conventions.

Source: pydantic/logfire, `_internal/constants.py`, `_internal/integrations/llm_providers`,
`experimental/annotations.py`, and what version 5.4 and pydantic-ai 2 wrote when tried.
"""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming.messages import definitions, last_text, messages
from llmops_tui.tracing.incoming.raw import ERROR
from llmops_tui.tracing.incoming.reading import (
    Reading,
    anything,
    count,
    listed,
    mapping,
    number,
    texts,
    word,
)
from llmops_tui.tracing.incoming.said import said_in_events

HEADS = frozenset(["logfire", "pydantic_ai", "all_messages_events", "model_request_parameters"])
SCOPES = ("logfire", "pydantic-ai")
#: Scopes of what wraps the clients of providers.
_CLIENTS = ("logfire.openai", "logfire.anthropic")
_NAMES = {
    "logfire.tags": (a.TAGS, texts),
    "operation.cost": (a.COST, number),
    "tool_arguments": (a.TOOL_ARGUMENTS, anything),
    "tool_response": (a.TOOL_RESULT, anything),
    "final_result": (a.OUTPUT, anything),
    "agent_name": (a.FEATURE, word),
}
_SEEN_ELSEWHERE = (
    "logfire.json_schema",
    "logfire.msg_template",
    "logfire.pending_parent_id",
    "logfire.metrics",
    "logfire.span_type",
)
#: Of a request, what is no parameter.
_NO_PARAMETERS = frozenset(["model", "messages", "tools", "input", "prompt", "stream", "system"])


def read(reading: Reading) -> bool:
    """Take what the SDK writes; a span that only says that another has begun is left out."""
    left = reading.left
    span_type = left.get("logfire.span_type")
    if span_type == "pending_span":
        return True
    if span_type == "annotation":
        reading.be("scorer")
    reading.drop(*_SEEN_ELSEWHERE)
    if left.get("logfire.msg") == reading.raw.name:
        reading.drop("logfire.msg")
    is_agent = "agent_name" in left or "final_result" in left
    reading.rename(_NAMES)
    if reading.raw.scope.startswith(_CLIENTS):
        _client(reading, span_type)
    _events(reading)
    said = messages(reading.take("pydantic_ai.all_messages"), "user")
    if said:
        reading.give(a.INPUT, last_text(said, "user"))
        reading.give(a.INPUT_MESSAGES, said)
    if is_agent:
        reading.be("step")
    return False


def _client(reading: Reading, span_type: Any) -> None:
    """A call of a provider. One that streams is two spans: the second, a log, has what was answered."""
    left = reading.left
    request = mapping(left.get("request_data")) or {}
    answer = mapping(left.get("response_data")) or {}
    is_log = span_type == "log"
    answered = is_log or any(name in left for name in (a.RESPONSE_ID, a.OUTPUT_MESSAGES, "response_data"))
    is_embedding = left.get(a.OPERATION) == "embeddings" or "Embedding" in reading.raw.name
    if is_embedding:
        reading.be("embedding")
    elif answered or reading.raw.status == ERROR:
        reading.be("model")
    else:
        reading.be("step")
    tags = [tag for tag in reading.found.get(a.TAGS) or () if tag != "LLM"]  # which it puts on every call
    reading.found.pop(a.TAGS, None)
    reading.give(a.TAGS, tags or None)
    model = left.get(a.MODEL) or request.get("model")
    if isinstance(model, str) and model:  # the name is a template: `Chat Completion with {request_data…}`
        reading.name = f"{word(left.get(a.OPERATION)) or 'chat'} {model}"
    if is_log and (lasted := number(left.get("duration"))) is not None:
        reading.start = max(reading.raw.end - lasted, 0.0)
    if request:
        _request(reading, request)
    if answer:
        _answer(reading, answer)


def _request(reading: Reading, request: dict[str, Any]) -> None:
    left = reading.left
    reading.drop("request_data")
    if a.MODEL not in left:
        reading.give(a.MODEL, word(request.get("model")))
    if a.INPUT_MESSAGES not in left and reading.kind != "embedding":
        given = request if "messages" in request else request.get("input", request.get("prompt"))
        reading.give(a.INPUT_MESSAGES, messages(given, "user"))
    if a.TOOL_DEFINITIONS not in left and "tools" in request:
        reading.give(a.TOOL_DEFINITIONS, definitions(request["tools"]))
    if reading.kind == "embedding":
        reading.give(a.INPUT, request.get("input"))
    for name, value in request.items():
        if name not in _NO_PARAMETERS and f"{a.REQUEST}{name}" not in left:
            reading.give(f"{a.REQUEST}{name}", value)


def _answer(reading: Reading, answer: dict[str, Any]) -> None:
    left = reading.left
    reading.drop("response_data")
    if a.OUTPUT_MESSAGES not in left:
        said = answer.get("message", answer.get("combined_chunk_content", answer.get("text")))
        reading.give(a.OUTPUT_MESSAGES, messages(said, "assistant"))
    if isinstance(usage := answer.get("usage"), dict):
        for name, others in (
            (a.INPUT_TOKENS, ("prompt_tokens", "input_tokens")),
            (a.OUTPUT_TOKENS, ("completion_tokens", "output_tokens")),
        ):
            if name not in left:
                reading.give(name, next((n for o in others if (n := count(usage.get(o))) is not None), None))


def _events(reading: Reading) -> None:
    """Messages as a list of events in an attribute, as both wrote them before the conventions had any."""
    for name in ("events", "all_messages_events"):
        told = listed(reading.left.get(name)) if name in reading.left else None
        if not told:
            continue
        reading.drop(name)
        said = said_in_events((str(e.get("event.name", "")), e, None) for e in told if isinstance(e, dict))
        if name == "all_messages_events" and reading.kind != "model":
            reading.give(a.INPUT, last_text(said.asked, "user"))
        if a.INPUT_MESSAGES not in reading.left:
            reading.give(a.INPUT_MESSAGES, said.asked or None)
        if a.OUTPUT_MESSAGES not in reading.left:
            reading.give(a.OUTPUT_MESSAGES, said.answered or None)
