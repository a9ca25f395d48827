"""Made-up traces: one with every kind of span that is exported in its own way, and plain ones."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace

BEGAN = 1_764_000_000.25
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SEARCHED = [
    {
        "id": "refunds.md#2",
        "score": 3.25,
        "content": "Within 30 days.",
        "source": "refunds.md",
        "position": 2,
    },
    {"id": "terms.md#0", "score": 1, "content": "Terms apply.", "source": "terms.md", "position": 0},
]
ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Refund?"}]},
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "call_1", "name": "order", "arguments": {"id": 7}}],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": {"days": 12}}]},
]
ANSWERED = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "12 is under 30"},
            {"type": "text", "content": "Yes, within 30 days."},
            {"type": "tool_call", "id": "call_2", "name": "refund", "arguments": "not json"},
        ],
        "finish_reason": "stop",
    }
]
TOOL = {
    "type": "function",
    "function": {"name": "order", "description": "An order.", "parameters": {"type": "object"}},
}
MODEL_ATTRIBUTES: dict[str, Any] = {
    a.OPERATION: "chat",
    a.PROVIDER: "mistral",
    a.MODEL: "small",
    a.RESPONSE_MODEL: "small-2506",
    a.INPUT_MESSAGES: ASKED,
    a.OUTPUT_MESSAGES: ANSWERED,
    a.TOOL_DEFINITIONS: [TOOL],
    "gen_ai.request.temperature": 0,
    "gen_ai.request.stop_sequences": ["END"],
    "llmops.request.logprobs": True,
    a.FINISH_REASONS: ["stop"],
    a.INPUT_TOKENS: 120,
    a.OUTPUT_TOKENS: 9,
    a.CACHED_TOKENS: 100,
    a.REASONING_TOKENS: 4,
    a.TIME_TO_FIRST_CHUNK: 0.5,
    a.COST: 0.0002,
    a.RAW_RESPONSE: {"id": "cmpl-1", "choices": []},
}


def span(n: int, parent: int, kind: str, name: str, at: float, length: float, **rest: Any) -> Span:
    parent_id = f"{parent:016x}" if parent else ""
    return Span(f"{n:016x}", parent_id, name, kind, BEGAN + at, BEGAN + at + length, **rest)


def whole_trace() -> Trace:
    """An answer with retrieval, a prompt, a model that calls a tool that fails, and scores."""
    return Trace(
        TRACE_ID,
        "refund-window · v12 · mistral/small",
        (
            span(
                1,
                0,
                "request",
                "refund-window",
                0,
                3,
                attributes={
                    a.OPERATION: "invoke_workflow",
                    a.WORKFLOW_NAME: "helpdesk",
                    a.CONFIG: "helpdesk",
                    a.VERSION: "v12",
                    a.CASE_ID: "refund-window",
                    a.EVALUATED_MODEL: "mistral/small",
                    a.TRIAL: 0,
                    a.INPUT: {"question": "Refund?"},
                    a.OUTPUT: "Yes, within 30 days.",
                },
            ),
            span(
                2,
                1,
                "retrieval",
                "retrieval",
                0,
                0.125,
                attributes={
                    a.OPERATION: "retrieval",
                    a.QUERY: "Refund?",
                    a.TOP_K: 2,
                    a.DOCUMENTS: SEARCHED,
                },
            ),
            span(
                3,
                1,
                "prompt",
                "assemble prompt",
                0.125,
                0.125,
                attributes={
                    a.TEMPLATE: "user:\n{{ question }}",
                    a.VARIABLES: {"question": "Refund?", "lines": 3},
                    a.INPUT_MESSAGES: ASKED[:2],
                },
            ),
            span(4, 1, "model", "chat small", 0.25, 2, attributes=MODEL_ATTRIBUTES),
            span(
                5,
                1,
                "tool",
                "execute_tool order",
                2.25,
                0.5,
                status="error",
                error="KeyError: 7",
                attributes={
                    a.TOOL_NAME: "order",
                    a.TOOL_CALL_ID: "call_1",
                    a.TOOL_ARGUMENTS: {"id": 7},
                    a.ERROR_TYPE: "KeyError",
                },
            ),
            span(
                6,
                1,
                "scorer",
                "score contains",
                3,
                0,
                attributes={
                    a.EVALUATION: "contains",
                    a.SCORE: 1,
                    a.SCORE_LABEL: "pass",
                    a.EXPLANATION: "is there",
                },
            ),
        ),
    )


def plain_trace(n: int, **attributes: Any) -> Trace:
    return Trace(f"{n:032x}", f"case {n}", (span(n, 0, "request", f"case {n}", 0, 1, attributes=attributes),))
