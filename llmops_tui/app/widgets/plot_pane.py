"""A pane that is drawn anew for every size: plots fill what room there is."""

from __future__ import annotations

from collections.abc import Callable

from llmops_tui.app.lines import Line
from llmops_tui.app.widgets.text_pane import TextPane

MakePlot = Callable[[int, int], list[Line]]


class PlotPane(TextPane):
    """Shows what a function gives for its width and height."""

    DEFAULT_CSS = """
    PlotPane { overflow-y: hidden; scrollbar-gutter: auto; }
    """

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(title, id=id)
        self._make: MakePlot | None = None

    def show(self, make: MakePlot | None) -> None:
        """Show this plot; None empties the pane."""
        self._make = make
        self.lay_out()

    def compose_lines(self, width: int) -> list[Line]:
        height = self.scrollable_content_region.height
        return self._make(width, height) if self._make is not None and height > 0 else []

    def on_resize(self) -> None:
        self.draw_title()
        self.lay_out()
