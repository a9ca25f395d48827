"""Where the workspace stands on the ladder, over whatever screen is in front."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding

from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.screens.sheet import Sheet
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.domain.ladder.ladder import Ladder
from llmops_tui.report.ladder_text import ladder_lines
from llmops_tui.report.text import plain

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp

#: Width of what is copied.
_COPIED = 100


class DoctorSheet(Sheet):
    """The rung, what to do next, and every item. `r` looks again, any of `esc D q enter` closes it."""

    PANE = "doctor"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("D,enter", "dismiss", show=False),
        Binding("r", "look_again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._ladder: Ladder | None = None
        self._said = "looking …"

    def compose(self) -> ComposeResult:
        pane = LinePane(self.heading(), id=self.PANE)
        pane.add_class("sheet", "-large")
        yield pane

    def heading(self) -> str:
        return "Ladder · r looks again, y copies, esc closes"

    def on_mount(self) -> None:
        self.pane.focus()
        self.action_look_again()

    def _fit(self) -> None:
        """It is as large as the screen, whatever it says."""

    def action_look_again(self) -> None:
        """Measure anew; what was found before stays until then."""
        self._show()
        self.run_worker(self._read(), group="doctor", exclusive=True)

    async def _read(self) -> None:
        from llmops_tui.app.screens.frame import sentence

        owner = cast("LlmopsApp", self.app)
        try:
            self._ladder = await asyncio.wrap_future(owner.session.ladder(owner.clock()))
        except Exception as error:  # whatever was met is told, and the app goes on
            self._ladder, self._said = None, sentence(error)
        self._show()

    def _show(self) -> None:
        self.pane.show(self.lines, keep=True)

    def lines(self, width: int) -> list[Line]:
        if self._ladder is None:
            return wrap(((shown_line(self._said), ""),), width)
        lines = ladder_lines(self._ladder, width=width)
        return [tuple((shown_line(text), style) for text, style in line) for line in lines]

    def copyable(self) -> tuple[str, str] | None:
        if self._ladder is None:
            return None
        return "the ladder", plain(ladder_lines(self._ladder, width=_COPIED))
