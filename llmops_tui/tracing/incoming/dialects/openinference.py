"""OpenInference: `openinference.span.kind`, `llm.*`, `input.value`, `retrieval.documents.N.…`.

Source: Arize-ai/openinference, spec/semantic_conventions.md as of August 2026.
"""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming import flattened
from llmops_tui.tracing.incoming.providers import provider
from llmops_tui.tracing.incoming.reading import Reading, anything, count, mapping, number, texts, word
from llmops_tui.tracing.incoming.safe import decoded

HEADS = frozenset(
    [
        "openinference",
        "llm",
        "input",
        "output",
        "retrieval",
        "embedding",
        "reranker",
        "metadata",
        "tag",
    ]
)
KINDS = {
    "LLM": "model",
    "EMBEDDING": "embedding",
    "RETRIEVER": "retrieval",
    "RERANKER": "retrieval",
    "TOOL": "tool",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "scorer",
    "PROMPT": "prompt",
    "CHAIN": "step",
    "AGENT": "step",
}
_NAMES = {
    "llm.provider": (a.PROVIDER, provider),
    "llm.system": (a.PROVIDER, provider),
    "llm.token_count.prompt": (a.INPUT_TOKENS, count),
    "llm.token_count.completion": (a.OUTPUT_TOKENS, count),
    "llm.token_count.prompt_details.cache_read": (a.CACHED_TOKENS, count),
    "llm.token_count.completion_details.reasoning": (a.REASONING_TOKENS, count),
    "llm.cost.total": (a.COST, number),
    "llm.finish_reason": (a.FINISH_REASONS, texts),
    a.TEMPLATE: (a.TEMPLATE, word),
    a.VARIABLES: (a.VARIABLES, anything),
    "llm.prompt_template.version": (a.VERSION, word),
    "tag.tags": (a.TAGS, texts),
    "metadata": (a.METADATA, mapping),
    "agent.name": (a.FEATURE, word),
    "reranker.model_name": (a.MODEL, word),
    "reranker.query": (a.QUERY, word),
    "reranker.top_k": (a.TOP_K, count),
    "embedding.model_name": (a.MODEL, word),
}
_ASKED, _ANSWERED, _TOOLS = "llm.input_messages.", "llm.output_messages.", "llm.tools."
_DOCUMENTS, _RANKED, _VECTORS = (
    "retrieval.documents.",
    "reranker.output_documents.",
    "embedding.embeddings.",
)
_PROMPTS, _CHOICES = "llm.prompts.", "llm.choices."
_LISTS = (_ASKED, _ANSWERED, _TOOLS, _DOCUMENTS, _RANKED, _VECTORS, _PROMPTS, _CHOICES)


def read(reading: Reading) -> None:
    """Take what OpenInference names."""
    kind = KINDS.get(str(reading.left.get("openinference.span.kind", "")).upper(), "")
    if kind or "openinference.span.kind" in reading.left:
        reading.take("openinference.span.kind")
        reading.be(kind or "step")
    reading.rename(_NAMES)
    _models(reading)
    lists = flattened.rows(reading.left, _LISTS)
    if lists:
        _lists(reading, lists)
    _costs(reading)
    if "llm.invocation_parameters" in reading.left:
        _parameters(reading)
    _ends(reading)
    reading.drop("llm.token_count.total", "embedding.invocation_parameters")


def _models(reading: Reading) -> None:
    """`llm.model_name` is the one that answered, where both are known; else the only one there is."""
    asked, answered = reading.take("llm.request.model_name"), reading.take("llm.response.model_name")
    named = reading.take("llm.model_name")
    known = a.MODEL in reading.found or a.MODEL in reading.left
    if a.RESPONSE_MODEL not in reading.left and (answered or asked):
        reading.give(a.RESPONSE_MODEL, word(answered or named))
    if not known:
        reading.give(a.MODEL, word(asked or named))


