"""A rule's way from quiet over pending to firing and back: a state and what one look does to it. Pure.

Two things must agree before anybody is told: the evidence of all observations, one by one, that the limit
is not kept (a sequential detector, so that looking every minute does not cry wolf), and the figure of the
window, so that what is told is what a person sees. It is over once the window's figure is clearly back for
a while; what comes back again and again has to stay away longer each time.

Time here is that of the traffic: a look is about a minute of it, each minute once and in order. So a pause,
a restart or a clock that was set back changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from llmops_tui.domain.live.alert_limits import Reference, edge_of, kind_of, moments, share_of
from llmops_tui.domain.live.metrics import is_testable, measure
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.live.statistics import detector as sequential
from llmops_tui.domain.live.statistics.detector import Detector
from llmops_tui.domain.live.tally import Tally

Phase = Literal["quiet", "pending", "firing"]
#: Of the window's figure: beyond the limit, within it but not by much, clearly within, or not known.
Standing = Literal["beyond", "near", "back", "unknown"]
What = Literal["fired", "cleared", "ended"]

#: The figure has to be back for so long at least.
LEAST_BACK_S = 300.0
#: A rule that fired before within so long flaps: each time doubles what it has to be back for.
FLAPS_WITHIN_S = 6 * 3_600.0
MOST_DOUBLINGS = 3
#: A rule that fires while nothing comes any more ends after so long.
SILENT_S = 86_400.0
#: Episodes that are remembered, to leave them out of references, and for how long.
_EPISODES, _REMEMBERED_S = 64, 9 * 86_400.0


class Heard(msgspec.Struct, frozen=True):
    """What one channel knows of a rule.

    Attributes:
        fires: it was told that the rule fires, and not yet that this is over.
        at: when it was told. failed_at: when it could not be told; 0 after it was.
        trying: what it is that can't be told. failing_since: since when.
        given_up: when the phase began of which no more is tried.
    """

    fires: bool = False
    at: float = 0.0
    failed_at: float = 0.0
    trying: str = ""
    failing_since: float = 0.0
    given_up: float | None = None


class AlertState(msgspec.Struct, frozen=True):
    """What is known of one rule; kept between looks.

    Attributes:
        mark: of the rule as it was written; another one starts anew.
        since: when the phase began. back_since: since when the figure is back, while it fires.
        looked_until: traffic before this was looked at.
        seen_at: end of the last minute with enough observations in its window.
        value, n: the window's figure. standing: where it stands.
        evidence: 0 … 1: how much of the evidence that an alarm needs is there.
        onset: when the change probably began, while it is pending or fires.
        fired: when it fired lately. episodes: (from, to) that were not usual.
        heard: channel → what it knows.
        detail: a sentence of what else is known: of a drift, what drifted.
    """

    mark: str
    phase: Phase = "quiet"
    since: float = 0.0
    back_since: float | None = None
    looked_until: float = 0.0
    seen_at: float = 0.0
    value: float | None = None
    n: int = 0
    standing: Standing = "unknown"
    evidence: float = 0.0
    onset: float = 0.0
    detector: Detector | None = None
    reference: Reference | None = None
    fired: tuple[float, ...] = ()
    episodes: tuple[tuple[float, float], ...] = ()
    heard: dict[str, Heard] = {}
    detail: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What one look found.

    Attributes:
        proven: the evidence says that the limit is not kept.
    """

    value: float | None
    n: int
    standing: Standing
    proven: bool
    onset: float = 0.0


class Change(msgspec.Struct, frozen=True):
    """A phase that came to its end."""

    what: What
    at: float


def mark_of(rule: AlertRule) -> str:
    """The same for rules that judge alike: where it is told and how grave it is make no other rule."""
    judged = msgspec.structs.replace(rule, to=(), severity="warning")
    return hashlib.sha256(msgspec.json.encode(judged)).hexdigest()[:16]


def begin(rule: AlertRule, at: float) -> AlertState:
    """One that has seen nothing; traffic from `at` on is looked at."""
    return AlertState(mark_of(rule), since=at, looked_until=at)


def look(
    rule: AlertRule, state: AlertState, minute: Tally, window: Tally, until: float, minutes: float = 1.0
) -> tuple[AlertState, Change | None]:
    """The state after one more minute of traffic.

    Args:
        minute: its sums. window: those of the rule's window up to its end.
        until: end of the minute, Unix seconds.
        minutes: since the look before; a gap is one look.
    """
    reference = state.reference
    if reference is None or reference.limit is None:
        measured = measure(rule.metric, window)
        state = msgspec.structs.replace(state, value=measured.value, n=measured.n, standing="unknown")
        return step(rule, state, Seen(measured.value, measured.n, "unknown", False), until)
    state, proven, onset = _weigh(rule, state, reference, minute, until, minutes)
    measured = measure(rule.metric, window)
    standing = _standing(rule, reference, measured.value, measured.n)
    return step(rule, state, Seen(measured.value, measured.n, standing, proven, onset), until)


