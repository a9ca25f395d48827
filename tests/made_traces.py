"""Traces put together by hand: a question answered from documents, a loop with tools, a chain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace

START = 1_790_000_000.0


class Node(msgspec.Struct):
    """A span before it has a place, a time and an id."""

    kind: str
    name: str
    attributes: dict[str, Any] = {}
    children: tuple[Node, ...] = ()
    error: str = ""


def trace(*roots: Node, title: str = "refund-window · v1 · echo/parrot", salt: str = "") -> Trace:
    """Each span takes 10 ms beside what its children take. `salt` makes other ids."""
    numbers = count(1)
    spans: list[Span] = []

    def put(node: Node, parent: str, start: float) -> float:
        id_ = f"{salt or '0'}{next(numbers):015x}"
        place = len(spans)
        spans.append(Span(id_, parent, node.name, node.kind, start, start))
        end = start + 0.01
        for child in node.children:
            end = put(child, id_, end)
        status = "error" if node.error else "ok"
        spans[place] = Span(
            id_, parent, node.name, node.kind, start, end, status, node.error, node.attributes
        )
        return end

    at = START
    for root in roots:
        at = put(root, "", at)
    return Trace(f"{salt or '0'}".ljust(32, "0"), title, tuple(spans))


def request(*children: Node, **attributes: Any) -> Node:
    return Node("request", "refund-window", {a.CASE_ID: "refund-window", **attributes}, children)


def step(name: str, *children: Node, **attributes: Any) -> Node:
    return Node("step", name, {a.STEP: name, **attributes}, children)


def chunk(source: str, position: int = 0, text: str = "", score: float = 1.0) -> dict[str, Any]:
    content = text or f"What {source} says in part {position}."
    return {"source": source, "position": position, "score": score, "content": content}


def retrieval(*chunks: dict[str, Any], query: str = "How long?", top_k: int = 3) -> Node:
    told = {a.DATA_SOURCE: "docs", a.QUERY: query, a.TOP_K: top_k, a.METHOD: "bm25"}
    return Node("retrieval", "retrieval docs", {**told, a.DOCUMENTS: list(chunks)})


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def prompt(template: str, sent: str = "", **variables: Any) -> Node:
    told = {a.TEMPLATE: template, a.VARIABLES: variables, a.INPUT_MESSAGES: [said("user", sent or template)]}
    return Node("prompt", "assemble prompt", told)


def tool_call(name: str, id_: str = "call_1", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": id_, "name": name, "arguments": arguments}


def model(
    sent: str | Sequence[dict[str, Any]],
    answer: str = "",
    *calls: dict[str, Any],
    name: str = "parrot",
    temperature: float = 0,
    tools: Any = None,
    error: str = "",
    **more: Any,
) -> Node:
    messages = [said("user", sent)] if isinstance(sent, str) else list(sent)
    parts = [*([{"type": "text", "content": answer}] if answer else []), *calls]
    told: dict[str, Any] = {
        a.PROVIDER: "echo",
        a.MODEL: name,
        f"{a.REQUEST}temperature": temperature,
        a.INPUT_MESSAGES: messages,
        a.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts}],
        a.FINISH_REASONS: ["tool_calls" if calls else "stop"],
        a.INPUT_TOKENS: 10,
        a.OUTPUT_TOKENS: 5,
        a.COST: 0.001,
        **more,
    }
    if tools is not None:
        told[a.TOOL_DEFINITIONS] = tools
    if error:
        told = {a.MODEL: name}
    return Node("model", f"chat {name}", told, error=error)


def tool(name: str, result: Any = "ok", *, id_: str = "", error: str = "", **arguments: Any) -> Node:
    told = {a.TOOL_NAME: name, a.TOOL_ARGUMENTS: arguments, a.TOOL_CALL_ID: id_, a.TOOL_MODE: "canned"}
    if not error:
        told[a.TOOL_RESULT] = result
    return Node("tool", f"execute_tool {name}", told, error=error)


def scorer(name: str, value: float | None, label: str = "") -> Node:
    told = {a.EVALUATION: name, a.SCORE: value, a.SCORE_LABEL: label or ("pass" if value else "fail")}
    return Node("scorer", name, {**told, a.EXPLANATION: f"because of {value}"})
