"""The History: which versions have there been, how did each score, which two do I compare?"""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from llmops_tui.app.actions import bindings
from llmops_tui.app.history_plot import FIGURES, fact_rows, plot_lines, tags_of
from llmops_tui.app.lines import Line, Span, shown_line, wrap
from llmops_tui.app.messages import CursorMoved, FilterChanged, RowOpened
from llmops_tui.app.model import Model
from llmops_tui.app.screens.bench import BenchScreen
from llmops_tui.app.screens.frame import Frame
from llmops_tui.app.sparkline import sparkline
from llmops_tui.app.widgets.filter_row import FilterRow
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.app.widgets.plot_pane import PlotPane
from llmops_tui.app.widgets.version_list import VersionList, run_state
from llmops_tui.domain import format as fmt
from llmops_tui.engine.events import BisectRequest, VersionSummary


class HistoryScreen(Frame, inherit_bindings=False):
    """Versions newest first, and the facts of the one under the cursor."""

    SCOPE = "history"
    BINDINGS = bindings("history")

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._revision = -1
        self._chose_mark = False
        self._reading = self._again = False
        self._figure = FIGURES[0]
        self._tag: str | None = None

    def compose_panes(self) -> ComposeResult:
        with Vertical(id="panes"):
            versions = VersionList(self.owner.clock, id="versions")
            versions.add_class("pane")
            yield versions
            with Vertical(id="below"):
                plot = PlotPane("Plot", id="plot")
                facts = LinePane("Version", id="facts")
                for pane in (plot, facts):
                    pane.add_class("pane")
                    yield pane

    def on_mount(self) -> None:
        self.follow()

    def on_screen_resume(self) -> None:
        self.read()

    @property
    def versions(self) -> VersionList:
        return self.query_one("#versions", VersionList)

    @property
    def current(self) -> VersionSummary | None:
        """The version under the cursor."""
        return self.versions.summaries.get(self.versions.cursor)

    def follow(self) -> None:
        super().follow()
        self.versions.says = ["No version yet.", "Save the prompt once, and the first one is here."]
        if self._revision != self.model.revision:
            self._revision = self.model.revision
            self.read()

    def read(self) -> None:
        """Read the versions anew; once more where that is asked while it is under way."""
        if not self.owner.is_engine_up:
            return
        if self._reading:
            self._again = True
            return
        self._reading = True
        future = self.owner.session.history()
        future.add_done_callback(self._read_ended)
        self.when_done(future, self._show)

    def _read_ended(self, _future: object) -> None:
        """Perhaps on another thread."""
        self._reading = False

    def _show(self, summaries: tuple[VersionSummary, ...]) -> None:
        if self._again:
            self._again = False
            self.read()
        versions = self.versions
        if not self._chose_mark or versions.marked not in {s.version.id for s in summaries}:
            baseline = next((s.version.id for s in summaries if s.version.is_baseline), None)
            versions.marked, self._chose_mark = baseline, False
        versions.show(summaries)
        scores = [s.tally.mean_score if s.tally else None for s in reversed(summaries)]
        room = max(min(self.app.size.width - 50, 60), 8)
        title = f"Versions · {fmt.count(len(summaries))}"
        if any(s is not None for s in scores):
            title += f" · mean score {sparkline(scores, room)}"
        versions.title(title)
        versions.refresh()
        self._show_facts()

    def on_cursor_moved(self, message: CursorMoved) -> None:
        message.stop()
        self._show_facts()

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_compare_marked()

    def _show_facts(self) -> None:
        self._show_plot()
        summary = self.current
        facts = self.query_one("#facts", LinePane)
        if summary is None:
            facts.title("Version")
            facts.show(None)
            return
        marked = self.versions.summaries.get(self.versions.marked or -1)
        left = marked.version.name if marked else "the baseline"
        now = self.owner.clock()
        facts.title(summary.version.name)
        facts.show(lambda width: fact_lines(summary, left, now, width))

    # -- the plots

    def _show_plot(self) -> None:
        summaries = tuple(self.versions.summaries.values())
        plot = self.query_one("#plot", PlotPane)
        tag = self._tag if self._figure == "pass rate" and self._tag in tags_of(summaries) else None
        plot.title(f"Plot · {self._figure}" + (f" · {shown_line(tag)}" if tag is not None else ""))
        cursor = self.versions.cursor
        plot.show(partial(plot_lines, summaries, self._figure, tag, cursor))

    def action_plot_figure(self) -> None:
        self._figure = FIGURES[(FIGURES.index(self._figure) + 1) % len(FIGURES)]
        self._show_plot()

    def action_plot_next_tag(self) -> None:
        self._step_tag(1)

    def action_plot_previous_tag(self) -> None:
        self._step_tag(-1)

    def _step_tag(self, step: int) -> None:
        """The next tag, round and round; none of them is one of the choices."""
        choices: list[str | None] = [None, *tags_of(tuple(self.versions.summaries.values()))]
        if len(choices) == 1:
            self.say("No case has a tag.")
            return
        now = choices.index(self._tag) if self._tag in choices else 0
        self._tag, self._figure = choices[(now + step) % len(choices)], "pass rate"
        self._show_plot()

    # -- keys

    def action_back(self) -> None:
        if self.answer(False):
            return
        if self.zoomed:
            self.remove_class(self.zoomed)
        else:
            self.owner.show_screen("bench")

    def action_mark(self) -> None:
        summary = self.current
        if summary is not None:
            self.versions.marked, self._chose_mark = summary.version.id, True
            self.versions.refresh()
            self._show_facts()

    def action_compare_marked(self) -> None:
        if self.answer(True):
            return
        summary = self.current
        if summary is None:
            return
        marked = self.versions.summaries.get(self.versions.marked or -1)
        if marked is not None and marked.version.id == summary.version.id:
            self.say(f"{summary.version.name} is marked itself; b marks another as the left side.")
            return
        newest = next(iter(self.versions.summaries.values()))
        # The default names follow what comes: the newest version stays the newest.
        left = None if marked is None or marked.version.is_baseline else marked.version.name
        right = None if summary.version.id == newest.version.id else summary.version.name
        self.owner.choose_pair(left, right)

    def action_promote(self) -> None:
        summary = self.current
        if summary is None:
            return
        version = summary.version
        if version.is_baseline:
            self.say(f"{version.name} is the baseline already.")
        elif run_state(summary)[0] != "complete":
            self.say(f"{version.name} can't be promoted: {_unfinished(summary)}; run it first.", problem=True)
        else:
            self.promote(version.name, f"Make {version.name} the baseline of {version.config}?")

    def action_bisect(self) -> None:
        summary, marked = self.current, self.versions.summaries.get(self.versions.marked or -1)
        if summary is None or marked is None:
            self.say("b marks a version; then B bisects between it and the one under the cursor.")
        elif marked.version.id == summary.version.id:
            self.say(f"{summary.version.name} is marked itself; move to the version to bisect to.")
        else:
            good, bad = sorted((marked.version, summary.version), key=lambda version: version.number)
            self._bisect(good=good.name, bad=bad.name)

    def action_bisect_git(self) -> None:
        self._bisect(git=True)

    def _bisect(self, **how: Any) -> None:
        """The case is the one under the Bench's cursor."""
        pair = next((s.pair for s in self.app.screen_stack if isinstance(s, BenchScreen)), None)
        config = self.model.status.config
        if pair is None or config is None:
            self.say("There is no case on the Bench to bisect.")
        else:
            self.owner.session.run(BisectRequest(config, pair.case_id, model=pair.model, **how))

    def action_label(self) -> None:
        summary = self.current
        if summary is None:
            return
        for row in self.query(FilterRow):
            row.query_one(Input).focus()
            return
        self._labelled = summary.version.name
        self.prompt_line(
            FilterRow(mark=f"label of {summary.version.name}", hint="a few words; enter, or esc")
        )

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        if not message.done:
            return
        self.query(FilterRow).remove()
        self.versions.focus()
        text, name = message.text.strip(), self._labelled
        if text:
            self.when_done(self.owner.session.label(name, text), lambda _version: self.read())

    def action_edit(self) -> None:
        self.action_edit_prompt()

    def copyable(self) -> tuple[str, str] | None:
        summary = self.current
        if summary is None:
            return None
        return f"the hash of {summary.version.name}", summary.version.hash


