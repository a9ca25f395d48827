"""A trace made ready to be drawn: its steps as rows, what each took, what can be folded. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Totals, Trace, text_of, totals
from llmops_tui.domain.trace_diff import FieldDiff, PairState, TraceDiff
from llmops_tui.domain.trace_path import Timing, timing
from llmops_tui.engine.trace_events import TraceView

#: What is shown: both sides step by step, or one of them.
Shown = Literal["both", "candidate", "baseline"]


class Facts(msgspec.Struct, frozen=True):
    """One trace with what follows from it.

    Attributes:
        answer: the text that came out in the end.
    """

    trace: Trace
    timing: Timing
    totals: dict[str, Totals]
    answer: str


class Node(msgspec.Struct, frozen=True):
    """One row: a step of one trace, or of both.

    Attributes:
        span: the candidate's where it has one.
        facts: of the trace that `span` is of.
        before: the same step of the baseline, where both are shown.
        state: None where one trace is shown.
        last: place of the last row below this one; its own where nothing is below it.
    """

    span: Span
    facts: Facts
    depth: int
    last: int
    before: Span | None = None
    state: PairState | None = None
    fields: tuple[FieldDiff, ...] = ()

    @property
    def is_gone(self) -> bool:
        return self.state == "gone"


class TraceDoc(msgspec.Struct, frozen=True):
    """The rows, and the scale of their bars.

    Attributes:
        first: row of the first step where the traces part.
        length_s: of the longer trace: both begin at the left.
        differences: rows that are not the same on both sides.
    """

    shown: Shown
    nodes: tuple[Node, ...]
    first: int | None
    headline: str
    length_s: float
    differences: tuple[int, ...] = ()

    def visible(self, folded: Collection[int]) -> list[int]:
        """Rows that stand below no folded one."""
        if not folded:
            return list(range(len(self.nodes)))
        found, n = [], 0
        while n < len(self.nodes):
            found.append(n)
            n = self.nodes[n].last + 1 if n in folded else n + 1
        return found

    def parents(self, row: int) -> list[int]:
        """Rows above, from the nearest on."""
        found, depth = [], self.nodes[row].depth
        for n in range(row - 1, -1, -1):
            if self.nodes[n].depth < depth:
                depth = self.nodes[n].depth
                found.append(n)
        return found

    def is_parent(self, row: int) -> bool:
        return self.nodes[row].last > row

    def row_of(self, node: Node, diff: TraceDiff | None) -> int | None:
        """The row that shows the same step as a row of another document of these traces."""
        wanted = {id(s) for s in (node.span, node.before) if s is not None}
        for pairing in diff.pairings if diff is not None else ():
            both = {id(s) for s in (pairing.before, pairing.after) if s is not None}
            if both & wanted:
                wanted |= both
        for n, other in enumerate(self.nodes):
            if id(other.span) in wanted or id(other.before) in wanted:
                return n
        return None


def facts_of(trace: Trace | None) -> Facts | None:
    """Everything that is known of a trace before it is drawn."""
    if trace is None or not trace.spans:
        return None
    return Facts(trace, timing(trace), totals(trace), answer_of(trace))


def build(view: TraceView, shown: Shown) -> TraceDoc | None:
    """The rows of what is wanted, or of what there is; None where there is no trace."""
    before, after = facts_of(view.before), facts_of(view.after)
    diff = view.diff
    if shown == "both" and diff is not None and before is not None and after is not None:
        rows = []
        for p in diff.pairings:
            if p.after is not None:
                rows.append(Node(p.after, after, p.depth, 0, p.before, p.state, p.fields))
            elif p.before is not None:
                rows.append(Node(p.before, before, p.depth, 0, None, p.state, p.fields))
        length_s = max(before.timing.length_s, after.timing.length_s)
        differ = tuple(n for n, row in enumerate(rows) if row.state != "same")
        return TraceDoc("both", _closed(rows), diff.first, diff.headline, length_s, differ)
    wanted: Shown = "baseline" if shown == "baseline" else "candidate"
    facts = before if wanted == "baseline" else after
    if facts is None:
        wanted = "candidate" if wanted == "baseline" else "baseline"
        facts = after if wanted == "candidate" else before
    if facts is None:
        return None
    rows = [Node(span, facts, depth, 0) for depth, span in facts.trace.walk()]
    return TraceDoc(wanted, _closed(rows), None, "", facts.timing.length_s)


def _closed(rows: list[Node]) -> tuple[Node, ...]:
    """Each row with the last one below it."""
    last = list(range(len(rows)))
    open_: list[int] = []
    for n, row in enumerate(rows):
        while open_ and rows[open_[-1]].depth >= row.depth:
            last[open_.pop()] = n - 1
        open_.append(n)
    for n in open_:
        last[n] = len(rows) - 1
    return tuple(msgspec.structs.replace(row, last=end) for row, end in zip(rows, last, strict=True))


def answer_of(trace: Trace) -> str:
    """The text that came out: the root's output, else what the last model call said."""
    output = trace.root.attributes.get(a.OUTPUT)
    if isinstance(output, str) and output:
        return output
    for span in reversed(trace.spans):
        if span.kind == "model" and (text := text_of(span.attributes.get(a.OUTPUT_MESSAGES))):
            return text.partition("\n")[2]
    return output if isinstance(output, str) else ""
