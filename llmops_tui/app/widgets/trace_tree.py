"""The steps of a trace: a tree beside a waterfall. Only the rows in sight are drawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from llmops_tui.app.lines import Line, Span, wrap
from llmops_tui.app.trace_doc import TraceDoc
from llmops_tui.app.trace_lines import heading_line, row_line
from llmops_tui.app.widgets.row_list import RowList

#: Lines that what is said above the steps may take.
MOST_SAID = 3


class TraceTree(RowList):
    """One row a step. The cursor is a row of the document, folded or not."""

    BINDING_GROUP_TITLE = "Trace"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.doc: TraceDoc | None = None
        self.folded: set[int] = set()
        self.found: Collection[int] = ()
        self.said: tuple[Span, ...] = ()

    # -- what is shown

    def show(self, doc: TraceDoc | None, said: Sequence[Span], *, at: int = 0) -> None:
        """Show a document from its fully unfolded state on.

        Args:
            said: sentences above the steps, each with its style.
            at: the row under the cursor.
        """
        self.doc, self.said = doc, tuple(said)
        self.folded, self.found = set(), ()
        self.set_keys(doc.visible(()) if doc is not None else [], reset=True)
        if doc is not None and at:
            self.move_to(at)

    @property
    def head(self) -> int:  # type: ignore[override]
        return len(self._said(self.scrollable_content_region.width)) + 1

    def _said(self, width: int) -> list[Line]:
        rows = [row for said in self.said for row in wrap(((" ", ""), said), max(width, 10), 1)]
        return rows[:MOST_SAID]

    def headings(self, width: int) -> list[Line]:
        assert self.doc is not None
        return [*self._said(width), heading_line(self.doc, width)]

    def row(self, key: int, width: int) -> tuple[Line, str]:
        assert self.doc is not None
        line = row_line(self.doc, key, width, folded=key in self.folded, found=key in self.found)
        return line, "dim" if self.doc.nodes[key].state == "same" else ""

    # -- folding and going to steps

    def go_to(self, row: int) -> None:
        """Put the cursor on a step, and unfold what it is below."""
        if self.doc is None:
            return
        above = self.folded.intersection(self.doc.parents(row)) if self.folded else set()
        if above:
            self.folded -= above
            self._fit()
        self.move_to(row)

    def fold(self) -> None:
        """Fold the step under the cursor, or go to the one above it."""
        if self.doc is None or self.cursor is None:
            return
        if self.doc.is_parent(self.cursor) and self.cursor not in self.folded:
            self.folded.add(self.cursor)
            self._fit()
        elif above := self.doc.parents(self.cursor):
            self.move_to(above[0])

    def unfold(self) -> None:
        """Unfold the step under the cursor, or go to the first one below it."""
        if self.doc is None or self.cursor is None:
            return
        if self.cursor in self.folded:
            self.folded.discard(self.cursor)
            self._fit()
        elif self.doc.is_parent(self.cursor):
            self.move_to(self.cursor + 1)

    def toggle_fold(self) -> bool:
        """Fold or unfold the step under the cursor; False where nothing is below it."""
        if self.doc is None or self.cursor is None or not self.doc.is_parent(self.cursor):
            return False
        self.folded ^= {self.cursor}
        self._fit()
        return True

    def fold_all(self) -> None:
        """Fold all steps below the first level, or unfold everything."""
        if self.doc is None or self.cursor is None:
            return
        nodes = self.doc.nodes
        below = {n for n, node in enumerate(nodes) if node.depth and node.last > n}
        at = self.cursor
        self.folded = set() if self.folded else below
        if self.folded:
            at = next((n for n in reversed([at, *self.doc.parents(at)]) if n in self.folded), at)
        self.move_to(at)
        self._fit()

    def _fit(self) -> None:
        """Show what is not folded away; the cursor stays on its row."""
        assert self.doc is not None
        self.touched = True
        self.set_keys(self.doc.visible(self.folded))
        self._keep_in_sight()
