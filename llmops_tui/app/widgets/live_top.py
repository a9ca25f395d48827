"""The lines on top of the Live screen."""

from __future__ import annotations

from llmops_tui.app.header_text import alerts
from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.live_state import LiveState
from llmops_tui.app.live_top import alert_bars, live_line, traffic_line
from llmops_tui.app.widgets.top import Top
from llmops_tui.domain.live.overview import Overview


class LiveTop(Top):
    """In place of what is compared: what is watched."""

    DEFAULT_CSS = """
    LiveTop { height: 2; width: 1fr; background: $background; }
    """

    state = LiveState()
    overview: Overview | None = None
    #: Why the newest reading failed; empty where it did not.
    problem = ""

    def show(self, state: LiveState, overview: Overview | None, problem: str) -> None:
        self.state, self.overview, self.problem = state, overview, problem
        self.follow()

    def compose_lines(self, width: int) -> list[tuple[Line, str]]:
        bench, status, now = self._model.bench, self._model.status, self._clock()
        lines = [
            (live_line(status.workspace_name, self.state, self.overview, now, width), ""),
            (traffic_line(self.overview, width), ""),
            *alert_bars(self.overview, now, width),
        ]
        if self.problem:
            rows = wrap(((f" ✗ {shown_line(self.problem)}", ""),), width - 1, 3)
            lines += [(row, "problem-bar") for row in rows[:3]]
        return [*lines, *alerts(bench, status, width)]

    def _tick_later(self) -> None:
        """The screen looks once a second anyway."""
