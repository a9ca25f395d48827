"""A rule says something when evidence and figure agree, once, and is over only when it is clearly over."""

from __future__ import annotations

import random
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.live.alert_limits import Reference, edge_of, reference_of
from llmops_tui.domain.live.alert_outbox import GIVE_UP_S, MOST_AN_HOUR, RETRY_S, Outbox, admit, due, untold
from llmops_tui.domain.live.alerting import (
    AlertState,
    Change,
    Heard,
    Seen,
    back_for_s,
    begin,
    look,
    mark_of,
    step,
)
from llmops_tui.domain.live.histogram import histogram_of
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.live.tally import Sums, Tally

ERRORS = AlertRule("errors", "error_rate", 600.0, above=0.05)
BEYOND = Seen(0.2, 100, "beyond", True)
BEYOND_UNPROVEN = Seen(0.2, 100, "beyond", False)
NEAR = Seen(0.048, 100, "near", False)
BACK = Seen(0.01, 100, "back", False)
UNKNOWN = Seen(None, 0, "unknown", False)


def errors(failed: int, n: int) -> Tally:
    return Tally(traces=n, requests=n, failed=failed)


def through(rule: AlertRule, looks: list[Seen]) -> tuple[AlertState, list[tuple[str, int]]]:
    """The state after a look a minute, and (what, minute) of what happened."""
    state, happened = begin(rule, 0.0), []
    for minute, seen in enumerate(looks, 1):
        state, change = step(rule, state, seen, minute * 60.0)
        if change is not None:
            happened.append((change.what, minute))
    return state, happened


def test_it_fires_only_where_evidence_and_figure_agree() -> None:
    assert through(ERRORS, [BEYOND_UNPROVEN] * 50)[1] == []
    assert through(ERRORS, [msgspec.structs.replace(NEAR, proven=True)] * 50)[1] == []
    assert through(ERRORS, [BEYOND])[1] == [("fired", 1)]


def test_it_fires_once_and_is_over_once() -> None:
    state, happened = through(ERRORS, [BEYOND] * 30 + [BACK] * 30)
    assert happened == [("fired", 1), ("cleared", 36)]
    assert state.phase == "quiet"
    assert state.episodes[0][1] == 36 * 60.0


def test_it_waits_for_as_long_as_the_rule_says() -> None:
    patient = msgspec.structs.replace(ERRORS, for_s=600.0)
    assert through(patient, [BEYOND] * 10 + [BACK] * 5)[1] == []
    assert through(patient, [BEYOND] * 11)[1] == [("fired", 11)]
    # What is not proven yet does not count.
    assert through(patient, [BEYOND_UNPROVEN] * 10 + [BEYOND] * 11)[1] == [("fired", 21)]


def test_a_dip_towards_the_limit_does_not_start_the_wait_anew() -> None:
    patient = msgspec.structs.replace(ERRORS, for_s=600.0)
    assert through(patient, [BEYOND] * 5 + [NEAR] * 3 + [BEYOND] * 3)[1] == [("fired", 11)]


def test_a_figure_that_is_just_within_the_limit_ends_nothing() -> None:
    assert through(ERRORS, [BEYOND] * 3 + [NEAR] * 500)[1] == [("fired", 1)]
    assert through(ERRORS, [BEYOND] + ([BACK] * 4 + [NEAR]) * 50)[1] == [("fired", 1)]


def test_what_comes_back_again_and_again_has_to_stay_away_longer_each_time() -> None:
    _, happened = through(ERRORS, ([BEYOND] + [BACK] * 9) * 40)
    fired = [minute for what, minute in happened if what == "fired"]
    assert len(fired) == 2
    state = msgspec.structs.replace(begin(ERRORS, 0.0), fired=(0.0, 1.0, 2.0))
    assert back_for_s(ERRORS, state) == 4 * back_for_s(ERRORS, begin(ERRORS, 0.0))


def test_an_alert_stays_while_nothing_comes_and_ends_after_a_day_of_it() -> None:
    minutes = 86_400 // 60
    assert through(ERRORS, [BEYOND] + [UNKNOWN] * (minutes - 1))[1] == [("fired", 1)]
    assert through(ERRORS, [BEYOND] + [UNKNOWN] * minutes)[1] == [("fired", 1), ("ended", 1 + minutes)]


def test_too_few_in_the_window_say_nothing() -> None:
    state = msgspec.structs.replace(begin(ERRORS, 0.0), reference=Reference(0, 0, 0, limit=0.05))
    few = msgspec.structs.replace(ERRORS, min_n=1_000)
    for minute in range(1, 60):
        state, change = look(few, state, errors(10, 10), errors(100, 100), minute * 60.0)
        assert change is None
    assert state.standing == "unknown"


