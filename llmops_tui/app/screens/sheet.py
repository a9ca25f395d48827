"""Lines over the screen that asked: as large as what they say, scrolled with the usual keys, taken along."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from llmops_tui.app.lines import Line
from llmops_tui.app.screens.copying import Copying
from llmops_tui.app.widgets.line_panes import LinePane

#: Keys that scroll whatever lies over a screen.
MOVES: tuple[Any, ...] = (
    Binding("j,down", "move('down')", show=False),
    Binding("k,up", "move('up')", show=False),
    Binding("ctrl+d,pagedown,space", "move('half_down')", show=False),
    Binding("ctrl+u,pageup", "move('half_up')", show=False),
    Binding("g,home", "move('top')", show=False),
    Binding("G,end", "move('bottom')", show=False),
)
TAKEN_ALONG: tuple[Any, ...] = (
    Binding("y", "copy", show=False),
    Binding("Y", "save_copy", show=False),
)


class Sheet(ModalScreen[None], Copying):
    """One pane of lines. Subclasses say what stands in it, and which keys close it besides `esc` and `q`.

    Attributes:
        WIDEST: cells.
        PANE: id of the pane.
    """

    WIDEST: ClassVar[int] = 110
    PANE: ClassVar[str] = "sheet"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape,q", "dismiss", show=False), *MOVES, *TAKEN_ALONG]

    def heading(self) -> str:
        """The title, with the keys that mean something."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Line]:
        """What stands in it, in so many cells."""
        raise NotImplementedError

    @property
    def pane(self) -> LinePane:
        return self.query_one(f"#{self.PANE}", LinePane)

    def compose(self) -> ComposeResult:
        pane = LinePane(self.heading(), id=self.PANE)
        pane.add_class("sheet")
        yield pane

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        pane, size = self.pane, self.app.size
        width = min(size.width, self.WIDEST)
        pane.styles.width = width
        pane.styles.height = min(len(self.lines(width - 5)) + 2, max(size.height - 2, 6))
        pane.show(self.lines)
        pane.focus()

    def action_move(self, where: str) -> None:
        self.pane.move(where)

    def copyable(self) -> tuple[str, str] | None:
        text = "\n".join("".join(text for text, _ in line).rstrip() for line in self.pane.lines)
        return (self.heading().partition(" · ")[0], text) if text.strip() else None
