"""The JSON of a trace, and of two held against each other (docs/traces.md)."""

from __future__ import annotations

from llmops_tui.domain.trace import Span, Trace
from llmops_tui.domain.trace_steps import Pairing, TraceDiff
from llmops_tui.report.json import Json

#: Levels of `children`; what is deeper is a child of the last one: encoders and readers recurse.
MOST_LEVELS = 100


def trace_json(trace: Trace) -> Json:
    """Spans with their children within them."""
    roots: list[Json] = []
    path: list[Json] = []
    for depth, span in trace.walk():
        made = _span(span)
        del path[min(depth, MOST_LEVELS) :]
        (path[-1]["children"] if path else roots).append(made)
        path.append(made)
    return {"id": trace.id, "title": trace.title, "spans": roots}


def _span(span: Span) -> Json:
    return {
        "id": span.id,
        "name": span.name,
        "kind": span.kind,
        "start": span.start,
        "end": span.end,
        "status": span.status,
        "error": span.error,
        "attributes": span.attributes,
        "children": [],
    }


def trace_diff_json(diff: TraceDiff, *, full: bool = False) -> Json:
    """The steps as a tree is read.

    Args:
        full: both traces whole, in place of their ids and titles.
    """
    sides = [
        trace_json(side) if full else {"id": side.id, "title": side.title}
        for side in (diff.before, diff.after)
    ]
    return {
        "headline": diff.headline,
        "first": diff.first,
        "before": sides[0],
        "after": sides[1],
        "pairings": [_pairing(pairing) for pairing in diff.pairings],
    }


def _pairing(pairing: Pairing) -> Json:
    span = pairing.span
    return {
        "state": pairing.state,
        "depth": pairing.depth,
        "name": span.name,
        "kind": span.kind,
        "before": _side(pairing.before),
        "after": _side(pairing.after),
        "fields": [
            {"name": field.name, "given": field.given, "before": field.before, "after": field.after}
            for field in pairing.fields
        ],
    }


def _side(span: Span | None) -> Json | None:
    if span is None:
        return None
    return {"id": span.id, "start": span.start, "end": span.end, "status": span.status, "error": span.error}
