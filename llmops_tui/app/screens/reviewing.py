"""Reviewing on the Bench: what the keys decide, and the gate.

A decision is on the answers that are on screen, known by case and model, whatever comes in meanwhile. It is
shown at once and taken back where the engine could not make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from llmops_tui.app.arranged import Key
from llmops_tui.app.lines import shown_line
from llmops_tui.app.screens.frame import Frame
from llmops_tui.app.verdict_text import why_none
from llmops_tui.app.widgets.case_list import CaseList
from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.review import Choice, Decision, answers, needs_review
from llmops_tui.engine.events import GateRequest, Undone


class ReviewKeys(Frame, inherit_bindings=False):
    """What reviewing adds to the Bench."""

    @property
    def cases(self) -> CaseList:
        raise NotImplementedError

    @property
    def seen(self) -> Pair | None:
        """The case under the cursor with the answers that are on screen."""
        raise NotImplementedError

    def show_review(self) -> None:
        """Draw what was decided."""
        raise NotImplementedError

    # -- keys

    def action_accept(self) -> None:
        self._decide("accepted")

    def action_reject(self) -> None:
        self._decide("rejected")

    def action_accept_all(self) -> None:
        comparison = self._reviewable()
        if comparison is None:
            return
        bench = self.model.bench
        pairs = [bench.pairs[key] for key in bench.visible if key in bench.review.open]
        if not pairs:
            self._say_what_is_left()
            return
        rest = len(bench.review.open) - len(pairs)
        more = f" ({fmt.count(rest)} more are not shown and stay open)" if rest else ""

        def yes() -> None:
            self._send(comparison, pairs, "accepted")
            self.say(f"Accepted {fmt.plural(len(pairs), 'change')}; u takes that back.")

        self.ask(f"Accept {fmt.plural(len(pairs), 'change')} shown here{more}?", yes)

    def action_undo(self) -> None:
        if self._reviewable() is not None:
            self.when_done(self.owner.session.undo(), self._undone)

    def action_skip(self) -> None:
        found = self.model.bench.next_open(self.cases.cursor)
        if found is None:
            self._say_what_is_left()
        elif found == self.cases.cursor:
            self.say("This is the only one that is left.")
        else:
            self.cases.move_to(found)

    def action_note(self) -> None:
        comparison, pair = self._reviewable(), self.seen
        if comparison is None or pair is None:
            return
        why = _unanswered(pair)
        if why:
            self.say(why)
            return
        old = self.model.bench.review.decision(_key(pair), pair)
        before = " ".join(old.note.split()) if old is not None else ""

        def then(text: str) -> None:
            if text.strip() != before:
                self._send(comparison, [pair], None, text.strip())

        hint = "what a colleague should know; enter, or esc"
        self.type_in(f"note on {pair.case_id}", hint, then, before)

    def action_take_expected(self) -> None:
        comparison, pair = self._reviewable(), self.seen
        if comparison is None or pair is None:
            return
        why = _undecidable(pair)
        if why:
            self.say(why)
            return
        made = self._sent(pair, "accepted")
        self._go_on(pair)

        def done(said: str) -> None:
            self._settle(made, made)
            self.say(said, long=True)

        future = self.owner.session.take_expected(comparison, pair)
        self.when_done(future, done, partial(self._failed, [made]))

    def action_known_failing(self) -> None:
        pair = self.seen
        if self._reviewable() is None or pair is None:
            return
        case = self.model.bench.cases.get(pair.case_id)
        if case is None:
            self.say(f"{pair.case_id} is in no eval file any more.")
        elif case.known_failing:
            self._mark(pair.case_id, None)
        else:
            hint = "why; the gate leaves the case out until the mark is taken away"
            self.type_in(f"{pair.case_id} is known to fail, because", hint, partial(self._mark, pair.case_id))

    def action_forget(self) -> None:
        comparison, pair = self._reviewable(), self.seen
        if comparison is None or pair is None:
            return
        if self.model.bench.review.decision(_key(pair), pair) is None:
            self.say(f"Nothing is decided on {pair.case_id}.")
            return
        self.when_done(
            self.owner.session.forget(comparison, pair),
            lambda _none: self.say(f"Forgot what was decided on {pair.case_id}; u brings it back."),
        )

    # -- the gate

    def action_gate_anew(self) -> None:
        self._gate(GateRequest(self._config, fresh=True, ask_first=True))

    def action_adjudicate(self) -> None:
        gate = self.model.bench.review.gate
        if gate is not None and gate.verdict != "inconclusive":
            self.say("Only an inconclusive verdict is adjudicated, and this one is clear; ! gates anew.")
        else:
            self._gate(GateRequest(self._config, adjudicate=True, ask_first=True))

    @property
    def _config(self) -> str:
        return self.model.status.config or ""

    def _gate(self, request: GateRequest) -> None:
        bench, status = self.model.bench, self.model.status
        if status.viewing is not None:
            self.say("This app only views the workspace; see the line on top.")
        elif bench.comparison is None or bench.is_alone:
            self.say(why_none(bench, status))
        elif self.is_busy:
            self.say("Something is under way; C cancels it.")
        else:
            baseline, candidate = self.model.chosen
            chosen = msgspec.structs.replace(request, baseline=baseline, candidate=candidate)
            self.owner.session.run(chosen)

    # -- deciding

    def _reviewable(self) -> Comparison | None:
        """What is reviewed; None, and said, where nothing can be."""
        bench, status = self.model.bench, self.model.status
        if status.viewing is not None:
            self.say("This app only views the workspace and can't decide; see the line on top.")
        elif bench.comparison is None or not self.owner.is_engine_up:
            self.say("The workspace is still being read." if not status.broken else "There is nothing yet.")
        else:
            return bench.comparison
        return None

    def _decide(self, choice: Choice) -> None:
        comparison, pair = self._reviewable(), self.seen
        if comparison is None or pair is None:
            return
        why = _undecidable(pair)
        if why:
            self.say(why)
            return
        self._send(comparison, [pair], choice)
        self._go_on(pair)

    def _send(
        self, comparison: Comparison, pairs: Sequence[Pair], choice: Choice | None, note: str | None = None
    ) -> None:
        """Decide, and show it at once."""
        sent = [self._sent(pair, choice, note) for pair in pairs]

        def done(kept: tuple[Decision, ...]) -> None:
            by_key = {(d.case_id, d.model): d for d in kept}
            for made in sent:
                self._settle(made, by_key.get((made.case_id, made.model)))
            self.show_review()

        self.show_review()
        future = self.owner.session.decide(comparison, pairs, choice, note)
        self.when_done(future, done, partial(self._failed, sent))

    def _sent(self, pair: Pair, choice: Choice | None, note: str | None = None) -> Decision:
        """Show a decision before the engine has made it."""
        bench, key = self.model.bench, _key(pair)
        made = bench.review.send(pair, choice, note)
        bench.review.look_at(key, bench.pairs.get(key, pair))
        return made

    def _settle(self, made: Decision, kept: Decision | None) -> None:
        bench = self.model.bench
        bench.review.settle(made, bench.pairs.get((made.case_id, made.model)), kept)

    def _failed(self, sent: Sequence[Decision]) -> None:
        """Nothing was decided: back to where it was tried."""
        bench = self.model.bench
        for made in sent:
            bench.review.unsend(made, bench.pairs.get((made.case_id, made.model)))
        self.cases.move_to((sent[0].case_id, sent[0].model))
        self.show_review()

    def _go_on(self, pair: Pair) -> None:
        """To the next case that waits for a decision."""
        now = self.model.bench.pairs.get(_key(pair))
        if now is not None and _answers(now) != _answers(pair):
            self.say(f"{pair.case_id} has another answer by now: it is open again.")
        found = self.model.bench.next_open(_key(pair))
        if found is not None:
            self.cases.move_to(found)
        elif self.model.bench.review.open:
            self._say_what_is_left()
        self.show_review()

    def _say_what_is_left(self) -> None:
        left = len(self.model.bench.review.open)
        if left:
            self.say(f"Nothing that is shown here is left; {fmt.count(left)} more: esc shows all cases.")
        else:
            self.say("Nothing is left to review.")

    def _mark(self, case_id: str, reason: str | None) -> None:
        future = self.owner.session.mark_known_failing(case_id, reason)
        self.when_done(future, lambda said: self.say(said, long=True))

    def _undone(self, undone: Undone) -> None:
        self.say(undone.said)
        rows = self.model.bench.visible
        for case_id, model in undone.about:
            key = next((k for k in rows if k[0] == case_id and model in ("", k[1])), None)
            if key is not None:
                self.cases.move_to(key)
                return


def _key(pair: Pair) -> Key:
    return pair.case_id, pair.model


def _answers(pair: Pair) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return answers(pair.baseline), answers(pair.candidate)


def _unanswered(pair: Pair) -> str:
    """Why nothing can be said about a pair; empty where something can."""
    name = shown_line(pair.case_id)
    if pair.pending:
        return f"The answer to {name} is still to come."
    if pair.candidate is None:
        return f"{name} was removed: there is no answer to decide on."
    return "" if answers(pair.candidate) else f"{name} has no answer to decide on; r asks it again."


def _undecidable(pair: Pair) -> str:
    """Why a pair can't be accepted or rejected; empty where it can."""
    why = _unanswered(pair)
    if why or needs_review(pair):
        return why
    name = shown_line(pair.case_id)
    if pair.baseline is None:
        return f"{name} is new: there is nothing to hold its answer against."
    return f"{name} did not change: there is nothing to decide."