def test_a_bad_rate_fires_and_a_good_one_does_not() -> None:
    for failed, fires in ((0, False), (1, False), (8, True)):
        state = msgspec.structs.replace(begin(ERRORS, 0.0), reference=Reference(0, 0, 0, limit=0.05))
        changes: list[Change] = []
        for minute in range(1, 61):
            state, change = look(ERRORS, state, errors(failed, 20), errors(failed * 10, 200), minute * 60.0)
            changes += [change] if change is not None else []
        assert bool(changes) is fires, failed
    assert state.onset < 5 * 60.0


def test_a_restart_in_the_middle_changes_nothing() -> None:
    chance = random.Random(7)
    minutes = [errors(sum(chance.random() < 0.15 for _ in range(10)), 10) for _ in range(60)]
    once = msgspec.structs.replace(begin(ERRORS, 0.0), reference=Reference(0, 0, 0, limit=0.05))
    restarted = once
    for n, minute in enumerate(minutes, 1):
        once, _ = look(ERRORS, once, minute, errors(minute.failed * 10, 100), n * 60.0)
        kept = msgspec.msgpack.decode(msgspec.msgpack.encode(restarted), type=AlertState)
        restarted, _ = look(ERRORS, kept, minute, errors(minute.failed * 10, 100), n * 60.0)
    assert restarted == once
    assert once.phase == "firing"


def test_looking_every_minute_does_not_cry_wolf() -> None:
    """Errors exactly at the limit for ten days, with two alarms in four days put up with."""
    rule = AlertRule("errors", "error_rate", 60.0, above=0.05, min_n=1, false_alarms_per_day=0.5)
    chance = random.Random(3)
    state = msgspec.structs.replace(begin(rule, 0.0), reference=Reference(0, 0, 0, limit=0.05))
    alarms = 0
    for minute in range(1, 10 * 1440):
        seen = errors(sum(chance.random() < 0.05 for _ in range(4)), 4)
        # The figure always agrees, so that the evidence alone decides; an alarm ends at once.
        state, change = look(rule, state, seen, errors(9, 10), minute * 60.0)
        if change is not None and change.what == "fired":
            alarms += 1
            state = msgspec.structs.replace(begin(rule, minute * 60.0), reference=state.reference)
    assert alarms <= 9


def test_other_places_and_severities_make_no_other_rule() -> None:
    assert mark_of(ERRORS) == mark_of(msgspec.structs.replace(ERRORS, to=("chat",), severity="critical"))
    assert mark_of(ERRORS) != mark_of(msgspec.structs.replace(ERRORS, above=0.06))


# -- limits


def blocks(tally: Tally, n: int = 40) -> list[Tally]:
    return [tally] * n


def test_the_limit_of_a_change_lies_beyond_what_was_usual_by_its_error_and_what_is_put_up_with() -> None:
    rule = AlertRule("errors", "error_rate", increase=1.0)
    made = reference_of(rule, blocks(errors(1, 50)), at=0, since=0, until=2400)
    assert made.value == pytest.approx(0.02)
    assert made.limit is not None
    assert 0.04 < made.limit < 0.08
    more = reference_of(rule, blocks(errors(100, 5_000)), at=0, since=0, until=2400)
    assert more.limit is not None
    assert 0.04 < more.limit < made.limit


def test_the_limit_of_a_drop_lies_below() -> None:
    rule = AlertRule("answers", "pass_rate", decrease=0.1)
    made = reference_of(rule, blocks(Tally(judged=50, passed=45)), at=0, since=0, until=2400)
    assert made.limit is not None
    assert 0.7 < made.limit < 0.81
    edge = edge_of(rule, made)
    assert edge is not None
    assert made.limit < edge < 0.9


def test_the_limit_of_a_percentile_and_of_a_cost_have_their_units() -> None:
    spread = Tally(latency=histogram_of(n / 10 for n in range(1, 11)), cost=histogram_of([0.01] * 10))
    slow = reference_of(
        AlertRule("slow", "latency_p95", increase=0.5), blocks(spread), at=0, since=0, until=1
    )
    assert slow.limit is not None
    assert 1.45 < slow.limit < 1.65
    fast = reference_of(AlertRule("f", "latency_p50", decrease=0.5), blocks(spread), at=0, since=0, until=1)
    assert fast.limit is not None
    assert 0.15 < fast.limit < 0.27
    dear = reference_of(
        AlertRule("cost", "cost_per_request", increase=0.5), blocks(spread), at=0, since=0, until=1
    )
    assert dear.limit is not None
    assert 0.015 < dear.limit < 0.025


def test_too_little_that_is_known_makes_no_limit() -> None:
    rule = AlertRule("errors", "error_rate", increase=1.0, min_n=30)
    assert reference_of(rule, blocks(errors(0, 1)), at=0, since=0, until=1).limit is None
    assert reference_of(rule, [], at=0, since=0, until=1).limit is None


