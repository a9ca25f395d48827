"""The Trace: how did this answer come about, and where do two versions part?"""

from __future__ import annotations

import re

from textual.app import ComposeResult
from textual.containers import Horizontal

from llmops_tui.app import span_lines
from llmops_tui.app.actions import Action, bindings
from llmops_tui.app.header_text import empty_sentence
from llmops_tui.app.messages import CursorMoved, FilterChanged, LaidOut, RowOpened
from llmops_tui.app.model import Model
from llmops_tui.app.screens.frame import Frame
from llmops_tui.app.screens.trace_loader import TraceLoader
from llmops_tui.app.trace_doc import Node, TraceDoc
from llmops_tui.app.trace_lines import kind_and_name
from llmops_tui.app.trace_state import AnyTraced, LiveTraced, nothing, request_of, said, sides, title
from llmops_tui.app.widgets.filter_row import FilterRow
from llmops_tui.app.widgets.span_pane import SpanPane
from llmops_tui.app.widgets.trace_tree import TraceTree
from llmops_tui.domain import format as fmt
from llmops_tui.engine.trace_events import MessagesRequest, TraceView

HINT = "any text of any step; enter keeps it, n and N go on"
#: Actions that mean nothing where there are no steps.
NEED_STEPS = frozenset(("open_step", "fold", "unfold", "raw", "search", "copy", "fold_all"))


