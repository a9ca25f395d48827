"""One pass over all alert rules: traffic that was not looked at, what the rules make of it, what to tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent, event_of
from llmops_tui.domain.live.alerting import (
    AlertState,
    Change,
    Seen,
    Standing,
    begin,
    is_suspected,
    look,
    mark_of,
    over,
    step,
)
from llmops_tui.domain.live.metrics import metric_of
from llmops_tui.domain.live.settings import DRIFT, AlertRule
from llmops_tui.monitoring.alert_telling import Telling, parted, recorded, tellings
from llmops_tui.monitoring.alert_traffic import DAY_S, HOUR_S, MINUTE_S, TEN_MINUTES_S, Traffic

if TYPE_CHECKING:
    from llmops_tui.store.live import LiveStore

#: Traffic is looked at when it is so old: a request is known when it is over, a score or a signal later.
LAG_S = 120
LAGS_S = {"quality": 300, "signals": 900}
#: After a pause so much of it is made up for; a new rule looks back so far.
CATCH_UP_S = DAY_S
#: How often a reference that could not be made is tried again, and a new version is looked for.
_AGAIN_S = TEN_MINUTES_S


class AlertWatch:
    """Looks at a store. Belongs to the thread that opened it."""

    def __init__(self, store: LiveStore, rules: Sequence[AlertRule]) -> None:
        self._store = store
        self._rules = {rule.name: rule for rule in rules}

    def look(self, now: float) -> list[Telling]:
        """Bring every rule up to `now` and keep what came of it; gives what is to be told.

        Args:
            now: Unix seconds.

        Raises:
            StoreError: the database can't be read or written.
        """
        before = self._store.alerts.states()
        traffic = Traffic(self._store, now)
        states: dict[str, AlertState] = {}
        events: list[AlertEvent] = []
        kept = outbox = self._store.alerts.outbox()
        for name, state in before.items():
            why = self._why_over(name, state)
            if not why:
                continue
            end = self._end_of(name, state, why)
            outbox = parted(outbox, state, end)
            if state.phase == "firing":
                events.append(end)
        for rule in self._rules.values():
            states[rule.name], changes = self._brought_up(rule, before.get(rule.name), traffic, now)
            events += changes
        outbox, found = tellings(self._rules, states, outbox, now)
        gone = [name for name in before if name not in self._rules]
        is_new = events or gone or outbox != kept
        if is_new or any(before.get(name) != state for name, state in states.items()):
            self._store.alerts.keep(states, events, outbox=outbox, dropped=gone)
        return found

    def record(self, results: Iterable[tuple[Telling, dict[str, str]]], now: float) -> None:
        """Keep what became of notifications: channel → why it failed, empty where it did not.

        Raises:
            StoreError: it can't be written.
        """
        before = self._store.alerts.outbox()
        made = recorded(results, self._store.alerts.states(), before, now)
        if made.states or made.events or made.outbox != before:
            self._store.alerts.keep(
                made.states, made.events, outbox=made.outbox if made.outbox != before else None
            )

    def _why_over(self, name: str, state: AlertState) -> str:
        """Why a rule is not looked at as it was; empty where it is."""
        rule = self._rules.get(name)
        if rule is None:
            return "the rule was taken away"
        return "" if state.mark == mark_of(rule) else "the rule was changed"

    def _end_of(self, name: str, state: AlertState, why: str) -> AlertEvent:
        """The end of a rule, as it was when it fired lately."""
        events = self._store.alerts.events(rule=name, limit=10_000)
        fired = next((e for e in events if e.what == "fired"), None)
        if fired is None:
            fired = AlertEvent(name, "ended", state.looked_until, "warning", "", "")
        sentence = f"{fired.metric or name} is not told any more: {why}"
        at = max(state.looked_until, fired.at)
        return msgspec.structs.replace(fired, what="ended", at=at, sentence=sentence)

    # -- one rule

    def _brought_up(
        self, rule: AlertRule, state: AlertState | None, traffic: Traffic, now: float
    ) -> tuple[AlertState, list[AlertEvent]]:
        metric = metric_of(rule.metric)
        lag = LAG_S if metric is None else LAGS_S.get(metric.group, LAG_S)
        end = int((now - lag) // MINUTE_S) * MINUTE_S
        if state is None or state.mark != mark_of(rule):
            state = begin(rule, float(end - CATCH_UP_S))
        elif state.looked_until > end + DAY_S:
            # By a clock that was days ahead.
            state = msgspec.structs.replace(begin(rule, float(end - CATCH_UP_S)), heard=state.heard)
        start = max(int(state.looked_until // MINUTE_S) * MINUTE_S, end - CATCH_UP_S)
        if start >= end:
            return state, []
        if rule.is_drift:
            return self._drifted(rule, state, start, end)
        return self._looked(rule, state, traffic, start, end)

    def _looked(
        self, rule: AlertRule, state: AlertState, traffic: Traffic, start: int, end: int
    ) -> tuple[AlertState, list[AlertEvent]]:
        events: list[AlertEvent] = []
        about, minutes = "", traffic.minutes(rule, "", start, end)
        for at in range(start, end, MINUTE_S):
            # At the same times whether each minute is looked at by itself or many after a pause.
            if state.reference is None or at % _AGAIN_S == 0:
                state, change = self._referred(rule, state, traffic, at)
                if change is not None:
                    events.append(event_of(rule, state, change.what, change.at))
            if state.reference is not None and state.reference.about != about:
                about = state.reference.about
                minutes = traffic.minutes(rule, about, at, end)
            sums, window = next(minutes)
            until = float(at + MINUTE_S)
            passed = max((until - state.looked_until) / MINUTE_S, 1.0)
            was = state
            state, change = look(rule, state, sums, window, until, passed)
            if change is not None:
                told = state if change.what == "fired" else msgspec.structs.replace(was, value=state.value)
                events.append(event_of(rule, told, change.what, change.at))
        return state, events

    def _referred(
        self, rule: AlertRule, state: AlertState, traffic: Traffic, at: int
    ) -> tuple[AlertState, Change | None]:
        """The state with a reference that is in time; how a phase ended whose version is not the newest."""
        has = state.reference
        by_version = rule.is_change and rule.reference == "version"
        if has is not None and has.limit is not None:
            if by_version and traffic.newest_version(rule, at)[0] not in ("", has.about):
                change = Change("ended", float(at)) if state.phase == "firing" else None
                state = over(rule, state, float(at))
                made = traffic.reference(rule, state, at)
                return msgspec.structs.replace(state, reference=made), change
            if (
                state.phase != "quiet"
                or is_suspected(rule, state)
                or not _is_old(rule, has.at, has.until - has.since, at)
            ):
                return state, None
        made = traffic.reference(rule, state, at)
        if made.limit is None and has is not None and has.limit is not None:
            # A day without traffic: what was usual before is still the best that is known.
            made = msgspec.structs.replace(has, at=float(at))
        return msgspec.structs.replace(state, reference=made), None

    def _drifted(
        self, rule: AlertRule, state: AlertState, start: int, end: int
    ) -> tuple[AlertState, list[AlertEvent]]:
        """A rule about drift looks once for each window, when it is over."""
        from llmops_tui.domain.live.statistics.drift import FEWEST
        from llmops_tui.monitoring.drift import drifts

        span = max(int(rule.window_s // HOUR_S), 1) * HOUR_S
        at = end // span * span
        if at <= start:
            return msgspec.structs.replace(state, looked_until=float(end)), []
        alpha = min(rule.false_alarms_per_day * span / DAY_S, 0.05)
        name = rule.metric.removeprefix(DRIFT)
        found = [d for d in drifts(self._store, rule.filter(), at, window_s=span) if d.name == name]
        seen = Seen(None, 0, "unknown", False)
        if found:
            drift = found[0]
            known = min(drift.n, drift.n_reference) >= max(FEWEST, rule.min_n)
            is_so = known and drift.size != "none" and drift.p <= alpha
            standing: Standing = "beyond" if is_so else "back" if known else "unknown"
            seen = Seen(drift.effect, int(drift.n), standing, is_so, float(at - span))
            state = msgspec.structs.replace(
                state, detail=_drift_words(drift.effect_name, drift.effect, drift.notes)
            )
        state, change = step(rule, state, seen, float(at))
        events = [event_of(rule, state, change.what, change.at)] if change is not None else []
        return msgspec.structs.replace(state, looked_until=float(end)), events


def _is_old(rule: AlertRule, made_at: float, span_s: float, at: int) -> bool:
    """A reference is renewed each day; one of less than a day once twice as much is there."""
    if rule.is_change and rule.reference == "same_hours":
        return at // HOUR_S != made_at // HOUR_S
    return at - made_at >= min(max(span_s, HOUR_S), DAY_S)


def _drift_words(effect_name: str, effect: float, notes: Sequence[str]) -> str:
    return "; ".join([f"{effect_name.replace('_', ' ')} {effect:+.2f}", *notes])
