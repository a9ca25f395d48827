"""Langfuse's SDK, which writes OpenTelemetry spans since its version 3: `langfuse.*`.

Source: langfuse/langfuse-python, `_client/attributes.py`, and what version 5.0.4 wrote when tried. Scores are
not on its spans: they go to Langfuse's own API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming.messages import definitions, messages
from llmops_tui.tracing.incoming.raw import ERROR
from llmops_tui.tracing.incoming.reading import (
    Reading,
    anything,
    called_with,
    count,
    mapping,
    number,
    quoted,
    texts,
    word,
)

HEADS = frozenset(["langfuse"])
#: `langfuse.observation.type` → kind. A `span` is nothing in particular.
KINDS = {
    "generation": "model",
    "embedding": "embedding",
    "retriever": "retrieval",
    "tool": "tool",
    "guardrail": "guardrail",
    "evaluator": "scorer",
    "agent": "step",
    "chain": "step",
    "event": "other",
}
_O = "langfuse.observation."
_NAMES = {
    "langfuse.trace.name": (a.FEATURE, word),
    "langfuse.user.id": (a.USER, word),
    "langfuse.session.id": (a.SESSION, word),
    "langfuse.trace.tags": (a.TAGS, texts),
    "langfuse.environment": (a.ENVIRONMENT, word),
    "langfuse.version": (a.VERSION, word),
    f"{_O}model.name": (a.MODEL, word),
    "langfuse.trace.input": (a.INPUT, quoted),
    "langfuse.trace.output": (a.OUTPUT, quoted),
    f"{_O}prompt.name": ("gen_ai.prompt.name", word),
}
#: Names of counts in `usage_details`, by whoever's answer it was → ours.
_USAGE = {
    a.INPUT_TOKENS: ("input", "prompt_tokens", "input_tokens", "promptTokens"),
    a.OUTPUT_TOKENS: ("output", "completion_tokens", "output_tokens", "completionTokens"),
    a.CACHED_TOKENS: ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens"),
    a.REASONING_TOKENS: ("output_reasoning_tokens", "output_reasoning"),
}


#: Details are parts of what Langfuse calls the whole, or stand beside it: then all together are the total.
_WHOLES = (("input", "input_"), ("output", "output_"))


def read(reading: Reading) -> None:
    """Take what its SDK writes."""
    reading.rename(_NAMES)
    kind = _kind(reading)
    is_root = reading.take("langfuse.internal.is_app_root") is True or not reading.raw.parent_id
    if kind == "step" and is_root:  # whose name is the trace's, where that has none
        reading.give(a.FEATURE, reading.raw.name)
    reading.tell(a.METADATA, _plain(reading.below("langfuse.trace.metadata")))
    reading.tell(a.METADATA, _plain(reading.below(f"{_O}metadata")))
    if kind in ("model", "embedding"):
        _call(reading)
    _ends(reading, kind)
    if word(reading.take(f"{_O}level")) == "ERROR" and reading.raw.status != ERROR:
        reading.error = word(reading.left.get(f"{_O}status_message")) or "it failed"
    for name in [name for name in reading.left if name.startswith("langfuse.internal.")]:
        del reading.left[name]


def _kind(reading: Reading) -> str:
    """Kind by its own word; empty where somebody else wrote the span."""
    kind = word(reading.take(f"{_O}type")) or ""
    # Before 3.4 the SDK called everything that was updated a span.
    if kind == "span" and a.MODEL in reading.found and f"{_O}usage_details" in reading.left:
        kind = "generation"
    ours = KINDS.get(kind, "step" if kind else "")
    reading.be(ours)
    return ours


def _plain(below: dict[str, Any]) -> dict[str, Any]:
    """`.plan` → `"pro"`, or the whole of it at once."""
    found: dict[str, Any] = {}
    for name, value in below.items():
        value = quoted(value)
        if name:
            found[name.removeprefix(".")] = value
        else:
            found.update(value if isinstance(value, dict) else {"metadata": value})
    return found


def _call(reading: Reading) -> None:
    usage = mapping(reading.take(f"{_O}usage_details"))
    usage = None if usage is None else _whole(usage)
    for name, others in _USAGE.items():
        reading.give(name, next((n for o in others if (n := count((usage or {}).get(o))) is not None), None))
    for details, key, name in (
        ("prompt_tokens_details", "cached_tokens", a.CACHED_TOKENS),
        ("completion_tokens_details", "reasoning_tokens", a.REASONING_TOKENS),
    ):
        if isinstance(inner := (usage or {}).get(details), dict):
            reading.give(name, count(inner.get(key)))
    costs = mapping(reading.take(f"{_O}cost_details"))
    if costs and usage is not None:  # without usage it writes zeros
        parts = [part for value in costs.values() if (part := number(value)) is not None]
        reading.give(a.COST, number(costs.get("total")) if "total" in costs else sum(parts))
    for name, value in (mapping(reading.take(f"{_O}model.parameters")) or {}).items():
        if value != "Infinity":
            reading.give(f"{a.REQUEST}{name}", value)
    first = quoted(reading.take(f"{_O}completion_start_time"))
    reading.give(a.TIME_TO_FIRST_CHUNK, _since(reading.raw.start, first))
    reason = (reading.found.get(a.METADATA) or {}).get("finish_reason")
    reading.give(a.FINISH_REASONS, texts(reason) if reason else None)


def _whole(usage: dict[str, Any]) -> dict[str, Any]:
    """Counts whose `input` and `output` have all tokens. Langfuse takes those of the cache and of reasoning
    out of them, and its total then says so."""
    sums = {
        whole: sum(count(n) or 0 for name, n in usage.items() if name == whole or name.startswith(start))
        for whole, start in _WHOLES
    }
    return {**usage, **sums} if sum(sums.values()) == count(usage.get("total")) else usage


def _since(start: float, moment: Any) -> float | None:
    try:
        found = datetime.fromisoformat(moment).timestamp() - start
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found >= 0 else None


def _ends(reading: Reading, kind: str) -> None:
    """What went in and came out, as the kind of span has it."""
    given, made = quoted(reading.take(f"{_O}input")), quoted(reading.take(f"{_O}output"))
    match kind:
        case "model":
            if isinstance(given, Mapping) and "tools" in given:
                reading.give(a.TOOL_DEFINITIONS, definitions(given["tools"]))
            asked, answered = messages(given, "user"), messages(made, "assistant")
            reading.give(a.INPUT_MESSAGES, asked)
            reading.give(a.OUTPUT_MESSAGES, answered)
            given, made = (given if asked is None else None), (made if answered is None else None)
        case "tool":
            reading.give(a.TOOL_NAME, reading.raw.name)
            reading.give(a.TOOL_ARGUMENTS, called_with(given))
            reading.give(a.TOOL_RESULT, made)
            given = made = None
        case "retrieval":
            if isinstance(given, str):
                reading.give(a.QUERY, given)
                given = None
            if isinstance(made, list):
                reading.give(a.DOCUMENTS, made)
                made = None
        case "guardrail":
            _guardrail(reading, made)
        case _:
            pass
    reading.give(a.INPUT, called_with(given))
    reading.give(a.OUTPUT, made)


def _guardrail(reading: Reading, made: Any) -> None:
    """Langfuse has no word for a guardrail that fired; the answer often has."""
    reading.give(a.GUARDRAIL, reading.raw.name)
    told = anything(made)
    for name in ("triggered", "tripwire_triggered", "flagged", "blocked"):
        if isinstance(told, dict) and isinstance(told.get(name), bool):
            reading.give(a.TRIGGERED, told[name])
