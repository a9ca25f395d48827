"""The Live screen: how is production doing?"""

from __future__ import annotations

from functools import partial

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from llmops_tui.app.actions import Action, bindings
from llmops_tui.app.lines import shown_line
from llmops_tui.app.live_filter import text_of
from llmops_tui.app.live_plot import plot_lines
from llmops_tui.app.live_state import (
    Listing,
    LiveState,
    group_of,
    metrics_of,
    next_wrong,
)
from llmops_tui.app.messages import CursorMoved, RowOpened
from llmops_tui.app.model import Model
from llmops_tui.app.request_lines import said_of
from llmops_tui.app.screens.live_case import make_case
from llmops_tui.app.screens.live_choosing import LiveChoosing
from llmops_tui.app.screens.live_loader import ALL, LiveLoader
from llmops_tui.app.trace_state import of_request
from llmops_tui.app.widgets.group_tiles import GroupTiles
from llmops_tui.app.widgets.live_top import LiveTop
from llmops_tui.app.widgets.plot_pane import PlotPane
from llmops_tui.app.widgets.request_list import RequestList
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.listing import LiveRequest
from llmops_tui.domain.live.metrics import metric_of
from llmops_tui.domain.live.overview import Overview, Plot

#: How often it is looked whether something came in, and how long figures may stand while nothing does.
LOOK_S, STALE_S = 1.0, 60.0
#: Requests that are listed at first, and at most.
FIRST, MOST = 200, 5_000
#: Rows before the end of the list from which on more are read.
NEAR = 40
NEED_FIGURES = frozenset(("next_metric", "split_by", "open_live", "longer", "narrow", "filter_live"))
NEED_REQUESTS = frozenset(("next_wrong", "trace_request", "order_requests", "make_case", "copy"))
NOTHING = [
    "No live traffic has come in yet.",
    "`llmops-tui collect` receives it; where your program runs, point it there:",
    "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
]


