"""What is chosen on the Live screen: a filter, values to narrow to, metrics, alerts."""

from __future__ import annotations

import msgspec

from llmops_tui.app.lines import shown_line
from llmops_tui.app.live_filter import HINT, parse, text_of
from llmops_tui.app.live_state import Listing, LiveState, all_metrics
from llmops_tui.app.live_top import alert_words
from llmops_tui.app.messages import FilterChanged
from llmops_tui.app.screens.chooser import Choice, Chooser
from llmops_tui.app.screens.narrowing import Narrowing
from llmops_tui.app.widgets.filter_row import FilterRow
from llmops_tui.app.widgets.group_tiles import GroupTiles
from llmops_tui.app.widgets.request_list import RequestList
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import metric_of
from llmops_tui.domain.live.overview import FiringAlert, Overview
from llmops_tui.domain.live.rollout_view import RolloutView


class LiveChoosing(Narrowing, inherit_bindings=False):
    """Part of the Live screen."""

    state: LiveState
    overview: Overview | None

    def set_state(self, state: LiveState, *parts: str) -> None:
        """Take a setting over, and read what depends on it."""
        raise NotImplementedError

    @property
    def groups(self) -> GroupTiles:
        raise NotImplementedError

    @property
    def requests(self) -> RequestList:
        raise NotImplementedError

    # -- only one version, feature, …

    def windowed(self) -> LiveState:
        return self.state

    def narrow_to(self, wanted: LiveFilter) -> None:
        listing = msgspec.structs.replace(self.state.listing, of=None)
        new = msgspec.structs.replace(self.state, wanted=wanted, listing=listing)
        self.set_state(new, "figures", "plot", "requests")

    # -- any metric

    def action_choose_metric(self) -> None:
        def chosen(name: str | None) -> None:
            if name is not None:
                self.set_state(msgspec.structs.replace(self.state, metric=name), "plot")
                metric = metric_of(name)
                if metric is not None:
                    self.groups.move_to(metric.group)

        choices = [
            Choice(name, f"{fmt.pad(shown_line(title), 28)}  {shown_line(name)}")
            for name, title in all_metrics(self.overview)
        ]
        self.app.push_screen(Chooser("Plot", choices), chosen)

    # -- alerts

    def action_alerts(self) -> None:
        alerts = self.overview.alerts if self.overview is not None else ()
        if not alerts:
            self.say(f"No alert in the last {self.state.window}. The rules are `alerts:` in llmops.yaml.")
            return

        def chosen(alert: FiringAlert | None) -> None:
            if alert is not None:
                listing = Listing(f"of {shown_line(alert.rule)}", of=alert.filter)
                self.set_state(msgspec.structs.replace(self.state, listing=listing), "requests")
                self.show_pane(self.requests)

        now = self.owner.clock()
        ordered = sorted(alerts, key=lambda a: (a.until is not None, -a.since))
        choices = []
        for alert in ordered:
            of = shown_line(text_of(alert.filter))
            choices.append(Choice(alert, f"{alert_words(alert, now)}{f' ({of})' if of else ''}"))
        self.app.push_screen(Chooser("Alerts · of the window", choices), chosen)

    # -- is it safe to go on?

    def action_rollout(self) -> None:
        from llmops_tui.app.screens.rollout import RolloutSheet

        def held(view: RolloutView) -> None:
            self.app.push_screen(RolloutSheet(view))

        now = self.owner.clock()
        # Of whole versions: one version's requests alone can't be held against anything.
        aside = dict.fromkeys(("version", "user", "session", "only", "error"), "")
        wanted = msgspec.structs.replace(self.state.filter_at(now), **aside)
        self.say("Holding the newest version against the one before …")
        self.when_done(self.owner.session.live_rollout(wanted, now), held)

    # -- the filter

    def action_filter_live(self) -> None:
        rows = self.query(FilterRow)
        if rows:
            rows.first().query_one("Input").focus()
        else:
            self.prompt_line(FilterRow(text_of(self.state.wanted), hint=HINT))

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        if message.done:
            self.filter_by(message.text)
            self.query(FilterRow).remove()
            (self.requests if self.has_class("-listed") else self.groups).focus()
            return
        for row in self.query(FilterRow):
            row.say(parse(message.text).problem)

    def filter_by(self, text: str) -> None:
        """Show what a typed filter takes."""
        typed = parse(text)
        if typed.problem:
            self.say(typed.problem, problem=True)
        listing = msgspec.structs.replace(self.state.listing, of=None, behind="", only="")
        if typed.order:
            listing = msgspec.structs.replace(listing, order=typed.order)
        state = msgspec.structs.replace(self.state, wanted=typed.wanted, listing=listing)
        self.set_state(state, "figures", "plot", "requests")
