"""OpenInference attributes of a span, beside those of OpenTelemetry: what Phoenix shows. Pure.

Names and shapes: github.com/Arize-ai/openinference, spec/semantic_conventions.md (0.1.42 of its package).
Lists are flattened, `llm.input_messages.0.message.role`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span
from llmops_tui.tracing.values import as_json, as_text, structure

KIND = "openinference.span.kind"
INPUT_TYPE, OUTPUT_TYPE = "input.mime_type", "output.mime_type"
JSON, TEXT = "application/json", "text/plain"

KINDS = {
    "retrieval": "RETRIEVER",
    "prompt": "PROMPT",
    "model": "LLM",
    "embedding": "EMBEDDING",
    "tool": "TOOL",
    "guardrail": "GUARDRAIL",
    "scorer": "EVALUATOR",
}
#: All others: the whole, turns, steps, functions and commands.
OTHER_KIND = "CHAIN"

#: Providers by the names that OpenInference knows them by (`llm.provider`); others by ours.
_PROVIDERS = {
    "azure_ai": "azure",
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "together_ai": "together",
    "vertex_ai": "google",
}
#: Products (`llm.system`) where the provider has another name.
_SYSTEMS = {
    "azure": "openai",
    "bedrock": "amazon",
    "gemini": "vertexai",
    "mistral": "mistralai",
    "vertex_ai": "vertexai",
}
#: Start of the names of parameters that the conventions don't have.
_OTHER_PARAM = "llmops.request."


def attributes(span: Span) -> dict[str, Any]:
    """What OpenInference says of a span; values as `value_of` takes them."""
    has = span.attributes
    found: dict[str, Any] = {KIND: KINDS.get(span.kind, OTHER_KIND)}
    match span.kind:
        case "model":
            found |= _model(has)
        case "embedding":
            found |= {
                "embedding.model_name": has.get(a.MODEL),
                "llm.token_count.prompt": has.get(a.INPUT_TOKENS),
            }
        case "retrieval":
            found |= _retrieval(has)
        case "prompt":
            found |= _prompt(has)
        case "tool":
            found |= _tool(has)
        case "scorer":
            found |= _result("", has) if a.EVALUATION in has else {}
        case _:
            pass
    found |= _end(a.INPUT, INPUT_TYPE, has.get(a.INPUT))
    found |= _end(a.OUTPUT, OUTPUT_TYPE, has.get(a.OUTPUT))
    return {name: value for name, value in found.items() if value is not None}


def went_in(value: Any) -> dict[str, Any]:
    """What a span was given."""
    return _end(a.INPUT, INPUT_TYPE, value)


def feedback(scorers: list[Span]) -> dict[str, Any]:
    """Scores of an output, for the span that was judged (spec/annotations.md)."""
    found: dict[str, Any] = {}
    judged = [s for s in scorers if a.SCORE in s.attributes or a.SCORE_LABEL in s.attributes]
    for n, span in enumerate(judged):
        found |= _result(f"evaluations.{n}.", span.attributes)
    return {name: value for name, value in found.items() if value is not None}


def _result(prefix: str, has: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{prefix}evaluation.name": has.get(a.EVALUATION),
        f"{prefix}evaluation.score": has.get(a.SCORE),
        f"{prefix}evaluation.label": has.get(a.SCORE_LABEL),
        f"{prefix}evaluation.explanation": has.get(a.EXPLANATION),
    }


def _model(has: Mapping[str, Any]) -> dict[str, Any]:
    provider = str(has.get(a.PROVIDER, ""))
    taken, given = has.get(a.INPUT_TOKENS), has.get(a.OUTPUT_TOKENS)
    found: dict[str, Any] = {
        "llm.system": _SYSTEMS.get(provider, provider) or None,
        "llm.provider": _PROVIDERS.get(provider, provider) or None,
        "llm.model_name": has.get(a.RESPONSE_MODEL) or has.get(a.MODEL),
        "llm.token_count.prompt": taken,
        "llm.token_count.completion": given,
        "llm.token_count.total": taken + given if isinstance(taken, int) and isinstance(given, int) else None,
        "llm.token_count.prompt_details.cache_read": has.get(a.CACHED_TOKENS),
        "llm.token_count.completion_details.reasoning": has.get(a.REASONING_TOKENS),
        "llm.cost.total": has.get(a.COST),
    }
    served = has.get(a.RESPONSE_MODEL)
    if served and served != has.get(a.MODEL):
        found |= {"llm.request.model_name": has.get(a.MODEL), "llm.response.model_name": served}
    reasons = has.get(a.FINISH_REASONS)
    if isinstance(reasons, list | tuple) and reasons:
        found["llm.finish_reason"] = reasons[0]
    params = parameters(has)
    if params:
        found["llm.invocation_parameters"] = as_json(params)
    for name, attribute, ends in (
        ("llm.input_messages", a.INPUT_MESSAGES, (a.INPUT, INPUT_TYPE)),
        ("llm.output_messages", a.OUTPUT_MESSAGES, (a.OUTPUT, OUTPUT_TYPE)),
    ):
        messages = structure(has.get(attribute))
        if isinstance(messages, list | tuple) and messages:
            found |= _messages(name, messages)
            found |= _end(*ends, _said(messages))
    for n, tool in enumerate(tools(has)):
        found[f"llm.tools.{n}.tool.json_schema"] = as_json(tool)
    return found


def parameters(has: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent beside the messages: `temperature` → 0.2."""
    found = {}
    for name, value in has.items():
        for start in (a.REQUEST, _OTHER_PARAM):
            if name.startswith(start) and name != a.MODEL:
                found[name.removeprefix(start)] = value
    return found