@given(st.floats(0.01, 0.9), st.integers(200, 5_000), st.floats(0.05, 2.0))
def test_a_reference_never_puts_its_own_figure_beyond_its_limit(rate: float, n: int, more: float) -> None:
    tally = errors(round(rate * n), n)
    rule = AlertRule("errors", "error_rate", increase=more)
    made = reference_of(rule, [tally], at=0, since=0, until=1)
    assert made.limit is not None
    assert made.value is not None
    assert made.limit > made.value
    drop = AlertRule("answers", "score.s", decrease=min(more, 0.9))
    scored = Tally(scores={"s": Sums(n, rate * n, rate * rate * n)})
    made = reference_of(drop, [scored], at=0, since=0, until=1)
    assert made.limit is not None
    assert made.limit < rate


# -- what is sent


def firing(*, fires: bool = False, at: float = 0.0, failed_at: float = 0.0) -> AlertState:
    heard = {"chat": Heard(fires, at, failed_at)}
    return msgspec.structs.replace(begin(ERRORS, 50.0), phase="firing", heard=heard)


def over(state: AlertState) -> AlertState:
    return msgspec.structs.replace(state, phase="quiet")


def test_an_alert_is_told_when_it_fires_when_it_is_over_and_every_four_hours() -> None:
    quiet = begin(ERRORS, 0.0)
    assert due(quiet, "chat", 100.0) is None
    assert due(firing(), "chat", 100.0) == "fired"
    assert due(firing(fires=True, at=100.0), "chat", 100.0 + 3 * 3_600) is None
    assert due(firing(fires=True, at=100.0), "chat", 100.0 + 4 * 3_600) == "reminder"
    assert due(over(firing(fires=True, at=1.0)), "chat", 100.0) == "cleared"


def test_each_channel_is_told_what_it_does_not_know() -> None:
    assert due(firing(fires=True, at=100.0), "pager", 160.0) == "fired"
    assert due(over(firing(fires=True, at=100.0)), "pager", 160.0) is None
    assert due(firing(fires=True, at=100.0), "chat", 160.0, is_wanted=False) == "ended"
    assert due(firing(), "chat", 160.0, is_wanted=False) is None


def test_what_could_not_be_sent_is_tried_again_later() -> None:
    failed = firing(failed_at=100.0)
    assert due(failed, "chat", 160.0) is None
    assert due(failed, "chat", 500.0) == "fired"


def test_that_it_is_over_is_told_when_that_or_a_reminder_could_not_be_sent_at_first() -> None:
    reminded = firing(fires=True, at=100.0, failed_at=15_000.0)
    assert due(reminded, "chat", 15_060.0) is None
    assert due(reminded, "chat", 15_300.0) == "reminder"
    assert due(over(reminded), "chat", 15_060.0) is None
    assert due(over(reminded), "chat", 15_300.0) == "cleared"


@pytest.mark.parametrize("phase", ["firing", "quiet"])
def test_what_can_not_be_sent_for_a_day_is_given_up(phase: Literal["firing", "quiet"]) -> None:
    state, now = firing(fires=phase == "quiet", at=900.0), 1_000.0
    state = msgspec.structs.replace(state, phase=phase)
    given_up = []
    while (notice := due(state, "chat", now)) is not None:
        heard, is_over = untold(state.heard["chat"], notice, state.since, now)
        state = msgspec.structs.replace(state, heard={"chat": heard})
        given_up.append(is_over)
        now += RETRY_S
    assert given_up == [False] * 288 + [True]
    assert due(state, "chat", now + 9 * GIVE_UP_S) is None
    # What fires anew is told anew.
    again = msgspec.structs.replace(state, phase="firing", since=now)
    assert due(again, "chat", now) == "fired"


def test_the_day_of_trying_begins_anew_with_what_fires_anew() -> None:
    heard, _ = untold(Heard(), "fired", 50.0, 1_000.0)
    heard, is_over = untold(heard, "fired", 90_000.0, 90_100.0)
    assert not is_over
    assert heard.failing_since == 90_100.0


def test_a_storm_is_a_few_alerts_one_summary_and_then_nothing_for_an_hour() -> None:
    outbox, done = Outbox(), []
    for second in range(40):
        outbox, what = admit(outbox, 1_000.0 + second)
        done.append(what)
    assert done == ["send"] * MOST_AN_HOUR + ["summary"] + ["withhold"] * (39 - MOST_AN_HOUR)
    assert admit(outbox, 1_000.0 + 3_700)[1] == "send"


def test_a_clock_that_was_set_back_neither_floods_nor_silences() -> None:
    outbox = Outbox(tuple(10_000.0 + n for n in range(MOST_AN_HOUR)), 10_100.0)
    assert admit(outbox, 500.0)[1] == "send"
    assert due(firing(failed_at=10_000.0), "chat", 500.0) == "fired"
