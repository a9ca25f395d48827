"""The versions of the History."""

from __future__ import annotations

import time
from collections.abc import Callable

from llmops_tui.app.lines import Line, Span, left, right, shown_line
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain import format as fmt
from llmops_tui.engine.events import VersionSummary

_STATES = {
    "complete": ("complete", "dim"),
    "running": ("running", "accent"),
    "cancelled": ("cancelled", "warning"),
    "interrupted": ("interrupted", "warning"),
    "failed": ("failed", "error"),
}


class VersionList(RowList):
    """One row a version, newest first; keys are version ids."""

    BINDING_GROUP_TITLE = "Versions"

    def __init__(self, clock: Callable[[], float] = time.time, *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.summaries: dict[int, VersionSummary] = {}
        self.marked: int | None = None
        self._commits = self._labels = False
        self._decimals = 0

    def show(self, summaries: tuple[VersionSummary, ...]) -> None:
        """Show these versions, newest first."""
        self.summaries = {s.version.id: s for s in summaries}
        self._commits = any(s.version.git_commit for s in summaries)
        self._labels = any(s.version.labels for s in summaries)
        costs = [s.cost_usd for s in summaries if s.run is not None]
        self._decimals = max((_decimals(c) for c in costs), default=0)
        self.set_keys([s.version.id for s in summaries])

    def _columns(self, width: int) -> tuple[int, int, int, int, int]:
        """Widths of when, commit, changed, labels, state; 0 leaves one out."""
        when = 13
        room = width - 3 - 16 - when - 8 - 7 - 10
        commit = 10 if self._commits and room >= 44 else 0
        labels = 18 if self._labels and room - commit >= 40 else 0
        state = 13 if room - commit - labels >= 26 else 0
        return when, commit, max(room - commit - labels - state, 0), labels, state

    def _money(self, usd: float | None) -> str:
        """The same decimals down the column."""
        return fmt.NONE if usd is None else f"${usd:,.{self._decimals}f}"

    def heading(self, width: int) -> Line:
        when, commit, changed, labels, state = self._columns(width)
        text = "   " + left("version", 16) + left("when", when)
        text += left("changed", changed) + left("labels", labels) + left("commit", commit)
        text += right("pass", 8) + right("score", 7) + right("cost", 9)
        return ((text + ("  " + left("state", state - 2) if state else ""), "dim"),)

    def row(self, key: int, width: int) -> tuple[Line, str]:
        summary = self.summaries[key]
        version, tally = summary.version, summary.tally
        when, commit, changed, labels, state = self._columns(width)
        name = f"{version.name}{' baseline' if version.is_baseline else ''}"
        mark = "◆" if key == self.marked else "!" if summary.warnings else " "
        what = ", ".join(shown_line(c) for c in summary.changed) or ("first version" if not changed else "–")
        sha = (version.git_commit or "")[:7] + ("+" if version.git_dirty else "")
        spans: list[Span] = [
            (f" {mark} ", "accent" if key == self.marked else "warning"),
            (left(name, 16), "bold accent" if version.is_baseline else "bold"),
            (left(fmt.ago(version.created_at, self._clock()), when), "dim"),
            (left(what, max(changed - 1, 0)) + (" " if changed else ""), ""),
            (left(", ".join(shown_line(x) for x in version.labels), max(labels - 1, 0)), "accent"),
            (" " if labels else "", ""),
            (left(sha, commit), "dim"),
            (right(fmt.percent(tally.pass_rate if tally else None), 8), "bold"),
            (right(fmt.score(tally.mean_score if tally else None), 7), ""),
            (right(self._money(summary.cost_usd), 9), "dim"),
        ]
        if state:
            word, style = state_of(summary)
            spans.append(("  " + left(word, state - 2), style))
        return tuple(spans), ""


def _decimals(usd: float | None) -> int:
    return min(len(fmt.money(usd).partition(".")[2]), 5)


def state_of(summary: VersionSummary) -> tuple[str, str]:
    """Whether a version was promoted, and how; else how far its newest run got."""
    if summary.promoted:
        return ("forced", "warning") if summary.promoted[0].forced else ("promoted", "accent")
    return run_state(summary)


def run_state(summary: VersionSummary) -> tuple[str, str]:
    """The same, whatever became of the version."""
    if summary.run is None or summary.run.id == 0:
        return "not run", "dim"
    if summary.tally is not None and summary.tally.errors:
        return f"{summary.tally.errors} erred", "error"
    if summary.tally is not None and summary.tally.missing:
        known = summary.tally.cases
        return f"{known} of {known + summary.tally.missing}", "warning"
    return _STATES[summary.run.state]
