"""Rules look at real traffic: each minute once, in order, whatever happens between two looks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from live_minutes import DAY0, HOUR, MINUTE, Traffic, failing, judged, request, slow

from llmops_tui.domain.live.alert_event import AlertEvent, command_of
from llmops_tui.domain.live.alert_outbox import MOST_AN_HOUR
from llmops_tui.domain.live.alerting import begin
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.settings import AlertRule, LiveSettings
from llmops_tui.monitoring.alert_traffic import Traffic as Reads
from llmops_tui.monitoring.alert_watch import LAG_S, AlertWatch
from llmops_tui.monitoring.firing import firing
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

ERRORS = AlertRule("errors", "error_rate", 900.0, increase=1.0, severity="critical", to=("chat",))
SLOW = AlertRule("slow", "latency_p95", 900.0, above=4.0)


@pytest.fixture
def traffic(tmp_path: Path) -> Iterator[Traffic]:
    made = Traffic(tmp_path)
    yield made
    made.store.close()


def watched(traffic: Traffic, *rules: AlertRule, since: float, until: float) -> list[tuple[str, str]]:
    """Look each minute of a stretch; gives (rule, what) of what was to be told, each told at once."""
    told = []
    watch = AlertWatch(traffic.store, rules)
    for minute in range(int(since), int(until), 60):
        found = watch.look(minute + MINUTE)
        watch.record([(t, dict.fromkeys(t.channels, "")) for t in found], minute + MINUTE)
        told += [(t.event.rule, str(t.notice)) for t in found]
    return told


def happened(traffic: Traffic) -> list[tuple[str, str]]:
    """(rule, what) of what rules did, oldest first."""
    return [
        (e.rule, e.what)
        for e in reversed(traffic.store.alerts.events())
        if e.what in ("fired", "cleared", "ended")
    ]


def fired(traffic: Traffic) -> AlertEvent:
    return next(e for e in traffic.store.alerts.events() if e.what == "fired")


def test_errors_that_multiply_are_told_once_and_when_they_are_over(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    good = traffic.go_on(bad, 60, failing(0.02))
    assert watched(traffic, ERRORS, since=end, until=good) == [("errors", "fired"), ("errors", "cleared")]
    event = fired(traffic)
    assert end < event.at < end + 15 * MINUTE
    assert event.filter.only == "failed"
    assert end - 15 * MINUTE <= event.filter.since <= event.at
    behind = traffic.store.requests.listed(event.filter)
    assert behind
    assert all(each.request.failed for each in behind)
    assert "error_rate is" in event.sentence
    assert "the day before it was" in event.sentence


def test_the_link_is_a_command_that_names_the_requests(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 60, slow(2.0))
    bad = traffic.go_on(end, 20, slow(9.0))
    watched(traffic, SLOW, since=end, until=bad)
    event = fired(traffic)
    words = command_of(event.filter, event.order)
    assert words[:3] == ("llmops-tui", "live", "requests")
    assert words[-2:] == ("--order", "slowest")


def test_what_was_not_usual_is_no_part_of_what_is_usual(traffic: Traffic) -> None:
    """A night of errors must not hide the next one."""
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 60, failing(0.5))
    good = traffic.go_on(bad, 300, failing(0.02))
    AlertWatch(traffic.store, [ERRORS]).look(good)
    assert happened(traffic) == [("errors", "fired"), ("errors", "cleared")]
    state = traffic.store.alerts.states()["errors"]
    made = Reads(traffic.store, good).reference(ERRORS, state, int(good))
    assert made.value is not None
    assert made.value < 0.04
    with_it = msgspec.structs.replace(state, episodes=())
    spoilt = Reads(traffic.store, good).reference(ERRORS, with_it, int(good))
    assert spoilt.value is not None
    assert spoilt.value > 0.05


def test_where_requests_are_rare_a_week_is_what_was_usual(traffic: Traffic) -> None:
    traffic.per_minute = 1
    for day in range(4):
        traffic.go_on(DAY0 + day * 86_400, 60, failing(0.1))
    at = int(DAY0 + 4 * 86_400)
    made = Reads(traffic.store, at).reference(ERRORS, begin(ERRORS, 0.0), at)
    assert made.n == 240
    assert made.limit is not None


def test_what_is_suspected_is_not_learned_as_usual(traffic: Traffic) -> None:
    """A rule that waits long has evidence long before it fires."""
    end = traffic.go_on(DAY0, 240, failing(0.02))
    bad = traffic.go_on(end, 240, failing(0.2))
    patient = msgspec.structs.replace(ERRORS, for_s=8 * HOUR)
    AlertWatch(traffic.store, [patient]).look(bad)
    state = traffic.store.alerts.states()["errors"]
    assert state.phase == "pending"
    assert state.reference is not None
    assert state.reference.value is not None
    assert state.reference.value < 0.04


def test_traffic_that_stays_as_it_is_says_nothing(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 12 * 60, failing(0.05))
    AlertWatch(traffic.store, [ERRORS, SLOW]).look(end)
    assert happened(traffic) == []


def test_a_pause_of_hours_is_made_up_for_minute_by_minute(tmp_path: Path) -> None:
    """Looked at each minute or all at once: the same events at the same time, and no old news is told."""
    seen = []
    for at_once in (False, True):
        made = Traffic(tmp_path / str(at_once))
        end = made.go_on(DAY0, 300, failing(0.02))
        bad = made.go_on(end, 40, failing(0.5))
        good = made.go_on(bad, 90, failing(0.02))
        AlertWatch(made.store, [ERRORS]).look(end)
        if at_once:
            assert AlertWatch(made.store, [ERRORS]).look(good) == []
        else:
            watched(made, ERRORS, since=end, until=good)
        seen.append([(e.what, e.at, e.value) for e in made.store.alerts.events() if not e.channel])
        made.store.close()
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


def test_a_minute_is_looked_at_only_when_it_is_old_enough_and_only_once(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 120, failing(0.02))
    watch = AlertWatch(traffic.store, [ERRORS])
    watch.look(end)
    state = traffic.store.alerts.states()["errors"]
    assert state.looked_until == end - LAG_S
    # A late portion of a minute that was looked at makes no second look.
    late = [request(10_000 + n, end - 10 * MINUTE, failed=True) for n in range(100)]
    traffic.store.ingest(late, end)
    watch.look(end + 1)
    assert traffic.store.alerts.states()["errors"] == state


def test_a_clock_that_was_set_back_changes_nothing(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 120, failing(0.02))
    watch = AlertWatch(traffic.store, [ERRORS])
    watch.look(end)
    before = traffic.store.alerts.states()
    assert watch.look(end - 3 * HOUR) == []
    assert traffic.store.alerts.states() == before


def test_a_clock_that_was_days_ahead_does_not_blind_the_rules(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 120, failing(0.02))
    watch = AlertWatch(traffic.store, [ERRORS])
    watch.look(end + 40 * 86_400)
    watch.look(end)
    assert traffic.store.alerts.states()["errors"].looked_until == end - LAG_S


def test_another_process_goes_on_where_the_first_one_stopped(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    first = AlertWatch(traffic.store, [ERRORS]).look(bad)
    AlertWatch(traffic.store, [ERRORS]).record([(first[0], {"chat": ""})], bad)
    with LiveStore.open(traffic.root / LIVE_DATABASE) as other:
        assert AlertWatch(other, [ERRORS]).look(bad + MINUTE) == []
        assert other.alerts.states()["errors"].phase == "firing"


def test_a_notification_that_did_not_arrive_is_kept_and_tried_again(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 60, failing(0.5))
    watch = AlertWatch(traffic.store, [ERRORS])
    (telling,) = watch.look(bad - 20 * MINUTE)
    watch.record([(telling, {"chat": "chat: the endpoint answered 500"})], bad - 20 * MINUTE)
    assert traffic.store.alerts.events()[0].sentence == "chat: the endpoint answered 500"
    assert watch.look(bad - 19 * MINUTE) == []
    assert [t.notice for t in watch.look(bad - 10 * MINUTE)] == ["fired"]


def test_a_rule_that_was_changed_starts_anew_and_one_that_is_gone_is_forgotten(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    AlertWatch(traffic.store, [ERRORS]).look(bad)
    assert happened(traffic) == [("errors", "fired")]
    changed = AlertRule("errors", "error_rate", 900.0, above=0.9)
    AlertWatch(traffic.store, [changed]).look(bad)
    assert happened(traffic)[-1] == ("errors", "ended")
    assert traffic.store.alerts.states()["errors"].phase == "quiet"
    AlertWatch(traffic.store, []).look(bad)
    assert traffic.store.alerts.states() == {}


def test_many_rules_that_fire_together_make_a_few_messages_and_a_summary(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 200, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    rules = [AlertRule(f"e{n}", "error_rate", 900.0, above=0.1, to=("chat",)) for n in range(14)]
    found = AlertWatch(traffic.store, rules).look(bad)
    assert [t.notice for t in found] == ["fired"] * MOST_AN_HOUR + ["summary"]
    assert "14 alerts fire" in found[-1].event.sentence


def test_a_rule_sees_the_requests_that_it_is_about(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 60, lambda chance: {"failed": False})
    bad = traffic.go_on(end, 30, lambda chance: {"failed": True, "feature": "search"})
    ours = AlertRule("ours", "error_rate", 600.0, above=0.1, feature="refunds")
    theirs = AlertRule("theirs", "error_rate", 600.0, above=0.1, feature="search")
    AlertWatch(traffic.store, [ours, theirs]).look(bad)
    assert happened(traffic) == [("theirs", "fired")]


def test_a_new_version_is_held_against_the_one_before(traffic: Traffic) -> None:
    """Half of the traffic goes to either: what is told is about the new one alone."""
    end = traffic.go_on(DAY0, 200, judged(0.9))

    def both(chance: random.Random) -> dict[str, object]:
        is_new = chance.random() < 0.5
        return {"version": "v2" if is_new else "v1", "passed": chance.random() < (0.5 if is_new else 0.9)}

    bad = traffic.go_on(end, 60, both)
    rule = AlertRule("worse", "pass_rate", 1_800.0, decrease=0.1, reference="version")
    AlertWatch(traffic.store, [rule]).look(bad)
    assert happened(traffic) == [("worse", "fired")]
    assert fired(traffic).filter.version == "v2"
    assert "of version v2" in fired(traffic).sentence


def test_the_same_hour_of_the_days_before_is_a_reference_for_what_changes_with_the_hour(
    traffic: Traffic,
) -> None:
    """Nights are slow each day: against the day before at large each night would be an alert."""
    at = DAY0
    for _day in range(3):
        at = traffic.go_on(at, 60, slow(8.0))
        traffic.go_on(at, 60, slow(1.0))
        at += 23 * HOUR
    last = traffic.go_on(at, 60, slow(8.0))
    hourly = AlertRule("hourly", "latency_p95", 900.0, increase=0.3, reference="same_hours")
    AlertWatch(traffic.store, [hourly]).look(last)
    assert traffic.store.alerts.states()["hourly"].reference is not None
    assert happened(traffic) == []
    worse = traffic.go_on(last, 30, slow(8.0))
    AlertWatch(traffic.store, [hourly]).look(worse)
    assert happened(traffic) == [("hourly", "fired")]


def test_a_total_is_held_against_its_limit_as_it_is(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 120, failing(0.0))
    silence = AlertRule("silence", "requests", 600.0, below=1.0)
    watch = AlertWatch(traffic.store, [silence])
    watch.look(end)
    assert happened(traffic) == [("silence", "fired"), ("silence", "cleared")]
    watch.look(end + 30 * MINUTE)
    assert happened(traffic)[2:] == [("silence", "fired")]


def test_drift_is_looked_at_once_a_window_and_told(traffic: Traffic) -> None:
    traffic.per_minute = 2
    end = traffic.go_on(DAY0, 20 * 60, lambda chance: {"text": "Where is it? " * chance.randint(1, 4)})
    rule = AlertRule("inputs", "drift.input_words", 4 * HOUR)
    watch = AlertWatch(traffic.store, [rule])
    watch.look(end)
    assert happened(traffic) == []
    bad = traffic.go_on(end, 4 * 60, lambda chance: {"text": "Where is it? " * chance.randint(8, 12)})
    watch.look(bad + 10 * MINUTE)
    assert happened(traffic) == [("inputs", "fired")]
    assert "input_words drifted" in fired(traffic).sentence


def test_what_fires_now_is_not_shown_in_a_window_that_was_over_before(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    AlertWatch(traffic.store, [ERRORS]).look(bad)
    settings = LiveSettings(rules=(ERRORS,))
    assert firing(traffic.store, LiveFilter(since=DAY0, until=end), settings) == ()
    assert len(firing(traffic.store, LiveFilter(since=DAY0, until=bad), settings)) == 1


def test_that_it_is_over_is_told_though_it_could_not_be_sent_at_first(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    good = traffic.go_on(bad, 90, failing(0.02))
    watch, told = AlertWatch(traffic.store, [ERRORS]), []
    for minute in range(int(end), int(good), 60):
        found = watch.look(minute + MINUTE)
        why = "" if [t.notice for t in found] == ["fired"] or len(told) > 1 else "away"
        watch.record([(t, dict.fromkeys(t.channels, why)) for t in found], minute + MINUTE)
        told += [str(t.notice) for t in found]
    assert told == ["fired", "cleared", "cleared"]


def test_a_reminder_that_could_not_be_sent_does_not_silence_the_end(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 300, failing(0.5))
    good = traffic.go_on(bad, 60, failing(0.02))
    watch, told = AlertWatch(traffic.store, [ERRORS]), []
    for minute in range(int(end), int(good), 60):
        found = watch.look(minute + MINUTE)
        why = "away" if [t.notice for t in found] == ["reminder"] and "reminder" not in told else ""
        watch.record([(t, dict.fromkeys(t.channels, why)) for t in found], minute + MINUTE)
        told += [str(t.notice) for t in found]
    assert told == ["fired", "reminder", "reminder", "cleared"]


def test_a_rule_that_is_taken_away_while_it_fires_has_ended(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    AlertWatch(traffic.store, [ERRORS]).look(bad)
    assert [a.rule for a in firing(traffic.store, LiveFilter(), LiveSettings(rules=(ERRORS,)))] == ["errors"]
    AlertWatch(traffic.store, [SLOW]).look(bad + MINUTE)
    shown = firing(traffic.store, LiveFilter(), LiveSettings(rules=(SLOW,)))
    assert [a.rule for a in shown if a.until is None] == []
    assert happened(traffic) == [("errors", "fired"), ("errors", "ended")]


def test_a_channel_that_is_down_uses_up_nobody_elses_notifications(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 120, failing(0.5))
    watch, tries = AlertWatch(traffic.store, [ERRORS]), 0
    for minute in range(int(end), int(bad), 60):
        found = watch.look(minute + MINUTE)
        watch.record([(t, dict.fromkeys(t.channels, "away")) for t in found], minute + MINUTE)
        tries += len(found)
    assert tries > MOST_AN_HOUR
    assert traffic.store.alerts.outbox().sent == ()


def test_when_a_storm_is_over_its_summary_says_so(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    good = traffic.go_on(bad, 60, failing(0.02))
    rules = [msgspec.structs.replace(ERRORS, name=f"errors-{n}") for n in range(8)]
    watch, summaries = AlertWatch(traffic.store, rules), []
    for minute in range(int(end), int(good), 60):
        found = watch.look(minute + MINUTE)
        watch.record([(t, dict.fromkeys(t.channels, "")) for t in found], minute + MINUTE)
        summaries += [t.event for t in found if t.notice == "summary"]
    (event,) = summaries
    assert event.sentence.startswith("no alert fires any more")
    assert event.severity == "info"


def test_drift_of_what_does_not_come_any_more_ends(traffic: Traffic) -> None:
    rule = AlertRule("inputs", "drift.score.faithful", 3_600.0)
    end = traffic.go_on(DAY0, 120, judged(0.9))
    bad = traffic.go_on(end, 60, judged(0.4))
    watch = AlertWatch(traffic.store, [rule])
    watch.look(bad + 10 * MINUTE)
    assert happened(traffic) == [("inputs", "fired")]
    # Requests go on, and nobody judges them.
    later = traffic.go_on(bad, 26 * 60, failing(0.0))
    for minute in range(int(bad) + 700, int(later) + 3_600, 3_600):
        watch.look(float(minute))
    assert happened(traffic) == [("inputs", "fired"), ("inputs", "ended")]
    ended = next(e for e in traffic.store.alerts.events() if e.what == "ended")
    assert "as it was before" not in ended.sentence


BOTH = msgspec.structs.replace(ERRORS, to=("chat", "pager"))


def told_to(
    traffic: Traffic,
    *rules: AlertRule,
    since: float,
    until: float,
    step: int = 60,
    down: tuple[str, ...] = (),
) -> list[tuple[str, str]]:
    """(channel, what) that was tried, each look; those that are down fail."""
    tried, watch = [], AlertWatch(traffic.store, rules)
    for at in range(int(since), int(until), step):
        found = watch.look(at + MINUTE)
        watch.record([(t, {c: "away" if c in down else "" for c in t.channels}) for t in found], at + MINUTE)
        tried += [(channel, str(t.notice)) for t in found for channel in t.channels]
    return tried


@pytest.fixture
def fires(traffic: Traffic) -> float:
    """When errors have multiplied."""
    end = traffic.go_on(DAY0, 300, failing(0.02))
    bad = traffic.go_on(end, 40, failing(0.5))
    AlertWatch(traffic.store, [ERRORS]).look(bad)
    assert happened(traffic) == [("errors", "fired")]
    return bad


def test_only_the_channel_that_was_not_told_is_tried_again(traffic: Traffic, fires: float) -> None:
    first = told_to(traffic, BOTH, since=fires, until=fires + 7 * MINUTE, down=("pager",))
    assert first == [("chat", "fired"), ("pager", "fired"), ("pager", "fired")]
    later = told_to(traffic, BOTH, since=fires + 7 * MINUTE, until=fires + 20 * MINUTE)
    assert later == [("pager", "fired")]


def test_the_end_is_not_tried_for_ever_at_a_channel_that_is_dead(traffic: Traffic, fires: float) -> None:
    told_to(traffic, BOTH, since=fires, until=fires + MINUTE)
    good = traffic.go_on(fires, 60, failing(0.02))
    tried = told_to(traffic, BOTH, since=good, until=good + 3 * 86_400, step=3_600, down=("pager",))
    assert tried == [("chat", "cleared"), *[("pager", "cleared")] * 25]
    failed = [e.sentence for e in traffic.store.alerts.events() if e.what == "failed"]
    assert failed == ["away; given up after 24 h", *["away"] * 24]


@pytest.mark.parametrize("rules", [[], [msgspec.structs.replace(BOTH, increase=None, above=0.9)]])
def test_those_who_were_told_that_a_rule_fires_are_told_that_it_was_edited_or_taken_away(
    traffic: Traffic, fires: float, rules: list[AlertRule]
) -> None:
    told_to(traffic, BOTH, since=fires, until=fires + MINUTE, down=("pager",))
    watch = AlertWatch(traffic.store, rules)
    (ended,) = watch.look(fires + 2 * MINUTE)
    assert (ended.notice, ended.channels, ended.event.rule) == ("ended", ("chat",), "errors")
    assert ended.event.sentence.startswith("error_rate is not told any more: the rule was ")
    watch.record([(ended, {"chat": "away"})], fires + 2 * MINUTE)
    assert told_to(traffic, *rules, since=fires + 2 * MINUTE, until=fires + 20 * MINUTE) == [
        ("chat", "ended")
    ]


def test_the_end_of_a_rule_that_was_taken_away_is_given_up_after_a_day(
    traffic: Traffic, fires: float
) -> None:
    told_to(traffic, ERRORS, since=fires, until=fires + MINUTE)
    tried = told_to(traffic, since=fires, until=fires + 3 * 86_400, step=3_600, down=("chat",))
    assert tried == [("chat", "ended")] * 25
    assert traffic.store.alerts.outbox().partings == ()
    assert traffic.store.alerts.outbox().sent == ()


def test_a_channel_that_a_rule_names_no_more_is_told_the_end(traffic: Traffic, fires: float) -> None:
    told_to(traffic, BOTH, since=fires, until=fires + MINUTE)
    later = told_to(traffic, ERRORS, since=fires + MINUTE, until=fires + 20 * MINUTE)
    assert later == [("pager", "ended")]
    assert traffic.store.alerts.states()["errors"].phase == "firing"


def test_what_fails_is_tried_after_what_is_new(traffic: Traffic, fires: float) -> None:
    dead = msgspec.structs.replace(ERRORS, to=("pager",))
    told_to(traffic, dead, since=fires, until=fires + MINUTE, down=("pager",))
    more = [AlertRule(f"e{n}", "error_rate", 900.0, above=0.1, to=("chat",)) for n in range(MOST_AN_HOUR)]
    found = AlertWatch(traffic.store, [dead, *more]).look(fires + 10 * MINUTE)
    assert {t.channels for t in found[:-1]} == {("chat",)}
