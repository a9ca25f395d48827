"""A list of any length: only the rows in sight are drawn, and the cursor is a key, not an index."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmops_tui.app.lines import EMPTY, Line
from llmops_tui.app.messages import CursorMoved, RowOpened
from llmops_tui.app.paint import Paint
from llmops_tui.app.widgets.titled import Titled


class RowList(ScrollView, Titled, can_focus=True):
    """Rows by key. Subclasses draw `heading` and `row`.

    The cursor stays on its key through sorting, filtering and streaming, and on its line of the
    screen where that can be. Until the person has moved it, it is on the first row.
    """

    DEFAULT_CSS = """
    RowList { scrollbar-size: 1 1; overflow-x: hidden; background: $background; }
    """
    BINDINGS: ClassVar[list[Any]] = []
    BINDING_GROUP_TITLE = "Cases"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.keys: Sequence[Any] = []
        self.cursor: Any = None
        self.touched = False
        self._index: dict[Hashable, int] = {}
        self.says: list[str] = []

    # -- for subclasses

    def heading(self, width: int) -> Line:
        """The line above the rows."""
        raise NotImplementedError

    def row(self, key: Any, width: int) -> tuple[Line, str]:
        """One row and a style for the whole of it."""
        raise NotImplementedError

    #: Lines above the rows and below them that stay in sight.
    head = 1
    foot = 0

    def headings(self, width: int) -> list[Line]:
        """The lines above the rows, as many as `head` says."""
        return [self.heading(width)]

    def footings(self, width: int) -> list[Line]:  # noqa: ARG002 - for subclasses
        """The lines below the rows, as many as `foot` says."""
        return []

    # -- rows

    def set_keys(self, keys: Sequence[Any], *, reset: bool = False) -> None:
        """Show these rows in this order; the cursor stays with its key where that is still there."""
        offset = self.cursor_index - self.scroll_offset.y
        before = self._index.get(self.cursor, 0)
        self.keys = keys
        self._index = {key: k for k, key in enumerate(keys)}
        if reset:
            self.touched = False
        self._measure()
        if not keys:
            self._put(None)
        elif not self.touched:
            self._put(keys[0])
            self.scroll_to(y=0, animate=False, immediate=True)
        elif self.cursor in self._index:
            now = self._index[self.cursor]
            if now != before:
                self.scroll_to(y=max(now - offset, 0), animate=False, immediate=True)
        else:
            self._put(keys[min(before, len(keys) - 1)])
            self._keep_in_sight()
        self.refresh()

    @property
    def cursor_index(self) -> int:
        """Row of the cursor; 0 in an empty list."""
        return self._index.get(self.cursor, 0)

    def move_to(self, key: Any) -> None:
        """Put the cursor on a row."""
        if key in self._index:
            self.touched = True
            self._put(key)
            self._keep_in_sight()

    def move(self, where: str) -> None:
        """`up`, `down`, `top`, `bottom`, `half_up` or `half_down`."""
        if not self.keys:
            return
        half = max((self.size.height - self.head - self.foot) // 2, 1)
        steps = {"up": -1, "down": 1, "half_up": -half, "half_down": half}
        last = len(self.keys) - 1
        target = {"top": 0, "bottom": last}.get(where, self.cursor_index + steps.get(where, 0))
        self.move_to(self.keys[min(max(target, 0), last)])

    def _put(self, key: Any) -> None:
        if key != self.cursor:
            old, self.cursor = self.cursor, key
            for changed in (old, key):
                if changed in self._index:
                    self._refresh_row(self._index[changed])
            self.post_message(CursorMoved(key))

    def _refresh_row(self, index: int) -> None:
        y = index + self.head - self.scroll_offset.y
        if self.head <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _measure(self) -> None:
        lines = len(self.keys) + self.head + self.foot
        self.virtual_size = Size(self.scrollable_content_region.width, lines)

    def _keep_in_sight(self) -> None:
        top, index = self.scroll_offset.y, self.cursor_index
        height = max(self.scrollable_content_region.height - self.head - self.foot, 1)
        if index < top:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False, immediate=True)

    # -- drawing

    def render_line(self, y: int) -> Strip:
        paint: Paint = self.app.paint  # type: ignore[attr-defined]
        width, base = self.scrollable_content_region.width, self.rich_style
        if not self.keys:
            text = self.says[y - 1] if 0 < y <= len(self.says) else ""
            return paint.strip(((" " + text, "dim" if y > 1 else "bold"),) if text else EMPTY, width, base)
        if y < self.head:
            return paint.strip(self.headings(width)[y], width, base)
        below = min(self.scrollable_content_region.height - self.foot, self.head + len(self.keys))
        if below <= y < below + self.foot:
            return paint.strip(self.footings(width)[y - below], width, base)
        index = self.scroll_offset.y + y - self.head
        if index >= len(self.keys):
            return paint.strip(EMPTY, width, base)
        key = self.keys[index]
        line, over = self.row(key, width)
        if key == self.cursor:
            over = f"{over} {'cursor' if self.has_focus else 'cursor-blurred'}".strip()
        return paint.strip(line, width, base, over)

    def on_resize(self) -> None:
        self.draw_title()
        self._measure()
        self._keep_in_sight()

    def on_focus(self) -> None:
        self._refresh_row(self.cursor_index)

    def on_blur(self) -> None:
        self._refresh_row(self.cursor_index)

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset_capture(self).y
        index = self.scroll_offset.y + line - self.head
        in_sight = self.head <= line < self.scrollable_content_region.height - self.foot
        if in_sight and index < len(self.keys):
            key = self.keys[index]
            if key == self.cursor and event.chain > 1:
                self.post_message(RowOpened(key))
            self.move_to(key)
