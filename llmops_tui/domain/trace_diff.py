"""Holds two traces against each other, step by step, and finds where they part.

Spans are aligned under aligned parents (`trace_alignment`) and compared by value (`trace_facts`). Steps are
looked at in the order in which they ran: what an earlier step caused is not taken for where they part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_tui.domain.guardrails.words import tone
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.domain.trace_alignment import align
from llmops_tui.domain.trace_facts import (
    ANSWER,
    FINISH,
    REASONING,
    TOOL_CALLS,
    differences,
    first_other_call,
    same_call,
)
from llmops_tui.domain.trace_headline import SAME, headline
from llmops_tui.domain.trace_steps import FieldDiff, Pairing, PairState, TraceDiff

__all__ = ["FieldDiff", "PairState", "Pairing", "TraceDiff", "diff_traces"]


def diff_traces(before: Trace, after: Trace) -> TraceDiff:
    """Both traces aligned, and the first step where they part. Fast at thousands of spans a side."""
    pairings = tuple(_pairings(before, after))
    parted = _first(pairings)
    if parted is None:
        return TraceDiff(before, after, pairings, None, SAME)
    first = _tool_of(pairings, parted)
    return TraceDiff(before, after, pairings, first, headline(pairings, first, parted))


def _pairings(before: Trace, after: Trace) -> Iterator[Pairing]:
    """All steps of both sides, as a tree is read."""
    below_old, below_new = before.children(), after.children()
    todo = [*reversed(_aligned(_roots(before), _roots(after), 0))]
    while todo:
        old, new, depth = todo.pop()
        yield _paired(old, new, depth)
        # Taken out: ids that come round in a circle would have no end.
        under_old = below_old.pop(old.id, []) if old is not None else []
        under_new = below_new.pop(new.id, []) if new is not None else []
        if under_old or under_new:
            todo += reversed(_aligned(under_old, under_new, depth + 1))


def _roots(trace: Trace) -> list[Span]:
    known = {span.id for span in trace.spans}
    return [span for span in trace.spans if span.parent_id not in known]


def _aligned(
    old: Sequence[Span], new: Sequence[Span], depth: int
) -> list[tuple[Span | None, Span | None, int]]:
    return [(None if i is None else old[i], None if j is None else new[j], depth) for i, j in align(old, new)]


def _paired(old: Span | None, new: Span | None, depth: int) -> Pairing:
    if old is None or new is None:
        return Pairing(old, new, "new" if old is None else "gone", depth)
    fields = differences(old, new)
    return Pairing(old, new, "changed" if fields else "same", depth, fields)


# -- where they part


def _first(pairings: Sequence[Pairing]) -> int | None:
    """The first step, as they ran, that differs by itself; a scorer, or a guardrail that let everything pass,
    only where no other step does."""
    parents = list(_parents(pairings))
    scoring = [False] * len(pairings)
    for i, pairing in enumerate(pairings):
        parent = parents[i]
        aside = pairing.span.kind == "scorer" or _passes(pairing)
        scoring[i] = aside or (parent is not None and scoring[parent])
    explained = [False] * len(pairings)
    for i in range(len(pairings) - 1, -1, -1):
        parent = parents[i]
        if parent is not None and scoring[i] == scoring[parent]:
            explained[parent] |= explained[i] or pairings[i].state != "same"
    found = [
        i
        for i, pairing in enumerate(pairings)
        # What a whole came to differs because its parts do.
        if pairing.state != "same"
        and (pairing.state != "changed" or pairing.given_differs or not explained[i])
    ]
    return next((i for i in found if not scoring[i]), found[0] if found else None)


def _passes(pairing: Pairing) -> bool:
    """A guardrail that changed nothing on either side."""
    sides = [span for span in (pairing.before, pairing.after) if span is not None]
    return all(span.kind == "guardrail" and tone(span.attributes) == "passed" for span in sides)


def _parents(pairings: Sequence[Pairing]) -> Iterator[int | None]:
    path: list[int] = []
    for i, pairing in enumerate(pairings):
        del path[pairing.depth :]
        yield path[-1] if path else None
        path.append(i)


_OF_AN_ANSWER = frozenset((ANSWER, REASONING, TOOL_CALLS, FINISH))


def _tool_of(pairings: Sequence[Pairing], first: int) -> int:
    """Where a model was asked the same and wanted another tool call: the step of that call; else `first`."""
    asked = pairings[first]
    names = {field.name for field in asked.fields}
    if asked.span.kind != "model" or TOOL_CALLS not in names or not names <= _OF_AN_ANSWER:
        return first
    old, new = first_other_call(asked)
    found: list[int] = []
    for i in range(first + 1, len(pairings)):
        pairing = pairings[i]
        if pairing.depth < asked.depth:
            break
        if pairing.span.kind != "tool" or pairing.state == "same":
            continue
        sides = ((pairing.after, new), (pairing.before, old))
        if any(span is not None and call and same_call(span, call) for span, call in sides):
            found.append(i)
    # One that both sides have tells most, then what the new side did.
    order = {"changed": 0, "new": 1, "gone": 2, "same": 3}
    return min(found, key=lambda i: (order[pairings[i].state], i), default=first)
