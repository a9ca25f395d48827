"""What the store holds, as attributes of the conventions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Call
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import messages_of, tool_call_part

#: Parameters that the conventions name, by their names there.
_PARAMS = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "stop": "stop_sequences",
}


def call_attributes(call: Call) -> dict[str, Any]:
    """Of a model's call, all that was sent and came back."""
    provider, _, name = call.model_id.partition("/")
    usage = call.usage
    found: dict[str, Any] = {
        a.PROVIDER: provider,
        a.MODEL: name,
        a.INPUT_MESSAGES: messages_of(call.request.messages),
        a.OUTPUT_MESSAGES: [_answer(call)],
        a.RESPONSE_MODEL: call.served_model,
        a.RESPONSE_ID: call.raw.get("id"),
        a.FINGERPRINT: call.fingerprint,
        a.FINISH_REASONS: [call.finish_reason] if call.finish_reason else None,
        a.INPUT_TOKENS: usage.input_tokens,
        a.OUTPUT_TOKENS: usage.output_tokens,
        a.CACHED_TOKENS: usage.cached_tokens,
        a.REASONING_TOKENS: usage.reasoning_tokens,
        a.TIME_TO_FIRST_CHUNK: call.ttft_s,
        a.COST: call.cost_usd,
        a.ATTEMPTS: call.attempts,
        a.CALL_KEY: call.key,
        a.RAW_RESPONSE: _raw(call),
    }
    for param, value in call.request.params.items():
        known = _PARAMS.get(param)
        if param == "stop" and isinstance(value, str):
            value = [value]
        found[f"{a.REQUEST}{known}" if known else f"{a.OTHER_PARAM}{param}"] = value
    if call.request.tools:
        found[a.TOOL_DEFINITIONS] = list(call.request.tools)
    if call.request.response_format is not None:
        found[a.RESPONSE_FORMAT] = call.request.response_format
        is_json = str(call.request.response_format.get("type", "")).startswith("json")
        found[a.OUTPUT_TYPE] = "json" if is_json else "text"
    return {name: value for name, value in found.items() if value is not None}


def _answer(call: Call) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if reasoning := call.raw.get("reasoning"):
        parts.append({"type": "reasoning", "content": reasoning})
    if call.text:
        parts.append({"type": "text", "content": call.text})
    parts += [tool_call_part(each) for each in call.tool_calls]
    return {"role": "assistant", "parts": parts, "finish_reason": call.finish_reason or ""}


def _raw(call: Call) -> dict[str, Any]:
    """The answer as one chat completion, put together from the stream."""
    message: dict[str, Any] = {"role": "assistant", "content": call.text or None}
    if call.tool_calls:
        message["tool_calls"] = list(call.tool_calls)
    if call.raw.get("reasoning"):
        message["reasoning_content"] = call.raw["reasoning"]
    if call.refused:
        message["refusal"] = call.text
    raw: dict[str, Any] = {
        "id": call.raw.get("id"),
        "object": "chat.completion",
        "model": call.served_model,
        "system_fingerprint": call.fingerprint,
        "choices": [{"index": 0, "message": message, "finish_reason": call.finish_reason}],
        "usage": call.raw.get("usage"),
    }
    return {name: value for name, value in raw.items() if value is not None}


def documents(chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
    """Chunks as the conventions have documents, best first."""
    return [
        {
            "id": f"{chunk.source}#{chunk.position}",
            "score": chunk.score,
            "content": chunk.text,
            "source": chunk.source,
            "position": chunk.position,
        }
        for chunk in chunks
    ]


def score_attributes(score: Score) -> dict[str, Any]:
    found: dict[str, Any] = {a.OPERATION: "evaluate", a.EVALUATION: score.label}
    if score.value is not None:
        found[a.SCORE] = score.value
    if score.passed is not None:
        found[a.SCORE_LABEL] = "pass" if score.passed else "fail"
    if score.reason:
        found[a.EXPLANATION] = score.reason
    if score.began_at:
        found[a.SCORED_AT] = score.began_at
    return found
