"""What a guardrail looked at in a request, read out of the trace: a pass quotes nothing of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.judged import answer_of, chunks_of, variables_of
from llmops_tui.domain.live.said import last_said, plain
from llmops_tui.domain.trace import Span, Trace

#: Texts that are kept, and characters of each.
MOST, LONGEST = 5, 2_000


def looked_at(trace: Trace, guardrail: str, stage: str) -> tuple[str, ...]:
    """The texts that a guardrail was given at a stage, bounded and untrusted; empty where none is kept.

    Of `input` what the user asked, of `output` the answer, of `context` the first texts that were retrieved,
    of `tool_call` and `tool_result` what tools were called with and what they gave, behind their names.
    """
    find = _OF_STAGE.get(stage)
    texts = (text.strip()[:LONGEST] for text in find(trace, guardrail)) if find is not None else ()
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST]


def _asked(trace: Trace, _guardrail: str) -> Iterator[str]:
    """Without the variable that what was retrieved is in."""
    chunks = [chunk.text for chunk in chunks_of(trace) if chunk.text]
    texts = {name: plain(value) for name, value in variables_of(trace).items()}
    asked = {name: text for name, text in texts.items() if not any(chunk in text for chunk in chunks)}
    for name, text in asked.items():
        yield text if len(asked) == 1 else f"{name}: {text}"


def _answer(trace: Trace, _guardrail: str) -> Iterator[str]:
    """Where a guardrail ended the request, the root's answer is that guardrail's message."""
    if any(_ended(span) for span in trace.spans):
        within = _within_looks(trace.spans)
        for span in sorted(trace.spans, key=lambda each: -each.end):
            if span.kind == "model" and span.id not in within:
                made = span.attributes.get(a.OUTPUT)
                said = last_said(span.attributes.get(a.OUTPUT_MESSAGES), "") or plain(made)
                if said:
                    yield said
                    return
    yield answer_of(trace)


def _ended(span: Span) -> bool:
    has = span.attributes
    stopped = has.get(a.TRIGGERED) is True or has.get(a.GUARDRAIL_FAILED) == "closed"
    return span.kind == "guardrail" and stopped and has.get(a.ACTION) in ("block", "fallback")


def _within_looks(spans: Iterable[Span]) -> set[str]:
    """Ids of what guardrails asked of models; parents come first in a trace."""
    found: set[str] = set()
    for span in spans:
        if span.kind == "guardrail" or span.parent_id in found:
            found.add(span.id)
    return found


def _retrieved(trace: Trace, _guardrail: str) -> Iterator[str]:
    return (chunk.text for chunk in chunks_of(trace))


def _of_tools(attribute: str) -> Callable[[Trace, str], Iterator[str]]:
    def found(trace: Trace, guardrail: str) -> Iterator[str]:
        tools = {span.id: span for span in trace.spans if span.kind == "tool"}
        looks = (
            s for s in trace.spans if s.kind == "guardrail" and s.attributes.get(a.GUARDRAIL) == guardrail
        )
        # A look within a tool's span is at this tool; where none is, it may have been at any of them.
        seen = {look.parent_id for look in looks} & set(tools)
        for tool in tools.values():
            value = tool.attributes.get(attribute)
            if value is not None and (not seen or tool.id in seen):
                yield f"{_name(tool)}: {value if isinstance(value, str) else plain(value)}"

    return found


def _name(tool: Span) -> Any:
    return tool.attributes.get(a.TOOL_NAME) or tool.name


_OF_STAGE: dict[str, Callable[[Trace, str], Iterator[str]]] = {
    "input": _asked,
    "output": _answer,
    "context": _retrieved,
    "tool_call": _of_tools(a.TOOL_ARGUMENTS),
    "tool_result": _of_tools(a.TOOL_RESULT),
}
