"""One pass over all alert rules: traffic that was not looked at, what the rules make of it, what to tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent, event_of
from llmops_tui.domain.live.alert_outbox import Notice, Outbox, admit, due, taken_back
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
from llmops_tui.domain.live.settings import DRIFT, AlertRule, Severity
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


class Telling(msgspec.Struct, frozen=True):
    """One notification that is to go out.

    Attributes:
        notice: `summary` stands for many.
        channels: names.
        rules: whose state it tells.
    """

    notice: Notice | str
    event: AlertEvent
    channels: tuple[str, ...]
    rules: tuple[str, ...]


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
        for rule in self._rules.values():
            state, changes = self._brought_up(rule, before.get(rule.name), traffic, now)
            states[rule.name] = state
            events += changes
        outbox, tellings = self._tellings(states, self._store.alerts.outbox(), now)
        # Those that only the screen shows are told by being there.
        for name, state in states.items():
            if not self._rules[name].to and due(state, now) is not None:
                states[name] = _told(state, now)
        gone = [name for name in before if name not in self._rules]
        events += [end for name in gone if (end := self._gone(name, before[name])) is not None]
        if events or gone or any(before.get(name) != state for name, state in states.items()):
            self._store.alerts.keep(states, events, outbox=outbox, dropped=gone)
        return tellings

    def record(self, tellings: Iterable[tuple[Telling, dict[str, str]]], now: float) -> None:
        """Keep what became of notifications: channel → why it failed, empty where it did not.

        Raises:
            StoreError: it can't be written.
        """
        states = self._store.alerts.states()
        before = outbox = self._store.alerts.outbox()
        changed: dict[str, AlertState] = {}
        events: list[AlertEvent] = []
        for telling, results in tellings:
            arrived = not results or any(not why for why in results.values())
            if not arrived:
                outbox = taken_back(outbox, now, summary=telling.notice == "summary")
            if telling.notice != "summary":
                for name in telling.rules:
                    if name in states:
                        changed[name] = _told(states[name], now, failed=not arrived)
            for channel, why in results.items():
                what = "failed" if why else "sent"
                sentence = why or telling.event.sentence
                events.append(
                    msgspec.structs.replace(
                        telling.event, what=what, at=now, channel=channel, sentence=sentence
                    )
                )
        if changed or events:
            self._store.alerts.keep(changed, events, outbox=outbox if outbox != before else None)

    def _gone(self, name: str, state: AlertState) -> AlertEvent | None:
        """The end of a rule that is not written any more; None where it did not fire."""
        if state.phase != "firing":
            return None
        fired = next(
            (e for e in self._store.alerts.events(rule=name, limit=10_000) if e.what == "fired"), None
        )
        if fired is None:
            return None
        at = max(state.looked_until, fired.at)
        sentence = f"{fired.metric} is not told any more: the rule was taken away"
        return msgspec.structs.replace(fired, what="ended", at=at, sentence=sentence)

    # -- one rule

    def _brought_up(
        self, rule: AlertRule, state: AlertState | None, traffic: Traffic, now: float
    ) -> tuple[AlertState, list[AlertEvent]]:
        metric = metric_of(rule.metric)
        lag = LAG_S if metric is None else LAGS_S.get(metric.group, LAG_S)
        end = int((now - lag) // MINUTE_S) * MINUTE_S
        events: list[AlertEvent] = []
        if state is not None and state.mark != mark_of(rule):
            if state.phase == "firing":
                events.append(event_of(rule, state, "ended", end))
            state = None
        if state is None or state.looked_until > end + DAY_S:
            # New, or looked at by a clock that was days ahead.
            state = begin(rule, float(end - CATCH_UP_S))
        start = max(int(state.looked_until // MINUTE_S) * MINUTE_S, end - CATCH_UP_S)
        if start >= end:
            return state, events
        if rule.is_drift:
            state, changes = self._drifted(rule, state, start, end)
        else:
            state, changes = self._looked(rule, state, traffic, start, end)
        return state, events + changes

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

    # -- telling

    def _tellings(
        self, states: dict[str, AlertState], outbox: Outbox, now: float
    ) -> tuple[Outbox, list[Telling]]:
        tellings: list[Telling] = []
        waiting: list[str] = []
        for name, state in states.items():
            rule = self._rules[name]
            notice = due(state, now) if rule.to else None
            if notice is None:
                continue
            outbox, may = admit(outbox, now)
            if may == "send":
                event = event_of(rule, state, notice, state.since if notice == "fired" else now)
                tellings.append(Telling(notice, event, rule.to, (name,)))
            elif may == "summary" or waiting:
                waiting.append(name)
        if waiting:
            tellings.append(self._summary(waiting, states, now))
        return outbox, tellings

    def _summary(self, waiting: Sequence[str], states: dict[str, AlertState], now: float) -> Telling:
        firing = [name for name, state in states.items() if state.phase == "firing"]
        channels = tuple(dict.fromkeys(channel for name in waiting for channel in self._rules[name].to))
        grave: Severity = (
            "critical" if any(self._rules[n].severity == "critical" for n in firing) else "warning"
        )
        if not firing:
            grave, sentence = "info", "no alert fires any more: all those that were told are over"
            return Telling(
                "summary", AlertEvent("", "summary", now, grave, "", sentence), channels, tuple(waiting)
            )
        shown = ", ".join(firing[:10]) + (", …" if len(firing) > 10 else "")
        sentence = (
            f"{len(firing)} alerts fire: {shown}; as there are so many, no more are sent for an hour: see"
            " llmops-tui alerts"
        )
        event = AlertEvent("", "summary", now, grave, "", sentence)
        return Telling("summary", event, channels, tuple(waiting))


def _is_old(rule: AlertRule, made_at: float, span_s: float, at: int) -> bool:
    """A reference is renewed each day; one of less than a day once twice as much is there."""
    if rule.is_change and rule.reference == "same_hours":
        return at // HOUR_S != made_at // HOUR_S
    return at - made_at >= min(max(span_s, HOUR_S), DAY_S)


def _told(state: AlertState, now: float, *, failed: bool = False) -> AlertState:
    if failed:  # they still know what they were told before
        return msgspec.structs.replace(state, failed_at=now)
    told = "firing" if state.phase == "firing" else ""
    return msgspec.structs.replace(state, told=told, told_at=now, failed_at=0.0)


def _drift_words(effect_name: str, effect: float, notes: Sequence[str]) -> str:
    return "; ".join([f"{effect_name.replace('_', ' ')} {effect:+.2f}", *notes])
