"""Calls of one request, and which of them are none: a span around a call often says it is a call itself.

Two programs may trace the same call, one around the other: a framework's instrumentation around that of the
client, a hand-made generation around either. What counts is the innermost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.amounts import MOST_S, number, usd, whole
from llmops_tui.domain.trace import Span

#: Calls of one request that are remembered, and steps between them; what is beyond is counted as it comes.
MOST_CALLS = MOST_BETWEEN = 200
_SEP = " · "


class Call(msgspec.Struct, array_like=True):
    """A call, as far as it is counted.

    Attributes:
        parent: id of the span around it; 0 where there is none.
        counts: no call of its kind was found in it. answers: no guardrail made it.
        cost_usd: None where it is not known.
        error: what went wrong, for people; empty where it did not fail.
        first_token_at: Unix seconds.
    """

    parent: int
    is_embedding: bool
    start: float
    end: float
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    counts: bool = True
    model: str = ""
    provider: str = ""
    error: str = ""
    first_token_at: float | None = None
    answers: bool = True


def call_of(span: Span) -> Call:
    has = span.attributes
    cost = number(has.get(a.COST))
    call = Call(
        parent_of(span),
        span.kind == "embedding",
        span.start,
        span.end,
        whole(has.get(a.INPUT_TOKENS)),
        whole(has.get(a.OUTPUT_TOKENS)),
        None if cost is None or cost < 0 else usd(cost),
    )
    if span.kind == "model":
        call.model = str(has.get(a.MODEL) or has.get(a.RESPONSE_MODEL) or "")[:120]
        call.provider = str(has.get(a.PROVIDER) or "")[:60]
        call.error = trouble_of(span)
        first = number(has.get(a.TIME_TO_FIRST_CHUNK))
        call.first_token_at = None if first is None else span.start + min(max(first, 0.0), MOST_S)
    return call


def trouble_of(span: Span) -> str:
    """What went wrong in a span, for people; empty where nothing did."""
    if span.status != "error":
        return ""
    kind = str(span.attributes.get(a.ERROR_TYPE) or "error")[:80]
    provider = str(span.attributes.get(a.PROVIDER) or "")[:40]
    return f"{provider}{_SEP}{kind}" if provider else kind


def parent_of(span: Span) -> int:
    """Its id as a number; 0 where there is none, or it is no id."""
    try:
        return int(span.parent_id, 16) if len(span.parent_id) == 16 else 0
    except ValueError:
        return 0


def around(called: Mapping[int, Call], between: Mapping[int, int]) -> set[int]:
    """Those that have a call of their own kind in them.

    Args:
        called: by span id.
        between: steps that may stand between: span id → parent's.
    """
    found: set[int] = set()
    for call in called.values():
        at, left = call.parent, len(between)
        while left and at in between:  # spans may name each other as parents
            at, left = between[at], left - 1
        outer = called.get(at)
        if outer is not None and outer.is_embedding == call.is_embedding:
            found.add(at)
    return found


def within(called: Mapping[int, Call], spans: Collection[int]) -> list[int]:
    """Those that one of these spans made itself."""
    return [id_ for id_, call in called.items() if call.parent in spans]