def _weigh(
    rule: AlertRule, state: AlertState, reference: Reference, minute: Tally, until: float, minutes: float
) -> tuple[AlertState, bool, float]:
    """(state with the minute's evidence, whether it is proven, since when)."""
    limit = reference.limit
    if limit is None or not is_testable(rule.metric):
        return state, limit is not None, until - rule.window_s
    level = share_of(rule).false_alarms_per_day
    seen, bound = moments(rule, minute, limit)
    before = state.detector or sequential.fresh(kind_of(rule))
    after = sequential.look(
        before, seen, mean_limit=bound, minutes=minutes, design_effect=reference.design_effect
    )
    after = sequential.held(after, level)
    needed = sequential.log_level(level)
    # From nothing (one bet's stake of a minute) to the level.
    low = -7.0
    there = (sequential.log_evidence(after) - low) / (needed - low)
    state = msgspec.structs.replace(state, detector=after, evidence=min(max(there, 0.0), 1.0))
    onset = until - 60.0 * sequential.minutes_since_onset(after)
    return state, sequential.fires(after, level), onset


def _standing(rule: AlertRule, reference: Reference, value: float | None, n: int) -> Standing:
    limit, edge = reference.limit, edge_of(rule, reference)
    if value is None or limit is None or edge is None:
        return "unknown"
    if n < rule.min_n and is_testable(rule.metric):
        return "unknown"
    sign = -1 if rule.is_falling else 1
    if sign * value > sign * limit:
        return "beyond"
    return "back" if sign * value <= sign * edge else "near"


def step(rule: AlertRule, state: AlertState, seen: Seen, at: float) -> tuple[AlertState, Change | None]:
    """The state after a look that found `seen`."""
    known = seen.standing != "unknown"
    state = msgspec.structs.replace(
        state,
        looked_until=at,
        value=seen.value,
        n=seen.n,
        standing=seen.standing,
        seen_at=at if known else state.seen_at,
    )
    match state.phase:
        case "quiet":
            if seen.standing == "beyond" and seen.proven:
                pending = msgspec.structs.replace(state, phase="pending", since=at, onset=_onset(seen, at))
                return _fire_if_due(rule, pending, seen, at)
            return state, None
        case "pending":
            if seen.standing == "back":
                return msgspec.structs.replace(state, phase="quiet", since=at), None
            return _fire_if_due(rule, state, seen, at)
        case "firing":
            return _clear_if_due(rule, state, seen, at)


def _onset(seen: Seen, at: float) -> float:
    return min(seen.onset or at, at)


def _fire_if_due(
    rule: AlertRule, state: AlertState, seen: Seen, at: float
) -> tuple[AlertState, Change | None]:
    if seen.standing != "beyond" or not seen.proven or at - state.since < rule.for_s:
        return state, None
    fired = (*(t for t in state.fired if at - t < FLAPS_WITHIN_S), at)
    return (
        msgspec.structs.replace(state, phase="firing", since=at, back_since=None, fired=fired),
        Change("fired", at),
    )


def _clear_if_due(
    rule: AlertRule, state: AlertState, seen: Seen, at: float
) -> tuple[AlertState, Change | None]:
    if seen.standing == "unknown":
        if at - max(state.seen_at, state.since) >= SILENT_S:
            return over(rule, state, at), Change("ended", at)
        return state, None
    back_since = None
    if seen.standing == "back":
        back_since = at if state.back_since is None else state.back_since
    state = msgspec.structs.replace(state, back_since=back_since)
    if back_since is None or at - back_since < back_for_s(rule, state):
        return state, None
    return over(rule, state, at), Change("cleared", at)


def back_for_s(rule: AlertRule, state: AlertState) -> float:
    """How long the figure has to be back: longer for a rule that flaps. Drift is looked at once a window."""
    if rule.is_drift:
        return 0.0
    doublings = min(max(len(state.fired) - 1, 0), MOST_DOUBLINGS)
    return max(rule.for_s, LEAST_BACK_S) * float(2**doublings)


def is_flapping(state: AlertState) -> bool:
    return len(state.fired) >= 3


def over(rule: AlertRule, state: AlertState, at: float) -> AlertState:
    """Quiet again, with the evidence put aside and the time noted as unusual."""
    episodes = (*state.episodes, (min(state.onset, state.since) or state.since, at))
    return msgspec.structs.replace(
        state,
        phase="quiet",
        since=at,
        back_since=None,
        onset=0.0,
        detector=None if rule.is_drift else sequential.fresh(kind_of(rule)),
        evidence=0.0,
        episodes=tuple(e for e in episodes if at - e[1] < _REMEMBERED_S)[-_EPISODES:],
    )


def is_suspected(rule: AlertRule, state: AlertState) -> bool:
    """Some evidence is there: a reference made now might learn what is wrong."""
    detector = state.detector
    return detector is not None and sequential.suspects(detector, share_of(rule).false_alarms_per_day)


def was_unusual(state: AlertState, since: float, until: float) -> bool:
    """Whether a piece of time is to be left out of references."""
    return any(start < until and since < end for start, end in state.episodes)