class LiveScreen(LiveChoosing, inherit_bindings=False):
    """Six groups of figures, a plot of one of them, and the requests behind it."""

    SCOPE = "live"
    BINDINGS = bindings("live")

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.state = model.live or LiveState()
        self.overview: Overview | None = None
        self.limit = FIRST
        self._loader = LiveLoader(self)
        self._plot: Plot | None = None
        self._listed: tuple[object, ...] | None = None
        self._problem = ""
        self._is_read = self._looking = False
        self._timer: Timer | None = None

    def make_top(self) -> LiveTop:
        return LiveTop(self.model, self.owner.clock)

    def compose_panes(self) -> ComposeResult:
        with Vertical(id="panes"):
            panes: tuple[Widget, ...] = (
                GroupTiles(id="groups"),
                PlotPane("Plot", id="live-plot"),
                RequestList(id="requests"),
            )
            for pane in panes:
                pane.add_class("pane")
                yield pane

    def on_mount(self) -> None:
        self._timer = self.set_interval(LOOK_S, self.look)
        self.groups.says = ["Reading what came in …"]
        self.requests.says = []
        self.follow()

    def on_screen_resume(self) -> None:
        if self._timer is not None:
            self._timer.resume()
        if self.is_current:
            self._loader.want(*ALL)

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    @property
    def groups(self) -> GroupTiles:
        return self.query_one("#groups", GroupTiles)

    @property
    def requests(self) -> RequestList:
        return self.query_one("#requests", RequestList)

    # -- reading

    def look(self) -> None:
        """Has anything come in? Asked once a second; figures are read anew only where it has."""
        if self._looking or self._loader.is_busy or not self.is_active:
            return
        self._looking = True

        def looked(changed: bool) -> None:
            self._looking = False
            if changed or self.owner.clock() - self._loader.read_at >= STALE_S:
                self._loader.want(*ALL)
            else:
                self.query_one(LiveTop).follow()  # `4 s ago` grows old

        def failed() -> None:
            self._looking = False

        self.when_done(self.owner.session.live_changed(), looked, failed)

    def show_overview(self, overview: Overview | None) -> None:
        self.overview, self._problem, self._is_read = overview, "", True
        self.groups.says = NOTHING
        views = overview.groups if overview is not None and overview.newest_at is not None else ()
        self.groups.show(views, at=group_of(self.state.metric))
        self.follow_state()

    def show_plot(self, plot: Plot | None) -> None:
        self._plot = plot
        self.follow_state()

    def show_requests(self, requests: tuple[LiveRequest, ...], asked: tuple[object, ...]) -> None:
        # More of the same list is the same list.
        same = self._listed is not None and self._listed[:-1] == asked[:-1]
        self._listed = asked
        self.requests.says = self._no_requests()
        self.requests.show(requests, same=same)
        self.follow_state()

    def show_problem(self, text: str) -> None:
        """It could not be read: what was read before stays."""
        self._problem = text
        if not self._is_read:
            self.groups.says = ["The live traffic could not be read; see the line on top."]
            self.groups.refresh()
        self.follow_state()

    def _no_requests(self) -> list[str]:
        overview = self.overview
        if overview is None or overview.newest_at is None:
            return []
        at = fmt.ago(overview.newest_at, self.owner.clock())
        if self.state.listing.of is not None:
            return ["No request of this alert is kept any more.", "esc lists all of them."]
        remedy = f"The newest request came {at}; w widens the window."
        if text_of(self.state.wanted):
            remedy = "/ changes the filter, w widens the window."
        return [f"No {self.state.wanted_words} in the last {self.state.window}.", remedy]

    def set_state(self, state: LiveState, *parts: str) -> None:
        """Take a setting over, and read what depends on it."""
        before, self.state = self.state, state
        self.model.live = state
        if (
            before.listing != state.listing
            or before.wanted != state.wanted
            or before.window_s != state.window_s
        ):
            self.limit = FIRST
        self.follow_state()
        self._loader.want(*(part for part in ALL if part in parts))

    def follow_state(self) -> None:
        """Draw what is set and what is known of it."""
        self.query_one(LiveTop).show(self.state, self.overview, self._problem)
        window = self.state.window
        self.groups.title(f"The last {window}, against the {window} before")
        self._draw_plot()
        self._title_requests()
        self.show_keys()

    def _draw_plot(self) -> None:
        pane, plot = self.query_one("#live-plot", PlotPane), self._plot
        metric = metric_of(self.state.metric)
        part = self.state.metric.partition(".")[2]
        name = (
            f"{metric.title}{f' {shown_line(part)}' if part else ''}"
            if metric
            else shown_line(self.state.metric)
        )
        by = f" by {self.state.by}" if self.state.by else ""
        title = f"{name}{by} · last {self.state.window}"
        pane.title(title[:1].upper() + title[1:])
        view = self.groups.current
        shown = plot is not None and (plot.metric, plot.by) == (self.state.metric, self.state.by)
        if plot is None or not shown or view is None:
            pane.show(None)
            return
        figures = {figure.metric: figure for figure in (view.headline, *view.others)}
        figure = figures.get(self.state.metric)
        pane.show(partial(plot_lines, plot, figure.why if figure is not None else ""))

    def _title_requests(self) -> None:
        listing, requests = self.state.listing, self.requests
        words = [listing.behind] if listing.behind else []
        if listing.order not in listing.behind and not listing.behind.startswith("lowest"):
            words.append("lowest score first" if listing.order == "lowest" else f"{listing.order} first")
        more = "+" if len(requests.keys) >= self.limit else ""
        words.append(f"{fmt.count(len(requests.keys))}{more}")
        requests.title(" · ".join(["Requests", *words]))

    # -- the cursor

    def on_cursor_moved(self, message: CursorMoved) -> None:
        message.stop()
        key = message.key
        view = self.groups.current
        if isinstance(key, str) and view is not None and group_of(self.state.metric) != view.group:
            self.set_state(msgspec.structs.replace(self.state, metric=view.headline.metric), "plot")
        elif isinstance(key, int):
            requests = self.requests
            near = requests.cursor_index >= len(requests.keys) - NEAR
            if near and len(requests.keys) >= self.limit and self.limit < MOST:
                self.limit = min(self.limit * 5, MOST)
                self._loader.want("requests")
        self.show_keys()

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_open_live()

    def means_something(self, action: Action) -> bool:
        if action.id in NEED_FIGURES and not self.groups.keys:
            return False
        if action.id in NEED_REQUESTS and not self.requests.keys:
            return False
        if action.id == "alerts":
            return self.overview is not None and bool(self.overview.alerts)
        return super().means_something(action)

    # -- moving

    def show_pane(self, pane: Widget) -> None:
        """Focus a pane; where there is little room, the list and the plot take turns."""
        self.set_class(pane is self.requests, "-listed")
        self.call_after_refresh(pane.focus)

    def panes(self) -> list[Widget]:
        return [self.groups, self.query_one("#live-plot"), self.requests]

    def action_left(self) -> None:
        if self.focused is self.groups:
            self.groups.step(-1)

    def action_right(self) -> None:
        if self.focused is self.groups:
            self.groups.step(1)

    def action_back(self) -> None:
        if self.answer(False):
            return
        zoomed, listing = self.zoomed, self.state.listing
        if zoomed:
            self.remove_class(zoomed)
        elif self.focused is not self.groups:
            self.show_pane(self.groups)
        elif listing.behind:
            self.set_state(msgspec.structs.replace(self.state, listing=Listing()), "requests")
        elif text_of(self.state.wanted):
            self.filter_by("")
        else:
            self.owner.show_screen("bench")

    def action_open_live(self) -> None:
        if self.answer(True):
            return
        if self.focused is self.requests:
            self.action_trace_request()
        elif self.groups.current is not None:
            self.set_state(self.state.behind(self.groups.current.group), "requests")
            self.show_pane(self.requests)

    def action_trace_request(self) -> None:
        listed = self.requests.current
        if listed is None:
            self.say("There is no request to trace.")
        else:
            self.owner.show_trace(of_request(listed))

    def action_make_case(self) -> None:
        listed = self.requests.current
        if listed is None:
            self.say("There is no request to make a case of.")
        else:
            make_case(self, listed.id)

    def action_next_wrong(self) -> None:
        self._go_to_wrong(1)

    def action_previous_wrong(self) -> None:
        self._go_to_wrong(-1)

    def _go_to_wrong(self, step: int) -> None:
        rows = self.requests
        listed = [(key, rows.requests[key].request) for key in rows.keys]
        # The list comes into sight first; its first request counts too.
        at = rows.cursor_index if rows.touched or step < 0 else -1
        found = next_wrong(listed, at, step)
        self.show_pane(rows)
        if found is not None:
            rows.move_to(found)
        elif listed:
            which = "further" if step > 0 else "earlier"
            self.say(f"No {which} request with something wrong is listed; / is:worth lists no others.")

    # -- what is shown

    def action_longer(self) -> None:
        self.set_state(self.state.other_window(1), *ALL)

    def action_shorter(self) -> None:
        self.set_state(self.state.other_window(-1), *ALL)

    def action_next_metric(self) -> None:
        view = self.groups.current
        if view is None:
            return
        names = metrics_of(view)
        at = names.index(self.state.metric) + 1 if self.state.metric in names else 0
        self.set_state(msgspec.structs.replace(self.state, metric=names[at % len(names)]), "plot")

    def action_split_by(self) -> None:
        self.set_state(self.state.other_split(), "plot")

    def action_order_requests(self) -> None:
        self.set_state(self.state.other_order(), "requests")

    def copyable(self) -> tuple[str, str] | None:
        listed = self.requests.current
        if listed is None:
            return None
        return f"the trace id of {said_of(listed.request, listed.id)}", listed.request.trace_id
