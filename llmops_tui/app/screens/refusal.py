"""Why a version can't be promoted, and a line for the reason to do it all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.widgets.line_panes import LinePane


class Refusal(ModalScreen[str | None]):
    """Gives the reason that was typed, or None: then nothing is promoted."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", show=False),
        Binding("down", "move('down')", show=False),
        Binding("up", "move('up')", show=False),
        Binding("pagedown", "move('half_down')", show=False),
        Binding("pageup", "move('half_up')", show=False),
    ]

    def __init__(self, name: str, reasons: Sequence[str]) -> None:
        super().__init__()
        self._name = name
        self._reasons = reasons

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet", id="refusal") as sheet:
            sheet.border_title = Content(f"{self._name} is not promoted · esc leaves it so")
            yield LinePane("", id="reasons")
            yield Static(Content("Promote it all the same? Then say why; that is kept with it."))
            hint = "the reason; enter promotes"
            line = Input(placeholder=hint, classes="prompt-line", compact=True)
            line.cursor_blink = False
            yield line
            yield Static(Content(""), id="refusal-says")

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        pane, size = self.query_one("#reasons", LinePane), self.app.size
        wanted = len(self._lines(min(size.width, 78) - 5)) + 1
        pane.styles.height = max(min(wanted, size.height - 8), 3)
        pane.show(self._lines)

    def _lines(self, width: int) -> list[Line]:
        return [
            row for text in self._reasons for row in wrap((("· ", "dim"), (shown_line(text), "")), width, 2)
        ]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())
        else:
            self.query_one("#refusal-says", Static).update(Content("A reason is needed; esc leaves."))

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_move(self, where: str) -> None:
        self.query_one("#reasons", LinePane).move(where)
