"""Everything that is told on the lines on top, beside the comparison itself."""

from __future__ import annotations

from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import Problem
from llmops_tui.engine.events import AskFirst, NothingToDo, Progress, RunEnded, Working


class Status:
    """What the engine said last about files, runs and the machine.

    Attributes:
        notices: key → sentence that stays until it is mended.
        asks: a run that waits for a yes.
        working: longer work that is under way.
        failures: what could not be had in the newest run.
    """

    def __init__(self, workspace_name: str) -> None:
        self.workspace_name = workspace_name
        self.workspace: Workspace | None = None
        self.config: str | None = None
        self.broken: tuple[Problem, ...] = ()
        self.notices: dict[str, str] = {}
        self.viewing: str | None = None
        self.watching = True
        self.progress: Progress | None = None
        self.ended: RunEnded | None = None
        self.working: Working | None = None
        self.nothing: NothingToDo | None = None
        self.asks: AskFirst | None = None

    @property
    def configuration(self) -> Configuration | None:
        if self.workspace is None or self.config is None:
            return None
        return self.workspace.configurations.get(self.config)

    @property
    def watch_word(self) -> tuple[str, str]:
        """(symbol and word, style)."""
        if self.viewing is not None:
            return "○ viewing", "warning"
        if self.workspace is not None and self.workspace.watch.mode == "off":
            return "○ not watching", "dim"
        return ("● watching", "accent") if self.watching else ("○ paused", "warning")
