"""Older `gen_ai.*`: `gen_ai.prompt` and `gen_ai.completion` as JSON, and as OpenLLMetry flattened them.

Source: traceloop/openllmetry, `semconv_ai` and its instrumentation of OpenAI before 0.50.
"""

from __future__ import annotations

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming import flattened
from llmops_tui.tracing.incoming.messages import messages
from llmops_tui.tracing.incoming.reading import Reading, count, texts, word
from llmops_tui.tracing.incoming.safe import decoded

HEADS = frozenset(["gen_ai", "llm"])
_PROMPT, _COMPLETION, _FUNCTIONS = "gen_ai.prompt.", "gen_ai.completion.", "llm.request.functions."
_STARTS = (_PROMPT, _COMPLETION, _FUNCTIONS)
_NAMES = {
    "llm.usage.reasoning_tokens": (a.REASONING_TOKENS, count),
    "llm.response.finish_reason": (a.FINISH_REASONS, texts),
    "llm.response.stop_reason": (a.FINISH_REASONS, texts),
    "llm.user": (a.USER, word),
    "llm.frequency_penalty": (f"{a.REQUEST}frequency_penalty", lambda value: value),
    "llm.presence_penalty": (f"{a.REQUEST}presence_penalty", lambda value: value),
    "llm.top_k": (f"{a.REQUEST}top_k", lambda value: value),
    "llm.chat.stop_sequences": (f"{a.REQUEST}stop_sequences", texts),
}
_KINDS = {"chat": "model", "completion": "model", "embedding": "embedding", "rerank": "retrieval"}


def read(reading: Reading) -> None:
    """Take prompts and completions, flattened or whole."""
    left = reading.left
    reading.rename(_NAMES)
    reading.be(_KINDS.get(str(left.get("llm.request.type")), ""))
    lists = flattened.rows(left, _STARTS)
    if asked := lists.get(_PROMPT):
        reading.give(a.INPUT_MESSAGES, [flattened.openllmetry_message(row, "user") for row in asked])
    if answered := lists.get(_COMPLETION):
        made = [flattened.openllmetry_message(row, "assistant") for row in answered]
        reading.give(a.OUTPUT_MESSAGES, made)
        reading.give(a.FINISH_REASONS, [m["finish_reason"] for m in made if "finish_reason" in m] or None)
    if functions := lists.get(_FUNCTIONS):
        tools = [{"type": "function", **{k: decoded(v) for k, v in row.items()}} for row in functions]
        reading.give(a.TOOL_DEFINITIONS, tools)
    for name, target, role in (
        ("gen_ai.prompt", a.INPUT_MESSAGES, "user"),
        ("gen_ai.completion", a.OUTPUT_MESSAGES, "assistant"),
    ):
        if name in left and (found := messages(left[name], role)) is not None:
            reading.drop(name)
            reading.give(target, found)
    reading.drop("llm.headers")
    called = a.OUTPUT_MESSAGES in reading.found or a.INPUT_TOKENS in reading.found
    if not reading.kind and called and (a.MODEL in left or a.RESPONSE_MODEL in left):
        reading.kind = "model"
