"""The Bench: what did my last save change, case by case?"""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from llmops_tui.app.actions import Action, bindings
from llmops_tui.app.arranged import Key
from llmops_tui.app.case_filter import parse
from llmops_tui.app.case_order import next_order
from llmops_tui.app.header_text import empty_sentence
from llmops_tui.app.lines import shown_line
from llmops_tui.app.messages import CursorMoved, FilterChanged, LaidOut, RowOpened
from llmops_tui.app.model import Model
from llmops_tui.app.screens.asking import AskKeys
from llmops_tui.app.screens.detail import DetailLoader
from llmops_tui.app.screens.reviewing import ReviewKeys
from llmops_tui.app.verdict_text import to_review
from llmops_tui.app.widgets.case_list import CaseList
from llmops_tui.app.widgets.filter_row import FilterRow
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.app.widgets.output_pane import OutputPane
from llmops_tui.app.widgets.top import Top
from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Pair

#: Actions that mean nothing where there is no case.
NEED_CASES = frozenset(
    (
        "open",
        "next_change",
        "filter",
        "sort",
        "split",
        "ask_again",
        "rerun_all",
        "promote",
        "export",
        "copy",
        "bisect",
        "trace",
    )
)
#: Actions that mean nothing where every change is decided on.
NEED_OPEN = frozenset(("accept", "reject", "skip", "note"))
#: Rows beyond which the filter waits for a pause in typing.
MANY_ROWS = 5_000


