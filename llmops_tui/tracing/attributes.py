"""All that a span is exported with, by the names of OpenTelemetry, OpenInference and single tools. Pure.

Messages, documents, definitions of tools, arguments and results are JSON texts. The conventions ask for
structure where it is supported and allow a JSON text on spans: instrumentations write the text today, Phoenix
reads it, and most stores behind a collector have columns for scalars only.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.tracing import openinference
from llmops_tui.tracing.values import Value, as_json, as_text, value_of

#: Always a JSON text, an empty list too: a reader parses it.
_STRUCTURED = frozenset(
    [
        a.INPUT_MESSAGES,
        a.OUTPUT_MESSAGES,
        a.TOOL_DEFINITIONS,
        a.DOCUMENTS,
        a.VARIABLES,
        a.RAW_RESPONSE,
        a.RESPONSE_FORMAT,
    ]
)
#: A text as it stands, anything else as JSON.
_TEXTS = frozenset([a.TOOL_ARGUMENTS, a.TOOL_RESULT, a.INPUT, a.OUTPUT])
#: Doubles in the conventions, where a person may have written a whole number.
_DOUBLES = frozenset(
    [
        *(f"{a.REQUEST}{name}" for name in ("temperature", "top_p", "top_k")),
        *(f"{a.REQUEST}{name}_penalty" for name in ("frequency", "presence")),
        a.TIME_TO_FIRST_CHUNK,
        a.SCORE,
        a.COST,
        a.GUARDRAIL_SCORE,
        a.GUARDRAIL_THRESHOLD,
    ]
)
#: Ours → the conventions' name of a provider, which must be used where there is one.
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
_CALLS = frozenset(["model", "embedding"])
_CALL_OPERATIONS = frozenset(["chat", "text_completion", "generate_content", "embeddings"])
_NAMES_A_CALL = frozenset([a.MODEL, a.RESPONSE_MODEL, "llm.model_name", "embedding.model_name"])
_COUNTED = ("gen_ai.usage.", "llm.token_count.", "llm.cost.", "llm.usage.")
_TAKES_INPUT = frozenset(["prompt", "function", "command"])
#: Before such a name on a span that is no call: around a call that has a span of its own (somebody's own
#: instrumentation says of both what the call took), it would count twice.
_AROUND = "llmops.around."
_LISTS = ("llm.input_messages.", "llm.output_messages.", "llm.tools.", "retrieval.documents.")
_OURS = frozenset([openinference.KIND, a.INPUT, a.OUTPUT, a.TEMPLATE, a.VARIABLES])
_LANGSMITH_KINDS = {
    "model": "llm",
    "retrieval": "retriever",
    "embedding": "embedding",
    "tool": "tool",
    "prompt": "prompt",
}
#: `error.type` where none is known (semantic-conventions, attributes of errors).
UNKNOWN_ERROR = "_OTHER"


def attributes(trace: Trace, span: Span) -> dict[str, Value]:
    """Names → values of one span of the trace."""
    found: dict[str, Any] = {}
    for name, value in span.attributes.items():
        found[name] = _own(name, value)
    if isinstance(provider := found.get(a.PROVIDER), str):
        found[a.PROVIDER] = _PROVIDERS.get(provider, provider)
    if a.TOOL_DEFINITIONS in span.attributes:
        found[a.TOOL_DEFINITIONS] = as_json([_definition(t) for t in openinference.tools(span.attributes)])
    if span.kind == "prompt" and isinstance(variables := span.attributes.get(a.VARIABLES), dict):
        found |= {f"{a.PROMPT_VARIABLE}{name}": as_text(value) for name, value in variables.items()}
    if span.kind not in _CALLS:
        found = {_AROUND + name if _counts(name, value) else name: value for name, value in found.items()}
    found.pop(a.EVENTS, None)
    found[a.KIND] = span.kind
    if span.status == "error":
        found[a.ERROR_TYPE] = found.get(a.ERROR_TYPE) or UNKNOWN_ERROR
    _add(found, openinference.attributes(span))
    if span is trace.root:
        if a.INPUT not in found and (given := _given(trace)) is not None:
            found |= openinference.went_in(given)
        found |= openinference.feedback([s for s in trace.spans if s.kind == "scorer"])
    found |= _for_tools(trace, span)
    made = {str(name): value_of(value) for name, value in found.items()}
    return {name: value for name, value in made.items() if value is not None}


def _given(trace: Trace) -> Any:
    """What the whole was given, where it doesn't say: what its first prompt, function or command was."""
    for span in trace.spans:
        for name in (a.VARIABLES, a.INPUT):
            if span.kind in _TAKES_INPUT and span.attributes.get(name) is not None:
                return span.attributes[name]
    return None


def _counts(name: str, value: Any) -> bool:
    """It makes a reader count a call of a model."""
    if name == a.OPERATION:
        return isinstance(value, str) and value in _CALL_OPERATIONS
    return name in _NAMES_A_CALL or name.startswith(_COUNTED)


def _add(found: dict[str, Any], more: dict[str, Any]) -> None:
    """OpenInference beside what is there. Lists that somebody's own instrumentation flattened stay theirs."""
    theirs = [start for start in _LISTS if any(name.startswith(start) for name in found)]
    for name, value in more.items():
        if not name.startswith(tuple(theirs)) and (name not in found or name in _OURS):
            found[name] = value


def _own(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TEXTS or (name in _STRUCTURED and isinstance(value, str)):
        return as_text(value)
    if name in _STRUCTURED:
        return as_json(value)
    if name in _DOUBLES and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _definition(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as the conventions have it: `{"type", "name", "description", "parameters"}`."""
    function = tool.get("function")
    return {"type": "function", **function} if isinstance(function, dict) else tool


def _for_tools(trace: Trace, span: Span) -> dict[str, Any]:
    """What Langfuse and LangSmith document for themselves and take from nothing else.

    Langfuse filters by version and session only where every span has them.
    """
    whole = trace.root.attributes
    found: dict[str, Any] = {"langsmith.span.kind": _LANGSMITH_KINDS.get(span.kind, "chain")}
    config, version = whole.get(a.CONFIG), whole.get(a.VERSION)
    if config and version:
        found |= {"session.id": f"{config} {version}", "langfuse.version": version}
    if span.kind == "model":
        if (cost := span.attributes.get(a.COST)) is not None:
            found["langfuse.observation.cost_details"] = as_json({"total": cost})
        first = span.attributes.get(a.TIME_TO_FIRST_CHUNK)
        if isinstance(first, int | float) and span.start > 0:
            with contextlib.suppress(ValueError, OverflowError):  # no time at all
                moment = datetime.fromtimestamp(span.start + first, UTC)
                found["langfuse.observation.completion_start_time"] = moment.isoformat()
    return found