def _unfinished(summary: VersionSummary) -> str:
    tally = summary.tally
    if tally is None or summary.run is None or summary.run.id == 0:
        return "it was never evaluated"
    if tally.errors:
        return f"{fmt.plural(tally.errors, 'output')} could not be had"
    return f"its run was {summary.run.state}"


def fact_lines(summary: VersionSummary, left: str, now: float, width: int) -> list[Line]:
    """What is known about a version, in words."""
    version, run, tally = summary.version, summary.run, summary.tally
    commit = fmt.NONE
    if version.git_commit:
        commit = version.git_commit[:10] + (" with changes not committed" if version.git_dirty else "")
    compares = f"compares {left} with {version.name} on the Bench; b marks another left side"
    if left == version.name:
        compares = "this is the left side (◆); move to the version to compare it with"
    rows: list[tuple[str, list[Span]]] = [("enter", [(compares, "accent")])]
    rows += [("warning", [(shown_line(text), "warning")]) for text in summary.warnings]
    rows += fact_rows(summary, now)
    if run is not None and run.id and tally is not None:
        rows.append(("newest run", _run_words(summary)))
    rows += [
        ("hash", [(version.hash[:16], ""), ("  (y copies all of it)", "dim")]),
        ("changed", [(", ".join(shown_line(c) for c in summary.changed) or "–", "")]),
        ("commit", [(commit, "")]),
        ("first seen", [(f"{fmt.moment(version.created_at)}, {fmt.ago(version.created_at, now)}", "")]),
    ]
    if version.labels:
        rows.append(("labels", [(", ".join(shown_line(x) for x in version.labels), "")]))
    lines: list[Line] = []
    for name, spans in rows:
        lines += wrap([(f" {name:<11} ", "dim"), *spans], width, 13)
    return lines


def _run_words(summary: VersionSummary) -> list[Span]:
    run, tally = summary.run, summary.tally
    assert run is not None
    assert tally is not None
    word, style = run_state(summary)
    counts = [fmt.plural(tally.cases, "row"), f"{tally.passed} passed", f"{tally.failed} failed"]
    if tally.errors:
        counts.append(f"{tally.errors} erred")
    if tally.unscored:
        counts.append(f"{tally.unscored} unscored")
    figures = [fmt.seconds(run.elapsed_s), f"{fmt.plural(run.provider_calls, 'request')}"]
    return [(word, style), (f": {', '.join(counts)} · {' · '.join(figures)}", "")]
