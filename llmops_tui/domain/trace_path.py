"""Which spans of a trace decide how long it takes, and which one takes most by itself. Pure."""

from __future__ import annotations

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace

#: Seconds by which one span may seem to begin before the one that it waited for has ended: Unix seconds
#: as floats are no finer.
SLACK_S = 1e-6


class Timing(msgspec.Struct, frozen=True):
    """Where the time and the money of a trace went.

    Attributes:
        start, end: Unix seconds, of all spans together.
        path: ids of the spans on the critical path: had one of them taken less, the whole would have.
        slowest: id of the span with the most time of its own (its children's time is theirs); empty where
            none took any.
        dearest: id of the model or embedding call that cost most; empty where none cost anything.
        own_s: id → seconds of its own.
    """

    start: float
    end: float
    path: frozenset[str]
    slowest: str
    dearest: str
    own_s: dict[str, float]

    @property
    def length_s(self) -> float:
        return max(self.end - self.start, 0.0)


def timing(trace: Trace) -> Timing:
    """Walk a trace once. Spans whose parent is missing count as roots."""
    children = _children(trace)
    own = {span.id: _own_s(span, children.get(span.id, [])) for span in trace.spans}
    # Of equals the first one, which a person meets first.
    slowest = max(trace.spans, key=lambda s: own[s.id], default=None)
    calls = [s for s in trace.spans if s.kind in ("model", "embedding") and _cost(s) > 0]
    dearest = max(calls, key=_cost, default=None)
    return Timing(
        start=min((s.start for s in trace.spans), default=0.0),
        end=max((s.end for s in trace.spans), default=0.0),
        path=critical_path(trace),
        slowest=slowest.id if slowest is not None and own[slowest.id] > 0 else "",
        dearest=dearest.id if dearest is not None else "",
        own_s=own,
    )


def critical_path(trace: Trace) -> frozenset[str]:
    """Ids of the spans that decide when the trace ends.

    Walked backwards from the end: of a span's children the one that ends last is on the path; before
    it, the one that ends last among those that had ended when it began; and so on, and within each of
    them again. Of children side by side only the one that is waited for is on it. A child that outlives
    its parent counts up to the parent's end.
    """
    children = _children(trace)
    found: set[str] = set()
    roots = children.get("", [])
    if not roots:
        return frozenset()
    stack = [(roots, max(s.end for s in roots))]
    while stack:
        siblings, until = stack.pop()
        end = until
        for span in sorted(siblings, key=lambda s: (-min(s.end, end), s.start)):
            if min(span.end, end) <= until + SLACK_S and span.start <= end:
                found.add(span.id)
                until = min(until, span.start)
                if span.id in children:
                    stack.append((children[span.id], min(span.end, end)))
    return frozenset(found)


def _children(trace: Trace) -> dict[str, list[Span]]:
    """As `Trace.children`, with the spans whose parent is missing among the roots."""
    known = {span.id for span in trace.spans}
    found: dict[str, list[Span]] = {}
    for span in trace.spans:
        found.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    return found


def _own_s(span: Span, children: list[Span]) -> float:
    """Seconds of a span in which none of its children was under way."""
    covered, reached = 0.0, span.start
    for child in sorted(children, key=lambda c: c.start):
        start, end = max(child.start, reached), min(child.end, span.end)
        if end > start:
            covered += end - start
            reached = end
    return max(span.length_s - covered, 0.0)


def _cost(span: Span) -> float:
    cost = span.attributes.get(a.COST)
    return float(cost) if isinstance(cost, int | float) else 0.0
