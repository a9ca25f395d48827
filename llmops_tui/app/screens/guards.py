"""The Guards screen: which guardrails fire, how often rightly, and what slipped through?"""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from llmops_tui.app.actions import Action, bindings
from llmops_tui.app.guard_facts import fact_lines
from llmops_tui.app.guard_figures import queue_counts
from llmops_tui.app.guard_items import ABOUT, NOTHING
from llmops_tui.app.guard_rows import rate_figure
from llmops_tui.app.guards_state import GuardsState, counted, not_asked_by
from llmops_tui.app.lines import shown_line
from llmops_tui.app.live_filter import parse, text_of
from llmops_tui.app.live_plot import plot_lines
from llmops_tui.app.messages import CursorMoved, FilterChanged, RowOpened
from llmops_tui.app.model import Model
from llmops_tui.app.screens.frame import sentence
from llmops_tui.app.screens.guards_loader import ALL, GuardsLoader, Part
from llmops_tui.app.screens.guards_reviewing import GuardsReviewing
from llmops_tui.app.widgets.filter_row import FilterRow
from llmops_tui.app.widgets.guard_list import GuardList, GuardQueue
from llmops_tui.app.widgets.guards_top import GuardsTop
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.app.widgets.plot_pane import PlotPane
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import GuardFigures, GuardItem, GuardTrial
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import Line as PlotLine
from llmops_tui.domain.live.overview import Plot
from llmops_tui.engine.guard_events import GuardsView

#: How often it is looked whether something came in, and how long figures may stand while nothing does.
LOOK_S, STALE_S = 1.0, 60.0
#: Items that are listed at first, and at most.
FIRST, MOST = 200, 5_000
#: Rows before the end of the list from which on more are read.
NEAR = 40
NEED_ITEM = frozenset(("guard_right", "guard_wrong", "trace_request", "make_attack", "copy"))
NO_GUARDRAIL = [
    "No configuration has a guardrail yet.",
    "Add one to a file of configs/, and save:",
    "guardrails: [pii, injection]",
    "docs/guardrails.md has them all; what a program of yours guards itself comes with `llmops-tui collect`.",
]
HINT = "version:v12  feature:refunds  model:gpt-4o-mini  config:helpdesk"


