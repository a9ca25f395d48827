"""The verdict unfolded to its numbers, over whatever screen is in front."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding

from llmops_tui.app import verdict_lines
from llmops_tui.app.lines import Line, wrap
from llmops_tui.app.model import Model
from llmops_tui.app.screens.sheet import Sheet
from llmops_tui.app.verdict_text import why_none
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.domain.gate.result import GateResult

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp


class VerdictSheet(Sheet):
    """What the gate says and why. Slices and looks come a moment after the rest."""

    PANE = "verdict"
    BINDINGS: ClassVar[list[Any]] = [Binding("V,enter", "dismiss", show=False)]

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        self._seen: GateResult | None = None
        self._full: GateResult | None = None
        self._is_waiting = False

    def compose(self) -> ComposeResult:
        pane = LinePane(self.heading(), id=self.PANE)
        pane.add_class("sheet", "-large")
        yield pane

    def heading(self) -> str:
        return "Verdict · esc closes, y copies, Y into a file"

    def on_mount(self) -> None:
        self.pane.focus()
        self._show()
        self.follow()

    def _fit(self) -> None:
        """It is as large as the screen, whatever it says."""

    def follow(self) -> None:
        """The verdict may be another one by now."""
        gate = self._model.bench.review.gate
        if gate is self._seen and gate is not None and not self._model.bench.running:
            if self._is_waiting:
                self._show()
            return
        self._seen = gate
        self._show()
        if gate is not None:
            self.run_worker(self._read(gate), group="verdict", exclusive=True)

    async def _read(self, gate: GateResult) -> None:
        from llmops_tui.app.screens.frame import sentence

        try:
            full = await asyncio.wrap_future(cast("LlmopsApp", self.app).session.verdict())
        except Exception as error:  # whatever the engine met is told, and the app goes on
            self.say(sentence(error), problem=True)
            return
        if self._seen is gate:
            self._full = full
            self._show()

    def _show(self) -> None:
        bench = self._model.bench
        left = bench.comparison.baseline.version.name if bench.comparison else ""
        right = bench.candidate.name if bench.candidate else ""
        gate = self._seen
        self._is_waiting = gate is None or bench.is_alone or bench.running
        if gate is None or self._is_waiting:
            said = why_none(bench, self._model.status) or "judging …"
            self.pane.show(lambda width: wrap(((said, ""),), width))
            return
        if self._full is not None and self._full.verdict == gate.verdict:
            gate = self._full
        shown = gate
        decisions = bench.review.decisions

        def make(width: int) -> list[Line]:
            return verdict_lines.lines(shown, (left, right), decisions, width)

        self.pane.show(make, keep=True)

    def copyable(self) -> tuple[str, str] | None:
        return ("the verdict", verdict_lines.as_text(self.pane.lines)) if self.pane.lines else None
