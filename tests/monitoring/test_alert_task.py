"""The task beside the collector, on a clock of its own: rules, channels and traits together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_minutes import DAY0, HOUR, MINUTE, Traffic, failing

from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.settings import AlertRule, Channel, LiveSettings
from llmops_tui.domain.live.tally import sum_of, tally_of
from llmops_tui.monitoring.alerting import LOCK, AlertTask
from llmops_tui.monitoring.drift import drifts
from llmops_tui.monitoring.traits import OTHER, TraitTask, languages, terms_of
from llmops_tui.store.lock import WorkspaceLock

ERRORS = AlertRule("errors", "error_rate", 900.0, above=0.1, to=("chat", "pager"))
CHANNELS = (Channel("chat", url="${CHAT}"), Channel("pager", (sys.executable, "-c", "")))


@pytest.fixture
def traffic(tmp_path: Path) -> Iterator[Traffic]:
    made = Traffic(tmp_path)
    yield made
    made.store.close()


class Clock:
    """Goes on only when somebody waits; sets `stop` at its end."""

    def __init__(self, now: float, end: float) -> None:
        self.now, self.end = now, end

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float, stop: asyncio.Event) -> None:
        self.now += seconds
        if self.now >= self.end:
            stop.set()


class Told:
    """Keeps what channels were told; those named fail."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.events: list[tuple[str, str]] = []

    async def __call__(self, root: Path, channel: Channel, event: AlertEvent) -> str:
        self.events.append((channel.name, event.what))
        return f"{channel.name}: broken" if channel.name in self.broken else ""


async def test_an_hour_of_a_clock_of_its_own(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 120, failing(0.02))
    bad = traffic.go_on(end, 30, failing(0.5))
    good = traffic.go_on(bad, 60, failing(0.02))
    clock, told = Clock(end, good), Told("pager")
    settings = LiveSettings(rules=(ERRORS,), channels=CHANNELS)
    task = AlertTask(traffic.root, settings, clock=clock, pause=clock.pause, send=told)
    await task.run(asyncio.Event())
    assert [what for name, what in told.events if name == "chat"] == ["fired", "cleared"]
    # The other one is tried every five minutes while the rule fires, and never learns that it did.
    tried = [what for name, what in told.events if name == "pager"]
    assert len(tried) > 3
    assert set(tried) == {"fired"}
    kept = [(e.what, e.channel, e.sentence) for e in traffic.store.alerts.events() if e.channel == "pager"]
    assert kept == [("failed", "pager", "pager: broken")] * len(tried)


async def test_two_processes_do_not_look_at_the_same_time(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 60, failing(0.02))
    lock = WorkspaceLock(traffic.root, LOCK)
    assert lock.acquire() is None
    task = AlertTask(traffic.root, LiveSettings(rules=(ERRORS,)), clock=lambda: end)
    assert await task.look() is None
    assert traffic.store.alerts.states() == {}
    lock.release()
    assert await task.look() == []
    assert traffic.store.alerts.states().keys() == {"errors"}


# -- traits and drift


async def test_languages_that_could_not_be_looked_for_are_not_counted_as_another(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = traffic.go_on(DAY0, 5, failing(0.0))
    monkeypatch.setattr("llmops_tui.monitoring.traits.PROCESS_S", 0.0)
    assert await TraitTask(traffic.root, clock=lambda: end + HOUR).look() > 0
    tally = sum_of(traffic.store.totals(LiveFilter(), 86_400).values())
    assert tally.traits.keys() == {"terms"}


async def test_the_languages_of_texts_are_told_by_a_process_that_ends() -> None:
    texts = ["Where is my parcel, please?", "Wo ist mein Paket geblieben?", "これはどこですか", "", "\ud800"]
    assert (await languages(texts))[:3] == ["en", "de", "ja"]


async def test_python_that_lies_in_the_workspace_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("open('ran', 'w').close()\nraise SystemExit\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert await languages(["Where is my parcel, please?"]) == ["en"]
    assert not (tmp_path / "ran").exists()


def test_only_terms_that_several_texts_share_are_kept() -> None:
    texts = ["Refund for Mr Featherstone"] + ["Refund my order 123456"] * 3
    assert terms_of(texts) == [["refund"], *[["refund", "order"]] * 3]
    assert terms_of(["Hm"]) == [[OTHER]]
    assert terms_of(["A parcel"], {"parcel"}) == [["parcel"]]


async def test_traits_are_found_after_requests_were_stored_and_sums_stay_equal(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 10, lambda chance: {"text": "Where is my parcel, please?"})
    task = TraitTask(traffic.root, clock=lambda: end + HOUR)
    assert await task.look() == 100
    assert await task.look() == 0
    every = LiveFilter()
    summed = sum_of(tally for _at, _series, tally in traffic.store.tallies(every, 60))
    assert summed == sum_of(tally_of(request) for request in traffic.store.requests.facts(every))
    assert summed.traits == {
        "language": {"en": 100},
        "terms": {"where": 100, "parcel": 100, "please": 100},
    }


async def test_what_is_too_young_is_left_for_later(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 10, failing(0.0))
    assert await TraitTask(traffic.root, clock=lambda: end + MINUTE).look() == 0
    assert await TraitTask(traffic.root, clock=lambda: end + HOUR).look() == 100


async def test_another_language_is_drift_and_the_same_is_none(traffic: Traffic) -> None:
    traffic.per_minute = 2
    english = ["Where is my parcel, please?", "When does my refund arrive here?"]
    german = ["Wo ist mein Paket geblieben?", "Wann kommt meine Erstattung hier an?"]
    end = traffic.go_on(DAY0, 240, lambda chance: {"text": chance.choice(english)})
    await TraitTask(traffic.root, clock=lambda: end + HOUR).look()
    same = traffic.go_on(end, 60, lambda chance: {"text": chance.choice(english)})
    await TraitTask(traffic.root, clock=lambda: same + HOUR).look()
    assert [d.name for d in drifts(traffic.store, LiveFilter(), same, window_s=HOUR) if d.drifted] == []
    other = traffic.go_on(same, 60, lambda chance: {"text": chance.choice(german)})
    await TraitTask(traffic.root, clock=lambda: other + HOUR).look()
    found = {d.name: d for d in drifts(traffic.store, LiveFilter(), other, window_s=HOUR)}
    assert found["language"].drifted
    assert found["language"].size == "large"
    assert found["terms"].drifted
    assert not found["latency"].drifted


async def test_scores_that_fall_are_drift(traffic: Traffic) -> None:
    end = traffic.go_on(DAY0, 120, lambda chance: {"passed": chance.random() < 0.9})
    now = traffic.go_on(end, 60, lambda chance: {"passed": chance.random() < 0.5})
    found = {d.name: d for d in drifts(traffic.store, LiveFilter(), now, window_s=HOUR)}
    assert found["score.faithful"].drifted