def _lists(reading: Reading, lists: dict[str, list[dict[str, Any]]]) -> None:
    message = flattened.openinference_message
    if rows := lists.get(_ASKED):
        reading.give(a.INPUT_MESSAGES, [message(row, "user") for row in rows])
    if rows := lists.get(_ANSWERED):
        reading.give(a.OUTPUT_MESSAGES, [message(row, "assistant") for row in rows])
    if rows := lists.get(_TOOLS):
        reading.give(a.TOOL_DEFINITIONS, [decoded(row.get("tool.json_schema")) for row in rows])
    if rows := lists.get(_DOCUMENTS) or lists.get(_RANKED):
        reading.give(a.DOCUMENTS, flattened.documents(rows))
    if rows := lists.get(_VECTORS):
        # The vectors themselves are nothing that anybody reads.
        reading.give(a.INPUT, [word(row.get("embedding.text")) or "" for row in rows])
    for start, name, target, role in (
        (_PROMPTS, "prompt.text", a.INPUT_MESSAGES, "user"),
        (_CHOICES, "completion.text", a.OUTPUT_MESSAGES, "assistant"),
    ):
        if rows := lists.get(start):
            said = [{"type": "text", "content": word(row.get(name)) or ""} for row in rows]
            reading.give(target, [{"role": role, "parts": [part]} for part in said])


def _costs(reading: Reading) -> None:
    """The sum of both halves, where nobody gives the whole."""
    halves = [number(reading.left.get(f"llm.cost.{name}")) for name in ("prompt", "completion")]
    known = [half for half in halves if half is not None]
    if known:
        reading.give(a.COST, sum(known))


def _parameters(reading: Reading) -> None:
    given = mapping(reading.left["llm.invocation_parameters"])
    if given is None:
        return
    reading.drop("llm.invocation_parameters")
    asked = word(given.pop("model", None))
    answered = reading.found.get(a.MODEL)
    if asked and a.MODEL not in reading.left and reading.kind == "model":
        if answered and answered != asked:
            reading.give(a.RESPONSE_MODEL, answered)
        reading.found[a.MODEL] = asked
    for name, value in given.items():
        if f"{a.REQUEST}{name}" not in reading.left and f"llmops.request.{name}" not in reading.left:
            reading.give(f"{a.REQUEST}{name}", value)


def _ends(reading: Reading) -> None:
    """What went in and came out, where it is not said better: `input.value`, `output.value`."""
    left, found = reading.left, reading.found
    given, made = _end(reading, a.INPUT, "input"), _end(reading, a.OUTPUT, "output")
    match reading.kind:
        case "model":
            if _has_refusal(left.get(a.OUTPUT)):
                reading.give(a.REFUSED, True)
            given = None if a.INPUT_MESSAGES in found else given
            made = None if a.OUTPUT_MESSAGES in found else made
        case "embedding":
            given, made = (None if a.INPUT in found else given), None
        case "retrieval":
            if isinstance(given, str) and a.QUERY not in left:
                reading.give(a.QUERY, given)
            given = given if not isinstance(given, str) else None
            made = None if a.DOCUMENTS in found else made
        case "tool":
            reading.give(a.TOOL_NAME, left.get(a.TOOL_NAME) or word(left.get("tool.name")))
            reading.give(a.TOOL_CALL_ID, left.get(a.TOOL_CALL_ID) or word(left.get("tool.id")))
            reading.give(a.TOOL_ARGUMENTS, given)
            reading.give(a.TOOL_RESULT, made)
            reading.drop("tool.name", "tool.id", a.TOOL_NAME, a.TOOL_CALL_ID)
            given = made = None
        case "prompt":
            given = None if a.VARIABLES in found else given
            made = None if a.INPUT_MESSAGES in found else made
        case "guardrail":
            reading.give(a.GUARDRAIL, left.get(a.GUARDRAIL) or reading.raw.name)
        case _:
            pass
    reading.drop(a.INPUT, a.OUTPUT)
    reading.give(a.INPUT, given)
    reading.give(a.OUTPUT, made)


def _has_refusal(answer: Any) -> bool:
    """A provider's answer in full has one; the flattened messages have no place for it."""
    return isinstance(answer, str) and ('"refusal":"' in answer or '"refusal": "' in answer)


def _end(reading: Reading, name: str, start: str) -> Any:
    mime = reading.take(f"{start}.mime_type")
    value = reading.left.get(name)
    return decoded(value) if mime != "text/plain" else value
