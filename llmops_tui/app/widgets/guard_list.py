"""The guardrails, and the queue of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.strip import Strip

from llmops_tui.app import guard_items, guard_rows
from llmops_tui.app.guards_state import merged
from llmops_tui.app.lines import Line
from llmops_tui.app.paint import Paint
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain.live.guards import GuardFigures, GuardItem, GuardReview, Queue


class GuardList(RowList):
    """One row a guardrail; keys are their names."""

    BINDING_GROUP_TITLE = "Guards"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.figures: dict[str, GuardFigures] = {}

    def show(self, figures: Sequence[GuardFigures]) -> None:
        self.figures = {each.name: each for each in figures}
        self.set_keys(list(self.figures))

    @property
    def current(self) -> GuardFigures | None:
        """The guardrail under the cursor."""
        return self.figures.get(self.cursor) if self.cursor is not None else None

    def heading(self, width: int) -> Line:
        return guard_rows.heading(guard_rows.columns(width))

    def row(self, key: str, width: int) -> tuple[Line, str]:
        return guard_rows.guard_row(self.figures[key], guard_rows.columns(width)), ""


class GuardQueue(RowList):
    """One row an item, below the names of the queues; keys are trace ids."""

    BINDING_GROUP_TITLE = "Guards"
    head = 2

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.items: dict[str, GuardItem] = {}
        self.queue: Queue = "firings"
        self.counts: Mapping[str, int] = {}
        self._dated = False

    def show(self, items: Sequence[GuardItem], said: Mapping[str, GuardReview], *, same: bool) -> None:
        """Show these.

        Args:
            said: trace id → what was said of it on this screen.
            same: it is the queue that was shown, read anew: what was reviewed in it stays in sight.
        """
        listed = merged(tuple(self.items.values()) if same else (), items, said)
        self.items = {item.row.trace_id: item for item in listed}
        times = [item.row.at for item in listed]
        self._dated = bool(times) and max(times) - min(times) > 86_400
        self.set_keys(list(self.items), reset=not same)

    def mark(self, item: GuardItem) -> None:
        """Show what was said of an item."""
        self.items[item.row.trace_id] = item
        self.refresh()

    @property
    def current(self) -> GuardItem | None:
        """The item under the cursor."""
        return self.items.get(self.cursor) if self.cursor is not None else None

    def headings(self, width: int) -> list[Line]:
        columns = guard_items.columns(width, dated=self._dated)
        return [guard_items.tabs(self.queue, self.counts), guard_items.heading(columns)]

    def heading(self, width: int) -> Line:
        return self.headings(width)[0]

    def render_line(self, y: int) -> Strip:
        if self.keys or y:
            return super().render_line(y)
        # The queues stand there also where nothing waits in this one.
        paint: Paint = self.app.paint  # type: ignore[attr-defined]
        line = guard_items.tabs(self.queue, self.counts) if self.counts else ()
        return paint.strip(line, self.scrollable_content_region.width, self.rich_style)

    def row(self, key: str, width: int) -> tuple[Line, str]:
        return guard_items.item_row(self.items[key], guard_items.columns(width, dated=self._dated)), ""
