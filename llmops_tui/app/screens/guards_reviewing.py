"""What is done with a guardrail's items: said right or wrong, traced, kept as attacks; and its threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from llmops_tui.app.actions import Action
from llmops_tui.app.guard_items import item_lines, review_words
from llmops_tui.app.guards_state import GuardsState, next_open
from llmops_tui.app.screens.chooser import Choice, Chooser
from llmops_tui.app.screens.guards_loader import Part
from llmops_tui.app.screens.narrowing import Narrowing
from llmops_tui.app.trace_state import of_request
from llmops_tui.app.widgets.guard_list import GuardQueue
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.live.guards import GuardItem, GuardReview, ThresholdCurve
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.engine.guard_events import GuardsView
from llmops_tui.engine.tuning import Tuned

if TYPE_CHECKING:
    from llmops_tui.engine.attack_drafts import AttackDraft

#: Guardrail and trace id.
Reviewed = tuple[str, str]


class GuardsReviewing(Narrowing, inherit_bindings=False):
    """Part of the Guards screen.

    Attributes:
        said: what was said on this screen, by guardrail and trace id.
        asked: what the items that are listed were asked for.
        on_screen: trace id of the item that was drawn last.
    """

    state: GuardsState
    view: GuardsView | None
    said: dict[Reviewed, GuardReview]
    asked: LiveFilter
    on_screen: str = ""
    #: What was done, the newest last: the item as it was before.
    _done: list[tuple[str, GuardItem]]

    @property
    def guardrail(self) -> str:
        """Name of the one whose detail is shown; empty where there is none."""
        raise NotImplementedError

    @property
    def queue(self) -> GuardQueue:
        raise NotImplementedError

    def read(self, *parts: Part) -> None:
        """Read these anew."""
        raise NotImplementedError

    @property
    def sees_queue(self) -> bool:
        """The queue is in sight."""
        raise NotImplementedError

    def show_item(self) -> None:
        """Draw the item under the cursor."""
        raise NotImplementedError

    def show_queue(self) -> None:
        """Bring the queue into sight."""
        raise NotImplementedError

    def _may_write(self) -> bool:
        if self.model.status.viewing is not None:
            self.say("This app only views the workspace; see the line on top.")
            return False
        return True

    def footer_actions(self) -> list[Action]:
        # On the Live screen enter is the same; here whoever judges needs it at hand.
        return [
            msgspec.structs.replace(action, footer=2) if action.id == "trace_request" else action
            for action in super().footer_actions()
        ]

    def draw_item(self, pane: LinePane, item: GuardItem, now: float) -> None:
        """Draw an item in full; it can be judged when it stands on the screen."""
        pane.show(lambda width: item_lines(item, now, width))
        if self.on_screen != item.row.trace_id:
            self.call_after_refresh(self._has_drawn, item.row.trace_id)

    def _has_drawn(self, trace_id: str) -> None:
        self.on_screen = trace_id

    # -- right or wrong

    def action_guard_right(self) -> None:
        self._review(right=True)

    def action_guard_wrong(self) -> None:
        self._review(right=False)

    def _review(self, *, right: bool) -> None:
        """Mark the item and go on; it is written meanwhile."""
        item = self.queue.current
        if not self.sees_queue:
            # What is judged is looked at first.
            self.show_queue()
            self.on_screen = ""
            self.show_item()
            return
        if item is None:
            self.say("Nothing waits to be reviewed here; [ and ] go to the other queues.")
            return
        if self.state.queue == "failures":
            self.say("There is nothing to judge here: the guardrail failed itself. t shows the trace.")
            return
        if self.on_screen != item.row.trace_id or not self._may_write():
            # A key that was pressed before this item was drawn meant the one before.
            return
        row, guardrail = item.row, item.row.guardrail
        review = GuardReview(
            *(row.trace_id, guardrail, row.triggered, right, row.drawn, row.score, row.series),
            *(row.at, self.owner.clock()),
        )
        self._mark(guardrail, item, review)
        self._done.append((guardrail, item))
        self.show_queue()
        found = next_open(list(self.queue.items.values()), row.trace_id)
        if found is not None:
            self.queue.move_to(found)
        else:
            self.say(f"{review_words(row, review)[1].capitalize()}. That was the last one of this queue.")

        def kept(kept: GuardReview) -> None:
            if self.said.get((guardrail, row.trace_id)) is review:
                self._mark(guardrail, item, kept)
            self.read("figures")

        def failed() -> None:
            if self.said.get((guardrail, row.trace_id)) is review:
                self._mark(guardrail, item, item.review)
                self._done = [each for each in self._done if each != (guardrail, item)]

        self.when_done(
            self.owner.session.review_guard(guardrail, row.trace_id, right, self.asked), kept, failed
        )

    def _mark(self, guardrail: str, item: GuardItem, review: GuardReview | None) -> None:
        """Note what was said, and show it where that item is still listed."""
        key = guardrail, item.row.trace_id
        if review is None:
            self.said.pop(key, None)
        else:
            self.said[key] = review
        if guardrail == self.guardrail and item.row.trace_id in self.queue.items:
            self.queue.mark(msgspec.structs.replace(item, review=review))
            self.show_item()

    def action_undo_guard(self) -> None:
        if not self._done:
            self.say("Nothing was said on this screen that could be taken back.")
            return
        if not self._may_write():
            return
        guardrail, item = self._done.pop()
        trace_id, session = item.row.trace_id, self.owner.session
        self._mark(guardrail, item, item.review)
        if guardrail == self.guardrail and trace_id in self.queue.items:
            self.queue.move_to(trace_id)

        def back(_: object) -> None:
            self.read("figures", "items")

        if item.review is None:
            self.when_done(session.take_back_guard(guardrail, trace_id), back)
        else:
            self.when_done(session.review_guard(guardrail, trace_id, item.review.right, self.asked), back)

    # -- the request

    def action_trace_request(self) -> None:
        item = self.queue.current
        if not self.sees_queue:
            self.show_queue()
            return
        if item is None:
            self.say("There is no request to trace here.")
            return

        def found(listed: LiveRequest | None) -> None:
            if listed is None:
                self.say("This request is not kept any more; what was said of it still counts.")
            else:
                self.owner.show_trace(of_request(listed))

        self.when_done(self.owner.session.guard_request(item.row.trace_id), found)

    def action_make_attack(self) -> None:
        """Show the attack that the request would be; it is written when the person says so."""
        item = self.queue.current
        if not self.sees_queue:
            self.show_queue()
            return
        if item is None:
            self.say("There is no request to make an attack of here.")
            return
        if not self._may_write():
            return

        def kept(attack: tuple[str, str] | None) -> None:
            if attack is not None:
                self.say(f"Kept as attack {attack[0]} in {attack[1]}; llmops-tui attack tries it.", long=True)

        def drafted(draft: AttackDraft) -> None:
            from llmops_tui.app.screens.keep_attack import KeepAttack

            self.app.push_screen(KeepAttack(draft, self.owner.session.keep_guard_attack), kept)

        self.when_done(self.owner.session.guard_attack(item.row.guardrail, item.row.trace_id), drafted)

    # -- the threshold

    def action_threshold(self) -> None:
        guardrail = self.guardrail
        if not guardrail:
            self.say("There is no guardrail to tune.")
            return
        wanted = self.state.filter_at(self.owner.clock())

        def read(curve: ThresholdCurve) -> None:
            from llmops_tui.app.screens.threshold import ThresholdSheet

            uses, config = self._uses_of(guardrail), wanted.config
            on_disk = [use.threshold for name, use in uses if config in ("", name)]
            sheet = ThresholdSheet(curve, on_disk)
            self.app.push_screen(sheet, lambda value: self._tune(guardrail, value))

        self.when_done(self.owner.session.guard_curve(guardrail, wanted), read)

    def _uses_of(self, guardrail: str) -> tuple[tuple[str, GuardrailUse], ...]:
        return self.view.uses_of(guardrail) if self.view is not None else ()

    def _tune(self, guardrail: str, value: float | None) -> None:
        """Write a threshold; where several configurations have the guardrail, ask into which."""
        if value is None or not self._may_write():
            return
        uses = self._uses_of(guardrail)
        named = self.state.wanted.config
        configs = [config for config, _ in uses]
        if named in configs or len(configs) < 2:
            self._write(guardrail, value, named if named in configs else None)
            return
        choices = [Choice(config, f"{config:<20} now {use.threshold:g}") for config, use in uses]
        title = f"Write threshold {value:.4g} of {guardrail} into"

        def chosen(config: str | None) -> None:
            if config is not None:
                self._write(guardrail, value, config)

        self.app.push_screen(Chooser(title, choices), chosen)

    def _write(self, guardrail: str, value: float, config: str | None) -> None:
        def written(tuned: Tuned) -> None:
            change = f"{tuned.before:g} → {tuned.after:g}"
            self.say(f"{tuned.file}: threshold of {guardrail} {change}. That is a new version.", long=True)
            self.read("figures")

        self.when_done(self.owner.session.tune_guard(guardrail, value, config), written)