class BenchScreen(ReviewKeys, AskKeys, inherit_bindings=False):
    """List of cases, outputs, scores, what changed."""

    SCOPE = "bench"
    BINDINGS = bindings("bench")

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._loader = DetailLoader(self)
        self._typed = ""
        self._shown_keys: list[Key] = []
        self._revision = -1
        self._typing: Timer | None = None

    def compose_panes(self) -> ComposeResult:
        with Horizontal(id="panes"):
            cases = CaseList(self.model.bench, id="cases")
            cases.add_class("pane")
            yield cases
            with Vertical(id="detail"):
                yield OutputPane(id="output")
                yield LinePane("Scores", id="scores")
                yield LinePane("What changed", id="changes")

    def on_mount(self) -> None:
        for pane in (self.output, self.scores, self.changes):
            pane.add_class("pane")
        self.follow()

    @property
    def cases(self) -> CaseList:
        return self.query_one("#cases", CaseList)

    @property
    def output(self) -> OutputPane:
        return self.query_one("#output", OutputPane)

    @property
    def scores(self) -> LinePane:
        return self.query_one("#scores", LinePane)

    @property
    def changes(self) -> LinePane:
        return self.query_one("#changes", LinePane)

    @property
    def pair(self) -> Pair | None:
        """The case under the cursor."""
        return self.model.bench.pairs.get(self.cases.cursor)

    @property
    def seen(self) -> Pair | None:
        """The case under the cursor with the answers that the panes show, or are about to."""
        shown, pair = self._loader.shown, self.pair
        if pair is None or shown is None or (shown.case_id, shown.model) != (pair.case_id, pair.model):
            return pair
        return shown

    @property
    def version_names(self) -> tuple[str, str]:
        """Names of both sides."""
        bench = self.model.bench
        left = bench.comparison.baseline.version.name if bench.comparison else ""
        return left, bench.candidate.name if bench.candidate else ""

    # -- following the model

    def start_over(self) -> None:
        """Another comparison comes: the cursor begins at its top."""
        self.cases.touched = False
        self.remove_class("-opened")

    def fit_panes(self) -> None:
        """Give the small panes the lines they have, and the outputs the rest."""
        height = self.query_one("#detail").size.height
        frame = 1 if self.has_class("-short") else 2
        if height < 8:
            return
        scores = min(max(len(self.scores.lines), 1) + frame, max(height // 3, frame + 2))
        room = height - scores - (len(self.output.lines) + frame)
        changes = min(max(len(self.changes.lines), 1) + frame, max(height // 3, room, frame + 2))
        for pane, lines in ((self.scores, scores), (self.changes, changes)):
            if pane.styles.height is None or pane.styles.height.value != lines:
                pane.styles.height = lines

    def on_resize(self) -> None:
        # The panes take turns, or stand side by side, from here on.
        self.call_after_refresh(self._title)

    def on_laid_out(self, message: LaidOut) -> None:
        message.stop()
        self.fit_panes()

    def follow(self) -> None:
        super().follow()
        cases, bench = self.cases, self.model.bench
        cases.says = self._empty()
        cases.set_keys(bench.visible)
        self._title()
        if self._revision != self.model.revision and self.owner.is_engine_up:
            self._revision = self.model.revision
            self._loader.want_changes()
        self._go_to_wanted()
        self._loader.want(self.pair)

    def _go_to_wanted(self) -> None:
        """Put the cursor on the case that another screen asked for, once its comparison is here."""
        wanted, bench = self.model.wanted_case, self.model.bench
        if wanted is None or self.version_names != (wanted.baseline, wanted.candidate):
            return
        self.model.wanted_case = None
        key = (wanted.case_id, wanted.model)
        if key not in bench.pairs:
            return
        if key not in set(bench.visible):
            bench.model = None
            self._filter("")
        self.cases.move_to(key)
        self.add_class("-opened")

    def _empty(self) -> list[str]:
        bench = self.model.bench
        if bench.pairs:
            return ["No case passes the filter.", "esc shows all of them."]
        return empty_sentence(self.model.status)

    def _title(self) -> None:
        bench = self.model.bench
        order = "failed first" if bench.is_alone and bench.order == "regressed first" else bench.order
        text = f"Cases · {order}"
        hidden = self.has_class("-narrow") or self.zoomed == "-zoom-cases"
        left = to_review(bench)
        if left and hidden:
            text += f" · {left}"
        if self._typed:
            text += f" · {fmt.count(len(bench.visible))} of {fmt.count(len(bench.pairs))}"
        self.cases.title(text)

    def show_review(self) -> None:
        self.cases.refresh()
        self._title()
        self._loader.want(self.pair)
        self.query_one(Top).follow()
        self.show_keys()

    def means_something(self, action: Action) -> bool:
        review = self.model.bench.review
        if action.id in NEED_OPEN:
            return bool(review.open)
        if action.id == "adjudicate":
            return review.gate is not None and review.gate.verdict == "inconclusive"
        if not self.model.bench.pairs and action.id in NEED_CASES:
            return False
        if action.id == "rerun_failed":
            return not self.model.bench.running and self.model.bench.unfinished > 0
        if action.id == "explain":
            return len(self.model.bench.changed) > 1 and not self.is_busy
        if action.id == "open":
            return self.has_class("-narrow") and not self.has_class("-opened")
        return super().means_something(action)

    def on_cursor_moved(self, message: CursorMoved) -> None:
        message.stop()
        self._loader.want(self.pair)

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_open()

    # -- moving and looking

    def action_open(self) -> None:
        if self.answer(True) or self.pair is None:
            return
        self.add_class("-opened")
        self.output.focus()
        self.show_keys()

    def action_back(self) -> None:
        if self.answer(False):
            return
        if self.zoomed:
            self.action_zoom()
        elif self.has_class("-opened") or self.focused is not self.cases:
            self.remove_class("-opened")
            self.cases.focus()
            self.show_keys()
        elif self._typed:
            self._filter("")
        elif self.model.bench.model is not None:
            self.show_model(None)

    def action_next_change(self) -> None:
        self._go_to_change(1)

    def action_previous_change(self) -> None:
        self._go_to_change(-1)

    def _go_to_change(self, step: int) -> None:
        key = self.model.bench.next_change(self.cases.cursor, step)
        if key is None:
            self.say("No case changed.")
        else:
            self.cases.move_to(key)

    def action_trace(self) -> None:
        if self.pair is not None:
            self.owner.show_screen("trace")

    def action_next_hunk(self) -> None:
        if not self.output.hunk(1):
            self.say("No further change in this output.")

    def action_previous_hunk(self) -> None:
        if not self.output.hunk(-1):
            self.say("No earlier change in this output.")

    def action_sort(self) -> None:
        self.model.bench.sort(next_order(self.model.bench.order))
        self.cases.set_keys(self.model.bench.visible)
        self._title()

    def to_zoom(self) -> str:
        return super().to_zoom() or "cases" if self.pane() is not None else ""

    def action_wrap(self) -> None:
        pane = self.pane()
        (pane if pane in (self.scores, self.changes) else self.output).toggle_wrap()

    def action_split(self) -> None:
        self.output.toggle_split()

    # -- the filter

    def action_filter(self) -> None:
        rows = self.query(FilterRow)
        if rows:
            rows.first().query_one("Input").focus()
        else:
            self.prompt_line(FilterRow(self._typed))

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        if self._typing is not None:
            self._typing.stop()
            self._typing = None
        if len(self.model.bench.pairs) > MANY_ROWS and not message.done:
            self._typing = self.set_timer(0.15, partial(self._filter, message.text))
            return
        self._filter(message.text)
        if message.done:
            self.query(FilterRow).remove()
            self.cases.focus()

    def _filter(self, text: str) -> None:
        self._typed = text
        bench = self.model.bench
        parsed = parse(text)
        bench.narrow(parsed)
        self.cases.says = self._empty()
        self.cases.set_keys(bench.visible)
        self._title()
        for row in self.query(FilterRow):
            row.say(parsed.problem or f"{fmt.count(len(bench.visible))} of {fmt.count(len(bench.pairs))}")
        if parsed.reads_outputs:
            self._loader.read_outputs(partial(self._found_in_outputs, text))

    def _found_in_outputs(self, text: str) -> None:
        if text == self._typed:
            self._filter(text)

    # -- comparing and switching

    def action_choose_comparison(self) -> None:
        self.owner.show_screen("history")

    def action_switch(self) -> None:
        from llmops_tui.app.screens.chooser import Choice, Chooser

        workspace, bench = self.model.status.workspace, self.model.bench
        choices = []
        for name in workspace.configurations if workspace else ():
            now = "  (on screen)" if name == self.model.status.config else ""
            choices.append(Choice(("config", name), f"configuration  {shown_line(name)}{now}"))
        if len(bench.models) > 1:
            choices.append(Choice(("model", None), "all models"))
            choices += [Choice(("model", m), f"only model  {shown_line(m)}") for m in bench.models]
        self.app.push_screen(Chooser("Switch to", choices), self._switched)

    def _switched(self, chosen: tuple[str, str | None] | None) -> None:
        if chosen is None:
            return
        kind, name = chosen
        if kind == "model":
            self.show_model(name)
        elif name is not None and name != self.model.status.config:
            self.owner.choose_config(name)

    def show_model(self, name: str | None) -> None:
        """Show the rows of one model, or of all."""
        bench = self.model.bench
        bench.model = name
        bench.narrow()
        self.follow()

    # -- versions, files

    def action_promote(self) -> None:
        bench = self.model.bench
        version = bench.candidate
        if version is None:
            self.say("There is no version yet; save the prompt first.")
        elif version.is_baseline:
            self.say(f"{version.name} is the baseline already.")
        elif not bench.is_complete:
            self.say(
                f"{version.name} can't be promoted: {fmt.plural(bench.unfinished, 'case')} erred or missing; "
                "F asks them.",
                problem=True,
            )
        else:
            self.promote(version.name, f"Make {version.name} the baseline of {version.config}?")

    def action_edit(self) -> None:
        broken = self.model.status.broken
        if broken and broken[0].file:
            self.open_file((self.owner.session.root / broken[0].file, broken[0].line or 1), "")
        elif self.focused is self.changes or self.pair is None:
            self.action_edit_prompt()
        else:
            place = self.owner.session.where_is(self.pair.case_id)
            self.open_file(place, f"{self.pair.case_id} is in no eval file any more.")

    def copyable(self) -> tuple[str, str] | None:
        if self.focused is self.changes:
            text = self._loader.changes_text
            return ("what changed", text) if text else None
        if self.focused is self.scores:
            lines = ["".join(text for text, _ in line).rstrip() for line in self.scores.lines]
            return ("the scores", "\n".join(lines)) if lines else None
        return self._loader.candidate_text()

    def action_export(self) -> None:
        bench = self.model.bench
        if bench.comparison is None or bench.candidate is None:
            self.say("There is no comparison yet.")
            return
        left, right = bench.comparison.baseline.version.name, bench.candidate.name
        self.when_done(
            self.owner.session.export(left, right),
            lambda path: self.say(f"Wrote the report to {path}", long=True),
        )