class TraceScreen(Frame, inherit_bindings=False):
    """A tree beside a waterfall, and the step under the cursor in full."""

    SCOPE = "trace"
    BINDINGS = bindings("trace")

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._loader = TraceLoader(self)
        self._traced: AnyTraced | None = None
        self._view: TraceView | None = None
        self._read: AnyTraced | None = None
        self._raw = False
        self._typed = ""
        #: Id of a step → its messages as they were edited last.
        self._edited: dict[str, str] = {}
        #: The search that is under way leads to its first match.
        self._to_first = False
        #: Where `n` or `N` goes on once the step that it led to is shown: 1 its first match, -1 its last.
        self._onward = 0

    def compose_panes(self) -> ComposeResult:
        with Horizontal(id="panes"):
            tree = TraceTree(id="steps")
            tree.add_class("pane")
            yield tree
            step = SpanPane(id="step")
            step.add_class("pane")
            yield step

    def on_mount(self) -> None:
        self.follow()

    @property
    def steps(self) -> TraceTree:
        return self.query_one("#steps", TraceTree)

    @property
    def step(self) -> SpanPane:
        return self.query_one("#step", SpanPane)

    @property
    def doc(self) -> TraceDoc | None:
        return self.steps.doc

    @property
    def node(self) -> Node | None:
        """The step under the cursor."""
        doc, row = self.doc, self.steps.cursor
        return doc.nodes[row] if doc is not None and row is not None and row < len(doc.nodes) else None

    # -- reading

    def follow(self) -> None:
        super().follow()
        traced = self.owner.traced()
        if traced is None:
            self._read = self._traced = self._view = None
            self.steps.title("Trace")
            self._say_instead(empty_sentence(self.model.status))
            return
        if traced == self._read or not self.owner.is_engine_up:
            return
        same = self._traced is not None and self._is_same(traced, self._traced)
        self._read = traced
        if not same:
            self.steps.title(title(traced, None, None, "", 0))
            self._view = None
            self._say_instead(["Reading the trace …"])
        trial = self._view.trial if same and self._view is not None else None
        self._loader.want(traced, trial)

    def _is_same(self, one: AnyTraced, other: AnyTraced) -> bool:
        if isinstance(one, LiveTraced) or isinstance(other, LiveTraced):
            return one == other
        return (one.case_id, one.model) == (other.case_id, other.model)

    def show_view(self, traced: AnyTraced, view: TraceView, doc: TraceDoc | None) -> None:
        """A trace has been read: show it, from the first step where it parts from the baseline's."""
        at = doc.first or 0 if doc is not None else 0
        row = self.steps.cursor
        if self.steps.touched and doc is not None and self._traced == traced and row < len(doc.nodes):
            at = row  # another trial
        self._traced, self._view = traced, view
        self._show(doc, at)

    def show_sides(self, view: TraceView, doc: TraceDoc | None) -> None:
        """The same trace, seen from another side."""
        if view is self._view and doc is not None:
            before = self.node
            self._show(doc, (doc.row_of(before, view.diff) if before is not None else None) or 0)

    def _show(self, doc: TraceDoc | None, at: int) -> None:
        traced, view = self._traced, self._view
        assert traced is not None
        assert view is not None
        self.steps.says = nothing(traced, view) if doc is None else []
        self.steps.show(doc, said(traced, view, doc) if doc is not None else [], at=at)
        self._search_again()
        self._title()
        self._show_step()
        self.show_keys()

    def show_problem(self, text: str) -> None:
        """The trace could not be read."""
        self._traced = self._view = None
        self._say_instead([text, "esc goes back."])

    def _say_instead(self, sentences: list[str]) -> None:
        """Sentences in place of steps."""
        self.steps.says = sentences
        self.steps.show(None, [])
        self._show_step()
        self.show_keys()

    def _title(self) -> None:
        if self._traced is not None:
            self.steps.title(title(self._traced, self.doc, self._view, self._typed, len(self.steps.found)))

    # -- the step under the cursor

    def _show_step(self) -> None:
        self._loader.want_step(self.node, raw=self._raw)
        self._title_step()

    def _title_step(self) -> None:
        node, pane = self.node, self.step
        if node is None:
            pane.title("Step")
            return
        _kind, name = kind_and_name(node.span)
        parts = [name]
        if pane.matches:
            at = f"{pane.match + 1} of " if pane.match >= 0 else ""
            parts.append(
                f"match {at}{len(pane.matches)}" if at else fmt.plural(len(pane.matches), "match", "matches")
            )
        if self._raw:
            parts.append("raw")
        pane.title(" · ".join(parts))

    def step_shown(self) -> None:
        """The step under the cursor is in its pane now."""
        if self._onward:
            self.step.next_match(self._onward)
            self._onward = 0
        self._title_step()

    def on_cursor_moved(self, message: CursorMoved) -> None:
        message.stop()
        self._show_step()
        self.show_keys()

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_open_step()

    def on_laid_out(self, message: LaidOut) -> None:
        message.stop()

    def means_something(self, action: Action) -> bool:
        doc = self.doc
        if action.id in NEED_STEPS and doc is None:
            return False
        if action.id in ("next_match", "previous_match"):
            return bool(self._typed)
        if action.id in ("next_difference", "previous_difference"):
            return doc is not None and bool(doc.differences)
        if action.id == "switch_sides":
            return self._view is not None and len(sides(self._view)) > 1
        if action.id == "next_trial":
            return self._view is not None and len(self._view.trials) > 1
        if action.id == "make_case":
            return isinstance(self._traced, LiveTraced)
        if action.id == "edit_messages":
            return self._request() is not None
        return super().means_something(action)

    # -- moving

    def action_open_step(self) -> None:
        if self.answer(True) or self.node is None:
            return
        if self._is_hidden or not (self.focused is self.steps and self.steps.toggle_fold()):
            self.add_class("-opened")
            self.step.focus()
            self.show_keys()

    def action_fold(self) -> None:
        self.steps.fold()

    def action_unfold(self) -> None:
        self.steps.unfold()

    def action_toggle_fold(self) -> None:
        self.steps.toggle_fold()

    def action_fold_all(self) -> None:
        self.steps.fold_all()

    def action_back(self) -> None:
        if self.answer(False):
            return
        zoomed = self.zoomed
        if zoomed:
            self.remove_class(zoomed)
        elif self.has_class("-opened") or self.focused is not self.steps:
            self.remove_class("-opened")
            self.steps.focus()
            self.show_keys()
        elif self._typed:
            self._search("")
        else:
            self.owner.leave_trace()

    def action_next_difference(self) -> None:
        self._go_to_difference(1)

    def action_previous_difference(self) -> None:
        self._go_to_difference(-1)

    def _go_to_difference(self, step: int) -> None:
        doc, row = self.doc, self.steps.cursor
        if doc is None or row is None:
            return
        if doc.shown != "both":
            self.say(
                "There is nothing to compare here."
                if self._view and not self._view.diff
                else "b shows both sides."
            )
            return
        rows = doc.differences if step > 0 else tuple(reversed(doc.differences))
        found = next((n for n in rows if (n > row if step > 0 else n < row)), None)
        if found is None:
            self.say("No further step differs." if step > 0 else "No earlier step differs.")
        else:
            self.steps.go_to(found)

    def action_switch_sides(self) -> None:
        view, doc = self._view, self.doc
        there = sides(view) if view is not None else ()
        if view is None or doc is None or len(there) < 2:
            self.say("There is one trace only.")
            return
        self._loader.want_sides(view, there[(there.index(doc.shown) + 1) % len(there)])

    def action_next_trial(self) -> None:
        view, traced = self._view, self._traced
        if view is None or traced is None or len(view.trials) < 2:
            self.say("There is one trial only.")
            return
        at = view.trials.index(view.trial) if view.trial in view.trials else -1
        self._loader.want(traced, view.trials[(at + 1) % len(view.trials)])

    # -- looking

    def to_zoom(self) -> str:
        return super().to_zoom() if self.pane() is not None else ""

    def action_wrap(self) -> None:
        self.step.toggle_wrap()

    def action_raw(self) -> None:
        self._raw = not self._raw
        self._show_step()

    # -- searching

    def action_search(self) -> None:
        rows = self.query(FilterRow)
        if rows:
            rows.first().query_one("Input").focus()
        elif self.doc is not None:
            self.prompt_line(FilterRow(self._typed, hint=HINT))

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        self._to_first = message.done and bool(message.text)
        self._search(message.text)
        if message.done:
            self.query(FilterRow).remove()
            (self.step if self.has_class("-opened") else self.steps).focus()

    def _search(self, typed: str) -> None:
        self._typed = typed
        self.step.wanted = re.compile(re.escape(typed), re.IGNORECASE) if typed else None
        self.step.match = -1
        self.step.lay_out(keep=True)
        self._search_again()
        self._title_step()
        self.show_keys()

    def _search_again(self) -> None:
        if self.doc is not None:
            self._loader.search(self.doc, self.step.wanted)

    def found(self, rows: frozenset[int]) -> None:
        """The search has looked through every step."""
        self.steps.found = rows
        self.steps.refresh()
        self._title()
        for row in self.query(FilterRow):
            row.say(f"in {fmt.plural(len(rows), 'step')}" if self._typed else "")
        if self._to_first:
            self._to_first = False
            self.action_next_match()

    def action_next_match(self) -> None:
        self._go_to_match(1)

    def action_previous_match(self) -> None:
        self._go_to_match(-1)

    def _go_to_match(self, step: int) -> None:
        if not self._typed:
            self.say("Nothing is searched for; / does.")
            return
        # Where the list has the screen, it goes from step to step.
        if not self._is_hidden and self.step.next_match(step):
            self._title_step()
            return
        row = self.steps.cursor
        rows = sorted(self.steps.found, reverse=step < 0)
        if not rows or row is None:
            self.say("Found nowhere.")
            return
        found = next((n for n in rows if (n > row if step > 0 else n < row)), None)
        if found is None:
            found = rows[0]
            self.say("Begun anew from the top." if step > 0 else "Begun anew from the bottom.")
        if found == row:
            self.step.match = -1
            self.step.next_match(step)
            self._title_step()
        else:
            self._onward = step
            self.steps.go_to(found)

    @property
    def _is_hidden(self) -> bool:
        """The step is not in sight."""
        return not self.step.size.height

    # -- asking again, taking along

    def _request(self) -> MessagesRequest | None:
        node, traced = self.node, self._traced
        if node is None or traced is None:
            return None
        of_baseline = node.is_gone or (self.doc is not None and self.doc.shown == "baseline")
        version = traced.version_of(of_baseline)
        return request_of(node.span, traced.config, version, traced.model) if version else None

    def action_edit_messages(self) -> None:
        request, node = self._request(), self.node
        if request is None or node is None:
            self.say("Only a model call can be edited and asked again; its messages must be known.")
        elif self.model.status.viewing is not None:
            self.say("This app only views the workspace; see the line on top.")
        else:
            from llmops_tui.app.screens.ask_messages import AskMessages

            def closed(text: str | None) -> None:
                if text is not None:
                    self._edited[node.span.id] = text

            self.app.push_screen(AskMessages(request, node.span, self._edited.get(node.span.id)), closed)

    def action_make_case(self) -> None:
        if isinstance(self._traced, LiveTraced):
            from llmops_tui.app.screens.live_case import make_case

            make_case(self, self._traced.id)
        else:
            self.say("This is a case already; the traces of the Live screen (5) are not.")

    def copyable(self) -> tuple[str, str] | None:
        node = self.node
        if node is None:
            return None
        if self._raw:
            return "the step as JSON", span_lines.raw(node.span)
        return "the step", span_lines.text(span_lines.rendered(node, whole=True))
