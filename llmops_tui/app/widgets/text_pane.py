"""A pane of lines that draws what is in sight and scrolls; wrapped or cut."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmops_tui.app.lines import EMPTY, Line, line_width
from llmops_tui.app.messages import LaidOut
from llmops_tui.app.paint import Paint
from llmops_tui.app.widgets.titled import Titled


class TextPane(ScrollView, Titled, can_focus=True):
    """Lines made anew for each width. Subclasses give `compose_lines`.

    The titles are plain text: nothing in them is taken for markup.
    """

    DEFAULT_CSS = """
    TextPane { scrollbar-size: 1 1; overflow-x: hidden; scrollbar-gutter: stable; background: $background; }
    """
    BINDINGS: ClassVar[list[Any]] = []

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: list[Line] = []
        self.wrapped = True
        self._laid_out_at = -1
        self.title(title)

    def compose_lines(self, width: int) -> list[Line]:
        """The lines for a width."""
        raise NotImplementedError

    def lay_out(self, *, keep: bool = False) -> None:
        """Make the lines anew.

        Args:
            keep: stay where the person has scrolled to.
        """
        width = self.scrollable_content_region.width
        if width <= 0:
            self._laid_out_at = -1
            return
        self._laid_out_at = width
        self.lines = self.compose_lines(width)
        widest = width if self.wrapped else max((line_width(x) for x in self.lines), default=width)
        self.virtual_size = Size(max(widest, width if self.wrapped else 0), len(self.lines))
        if not keep:
            self.scroll_to(x=0, y=0, animate=False, immediate=True)
        self.refresh()
        self.post_message(LaidOut())

    def on_resize(self) -> None:
        self.draw_title()
        if self.scrollable_content_region.width != self._laid_out_at:
            self.lay_out(keep=True)

    def move(self, where: str) -> None:
        """Scroll: `up`, `down`, `top`, `bottom`, `half_up`, `half_down`."""
        half = max(self.size.height // 2, 1)
        steps = {"up": -1, "down": 1, "half_up": -half, "half_down": half}
        ends = {"top": 0, "bottom": len(self.lines)}
        y = ends.get(where, self.scroll_offset.y + steps.get(where, 0))
        self.scroll_to(y=max(y, 0), animate=False, immediate=True)

    def toggle_wrap(self) -> None:
        """Break long lines, or let them run out of sight."""
        self.wrapped = not self.wrapped
        self.styles.overflow_x = "hidden" if self.wrapped else "auto"
        self.lay_out(keep=True)

    def render_line(self, y: int) -> Strip:
        paint: Paint = self.app.paint  # type: ignore[attr-defined]
        x, top = self.scroll_offset
        index = top + y
        line = self.lines[index] if index < len(self.lines) else EMPTY
        width = self.scrollable_content_region.width
        if self.wrapped or not x:
            return paint.strip(line, width, self.rich_style)
        whole = max(line_width(line), x + width)
        return paint.strip(line, whole, self.rich_style).crop(x, x + width)
