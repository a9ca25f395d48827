"""Why two versions differ: the parts and what each did, over the Bench."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from llmops_tui.app.lines import Line
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.domain.attribution import Explanation
from llmops_tui.report.explain_text import explanation_lines, took_words
from llmops_tui.report.text import EMPTY, plain

#: Cells of a sheet with room to breathe, and of the copy.
WIDEST = 110


class ExplanationSheet(ModalScreen[None]):
    """Any of `esc W q` closes it, `y` copies.

    Args:
        provider_calls, cost_usd: what it took.
    """

    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,W,q,enter", "dismiss", show=False),
        Binding("y", "copy", show=False),
        Binding("j,down", "move('down')", show=False),
        Binding("k,up", "move('up')", show=False),
        Binding("ctrl+d,pagedown", "move('half_down')", show=False),
        Binding("ctrl+u,pageup", "move('half_up')", show=False),
        Binding("g,home", "move('top')", show=False),
        Binding("G,end", "move('bottom')", show=False),
    ]

    def __init__(self, explanation: Explanation, provider_calls: int, cost_usd: float | None) -> None:
        super().__init__()
        self._explanation = explanation
        self._took = (
            took_words(provider_calls, cost_usd, explanation) if explanation.state == "explained" else ""
        )

    def compose(self) -> ComposeResult:
        a, b = self._explanation.baseline, self._explanation.candidate
        pane = LinePane(f"Why {a.name} → {b.name} · y copies, esc closes", id="explanation")
        pane.add_class("sheet")
        yield pane

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        pane = self.query_one("#explanation", LinePane)
        size = self.app.size
        width = min(size.width, WIDEST)
        pane.styles.width = width
        pane.styles.height = min(len(self._lines(width - 5)) + 2, max(size.height - 2, 6))
        pane.show(self._lines)
        pane.focus()

    def _lines(self, width: int) -> list[Line]:
        # The title says which versions; every case is here, since a pane scrolls.
        lines = explanation_lines(self._explanation, width=width, most=len(self._explanation.cases))[1:]
        return [*lines, EMPTY, ((self._took, "dim"),)] if self._took else lines

    def action_move(self, where: str) -> None:
        self.query_one("#explanation", LinePane).move(where)

    def action_copy(self) -> None:
        text = plain(explanation_lines(self._explanation, width=WIDEST, most=len(self._explanation.cases)))

        async def copy() -> None:
            from llmops_tui.app.clipboard import copy_locally

            tool = await asyncio.to_thread(copy_locally, text)
            if tool is None:
                self.app.copy_to_clipboard(text)
            how = (
                f"Copied the explanation with {tool}."
                if tool
                else "Sent the explanation to the terminal's clipboard."
            )
            self.notify(how, timeout=4, markup=False)

        self.run_worker(copy())
