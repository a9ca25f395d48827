"""The Vercel AI SDK: `ai.*`, which stands beside an older `gen_ai.*`.

Source: vercel/ai, packages/otel (`legacy-open-telemetry`) as of August 2026. Its newer integration writes
nothing but the conventions.
"""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming.messages import definitions, last_text, messages, tool_call
from llmops_tui.tracing.incoming.providers import provider
from llmops_tui.tracing.incoming.reading import (
    Reading,
    anything,
    count,
    listed,
    milliseconds,
    quoted,
    texts,
    word,
)

HEADS = frozenset(["ai"])
_NAMES = {
    "ai.telemetry.functionId": (a.FEATURE, word),
    "ai.response.msToFirstChunk": (a.TIME_TO_FIRST_CHUNK, milliseconds),
    "ai.stream.msToFirstChunk": (a.TIME_TO_FIRST_CHUNK, milliseconds),
}
_NAMES_OF_CALLS = {
    "ai.model.provider": (a.PROVIDER, provider),
    "ai.model.id": (a.MODEL, word),
    "ai.response.model": (a.RESPONSE_MODEL, word),
    "ai.response.id": (a.RESPONSE_ID, word),
    "ai.response.finishReason": (a.FINISH_REASONS, texts),
    "ai.usage.inputTokens": (a.INPUT_TOKENS, count),
    "ai.usage.promptTokens": (a.INPUT_TOKENS, count),
    "ai.usage.tokens": (a.INPUT_TOKENS, count),
    "ai.usage.outputTokens": (a.OUTPUT_TOKENS, count),
    "ai.usage.completionTokens": (a.OUTPUT_TOKENS, count),
    "ai.usage.cachedInputTokens": (a.CACHED_TOKENS, count),
    "ai.usage.inputTokenDetails.cacheReadTokens": (a.CACHED_TOKENS, count),
    "ai.usage.reasoningTokens": (a.REASONING_TOKENS, count),
    "ai.usage.outputTokenDetails.reasoningTokens": (a.REASONING_TOKENS, count),
    "ai.prompt.tools": (a.TOOL_DEFINITIONS, definitions),
}
_NAMES_OF_TOOLS = {
    "ai.toolCall.name": (a.TOOL_NAME, word),
    "ai.toolCall.id": (a.TOOL_CALL_ID, word),
    "ai.toolCall.args": (a.TOOL_ARGUMENTS, anything),
    "ai.toolCall.input": (a.TOOL_ARGUMENTS, anything),
    "ai.toolCall.result": (a.TOOL_RESULT, quoted),
    "ai.toolCall.output": (a.TOOL_RESULT, quoted),
}
_SETTINGS = {
    "maxOutputTokens": "max_tokens",
    "maxTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
    "stopSequences": "stop_sequences",
    "seed": "seed",
}
#: Metadata that its users write by these names, and Langfuse and others read.
_METADATA = {"userId": a.USER, "sessionId": a.SESSION}


def read(reading: Reading) -> None:
    """Take what the SDK writes; `ai.generateText` is around the calls, `….doGenerate` is one."""
    reading.be(_kind(reading))
    reading.rename(_NAMES)
    is_call = reading.kind in ("model", "embedding")
    if is_call:
        reading.rename(_NAMES_OF_CALLS)
        _settings(reading)
    elif reading.kind == "tool":
        reading.rename(_NAMES_OF_TOOLS)
    _asked(reading)
    _answered(reading)
    _metadata(reading)
    # Headers may hold keys; vectors are nothing that anybody reads.
    reading.below("ai.request.headers.")
    reading.drop("operation.name", "resource.name", "ai.embedding", "ai.embeddings")


def _kind(reading: Reading) -> str:
    """Empty where its newer integration wrote by the conventions, and names of its own only beside them."""
    operation = word(reading.take("ai.operationId")) or str(reading.left.get("operation.name") or "")
    operation = operation.partition(" ")[0]
    if not operation.startswith("ai."):
        return ""
    if operation.endswith((".doGenerate", ".doStream")):
        return "model"
    if operation.endswith(".doEmbed"):
        return "embedding"
    if operation == "ai.toolCall":
        return "tool"
    return "retrieval" if operation.endswith(".doRerank") else "step"


def _settings(reading: Reading) -> None:
    for theirs, ours in _SETTINGS.items():
        value = reading.take(f"ai.settings.{theirs}")
        if f"{a.REQUEST}{ours}" not in reading.left:
            reading.give(f"{a.REQUEST}{ours}", value)


def _asked(reading: Reading) -> None:
    for name in ("ai.prompt.messages", "ai.prompt"):
        if name in reading.left and (found := messages(reading.left[name], "user")) is not None:
            reading.drop(name)
            reading.give(a.INPUT_MESSAGES, found)
            if reading.kind != "model":
                reading.give(a.INPUT, last_text(found, "user"))
    values = reading.take("ai.values")
    if values is not None:
        reading.give(a.INPUT, [quoted(value) for value in listed(values) or []])
    reading.give(a.INPUT, quoted(reading.take("ai.value")))


def _answered(reading: Reading) -> None:
    """Text, reasoning and calls of tools are apart; together they are the message that was answered."""
    text = word(reading.take("ai.response.text"))
    made = reading.take("ai.response.object")
    reasoning, calls = (
        word(reading.take("ai.response.reasoning")),
        listed(reading.take("ai.response.toolCalls")),
    )
    said = text or word(made)
    parts: list[dict[str, Any]] = []
    if reasoning:
        parts.append({"type": "reasoning", "content": reasoning})
    if said:
        parts.append({"type": "text", "content": said})
    parts += [tool_call(call) for call in calls or () if isinstance(call, dict)]
    if reading.kind == "model" and parts:
        message: dict[str, Any] = {"role": "assistant", "parts": parts}
        if reasons := reading.found.get(a.FINISH_REASONS):
            message["finish_reason"] = reasons[0]
        reading.give(a.OUTPUT_MESSAGES, [message])
    else:
        reading.give(a.OUTPUT, text or anything(made))
        reading.give(a.OUTPUT, calls or None)


def _metadata(reading: Reading) -> None:
    about = {
        **reading.below("ai.settings.context."),
        **reading.below("ai.telemetry.metadata."),
    }
    for theirs, ours in _METADATA.items():
        reading.give(ours, word(about.pop(theirs, None)))
    if "tags" in about:
        reading.give(a.TAGS, texts(about.pop("tags")))
    reading.tell(a.METADATA, about)