class GuardsScreen(GuardsReviewing, inherit_bindings=False):
    """The guardrails; of the one under the cursor its rate, its facts, and what waits for a person's word."""

    SCOPE = "guards"
    BINDINGS = bindings("guards")
    DIMENSIONS = ("version", "feature", "model", "provider", "config")

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.state = model.guards or GuardsState()
        self.view = None
        self.said, self.asked = {}, LiveFilter()
        self._done = []
        self.limit = FIRST
        self._loader = GuardsLoader(self)
        self._trials: tuple[GuardTrial, ...] = ()
        self._listed: tuple[object, ...] | None = None
        self._problem = ""
        self._seen = model.revision, model.status.workspace
        self._looking = False
        self._timer: Timer | None = None

    def make_top(self) -> GuardsTop:
        return GuardsTop(self.model, self.owner.clock)

    def compose_panes(self) -> ComposeResult:
        guards, queue = GuardList(id="guards"), GuardQueue(id="guard-queue")
        plot, facts = PlotPane("Fired", id="guard-plot"), LinePane("", id="guard-facts")
        item = LinePane("", id="guard-item")
        for pane in (guards, plot, facts, queue, item):
            pane.add_class("pane")
        with Vertical(id="panes"):
            yield guards
            with Horizontal(id="guard-below"):
                with Vertical(id="guard-about"):
                    yield plot
                    yield facts
                with Vertical(id="guard-work"):
                    yield queue
                    yield item

    def on_mount(self) -> None:
        self._timer = self.set_interval(LOOK_S, self.look)
        self.guards.says = ["Reading what came in …"]
        self.follow()

    def on_screen_resume(self) -> None:
        if self._timer is not None:
            self._timer.resume()
        if self.is_current:
            self.read(*ALL)

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def follow(self) -> None:
        super().follow()
        seen = self.model.revision, self.model.status.workspace
        if self._seen[0] != seen[0] or self._seen[1] is not seen[1]:
            # A run has ended, or a configuration was saved.
            self._seen = seen
            self.read("figures", "trials")

    @property
    def guards(self) -> GuardList:
        return self.query_one("#guards", GuardList)

    @property
    def queue(self) -> GuardQueue:
        return self.query_one("#guard-queue", GuardQueue)

    @property
    def guardrail(self) -> str:
        figures = self.guards.current
        return figures.name if figures is not None else ""

    @property
    def listing(self) -> tuple[object, ...]:
        """What a list of items depends on."""
        return self.guardrail, self.state.queue, self.state.window_s, self.state.wanted, self.limit

    # -- reading

    @property
    def sees_queue(self) -> bool:
        return self.queue.display and self.query_one("#guard-work").display

    def read(self, *parts: Part) -> None:
        self._loader.want(*parts)

    def look(self) -> None:
        """Has anything come in? Asked once a second; figures are read anew only where it has."""
        if self._looking or self._loader.is_busy or not self.is_active:
            return
        self._looking = True
        self.run_worker(self._look(), group="look", exit_on_error=True)

    async def _look(self) -> None:
        try:
            changed = await asyncio.wrap_future(self.owner.session.live_changed())
        except Exception as error:  # it stands on top until it can be read again; each second has no toast
            self.show_problem(shown_line(sentence(error)))
            return
        finally:
            self._looking = False
        if changed or self._problem or self.owner.clock() - self._loader.read_at >= STALE_S:
            self.read("figures", "items")
        else:
            self.query_one(GuardsTop).follow()  # `4 s ago` grows old

    def show_view(self, view: GuardsView) -> None:
        self.view, self._problem = view, ""
        self.guards.says = NO_GUARDRAIL
        first = not self.guards.keys
        self.guards.show(view.figures)
        self.guards.set_class(not view.figures, "-empty")
        if first and self.guards.keys:
            # From here on it is this one, whatever comes in above it.
            self.guards.move_to(self.state.guardrail)
            self.guards.touched = True
            self.state = msgspec.structs.replace(self.state, guardrail=self.guardrail)
        if self._listed != self.listing:
            self.read("items")
        self.follow_state()

    def show_items(self, items: tuple[GuardItem, ...], asked: tuple[object, ...]) -> None:
        # More of the same list is the same list.
        same = self._listed is not None and self._listed[:-1] == asked[:-1]
        self._listed = asked
        guardrail = self.guardrail
        said = {trace: review for (name, trace), review in self.said.items() if name == guardrail}
        self.queue.queue = self.state.queue
        self.queue.says = [*NOTHING[self.state.queue]] if guardrail else []
        self.queue.show(items, said, same=same)
        self.follow_state()

    def show_trials(self, trials: tuple[GuardTrial, ...]) -> None:
        self._trials = trials
        self.follow_state()

    def show_problem(self, text: str) -> None:
        """It could not be read: what was read before stays."""
        self._problem = text
        if self.view is None:
            self.guards.says = ["The guardrails could not be read; see the line on top."]
            self.guards.refresh()
        self.follow_state()

    def set_state(self, state: GuardsState, *parts: Part) -> None:
        """Take a setting over, and read what depends on it."""
        before, self.state = self.state, state
        self.model.guards = state
        self.limit = FIRST
        if (before.guardrail, before.queue) != (state.guardrail, state.queue):
            # What belongs to another queue is not judged under this one's name.
            self._listed, self.queue.says = None, []
            self.queue.show((), {}, same=False)
        self.follow_state()
        self.read(*parts)

    # -- drawing

    def follow_state(self) -> None:
        """Draw what is set and what is known of it."""
        self.query_one(GuardsTop).show(self.state, self.view, self._problem)
        self.guards.title(f"Guardrails · last {self.state.window}")
        self._draw_detail(self.guards.current)
        self.queue.queue = self.state.queue
        self.queue.counts = queue_counts(self.guards.current)
        self.queue.title(f"To review · {shown_line(self.guardrail)}" if self.guardrail else "To review")
        self.queue.refresh()
        self.show_item()
        self.show_keys()

    def _draw_detail(self, g: GuardFigures | None) -> None:
        plot, facts = self.query_one("#guard-plot", PlotPane), self.query_one("#guard-facts", LinePane)
        if g is None or self.view is None:
            plot.title("Fired")
            plot.show(None)
            facts.title("About")
            facts.show(None)
            return
        name, now = shown_line(g.name), self.owner.clock()
        plot.title(f"{name} fired · share of requests, last {self.state.window}")
        if g.buckets:
            drawn = Plot("guard_rate", None, 0, (PlotLine(g.name, rate_figure(g)),))
            plot.show(partial(plot_lines, drawn, ""))
        else:
            says = "No request of this window was looked at."
            if self.view.newest_at is None:
                says = "No live traffic has come in yet: llmops-tui collect receives it."
            plot.show(lambda _width, _height: [((f" {says}", "dim"),)])
        facts.title(f"About {name}")
        uses = self.view.uses_of(g.name)
        trials = tuple(trial for trial in self._trials if trial.guardrail == g.name)
        facts.show(lambda width: fact_lines(g, uses, trials, now, width), keep=True)

    def show_item(self) -> None:
        pane, item, now = self.query_one("#guard-item", LinePane), self.queue.current, self.owner.clock()
        if item is None:
            pane.title("Item")
            pane.show(None)
            return
        place = f"{self.queue.cursor_index + 1} of {fmt.count(len(self.queue.keys))}"
        pane.title(f"{place} · {ABOUT[self.state.queue]}")
        self.draw_item(pane, item, now)

    # -- the cursor

    def on_cursor_moved(self, message: CursorMoved) -> None:
        message.stop()
        if self.guardrail and self.guardrail != self.state.guardrail and self.guards.touched:
            self.set_state(msgspec.structs.replace(self.state, guardrail=self.guardrail), "items")
            return
        near = self.queue.cursor_index >= len(self.queue.keys) - NEAR
        if near and len(self.queue.keys) >= self.limit and self.limit < MOST:
            self.limit = min(self.limit * 5, MOST)
            self.read("items")
        self.show_item()
        self.show_keys()

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_open_guard()

    def means_something(self, action: Action) -> bool:
        if action.id in NEED_ITEM and (self.queue.current is None or not self.sees_queue):
            return False
        if action.id == "threshold":
            figures = self.guards.current
            return figures is not None and figures.tunable
        if action.id == "undo_guard":
            return bool(self._done)
        if action.id in ("next_queue", "open_guard", "longer", "narrow", "filter_live"):
            return bool(self.guards.keys)
        return super().means_something(action)

    # -- moving

    def show_queue(self) -> None:
        if self.focused not in (self.queue, self.query_one("#guard-item")):
            self.show_pane(self.queue)

    def show_pane(self, pane: Widget) -> None:
        """Focus a pane; where there is little room, the guardrails and the queue take turns."""
        self.set_class(pane.id in ("guard-queue", "guard-item"), "-listed")
        self.call_after_refresh(self._focus, pane)

    def _focus(self, pane: Widget) -> None:
        pane.focus()
        self.show_keys()

    def panes(self) -> list[Widget]:
        others = ("plot", "facts", "queue", "item")
        return [self.guards, *(self.query_one(f"#guard-{name}") for name in others)]

    def action_back(self) -> None:
        if self.answer(False):
            return
        zoomed = self.zoomed
        if zoomed:
            self.remove_class(zoomed)
        elif self.focused is not self.guards:
            self.show_pane(self.guards)
        elif text_of(self.state.wanted):
            self.narrow_to(LiveFilter())
        else:
            self.owner.show_screen("bench")

    def action_open_guard(self) -> None:
        if self.answer(True):
            return
        if self.focused in (self.queue, self.query_one("#guard-item")):
            self.action_trace_request()
        elif self.guardrail:
            self.show_pane(self.queue)

    def action_next_queue(self) -> None:
        self.set_state(self.state.other_queue(1), "items")
        self.show_queue()

    def action_previous_queue(self) -> None:
        self.set_state(self.state.other_queue(-1), "items")
        self.show_queue()

    # -- what is shown

    def action_longer(self) -> None:
        self.set_state(self.state.other_window(1), "figures", "items")

    def action_shorter(self) -> None:
        self.set_state(self.state.other_window(-1), "figures", "items")

    def windowed(self) -> GuardsState:
        return self.state

    def narrow_to(self, wanted: LiveFilter) -> None:
        self.set_state(msgspec.structs.replace(self.state, wanted=wanted), "figures", "items")

    def action_filter_live(self) -> None:
        for row in self.query(FilterRow):
            row.query_one("Input").focus()
            return
        self.prompt_line(FilterRow(text_of(self.state.wanted), hint=HINT))

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        typed = parse(message.text)
        problem = typed.problem or not_asked_by(typed.wanted)
        if not message.done:
            for row in self.query(FilterRow):
                row.say(problem)
            return
        if problem:
            self.say(problem, problem=True)
        self.query(FilterRow).remove()
        (self.queue if self.has_class("-listed") else self.guards).focus()
        self.narrow_to(counted(typed.wanted))

    def copyable(self) -> tuple[str, str] | None:
        item = self.queue.current
        return None if item is None else ("the trace id of this item", item.row.trace_id)
