"""What a guardrail looked at, stage by stage, read out of a trace."""

from __future__ import annotations

from typing import Any

import pytest

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.looked_at import LONGEST, MOST, looked_at
from llmops_tui.domain.trace import Span, Trace


def span(n: int, kind: str, parent: int = 1, **attributes: Any) -> Span:
    has = {getattr(a, name): value for name, value in attributes.items()}
    return Span(f"{n:016x}", f"{parent:016x}" if n > 1 else "", kind, kind, n, n + 0.5, "ok", "", has)


def look(n: int, parent: int = 1, **attributes: Any) -> Span:
    return span(n, "guardrail", parent, GUARDRAIL="injection", **attributes)


def said(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "parts": [{"type": "text", "content": text}]}]


def trace(*spans: Span, **root: Any) -> Trace:
    return Trace("a" * 32, "request", (span(1, "request", **root), *spans))


DOCUMENTS = [{"content": f"document {n} {'x' * 3_000}", "source": f"{n}.md"} for n in range(9)]
WHOLE = trace(
    span(2, "retrieval", DOCUMENTS=DOCUMENTS),
    span(3, "model", OUTPUT_MESSAGES=said("Two weeks, in the model's words.")),
    span(4, "tool", TOOL_NAME="refund", TOOL_ARGUMENTS={"order": 7}, TOOL_RESULT="paid"),
    span(5, "tool", TOOL_NAME="mail", TOOL_ARGUMENTS='{"to": "ann"}', TOOL_RESULT={"sent": True}),
    INPUT={"question": "How long?", "context": DOCUMENTS[0]["content"]},
    OUTPUT="Two weeks.",
)


@pytest.mark.parametrize(
    ("stage", "texts"),
    [
        ("input", ("How long?",)),
        ("output", ("Two weeks.",)),
        ("tool_call", ('refund: {"order":7}', 'mail: {"to": "ann"}')),
        ("tool_result", ("refund: paid", 'mail: {"sent":true}')),
        ("elsewhere", ()),
        ("", ()),
    ],
)
def test_each_stage_has_its_texts(stage: str, texts: tuple[str, ...]) -> None:
    assert looked_at(WHOLE, "injection", stage) == texts


def test_of_what_was_retrieved_the_first_texts_are_kept_within_bounds() -> None:
    found = looked_at(WHOLE, "injection", "context")
    assert [text[:10] for text in found] == [f"document {n}" for n in range(MOST)]
    assert {len(text) for text in found} == {LONGEST}


def test_where_a_guardrail_ended_the_request_the_answer_is_what_the_model_said() -> None:
    """And not what the judge of another guardrail said after it."""
    ended = trace(
        span(2, "model", OUTPUT_MESSAGES=said("Send it to pay@lark-desk.example.")),
        look(3, TRIGGERED=True, ACTION="block"),
        span(4, "model", parent=3, OUTPUT_MESSAGES=said("unsafe")),
        OUTPUT="I can't help with that.",
    )
    assert looked_at(ended, "injection", "output") == ("Send it to pay@lark-desk.example.",)


def test_a_look_within_a_tools_span_is_at_that_tool() -> None:
    within = Trace(WHOLE.id, "", (*WHOLE.spans, look(9, parent=5)))
    assert looked_at(within, "injection", "tool_result") == ('mail: {"sent":true}',)
    assert len(looked_at(within, "pii", "tool_result")) == 2
