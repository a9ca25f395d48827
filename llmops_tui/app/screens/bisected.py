"""What a bisect found, over the screen that asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.engine.bisecting import BisectOutcome
from llmops_tui.report.bisect_text import bisect_lines

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp

#: Cells of a sheet with room to breathe.
WIDEST = 110
_STYLES = {"removed": "regressed", "added": "improved"}


class BisectSheet(ModalScreen[None]):
    """`enter` shows what broke the case against the one before on the Bench; `esc` closes."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,B,q", "dismiss", show=False),
        Binding("enter", "compare", show=False),
        Binding("j,down", "move('down')", show=False),
        Binding("k,up", "move('up')", show=False),
        Binding("ctrl+d,pagedown", "move('half_down')", show=False),
        Binding("ctrl+u,pageup", "move('half_up')", show=False),
        Binding("g,home", "move('top')", show=False),
        Binding("G,end", "move('bottom')", show=False),
    ]

    def __init__(self, outcome: BisectOutcome) -> None:
        super().__init__()
        self._outcome = outcome

    def compose(self) -> ComposeResult:
        found = self._outcome.found
        keys = "enter shows it on the Bench, esc closes" if found.versions else "esc closes"
        pane = LinePane(f"Bisect {shown_line(found.case_id)} · {keys}", id="bisected")
        pane.add_class("sheet")
        yield pane

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        pane = self.query_one("#bisected", LinePane)
        size = self.app.size
        width = min(size.width, WIDEST)
        pane.styles.width = width
        pane.styles.height = min(len(self._lines(width - 5)) + 2, max(size.height - 2, 6))
        pane.show(self._lines)
        pane.focus()

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for line in bisect_lines(self._outcome.found, self._outcome.texts, width=width):
            spans = tuple((text, _STYLES.get(style, style)) for text, style in line)
            lines += wrap(spans, width, 4)
        return lines

    def action_move(self, where: str) -> None:
        self.query_one("#bisected", LinePane).move(where)

    def action_compare(self) -> None:
        versions = self._outcome.found.versions
        self.dismiss()
        if versions is not None:
            names = [v.hash if v.is_hidden else v.name for v in versions]
            cast("LlmopsApp", self.app).choose_pair(names[0], names[1])