def tools(has: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Definitions of tools as a provider is sent them: `{"type": "function", "function": {…}}`."""
    given = structure(has.get(a.TOOL_DEFINITIONS))
    found = []
    for tool in given if isinstance(given, list | tuple) else ():
        if isinstance(tool, dict) and tool.get("type") == "function" and "function" not in tool:
            tool = {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}
        if isinstance(tool, dict):
            found.append(tool)
    return found


def _said(messages: list[Any] | tuple[Any, ...]) -> Any:
    """One message that is nothing but text as that text, anything else in full."""
    if len(messages) == 1 and isinstance(messages[0], dict):
        parts = _parts(messages[0])
        if [part.get("type") for part in parts] == ["text"]:
            return parts[0].get("content", "")
    return messages


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    parts = message.get("parts")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list | tuple) else []


def _messages(prefix: str, messages: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for n, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        at = f"{prefix}.{n}.message"
        found[f"{at}.role"] = str(message.get("role", ""))
        parts = _parts(message)
        calls = [part for part in parts if part.get("type") == "tool_call"]
        for m, call in enumerate(calls):
            tool = f"{at}.tool_calls.{m}.tool_call"
            found[f"{tool}.id"] = str(call.get("id") or "") or None
            found[f"{tool}.function.name"] = str(call.get("name", ""))
            found[f"{tool}.function.arguments"] = as_text(call.get("arguments"))
        found |= _contents(at, [part for part in parts if part.get("type") != "tool_call"])
    return found


def _contents(at: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Plain text as `message.content`; where there is more than text, part by part."""
    if not parts:
        return {}
    if all(part.get("type") == "text" for part in parts):
        return {f"{at}.content": "\n".join(as_text(part.get("content", "")) for part in parts)}
    if [part.get("type") for part in parts] == ["tool_call_response"]:
        part = parts[0]
        return {
            f"{at}.content": as_text(part.get("response")),
            f"{at}.tool_call_id": str(part.get("id") or "") or None,
        }
    found: dict[str, Any] = {}
    for n, part in enumerate(parts):
        for name, value in _content(part):
            found[f"{at}.contents.{n}.message_content.{name}"] = value
    return found


def _content(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    url = part.get("image_url")
    if isinstance(url, dict):
        url = url.get("url")
    match part.get("type"):
        case "text" | "reasoning" as kind:
            yield "type", kind
            yield "text", as_text(part.get("content", ""))
        case "image_url" if isinstance(url, str):
            yield "type", "image"
            yield "image.image.url", url
        case _:
            yield "type", "text"
            yield "text", as_json(part)


def _retrieval(has: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _end(a.INPUT, INPUT_TYPE, has.get(a.QUERY))
    documents = structure(has.get(a.DOCUMENTS))
    for n, document in enumerate(documents if isinstance(documents, list | tuple) else ()):
        if not isinstance(document, dict):
            continue
        at = f"retrieval.documents.{n}.document"
        about = {k: v for k, v in document.items() if k not in ("id", "content", "score")}
        score = document.get("score")
        found |= {
            f"{at}.id": as_text(document.get("id", "")),
            f"{at}.content": as_text(document.get("content", "")),
            f"{at}.score": float(score) if isinstance(score, int | float) else None,
            f"{at}.metadata": as_json(about) if about else None,
        }
    if isinstance(documents, list | tuple) and documents:
        found |= _end(a.OUTPUT, OUTPUT_TYPE, documents)
    return found


def _prompt(has: Mapping[str, Any]) -> dict[str, Any]:
    variables = has.get(a.VARIABLES)
    found: dict[str, Any] = {a.TEMPLATE: has.get(a.TEMPLATE)}
    if variables:
        found[a.VARIABLES] = as_json(variables)
        found |= _end(a.INPUT, INPUT_TYPE, variables)
    if has.get(a.INPUT_MESSAGES):
        found |= _end(a.OUTPUT, OUTPUT_TYPE, has[a.INPUT_MESSAGES])
    return found


def _tool(has: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tool.name": has.get(a.TOOL_NAME),
        "tool.id": has.get(a.TOOL_CALL_ID),
        **_end(a.INPUT, INPUT_TYPE, has.get(a.TOOL_ARGUMENTS)),
        **_end(a.OUTPUT, OUTPUT_TYPE, has.get(a.TOOL_RESULT)),
    }


def _end(name: str, type_name: str, value: Any) -> dict[str, Any]:
    """`input.value` or `output.value`, with what it is written in."""
    if value is None:
        return {}
    return {name: as_text(value), type_name: TEXT if isinstance(value, str) else JSON}
