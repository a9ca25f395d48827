"""Made-up traces: the helpdesk's with retrieval, a tool and two models, and others of any size."""

from __future__ import annotations

from typing import Any

from made_up import NOW, SMOL

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.domain.trace_diff import FieldDiff, Pairing, TraceDiff
from llmops_tui.engine.trace_events import TraceView

POLICY = (
    "Refunds. You have 30 days from delivery to ask for a refund.\n"
    "Write to support with the number of the order, and keep the parcel until you hear from us."
)
SHIPPING = "Shipping costs 4.90 within the country and is free above 50."
CANCELLING = "An order can be cancelled within one hour of ordering, in your account under Orders."


def span(
    n: int, parent: int, kind: str, name: str, start: float, end: float, side: int = 0, **how: Any
) -> Span:
    """A span; `n` and `parent` count from 1, and 0 is no parent."""

    def id_(k: int) -> str:
        return f"{side:08x}{k:08x}" if k else ""

    error = how.pop("error", "")
    status: Any = "error" if error else "ok"
    return Span(
        id_(n), id_(parent), name, kind, NOW + start, NOW + end, status, error, how.pop("attributes", {})
    )


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def chunk(source: str, position: int, score: float, content: str) -> dict[str, Any]:
    return {
        "id": f"{source}#{position}",
        "source": source,
        "position": position,
        "score": score,
        "content": content,
    }


def helpdesk_trace(side: int, name: str, chunks: list[dict[str, Any]], answer: str) -> Trace:
    """Retrieval, prompt, a model that calls a tool, the tool, the model again, a scorer: 0 to 2.4 s."""
    system = "You help.\nAnswer the question using only the context."
    sent = [said("system", system), said("user", f"How many days?\n\n{chunks[0]['content']}")]
    arguments = {"days": 30, "q": "refund"}
    call = {"type": "tool_call", "id": "c1", "name": "search_orders", "arguments": arguments}
    result = {"type": "tool_call_response", "id": "c1", "response": {"orders": [1, 2]}}
    model = {
        a.PROVIDER: "local",
        a.MODEL: "smollm2-135m-instruct",
        f"{a.REQUEST}temperature": 0,
        a.FINISH_REASONS: ["stop"],
    }
    answered = {a.OUTPUT_MESSAGES: [said("assistant", answer)], a.RAW_RESPONSE: '{"choices": [{"index": 0}]}'}
    calls = {"role": "assistant", "parts": [call]}
    tool = {
        a.TOOL_NAME: "search_orders",
        a.TOOL_ARGUMENTS: arguments,
        a.TOOL_RESULT: '{"orders": [1, 2]}',
        a.TOOL_MODE: "live",
    }
    prompt = {
        a.TEMPLATE: "system:\n{{ context }}",
        a.VARIABLES: {"question": "How many days?"},
        a.INPUT_MESSAGES: sent,
    }
    first = {a.INPUT_MESSAGES: sent, a.OUTPUT_MESSAGES: [calls]}
    second = {a.INPUT_MESSAGES: [*sent, calls, {"role": "tool", "parts": [result]}], **answered}
    first |= {a.INPUT_TOKENS: 120, a.OUTPUT_TOKENS: 12, a.COST: 0.0012}
    second |= {a.INPUT_TOKENS: 1160, a.OUTPUT_TOKENS: 24, a.COST: 0.0034}
    judged = {a.SCORE: 0.0, a.SCORE_LABEL: "fail", a.EXPLANATION: '"30 days" is not in the output'}
    found = {a.QUERY: "How many days?", a.DOCUMENTS: chunks}
    chat, late = "chat smollm2-135m-instruct", "the clock stands still"
    spans = (
        span(1, 0, "request", "refund-window", 0, 2.4, side, attributes={a.OUTPUT: answer}),
        span(2, 1, "retrieval", "docs", 0, 0.1, side, attributes=found),
        span(3, 1, "prompt", "prompts/helpdesk.md", 0.1, 0.11, side, attributes=prompt),
        span(4, 1, "step", "answer", 0.11, 2.3, side),
        span(5, 4, "model", chat, 0.11, 0.9, side, attributes={**model, **first}),
        span(6, 4, "tool", "search_orders", 0.9, 1.0, side, attributes=tool),
        span(7, 4, "tool", "get_time", 0.9, 0.92, side, error=late, attributes={a.TOOL_NAME: "get_time"}),
        span(8, 4, "model", chat, 1.0, 2.3, side, attributes={**model, **second}),
        span(9, 1, "scorer", "contains", 2.3, 2.31, side, attributes=judged),
    )
    return Trace(f"{side:032x}", f"refund-window · {name} · {SMOL}", spans)


