"""Live traffic as text and markdown: names come from outside, and stay text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_traffic import Made, live_store

from llmops_tui.domain.live.figure_text import noun
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.monitoring.overview import overview, plots
from llmops_tui.monitoring.queue import queue
from llmops_tui.monitoring.rollout import rollout
from llmops_tui.monitoring.weekly import week
from llmops_tui.report.live_markdown import overview_markdown, weekly_markdown
from llmops_tui.report.live_text import (
    alert_lines,
    overview_lines,
    plot_lines,
    queue_lines,
    request_lines,
    sparkline,
)
from llmops_tui.report.rollout_text import rollout_lines, rollout_markdown
from llmops_tui.report.text import plain

NOW = 1_780_000_000.0
EVIL = "\x1b[31m|<b>`evil`\u202e"


def hostile(version: str) -> list[Made]:
    return [
        Made(
            NOW - k,
            f"{version}{EVIL}",
            EVIL,
            feature=EVIL,
            user=EVIL,
            model=EVIL,
            provider=EVIL,
            input=f"{EVIL} {k}",
            error=EVIL if k % 2 else "",
            scores={f"s{EVIL}": 0.1},
        )
        for k in range(1, 40)
    ]


def test_nothing_from_outside_reaches_a_terminal_or_becomes_markup(tmp_path: Path) -> None:
    wanted = LiveFilter(since=NOW - 3600)
    with live_store(tmp_path, [*hostile("a"), *hostile("b")], NOW) as store:
        view = overview(store, wanted, LiveSettings(), NOW)
        drawn = plots(store, wanted, ("error_rate",), "version", NOW)
        held = rollout(store, wanted, NOW)
        queued = [
            (q.listed, q.worth, tuple(r.sentence for r in q.reasons), q.alike)
            for q in queue(store, wanted, 9)
        ]
        alert = FiringAlert(EVIL, "error_rate", "critical", NOW, None, EVIL, LiveFilter(version=EVIL))
        texts = [
            plain(overview_lines(view, NOW)),
            plain(plot_lines(drawn)),
            plain(request_lines(store.requests.listed(wanted), NOW)),
            plain(queue_lines(queued, NOW)),
            plain(rollout_lines(held)),
            plain(alert_lines([alert], NOW)),
        ]
        pages = [
            overview_markdown(view, drawn),
            weekly_markdown(week(store, wanted, LiveSettings(), NOW), ()),
            rollout_markdown(held),
        ]
    for text in (*texts, *pages):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert any("evil" in page for page in pages)
    for page in pages:
        assert "<b>" not in re.sub(r"<code>.*?</code>|``.*?``|`[^`]*`", "", page)
        for row in (line for line in page.splitlines() if line.startswith("| ")):
            assert row.endswith(" |")


@pytest.mark.parametrize("width", [72, 100])
def test_a_rollout_stays_within_the_width(tmp_path: Path, width: int) -> None:
    with live_store(tmp_path, [*hostile("a"), *hostile("b")], NOW) as store:
        held = rollout(store, LiveFilter(since=NOW - 3600), NOW)
    lines = plain(rollout_lines(held, width=width)).splitlines()
    heading = next(at for at, line in enumerate(lines) if "surely between" in line)
    assert [line for line in lines[heading:] if len(line) > width] == []
    assert any("1/1" in line for line in lines[heading:])


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([0.0, 0.5, 1.0], 10, "▁▅█"),
        ([None, 1.0, None], 10, " ▄ "),
        ([1.0, 1.0], 10, "▄▄"),
        ([0.0, 0.0, 1.0, 1.0], 2, "▁█"),
        ([], 5, ""),
        ([None, None], 5, "  "),
    ],
)
def test_a_sparkline_spans_from_least_to_largest(values: list[float | None], width: int, drawn: str) -> None:
    assert sparkline(values, width) == drawn


@pytest.mark.parametrize(
    ("value", "said"), [(1, "request"), (0, "requests"), (2, "requests"), (None, "requests")]
)
def test_one_request_is_no_requests(value: float | None, said: str) -> None:
    assert noun("requests", value) == said
