"""Why two versions differ: the parts and what each did, over the Bench."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding

from llmops_tui.app.lines import Line
from llmops_tui.app.screens.sheet import Sheet
from llmops_tui.domain.attribution import Explanation
from llmops_tui.report.explain_text import explanation_lines, took_words
from llmops_tui.report.text import EMPTY, plain


class ExplanationSheet(Sheet):
    """Any of `esc W q enter` closes it, `y` copies.

    Args:
        provider_calls, cost_usd: what it took.
    """

    PANE = "explanation"
    BINDINGS: ClassVar[list[Any]] = [Binding("W,enter", "dismiss", show=False)]

    def __init__(self, explanation: Explanation, provider_calls: int, cost_usd: float | None) -> None:
        super().__init__()
        self._explanation = explanation
        self._took = (
            took_words(provider_calls, cost_usd, explanation) if explanation.state == "explained" else ""
        )

    def heading(self) -> str:
        a, b = self._explanation.baseline, self._explanation.candidate
        return f"Why {a.name} → {b.name} · y copies, esc closes"

    def lines(self, width: int) -> list[Line]:
        # The title says which versions; every case is here, since a pane scrolls.
        lines = explanation_lines(self._explanation, width=width, most=len(self._explanation.cases))[1:]
        return [*lines, EMPTY, ((self._took, "dim"),)] if self._took else lines

    def copyable(self) -> tuple[str, str] | None:
        found = self._explanation
        return "the explanation", plain(explanation_lines(found, width=self.WIDEST, most=len(found.cases)))
