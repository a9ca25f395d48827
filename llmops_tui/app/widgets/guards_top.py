"""The lines on top of the Guards screen."""

from __future__ import annotations

from llmops_tui.app.guards_state import GuardsState
from llmops_tui.app.guards_top import counts_line, guards_line
from llmops_tui.app.header_text import alerts
from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.widgets.top import Top
from llmops_tui.engine.guard_events import GuardsView


class GuardsTop(Top):
    """In place of what is compared: which guardrails are looked at."""

    DEFAULT_CSS = """
    GuardsTop { height: 2; width: 1fr; background: $background; }
    """

    state = GuardsState()
    view: GuardsView | None = None
    #: Why the newest reading failed; empty where it did not.
    problem = ""

    def show(self, state: GuardsState, view: GuardsView | None, problem: str) -> None:
        self.state, self.view, self.problem = state, view, problem
        self.follow()

    def compose_lines(self, width: int) -> list[tuple[Line, str]]:
        bench, status, now = self._model.bench, self._model.status, self._clock()
        lines = [
            (guards_line(status.workspace_name, self.state, self.view, now, width), ""),
            (counts_line(self.view, width), ""),
        ]
        if self.problem:
            rows = wrap(((f" ✗ {shown_line(self.problem)}", ""),), width - 1, 3)
            lines += [(row, "problem-bar") for row in rows[:3]]
        return [*lines, *alerts(bench, status, width)]

    def _tick_later(self) -> None:
        """The screen looks once a second anyway."""
