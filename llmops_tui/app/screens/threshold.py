"""What other thresholds of a guardrail would do: the curve, the chosen point beside the present one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from llmops_tui.app.lines import Line, shown_line
from llmops_tui.app.screens.copying import Copying
from llmops_tui.app.screens.sheet import TAKEN_ALONG
from llmops_tui.app.threshold_lines import at_threshold, curve_lines, elsewhere, problem_lines
from llmops_tui.app.widgets.plot_pane import PlotPane
from llmops_tui.domain.live.guards import ThresholdCurve

#: Points that a large step goes.
LARGE = 10
_WIDEST, _HIGHEST = 120, 34


class ThresholdSheet(ModalScreen[Any], Copying):
    """Gives the threshold to be written, or None.

    Args:
        on_disk: thresholds of the configurations it would be written into: traffic may not know of them yet.
    """

    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,q,T", "dismiss", show=False),
        Binding("l,right", "step(1)", show=False),
        Binding("h,left", "step(-1)", show=False),
        Binding("right_square_bracket,L,pagedown", f"step({LARGE})", show=False),
        Binding("left_square_bracket,H,pageup", f"step(-{LARGE})", show=False),
        Binding("g,home", f"step(-{10**9})", show=False),
        Binding("G,end", f"step({10**9})", show=False),
        Binding("0", "present", show=False),
        Binding("w", "write", show=False),
        *TAKEN_ALONG,
    ]

    def __init__(self, curve: ThresholdCurve, on_disk: Sequence[float] = ()) -> None:
        super().__init__()
        self._curve = curve
        self._on_disk = on_disk
        self._at = at_threshold(curve, curve.current) if curve.points else 0

    @property
    def pane(self) -> PlotPane:
        return self.query_one("#threshold", PlotPane)

    def compose(self) -> ComposeResult:
        name = shown_line(self._curve.guardrail)
        keys = "←→ moves, w writes, 0 goes back, esc closes" if self._curve.points else "esc closes"
        pane = PlotPane(f"Threshold of {name} · {keys}", id="threshold")
        pane.add_class("sheet")
        yield pane

    def on_mount(self) -> None:
        self._fit()
        self.pane.focus()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        pane, size = self.pane, self.app.size
        pane.styles.width = min(size.width, _WIDEST)
        pane.styles.height = min(size.height - 2, _HIGHEST) if self._curve.points else 5
        pane.styles.max_height = "100%"
        pane.show(self._lines)

    def _lines(self, width: int, height: int) -> list[Line]:
        if not self._curve.points:
            return problem_lines(self._curve.problem or "nothing was reviewed yet", width)
        return curve_lines(self._curve, self._at, width, height, self._on_disk)

    def action_step(self, step: int) -> None:
        if self._curve.points:
            self._at = min(max(self._at + step, 0), len(self._curve.points) - 1)
            self.pane.show(self._lines)

    def action_present(self) -> None:
        """Back to what it is now."""
        if self._curve.points:
            self._at = at_threshold(self._curve, self._curve.current)
            self.pane.show(self._lines)

    def action_write(self) -> None:
        points, current = self._curve.points, self._curve.current
        if not points:
            self.say("There is no threshold to write yet.")
        elif current is not None and self._at == at_threshold(self._curve, current):
            if elsewhere(current, self._on_disk):
                self.dismiss(current)
            else:
                self.say("That is the threshold it has; ← and → choose another.")
        else:
            self.dismiss(points[self._at].threshold)

    def copyable(self) -> tuple[str, str] | None:
        text = "\n".join("".join(text for text, _ in line).rstrip() for line in self.pane.lines)
        return f"the threshold of {shown_line(self._curve.guardrail)}", text