def before() -> Trace:
    chunks = [chunk("docs/refunds.md", 0, 2.31, POLICY), chunk("docs/orders.md", 2, 0.92, CANCELLING)]
    return helpdesk_trace(1, "v11", chunks, "You have 30 days from delivery to ask for a refund.")


def after() -> Trace:
    chunks = [chunk("docs/shipping.md", 1, 1.87, SHIPPING), chunk("docs/refunds.md", 0, 1.2, POLICY)]
    answer = "You can ask for a refund at any time by contacting support."
    whole = helpdesk_trace(2, "v12", chunks, answer)
    # The order is not looked up any more, and a guardrail has come.
    kept = [s for s in whole.spans if s.name != "search_orders"]
    kept.append(span(10, 1, "guardrail", "no promises", 2.31, 2.4, 2))
    return Trace(whole.id, whole.title, tuple(kept))


def compared(one: Trace, two: Trace) -> TraceDiff:
    """Steps of the same place in the tree, by number: enough for a screen that only draws."""
    left = {s.id[8:]: s for s in one.spans}
    right = {s.id[8:]: s for s in two.spans}
    depths = {s.id[8:]: depth for trace in (one, two) for depth, s in trace.walk()}
    pairings = []
    for number in sorted(depths):
        old, new = left.get(number), right.get(number)
        fields: tuple[FieldDiff, ...] = ()
        state: Any = "new" if old is None else "gone"
        if old is not None and new is not None:
            names = [n for n in new.attributes if old.attributes.get(n) != new.attributes[n]]
            fields = tuple(
                FieldDiff(n, old.attributes.get(n), new.attributes[n], n == a.INPUT_MESSAGES) for n in names
            )
            state = "changed" if fields and new.parent_id else "same"
            fields = fields if state == "changed" else ()
        pairings.append(Pairing(old, new, state, depths[number], fields))
    first = next((n for n, p in enumerate(pairings) if p.state != "same"), None)
    return TraceDiff(
        one, two, tuple(pairings), first, "Retrieval: another chunk came first, docs/shipping.md#1"
    )


def both() -> TraceView:
    one, two = before(), after()
    return TraceView(one, two, compared(one, two))


def large(n: int, *, breadth: int = 8, side: int = 1) -> Trace:
    """n spans in a tree of this breadth, one after the other within each step."""
    kinds = ("step", "retrieval", "prompt", "model", "tool")
    spans = [span(1, 0, "request", "large", 0, n * 0.01, side)]
    for k in range(2, n + 1):
        parent = (k - 2) // breadth + 1
        above = spans[parent - 1]
        length = above.length_s / breadth
        start = above.start - NOW + ((k - 2) % breadth) * length
        kind = kinds[k % 5]
        attributes: dict[str, Any] = {a.INPUT_MESSAGES: [said("user", f"question {k}")]}
        if kind == "model":
            attributes |= {a.INPUT_TOKENS: k, a.OUTPUT_TOKENS: 7, a.COST: k / 1e7}
            attributes |= {a.OUTPUT_MESSAGES: [said("assistant", f"answer {k}")]}
        spans.append(span(k, parent, kind, f"{kind} {k}", start, start + length, side, attributes=attributes))
    return Trace(f"{side:032x}", "large", tuple(spans))
