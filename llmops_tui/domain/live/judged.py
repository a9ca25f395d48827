"""A live request as a scorer is given it: the case and the output that it would be in an eval set. Pure."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.live.amounts import whole
from llmops_tui.domain.live.request import Request
from llmops_tui.domain.live.said import last_said
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.trace import Span, Trace

#: Characters of a text that a scorer is given.
_LONGEST = 200_000


def case_of(request: Request, trace: Trace, scorers: tuple[ScorerUse, ...]) -> Case:
    """The case: its id is the trace's."""
    tags = tuple(dict.fromkeys(("live", *((request.feature,) if request.feature else ()), *request.tags)))
    return Case(request.trace_id, variables_of(trace), None, scorers, tags)


def variables_of(trace: Trace) -> dict[str, Any]:
    """What went in, by name: variables of its first prompt, else the root's input, else what the user said.

    A text without a name is `input`.
    """
    for span in trace.spans:
        variables = span.attributes.get(a.VARIABLES)
        if isinstance(variables, dict) and variables:
            return {str(name): value for name, value in variables.items()}
    given = trace.spans[0].attributes.get(a.INPUT) if trace.spans else None
    if isinstance(given, dict) and given:
        return {str(name): value for name, value in given.items()}
    said = _first_said(trace)
    if said:
        return {"input": said}
    return {"input": given} if given is not None else {}


def _first_said(trace: Trace) -> str:
    for span in trace.spans:
        if span.kind == "model" and (said := last_said(span.attributes.get(a.INPUT_MESSAGES), "user")):
            return said
    return ""


def output_of(request: Request, trace: Trace) -> Output:
    """The answer in full, with what was retrieved for it."""
    calls = [span for span in trace.spans if span.kind == "model"]
    last = max(calls, key=lambda span: span.end, default=None)
    return Output(
        text=answer_of(trace)[:_LONGEST],
        tool_calls=tuple(_tool_call(span) for span in trace.spans if span.kind == "tool"),
        finish_reason=_reason(last),
        refused=request.refused,
        retrieved=tuple(chunks_of(trace)),
        calls=tuple(span.id for span in calls),
        usage=Usage(request.input_tokens, request.output_tokens),
        latency_s=request.latency_s,
        ttft_s=request.ttft_s,
        cost_usd=request.cost_usd if request.priced else None,
    )


def answer_of(trace: Trace) -> str:
    """The text that came out: the root's where it says, else what the model said last."""
    root = trace.spans[0] if trace.spans else None
    if root is not None and root.kind != "model":
        made = root.attributes.get(a.OUTPUT)
        if isinstance(made, str) and made:
            return made
    for span in sorted(trace.spans, key=lambda each: -each.end):
        if span.kind == "model":
            said = last_said(span.attributes.get(a.OUTPUT_MESSAGES), "")
            made = span.attributes.get(a.OUTPUT)
            if said or isinstance(made, str):
                return said or str(made)
    made = root.attributes.get(a.OUTPUT) if root is not None else None
    return made if isinstance(made, str) else ""


def chunks_of(trace: Trace) -> list[Chunk]:
    """What was retrieved, in order."""
    found: list[Chunk] = []
    for span in trace.spans:
        documents = span.attributes.get(a.DOCUMENTS)
        for document in documents if isinstance(documents, list | tuple) else ():
            if not isinstance(document, dict) or not isinstance(document.get("content"), str):
                continue
            score = document.get("score")
            source = str(document.get("source") or document.get("id") or "document")
            found.append(
                Chunk(
                    source,
                    document["content"][:_LONGEST],
                    float(score) if isinstance(score, int | float) else 0.0,
                    whole(document.get("position")),
                )
            )
    return found


def _tool_call(span: Span) -> dict[str, Any]:
    has = span.attributes
    arguments = has.get(a.TOOL_ARGUMENTS)
    return {
        "id": str(has.get(a.TOOL_CALL_ID) or span.id),
        "type": "function",
        "function": {"name": str(has.get(a.TOOL_NAME) or span.name), "arguments": arguments},
    }


def _reason(span: Span | None) -> str | None:
    reasons = span.attributes.get(a.FINISH_REASONS) if span is not None else None
    return str(reasons[0]) if isinstance(reasons, list | tuple) and reasons else None
