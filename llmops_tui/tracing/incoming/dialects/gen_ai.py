"""OpenTelemetry's GenAI conventions, newest and before: `gen_ai.*` that is not flattened, and message events.

Source: semantic-conventions-genai (registry `gen_ai.*`, events, guardrails) as of August 2026;
semantic-conventions 1.36 and before for message events and `gen_ai.system`.
"""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming.messages import definitions, messages
from llmops_tui.tracing.incoming.providers import provider
from llmops_tui.tracing.incoming.reading import (
    Reading,
    anything,
    count,
    listed,
    number,
    texts,
    word,
)
from llmops_tui.tracing.incoming.said import said_in_events

HEADS = frozenset(["gen_ai"])
#: Operation → kind; any other operation of an agent is a step.
KINDS = {
    "chat": "model",
    "text_completion": "model",
    "generate_content": "model",
    "completion": "model",
    "generate": "model",
    "responses": "model",
    "embeddings": "embedding",
    "embedding": "embedding",
    "execute_tool": "tool",
    "retrieval": "retrieval",
    "rerank": "retrieval",
    "search_memory": "retrieval",
    "apply_guardrail": "guardrail",
    "guardrail": "guardrail",
    "evaluate": "scorer",
}


def _asked(value: Any) -> Any:
    return messages(value, "user")


def _answered(value: Any) -> Any:
    return messages(value, "assistant")


_NAMES = {
    a.OPERATION: (a.OPERATION, word),
    a.PROVIDER: (a.PROVIDER, provider),
    "gen_ai.system": (a.PROVIDER, provider),
    a.INPUT_MESSAGES: (a.INPUT_MESSAGES, _asked),
    a.OUTPUT_MESSAGES: (a.OUTPUT_MESSAGES, _answered),
    a.TOOL_DEFINITIONS: (a.TOOL_DEFINITIONS, definitions),
    a.FINISH_REASONS: (a.FINISH_REASONS, texts),
    "gen_ai.response.finish_reason": (a.FINISH_REASONS, texts),
    a.INPUT_TOKENS: (a.INPUT_TOKENS, count),
    "gen_ai.usage.prompt_tokens": (a.INPUT_TOKENS, count),
    a.OUTPUT_TOKENS: (a.OUTPUT_TOKENS, count),
    "gen_ai.usage.completion_tokens": (a.OUTPUT_TOKENS, count),
    a.CACHED_TOKENS: (a.CACHED_TOKENS, count),
    "gen_ai.usage.cache_read_input_tokens": (a.CACHED_TOKENS, count),
    "gen_ai.usage.details.cache_read_tokens": (a.CACHED_TOKENS, count),
    a.REASONING_TOKENS: (a.REASONING_TOKENS, count),
    "gen_ai.usage.reasoning_tokens": (a.REASONING_TOKENS, count),
    "gen_ai.usage.details.reasoning_tokens": (a.REASONING_TOKENS, count),
    a.TIME_TO_FIRST_CHUNK: (a.TIME_TO_FIRST_CHUNK, number),
    "gen_ai.server.time_to_first_token": (a.TIME_TO_FIRST_CHUNK, number),
    "gen_ai.usage.cost": (a.COST, number),
    "gen_ai.openai.response.system_fingerprint": (a.FINGERPRINT, word),
    "gen_ai.openai.system_fingerprint": (a.FINGERPRINT, word),
    "gen_ai.user": (a.USER, word),
    "gen_ai.request.user": (a.USER, word),
}
#: Read only where such a span can have them.
_NAMES_OF_STEPS = {
    a.DOCUMENTS: (a.DOCUMENTS, listed),
    a.TOOL_ARGUMENTS: (a.TOOL_ARGUMENTS, anything),
    a.TOOL_RESULT: (a.TOOL_RESULT, anything),
    a.WORKFLOW_NAME: (a.WORKFLOW_NAME, word),
    "gen_ai.guardrail.component.name": (a.GUARDRAIL, word),
}
#: Words of a guardrail's result that say that it fired. Those of other systems say nothing here.
_FIRED = frozenset(["guardrail_intervened", "true", "match_found", "blocked", "block", "deny", "triggered"])
_NOT_FIRED = frozenset(["none", "false", "no_match_found", "allowed", "allow", "pass", "not_triggered"])


def read(reading: Reading) -> None:
    """Take `gen_ai.*` whose values want reading; names that are ours already stay as they are."""
    left = reading.left
    reading.rename(_NAMES)
    operation = reading.found.get(a.OPERATION)
    kind = KINDS.get(operation, "step") if operation else ""
    if kind != "model":
        reading.rename(_NAMES_OF_STEPS)
    if not reading.kind:
        reading.kind = kind or _guessed(reading)
    if kind == "guardrail":
        _guardrail(reading)
    if "gen_ai.system_instructions" in left:
        _instructions(reading)
    reading.drop("gen_ai.headers")
    name = reading.found.get(a.WORKFLOW_NAME) or left.get("gen_ai.agent.name")
    reading.give(a.FEATURE, word(name))


def _guessed(reading: Reading) -> str:
    """Where no operation is named, which before 1.28 was so."""
    left, found = reading.left, reading.found
    if a.TOOL_NAME in left or a.TOOL_CALL_ID in left:
        return "tool"
    if a.DOCUMENTS in found:
        return "retrieval"
    called = a.INPUT_TOKENS in found or a.OUTPUT_MESSAGES in found or a.FINISH_REASONS in found
    return "model" if called and (a.MODEL in left or a.RESPONSE_MODEL in left) else ""


def _guardrail(reading: Reading) -> None:
    reason = reading.left.get("gen_ai.guardrail.result.value")
    said = reason.strip().lower() if isinstance(reason, str) else ""
    if said in _FIRED or said in _NOT_FIRED:
        reading.give(a.TRIGGERED, said in _FIRED)


def _instructions(reading: Reading) -> None:
    """A system message that is kept apart from the others goes before them."""
    parts = _parts(reading.left["gen_ai.system_instructions"])
    given = messages([{"role": "system", "parts": parts}], "system")
    if given and given[0]["parts"]:
        reading.drop("gen_ai.system_instructions")
        held = reading.found.get(a.INPUT_MESSAGES)
        said = any(each.get("role") == "system" for each in held or ())
        reading.found[a.INPUT_MESSAGES] = held if said else [*given, *(held or ())]


def _parts(value: Any) -> list[Any]:
    value = anything(value)
    return value if isinstance(value, list) else [value]


def read_events(reading: Reading) -> None:
    """Messages and details that were told of as events within the span."""
    said = said_in_events((e.name, e.attributes, None) for e in reading.raw.events)
    for name, value in said.details.items():
        reading.left.setdefault(name, value)
    if said.details:
        read(reading)
    reading.give(a.INPUT_MESSAGES, said.asked or None)
    reading.give(a.OUTPUT_MESSAGES, said.answered or None)
    reading.give(a.FINISH_REASONS, said.reasons or None)
