"""What is shown of a window of live traffic, from requests that were taken in."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from made_traffic import Made, live_store, spread

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import Figure, Overview
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.monitoring.overview import MOST_LINES, REST, choices, overview, plot, plots
from llmops_tui.monitoring.windows import frame
from llmops_tui.store.live.rollups import POINTS

HOUR, DAY = 3_600.0, 86_400.0
#: A whole hour.
NOW = 1_779_998_400.0


def of(view: Overview, metric: str) -> Figure:
    every = (f for g in view.groups for f in (g.headline, *g.others))
    return next(f for f in every if f.metric == metric)


def good(at: float, _rng: random.Random) -> Made:
    return Made(at, scores={"faithfulness": 0.9})


def test_the_six_are_told_with_the_window_before(tmp_path: Path) -> None:
    old = spread(100, NOW - 2 * HOUR, NOW - HOUR, good)
    new = [
        msgspec.structs.replace(r, error="timeout" if n < 10 else "", latency_s=2.0)
        for n, r in enumerate(spread(50, NOW - HOUR, NOW, good))
    ]
    with live_store(tmp_path, [*old, *new], NOW) as store:
        view = overview(store, LiveFilter(since=NOW - HOUR), LiveSettings(), NOW)
    assert [g.group for g in view.groups] == ["quality", "cost", "latency", "safety", "signals", "errors"]
    assert [f.value for f in view.traffic] == [100, 50, 50]
    errors = of(view, "error_rate")
    assert (errors.value, errors.n, errors.before) == (0.2, 50, 0.0)
    assert errors.low is not None
    assert errors.high is not None
    assert errors.low < 0.2 < errors.high
    assert of(view, "latency_p95").value == pytest.approx(2.0, rel=0.02)
    assert of(view, "latency_p95").before == pytest.approx(1.0, rel=0.02)
    assert of(view, "cost").value == pytest.approx(0.5)
    assert of(view, "score.faithfulness").value == pytest.approx(0.9, rel=1e-4)
    assert of(view, "error.p1 · timeout").value == 0.2
    assert view.newest_at == new[-1].at


def test_what_is_plainly_worse_is_a_warning_and_chance_is_none(tmp_path: Path) -> None:
    def some(share: float, since: float, until: float) -> list[Made]:
        made = spread(400, since, until, good)
        return [msgspec.structs.replace(r, error="e" if n < share * 400 else "") for n, r in enumerate(made)]

    requests = [*some(0.02, NOW - 2 * HOUR, NOW - HOUR), *some(0.03, NOW - HOUR, NOW)]
    with live_store(tmp_path / "a", requests, NOW) as store:
        calm = overview(store, LiveFilter(since=NOW - HOUR), LiveSettings(), NOW)
    requests = [*some(0.02, NOW - 2 * HOUR, NOW - HOUR), *some(0.15, NOW - HOUR, NOW)]
    with live_store(tmp_path / "b", requests, NOW) as store:
        bad = overview(store, LiveFilter(since=NOW - HOUR), LiveSettings(), NOW)
    assert of(calm, "error_rate").status == "ok"
    assert of(bad, "error_rate").status == "warning"
    assert "from 2.0% to 15.0%" in of(bad, "error_rate").why
    assert bad.groups[-1].status == "warning"


def test_slower_is_a_warning_and_faster_is_none(tmp_path: Path) -> None:
    def some(seconds: float, since: float, until: float) -> list[Made]:
        return [msgspec.structs.replace(r, latency_s=seconds) for r in spread(100, since, until, good)]

    requests = [*some(1.0, NOW - 2 * HOUR, NOW - HOUR), *some(3.0, NOW - HOUR, NOW)]
    with live_store(tmp_path, requests, NOW) as store:
        view = overview(store, LiveFilter(since=NOW - HOUR), LiveSettings(), NOW)
        before = overview(store, LiveFilter(since=NOW - 2 * HOUR, until=NOW - HOUR), LiveSettings(), NOW)
    assert of(view, "latency_p95").status == "warning"
    assert of(before, "latency_p95").status == "ok"


def test_what_nobody_measures_is_not_known_and_no_warning(tmp_path: Path) -> None:
    with live_store(tmp_path, [Made(NOW - 60)], NOW) as store:
        view = overview(store, LiveFilter(since=NOW - HOUR), LiveSettings(), NOW)
    quality = view.groups[0]
    assert quality.headline.value is None
    assert quality.status == "unknown"
    assert quality.headline.why
    assert view.groups[-1].status == "ok"


def test_an_empty_database_has_all_groups_and_no_figures(tmp_path: Path) -> None:
    with live_store(tmp_path, [], NOW) as store:
        view = overview(store, LiveFilter(), LiveSettings(), NOW)
    assert len(view.groups) == 6
    assert view.newest_at is None
    assert all(g.headline.value is None for g in view.groups)


def test_the_points_of_a_window_add_up_to_it(tmp_path: Path) -> None:
    requests = spread(500, NOW - 6 * HOUR, NOW, good)
    with live_store(tmp_path, requests, NOW) as store:
        view = overview(store, LiveFilter(since=NOW - 3 * HOUR), LiveSettings(), NOW)
    (counted,) = (f for f in view.traffic if f.metric == "requests")
    assert sum(p.value or 0 for p in counted.points) == counted.value == 250
    assert counted.before == 250
    assert counted.points[0].at == NOW - 3 * HOUR
    assert len(counted.points) == 3 * HOUR / view.resolution_s


def test_a_filter_holds_for_every_figure(tmp_path: Path) -> None:
    requests = [Made(NOW - 60 * k, "v1" if k % 2 else "v2", user=f"u{k % 3}") for k in range(1, 31)]
    with live_store(tmp_path, requests, NOW) as store:
        for wanted, n in (
            (LiveFilter(since=NOW - HOUR, version="v1"), 15),
            (LiveFilter(since=NOW - HOUR, user="u0"), 10),
            (LiveFilter(since=NOW - HOUR, version="v9"), 0),
        ):
            view = overview(store, wanted, LiveSettings(), NOW)
            assert view.traffic[-1].value == n


def test_a_plot_has_a_line_for_each_value_and_one_for_the_rest(tmp_path: Path) -> None:
    requests = [Made(NOW - 60 * k, feature=f"f{j}") for j in range(12) for k in range(1, 15 - j)]
    with live_store(tmp_path, requests, NOW) as store:
        drawn = plot(store, LiveFilter(since=NOW - HOUR), "requests", "feature", NOW)
    assert [line.name for line in drawn.lines] == [*(f"f{j}" for j in range(7)), REST]
    assert sum(line.figure.value or 0 for line in drawn.lines) == len(requests)


def test_versions_of_several_configurations_are_told_apart(tmp_path: Path) -> None:
    requests = [Made(NOW - 60, "v1", "a"), Made(NOW - 60, "v1", "b"), Made(NOW - 60, "v2", "b")]
    with live_store(tmp_path, requests, NOW) as store:
        drawn = plot(store, LiveFilter(since=NOW - HOUR), "requests", "version", NOW)
        alone = plot(store, LiveFilter(since=NOW - HOUR, config="b"), "requests", "version", NOW)
    assert [line.name for line in drawn.lines] == ["a v1", "b v1", "b v2"]
    assert [line.name for line in alone.lines] == ["v1", "v2"]


def test_a_plot_by_user_is_made_of_their_requests(tmp_path: Path) -> None:
    requests = [
        Made(NOW - 60 * k, user="ann" if k % 3 else "bob", error="e" if k % 3 else "") for k in range(1, 31)
    ]
    with live_store(tmp_path, requests, NOW) as store:
        counted, failed = plots(store, LiveFilter(since=NOW - HOUR), ("requests", "error_rate"), "user", NOW)
    assert [(line.name, line.figure.value) for line in counted.lines] == [("ann", 20), ("bob", 10)]
    assert [line.figure.value for line in failed.lines] == [1.0, 0.0]


def test_choices_leave_the_filter_of_their_own_dimension_aside(tmp_path: Path) -> None:
    requests = [
        Made(NOW - 60 * k, "v1" if k < 5 else "v2", feature="x" if k < 3 else "y") for k in range(1, 11)
    ]
    with live_store(tmp_path, requests, NOW) as store:
        wanted = LiveFilter(since=NOW - HOUR, until=NOW, version="v1")
        assert choices(store, wanted, "version") == [("v2", 6), ("v1", 4)]
        assert choices(store, wanted, "feature") == [("x", 2), ("y", 2)]
        assert choices(store, LiveFilter(), "feature") == [("y", 8), ("x", 2)]


@pytest.mark.parametrize("days", [0.01, 0.1, 1, 7, 30, 90])
def test_a_window_never_has_too_many_points(days: float, tmp_path: Path) -> None:
    with live_store(tmp_path, [Made(NOW - 60)], NOW) as store:
        place = frame(store, LiveFilter(since=NOW - days * DAY), NOW)
    assert 1 <= len(place.starts) <= POINTS + 1
    assert place.starts[0] <= NOW - days * DAY < place.starts[0] + place.resolution_s
    assert place.reading.since == place.starts[0] - len(place.starts) * place.resolution_s


@pytest.mark.parametrize("hours", [1.5, 5, 24, 100])
def test_the_window_before_is_summed_whatever_its_buckets(hours: float, tmp_path: Path) -> None:
    """It is read in large buckets where it can: nothing is left out or counted twice."""
    begin = NOW - 2 * hours * HOUR - DAY
    requests = spread(700, begin, NOW, lambda at, _rng: Made(at, feature="ab"[int(at) % 2]))
    now = NOW - 17 * 60
    with live_store(tmp_path, requests, NOW) as store:
        view = overview(store, LiveFilter(since=now - hours * HOUR), LiveSettings(), now)
        drawn = plot(store, view.filter, "requests", "feature", now)
    (counted,) = (f for f in view.traffic if f.metric == "requests")
    first = counted.points[0].at
    span = len(counted.points) * view.resolution_s
    assert counted.before == sum(first - span <= r.at < first for r in requests)
    assert sum(line.figure.before or 0 for line in drawn.lines) == counted.before


def test_users_beyond_the_busiest_are_one_line_and_all_lines_add_up(tmp_path: Path) -> None:
    def made(users: int) -> list[Made]:
        one = [
            Made(NOW - 70 * k, user=f"u{u}", error="" if u else "e")
            for u in range(users)
            for k in range(1, 41)
        ]
        return [*one, *(Made(NOW - 60 * k, error="e") for k in range(1, 31))]

    for users in (3, MOST_LINES - 1, MOST_LINES, 12):
        with live_store(tmp_path / str(users), made(users), NOW) as store:
            # It ends in the middle of a bucket.
            wanted = LiveFilter(since=NOW - 2 * HOUR, until=NOW - 1_234)
            counted, failed = plots(store, wanted, ("requests", "error_rate"), "user", NOW)
            (whole,) = plot(store, wanted, "requests", None, NOW).lines
            (mine,) = plot(store, msgspec.structs.replace(wanted, user="u2"), "requests", "user", NOW).lines
        names = [line.name for line in counted.lines]
        assert len(names) == min(users + 1, MOST_LINES)
        assert names[-1] == REST
        assert sum(line.figure.value or 0 for line in counted.lines) == whole.figure.value
        assert failed.lines[0].figure.value == 1.0
        assert (failed.lines[-1].figure.value == 1.0) == (users < MOST_LINES)
        assert mine.name == "u2"


def test_without_others_there_is_no_rest(tmp_path: Path) -> None:
    users = [Made(NOW - 60 * k, user=f"u{u}") for u in range(MOST_LINES) for k in range(1, 9 - u % 2)]
    with live_store(tmp_path, users, NOW) as store:
        drawn = plot(store, LiveFilter(since=NOW - HOUR), "requests", "user", NOW)
    assert len(drawn.lines) == MOST_LINES
    assert REST not in [line.name for line in drawn.lines]
