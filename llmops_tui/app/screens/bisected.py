"""What a bisect found, over the screen that asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding

from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.model import WantedCase
from llmops_tui.app.screens.sheet import Sheet
from llmops_tui.engine.bisecting import BisectOutcome
from llmops_tui.report.bisect_text import bisect_lines

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp

_STYLES = {"removed": "regressed", "added": "improved"}


class BisectSheet(Sheet):
    """`enter` shows what broke the case against the one before on the Bench; `esc` closes."""

    PANE = "bisected"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("B", "dismiss", show=False),
        Binding("enter", "compare", show=False),
    ]

    def __init__(self, outcome: BisectOutcome) -> None:
        super().__init__()
        self._outcome = outcome

    def heading(self) -> str:
        found = self._outcome.found
        keys = (
            "enter shows it on the Bench, y copies, esc closes" if found.versions else "y copies, esc closes"
        )
        return f"Bisect {shown_line(found.case_id)} · {keys}"

    def lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for line in bisect_lines(self._outcome.found, self._outcome.texts, width=width):
            spans = tuple((text, _STYLES.get(style, style)) for text, style in line)
            lines += wrap(spans, width, 4)
        return lines

    def action_compare(self) -> None:
        versions = self._outcome.found.versions
        self.dismiss()
        if versions is not None:
            names = [v.hash if v.is_hidden else v.name for v in versions]
            case = WantedCase(self._outcome.found.case_id, self._outcome.found.model, names[0], names[1])
            cast("LlmopsApp", self.app).choose_pair(names[0], names[1], case)
