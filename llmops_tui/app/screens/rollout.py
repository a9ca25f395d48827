"""Whether it is safe to go on with a version, over the Live screen."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding

from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.screens.sheet import Sheet
from llmops_tui.domain.live.rollout_view import RolloutView
from llmops_tui.report.rollout_text import rollout_lines, title

#: Styles of reports that are called otherwise here.
_STYLES = {"removed": "regressed", "added": "improved"}


class RolloutSheet(Sheet):
    """The answer, each figure of both versions, and how far that can be trusted."""

    PANE = "rollout"
    BINDINGS: ClassVar[list[Any]] = [Binding("V,enter", "dismiss", show=False)]

    def __init__(self, view: RolloutView) -> None:
        super().__init__()
        self._view = view

    def heading(self) -> str:
        return f"Rollout {shown_line(title(self._view))} · y copies, esc closes"

    def lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for line in rollout_lines(self._view, width=width):
            spans = tuple((shown_line(text), _STYLES.get(style, style)) for text, style in line)
            lines += wrap(spans, width, 4)
        return lines
