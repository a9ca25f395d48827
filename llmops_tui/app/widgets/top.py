"""The lines on top: what is compared, how it stands, and what needs somebody."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from llmops_tui.app.header_text import alerts, second_line, top_line
from llmops_tui.app.lines import EMPTY, Line
from llmops_tui.app.model import Model
from llmops_tui.app.paint import Paint


class Top(Widget):
    """Two lines, and a bar for everything that waits for the person."""

    DEFAULT_CSS = """
    Top { height: 2; width: 1fr; background: $background; }
    """

    def __init__(self, model: Model, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._model = model
        self._clock = clock
        self._lines: list[tuple[Line, str]] = []
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self.follow()

    def on_resize(self) -> None:
        self.follow()

    def follow(self) -> None:
        """Draw what is new; nothing where nothing is."""
        lines = self.compose_lines(self.app.size.width)
        if lines != self._lines:
            self._lines = lines
            if self.styles.height is None or self.styles.height.value != len(lines):
                self.styles.height = len(lines)
            self.refresh()
        self._tick_later()

    def compose_lines(self, width: int) -> list[tuple[Line, str]]:
        """The lines, each with a style for the whole of it."""
        bench, status = self._model.bench, self._model.status
        chosen = self._model.chosen != (None, None)
        return [
            (top_line(bench, status, self._clock(), width, chosen=chosen), ""),
            (second_line(bench, status, width), ""),
            *alerts(bench, status, width),
        ]

    def _tick_later(self) -> None:
        """`4 s ago` grows old: looked at each second at first, each minute later, not after an hour."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        run = self._model.bench.run
        if run is None or run.id == 0:
            return
        age = self._clock() - run.started_at
        if age < 3600 and self.is_attached:
            pause = 1.0 if age < 10 else 5.0 if age < 60 else 60.0
            self._timer = self.set_timer(pause, self.follow)

    def render_line(self, y: int) -> Strip:
        paint: Paint = self.app.paint  # type: ignore[attr-defined]
        line, over = self._lines[y] if y < len(self._lines) else (EMPTY, "")
        return paint.strip(line, self.size.width, self.rich_style, over)
