"""Live traffic of two versions held against each other."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import pytest
from made_traffic import Made, batch_of, live_store, spread

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import Channel, LiveSettings
from llmops_tui.monitoring.firing import firing
from llmops_tui.monitoring.regressions import RegressionTask, events_of, open_regressions, regressions
from llmops_tui.monitoring.rollout import moments_of, rollout
from llmops_tui.monitoring.rollout_figures import seen_of
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
NOW = 1_780_012_800.0
ALL = LiveFilter()


def request(
    at: float, rng: random.Random, version: str = "v1", *, mean: float = 0.85, errors: float = 0.01
) -> Made:
    return Made(
        at,
        version,
        latency_s=rng.lognormvariate(0, 0.3),
        error="timeout" if rng.random() < errors else "",
        scores={"helpful": min(max(rng.gauss(mean, 0.1), 0.0), 1.0)},
    )


def old(at: float, rng: random.Random) -> Made:
    return request(at, rng)


def bad(at: float, rng: random.Random) -> Made:
    return request(at, rng, "v2", mean=0.5)


def fine(at: float, rng: random.Random) -> Made:
    return request(at, rng, "v2")


def verdict_of(view, metric: str) -> str:  # type: ignore[no-untyped-def]
    return next(f.result.verdict for f in view.figures if f.result.metric == metric)


def test_a_canary_is_compared_over_the_time_that_both_share(tmp_path: Path) -> None:
    # Before the canary the old version did much worse: that must not count.
    before = [
        msgspec.structs.replace(r, scores={"helpful": 0.2})
        for r in spread(300, NOW - DAY, NOW - 4 * HOUR, old)
    ]
    requests = [*before, *spread(900, NOW - 4 * HOUR, NOW, old, 2), *spread(400, NOW - 3 * HOUR, NOW, bad, 3)]
    with live_store(tmp_path, requests, NOW) as store:
        view = rollout(store, ALL, NOW)
    assert (view.old, view.new, view.kind) == ("v1", "v2", "split")
    assert view.since == pytest.approx(NOW - 3 * HOUR, abs=60)
    assert view.old_since == view.since
    assert verdict_of(view, "score.helpful") == "fail"
    assert view.verdict == "fail"
    assert view.exit_code == 1
    assert view.sentence.startswith("Stop: v2 is worse than v1:")


@pytest.mark.parametrize("ago", [0.0, 5 * DAY, 40 * DAY])
@pytest.mark.parametrize("before", [0.0, -0.5 * MINUTE, 2 * MINUTE, 2 * HOUR])
def test_what_one_version_answered_alone_is_no_part_of_a_split(
    tmp_path: Path, ago: float, before: float
) -> None:
    """The new version alone for 67 minutes, the old one before it or beside it at first, then both for 10."""
    end = NOW - ago
    came, both = end - 77 * MINUTE, end - 10 * MINUTE
    requests = [*spread(100, came, both - 1, bad, 2), *spread(40, both, end, fine, 3)]
    requests += spread(40, both, end, old, 4)
    if before:
        requests += spread(60, came - abs(before), came - min(before, 0.0), old)
    with live_store(tmp_path, requests, NOW) as store:
        view = rollout(store, ALL, NOW)
    assert (view.kind, view.old, view.new) == ("split", "v1", "v2")
    assert view.since == pytest.approx(both, abs=90)
    assert view.until <= end + 60
    assert 35 <= view.n_old <= 40
    assert 35 <= view.n_new <= 43
    assert verdict_of(view, "score.helpful") != "fail"


def test_a_share_that_is_small_is_not_taken_for_a_version_that_is_away(tmp_path: Path) -> None:
    requests = [*spread(3000, NOW - 8 * HOUR, NOW, old), *spread(60, NOW - 8 * HOUR, NOW, fine, 2)]
    with live_store(tmp_path, requests, NOW) as store:
        view = rollout(store, ALL, NOW)
    assert view.kind == "split"
    assert view.n_new >= 58


def test_a_deployment_is_compared_with_the_same_hours_of_the_day_before(tmp_path: Path) -> None:
    requests = [*spread(3000, NOW - 2 * DAY, NOW - 3 * HOUR, old), *spread(500, NOW - 3 * HOUR, NOW, bad, 2)]
    with live_store(tmp_path, requests, NOW) as store:
        view = rollout(store, ALL, NOW)
    assert view.kind == "after"
    assert view.verdict == "fail"
    assert view.old_since == pytest.approx(NOW - DAY - 3 * HOUR, abs=60)
    assert view.old_until == pytest.approx(NOW - DAY, abs=60)
    assert any("whatever else changed" in note for note in view.notes)


def test_a_version_that_does_as_well_is_safe_once_there_is_enough(tmp_path: Path) -> None:
    def certain(version: str):  # type: ignore[no-untyped-def]
        return lambda at, _rng: Made(at, version, scores={"helpful": 1.0}, latency_s=1.0)

    few = [*spread(60, NOW - HOUR, NOW, certain("v1")), *spread(60, NOW - HOUR, NOW, certain("v2"))]
    with live_store(tmp_path / "few", few, NOW) as store:
        early = rollout(store, ALL, NOW)
    many = [*spread(3000, NOW - HOUR, NOW, certain("v1")), *spread(3000, NOW - HOUR, NOW, certain("v2"))]
    with live_store(tmp_path / "many", many, NOW) as store:
        late = rollout(store, ALL, NOW)
    assert early.verdict == "inconclusive"
    assert early.exit_code == 4
    assert early.sentence.startswith("Not yet: about ")
    assert any(f.more for f in early.figures)
    assert late.verdict == "pass"
    assert late.exit_code == 0
    assert late.sentence.startswith("Safe to go on")


def test_after_a_pause_the_last_day_of_the_old_version_is_held_against_the_new_one(tmp_path: Path) -> None:
    """Closed at the weekend, deployed on Monday."""
    requests = [
        *spread(1500, NOW - 6 * DAY, NOW - 3 * DAY, old),
        *spread(600, NOW - 6 * HOUR, NOW, bad, 2),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        view = rollout(store, ALL, NOW)
        assert view.kind == "after"
        assert 400 < view.n_old < 600
        assert view.verdict == "fail"
        assert any("in which it had traffic" in note for note in view.notes)
        assert [found.rule for found in regressions(store, NOW)] == ["regression bench v2"]


def test_requests_of_a_user_count_once(tmp_path: Path) -> None:
    """One user who fails a thousand times is one observation, and decides nothing."""

    def by(user: str, version: str, n: int, error: str) -> list[Made]:
        return [Made(NOW - HOUR + k, version, user=user, error=error) for k in range(n)]

    requests = [*(r for k in range(40) for r in by(f"u{k}", "v1", 5, ""))]
    requests += [
        *(r for k in range(40) for r in by(f"u{k}", "v2", 5, "")),
        *by("angry", "v2", 1000, "timeout"),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        view = rollout(store, ALL, NOW)
        seen = [seen_of(r) for r in store.requests.facts(LiveFilter(version="v2"))]
    assert view.by == "user"
    (errors,) = (f for f in view.figures if f.result.metric == "error_rate")
    assert errors.result.n_new == 41
    assert errors.result.verdict != "fail"
    assert errors.new == pytest.approx(1000 / 1200)
    assert moments_of(seen, lambda r: float(r.failed), lambda r: r.user).total == 1.0


def test_versions_are_chosen_by_number_and_can_be_named(tmp_path: Path) -> None:
    # v2 came back after v10: it is still the older one.
    requests = [
        *(Made(NOW - 3 * HOUR + k, "v9") for k in range(30)),
        *(Made(NOW - 2 * HOUR + k, "v10") for k in range(30)),
        *(Made(NOW - HOUR + k, "v2") for k in range(30)),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        assert (rollout(store, ALL, NOW).old, rollout(store, ALL, NOW).new) == ("v9", "v10")
        view = rollout(store, ALL, NOW, old="v10", new="v2")
        assert (view.old, view.new) == ("v10", "v2")
        assert rollout(store, ALL, NOW, new="v9").old == "v2"
        with pytest.raises(UsageError, match="v11 has no live traffic"):
            rollout(store, ALL, NOW, new="v11")


def test_one_version_alone_can_not_be_compared(tmp_path: Path) -> None:
    with (
        live_store(tmp_path, [Made(NOW - 60)], NOW) as store,
        pytest.raises(UsageError, match="no two versions"),
    ):
        rollout(store, ALL, NOW)


def test_several_configurations_must_be_told_apart(tmp_path: Path) -> None:
    requests = [Made(NOW - 60 * k, f"v{1 + k % 2}", "ab"[k % 4 // 2]) for k in range(1, 40)]
    with live_store(tmp_path, requests, NOW) as store:
        with pytest.raises(UsageError, match="--config: a, b"):
            rollout(store, ALL, NOW)
        assert rollout(store, LiveFilter(config="b"), NOW).config == "b"


def test_what_was_judged_for_being_wrong_is_no_part_of_a_rate(tmp_path: Path) -> None:
    requests = [*spread(50, NOW - HOUR, NOW, old), *spread(50, NOW - HOUR, NOW, fine, 2)]
    batch = batch_of(requests)
    batch.scores = [msgspec.structs.replace(s, source="worth") for s in batch.scores]
    with live_store(tmp_path, [], NOW) as store:
        store.ingest([batch], NOW)
        view = rollout(store, ALL, NOW)
    assert "score.helpful" not in {f.result.metric for f in view.figures}


# -- by themselves


def deployed(make, seed: int = 2) -> list[Made]:  # type: ignore[no-untyped-def]
    return [*spread(2500, NOW - 2 * DAY, NOW - 3 * HOUR, old), *spread(600, NOW - 3 * HOUR, NOW, make, seed)]


def test_a_bad_deployment_is_found_and_attributed_to_its_version(tmp_path: Path) -> None:
    with live_store(tmp_path, deployed(bad), NOW) as store:
        (found,) = regressions(store, NOW)
        assert found.rule == "regression bench v2"
        assert "score.helpful" in {f.result.metric for f in found.figures}
        (event,) = events_of(store, NOW)
        assert event.what == "fired"
        assert event.severity == "critical"
        assert (event.filter.config, event.filter.version) == ("bench", "v2")
        assert "bench v2 is worse than v1" in event.sentence
        store.alerts.keep({}, [event])
        assert events_of(store, NOW + 60) == []
        (shown,) = firing(store, LiveFilter(since=NOW - DAY, until=NOW + 60), LiveSettings())
        assert isinstance(shown, FiringAlert)
        assert shown.rule == found.rule
        assert shown.until is None
        assert firing(store, LiveFilter(since=NOW - DAY, until=NOW + 60, version="v1"), LiveSettings()) == ()


def test_a_good_deployment_is_quiet(tmp_path: Path) -> None:
    with live_store(tmp_path, deployed(fine), NOW) as store:
        assert regressions(store, NOW) == []
        assert events_of(store, NOW) == []


def test_a_provider_that_gets_slow_later_is_not_the_versions_doing(tmp_path: Path) -> None:
    slow = [
        msgspec.structs.replace(r, latency_s=r.latency_s * (6 if r.at > NOW - 3 * HOUR else 1))
        for r in spread(1500, NOW - 9 * HOUR, NOW, fine, 2)
    ]
    requests = [*spread(3000, NOW - 2 * DAY, NOW - 9 * HOUR, old), *slow]
    with live_store(tmp_path, requests, NOW) as store:
        # It does look worse than the day before.
        assert verdict_of(rollout(store, ALL, NOW), "latency_p95") == "fail"
        assert regressions(store, NOW) == []


def test_a_regression_is_over_when_its_version_has_gone(tmp_path: Path) -> None:
    with live_store(tmp_path, deployed(bad), NOW) as store:
        store.alerts.keep({}, events_of(store, NOW))
        later = NOW + 4 * HOUR
        store.ingest([batch_of(spread(200, NOW, later, old, 5), 5000)], later)
        (event,) = events_of(store, later)
        assert event.what == "ended"
        assert event.rule == "regression bench v2"
        store.alerts.keep({}, [event])
        assert open_regressions(store) == []


def test_a_night_without_traffic_is_no_end_of_a_regression(tmp_path: Path) -> None:
    with live_store(tmp_path, deployed(bad), NOW) as store:
        store.alerts.keep({}, events_of(store, NOW))
        assert events_of(store, NOW + 8 * HOUR) == []
        assert len(open_regressions(store)) == 1


async def test_the_task_tells_every_channel_once_and_what_fails_again(tmp_path: Path) -> None:
    live_store(tmp_path, deployed(bad), NOW).close()
    told: list[tuple[str, AlertEvent]] = []
    clock, stop = iter([NOW, NOW + 300, NOW + 600]), asyncio.Event()

    async def send(_root: Path, channel: Channel, event: AlertEvent) -> str:
        told.append((channel.name, event))
        return "it is broken" if channel.name == "broken" else ""

    async def pause(_seconds: float, stop: asyncio.Event) -> None:
        looks.append(1)
        if len(looks) == 3:
            stop.set()

    looks: list[int] = []
    settings = LiveSettings(channels=(Channel("pager"), Channel("broken")))
    task = RegressionTask(tmp_path, settings, clock=lambda: next(clock), pause=pause, send=send)
    await task.run(stop)
    assert [name for name, _event in told] == ["pager", "broken", "broken", "broken"]
    with LiveStore.open(tmp_path / LIVE_DATABASE, read_only=True) as store:
        kept = [(e.what, e.channel) for e in store.alerts.events()]
    assert kept == [*[("failed", "broken")] * 3, ("fired", "")]
