"""Panes whose lines another module makes: scores, what changed, the facts of a version."""

from __future__ import annotations

from collections.abc import Callable

from llmops_tui.app.lines import Line, cut_line
from llmops_tui.app.widgets.text_pane import TextPane

MakeLines = Callable[[int], list[Line]]


class LinePane(TextPane):
    """Shows what a function gives for its width."""

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(title, id=id)
        self._make: MakeLines | None = None

    def show(self, make: MakeLines | None, *, keep: bool = False) -> None:
        """Show these lines; None empties the pane."""
        self._make = make
        self.lay_out(keep=keep)

    def compose_lines(self, width: int) -> list[Line]:
        lines = self._make(width) if self._make is not None else []
        return lines if not self.wrapped else [cut_line(line, width) for line in lines]
