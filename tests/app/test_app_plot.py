"""Plots as lines of cells: what they show is where it should be, and they fit every size."""

from __future__ import annotations

from typing import Any

import pytest
from fake_session import FakeSession
from hypothesis import given
from hypothesis import strategies as st
from made_up import Answers, helpdesk, history_of
from piloting import SMALL, opened, press, screen, toasts
from test_app_looks import whole

from llmops_tui.app.history_plot import FIGURES, plot_lines, tags_of
from llmops_tui.app.lines import line_width
from llmops_tui.app.plot import GUTTER, Axis, MarkRow, Series, from_zero, nice_range, plot, window
from llmops_tui.app.settings import Settings

UNIT = Axis(0.0, 1.0, lambda v: f"{v:.1f}")


def drawn(values: list[float | None], height: int = 8, width: int = 40, **how: Any) -> list[str]:
    names = [f"v{n + 1}" for n in range(len(values))]
    lines = plot([Series("●", "accent", tuple(values))], UNIT, names, width, height, **how)
    return ["".join(text for text, _ in line) for line in lines]


def heights(lines: list[str]) -> list[int]:
    """Row of each point, from the left."""
    found = sorted((x, y) for y, line in enumerate(lines) for x, c in enumerate(line) if c == "●")
    return [y for _, y in found]


def test_what_is_higher_is_drawn_higher_and_the_ends_of_the_axis_are_told() -> None:
    lines = drawn([0.0, 0.5, 1.0])
    assert heights(lines) == [6, 3, 0]
    assert lines[0].strip().startswith("1.0 ┤")
    assert lines[6].strip().startswith("0.0 ┤")
    assert lines[7].split() == ["v1", "v2", "v3"]


def test_neighbours_are_joined_and_a_gap_is_left_open() -> None:
    assert any("\u2800" < c <= "\u28ff" for c in "".join(drawn([0.2, 0.8])))
    assert not any("\u2800" < c <= "\u28ff" for c in "".join(drawn([0.2, None, 0.8])))


def test_an_interval_is_a_bar_from_its_low_to_its_high_end() -> None:
    series = Series("●", "accent", (0.5,), ((0.25, 0.75),))
    lines = ["".join(t for t, _ in line) for line in plot([series], UNIT, ["v1"], 30, 9)]
    column = next(line.index("●") for line in lines if "●" in line)
    bar = [line[column] for line in lines[:8]]
    assert bar[0] == bar[7] == " "
    assert set(bar[2:6]) <= {"│", "●", "╵", "╷"}
    assert "●" in bar[3:5]


def test_the_point_under_the_cursor_is_marked_without_a_colour_too() -> None:
    lines = plot([Series("●", "accent", (0.2, 0.8))], UNIT, ["v1", "v2"], 40, 8, cursor=1)
    styles = [(text, style) for line in lines for text, style in line if "●" in text]
    assert [style for _, style in styles] == ["bold accent cell", "bold accent"]
    assert any("┊" in text for line in lines for text, _ in line)
    assert ("v2", "bold accent") in [(t.strip(), s) for t, s in lines[-1]]


def test_two_series_in_one_place_have_a_symbol_for_it() -> None:
    series = [Series("●", "accent", (0.5, 0.9)), Series("◇", "warning", (0.5, 0.1))]
    text = "".join(t for line in plot(series, UNIT, ["v1", "v2"], 40, 8) for t, _ in line)
    assert (text.count("◈"), text.count("●"), text.count("◇")) == (1, 1, 1)


def test_marks_stand_below_their_points() -> None:
    lines = drawn([0.1, 0.9], marks=[MarkRow("gate", (None, ("✗", "regressed")))])
    assert lines[-1].startswith(" gate")
    assert lines[-1].index("✗") == lines[0].index("●") or lines[-1].index("✗") == lines[1].index("●")


@pytest.mark.parametrize(
    ("count", "cursor", "width", "expected"),
    [
        (3, None, 49, (0, 3, 12)),
        (100, None, 49, (60, 40, 1)),
        (100, 10, 49, (10, 40, 1)),
        (20, 3, 49, (0, 20, 2)),
    ],
)
def test_the_window_holds_the_newest_points_or_that_of_the_cursor(
    count: int, cursor: int | None, width: int, expected: tuple[int, int, int]
) -> None:
    assert window(count, cursor, width) == expected


def test_ranges_end_on_round_figures() -> None:
    assert nice_range([0.43, 0.71], step=0.1, least=0.2, most=1.0) == (0.4, 0.8)
    assert nice_range([1.0], step=0.1, least=0.2, most=1.0) == (0.8, 1.0)
    assert nice_range([0.0], step=0.1, least=0.2, most=1.0) == (0.0, 0.2)
    assert nice_range([], step=0.1, least=0.2, most=1.0) == (0.0, 1.0)
    assert from_zero([0.0031]) == (0.0, 0.005)
    assert from_zero([2.0, 1.0]) == (0.0, 2.0)
    assert from_zero([]) == (0.0, 1.0)


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=90),
    st.integers(0, 200),
    st.integers(0, 30),
    st.data(),
)
def test_every_plot_fits_its_room(values: list[float | None], width: int, height: int, data: Any) -> None:
    cursor = data.draw(st.one_of(st.none(), st.integers(0, len(values) - 1)))
    bounds = tuple(None if v is None else (v / 2, (v + 1) / 2) for v in values)
    names = [f"v{n + 1}" for n in range(len(values))]
    marks = [MarkRow("gate", tuple(("✓", "") if n % 3 else None for n in range(len(values))))]
    lines = plot(
        [Series("●", "accent", tuple(values), bounds)], UNIT, names, width, height, cursor=cursor, marks=marks
    )
    assert len(lines) in (0, height)
    assert all(line_width(line) <= max(width, GUTTER) for line in lines)
    if lines and cursor is not None and width >= GUTTER + 4:
        assert names[cursor][:2] in "".join(t for t, _ in lines[-2])


@given(
    st.integers(0, 160), st.integers(0, 20), st.sampled_from(FIGURES), st.sampled_from((None, "orders", "no"))
)
def test_the_plots_of_a_history_fit_every_size(width: int, height: int, figure: str, tag: str | None) -> None:
    left, right, _ = helpdesk(Answers())
    lines = plot_lines(history_of(left, right), figure, tag, 7, width, height)
    assert len(lines) <= height
    assert all(line_width(line) <= max(width, GUTTER) for line in lines)


# -- on the History


async def test_the_history_plots_the_pass_rate_with_its_interval_and_its_source() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "2")
        text = screen(app)
        assert "Plot · pass rate" in text
        assert "v12  ● pass rate 90.0% (69.9–97.2%; Wilson, 20 cases)" in text
        await press(pilot, "j")
        assert "v11  ● pass rate 85.0%" in screen(app)
        row = next(line for line in text.splitlines() if line.startswith("│  gate"))
        assert [row.count(s) for s in "✓✗?"] == [1, 2, 1]
        row = next(line for line in text.splitlines() if line.startswith("│  promoted"))
        assert row.split()[-4:-1] == ["P", "F", "B"]


async def test_v_goes_through_the_figures_and_brackets_through_the_tags() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "2", "right_square_bracket")
        assert "Plot · pass rate · orders" in screen(app)
        assert "◇ orders" in screen(app)
        await press(pilot, "v")
        assert "Plot · mean score" in screen(app)
        await press(pilot, "v")
        assert "Plot · cost" in screen(app)
        await press(pilot, "v")
        assert "● p50 1.2 s  ▲ p95 1.3 s" in screen(app)
        await press(pilot, "left_square_bracket")
        assert "Plot · pass rate" in screen(app)
        assert "orders" not in screen(app)


async def test_verdict_and_promotion_are_told_in_words() -> None:
    async with opened(size=(160, 50)) as (app, _, pilot):
        await press(pilot, "2", *"jjjj")
        text = screen(app)
        assert "✗ fail against v6" in text
        assert "by force" in text
        assert "a customer waits" in text


@pytest.mark.parametrize("size", [SMALL, (120, 40), (160, 50), (120, 26)])
async def test_the_history_is_whole_at_every_size(size: tuple[int, int]) -> None:
    theme = "llmops-dark" if size[1] < 30 else "llmops-light"
    async with opened(size=size, settings=Settings(theme=theme)) as (app, _, pilot):
        await press(pilot, "2")
        whole(app, size)
        for keys in ("v", "right_square_bracket", "f", "tab", "f", "f"):
            await press(pilot, keys)
            whole(app, size)


async def test_without_tags_or_versions_the_plot_says_so() -> None:
    from pathlib import Path

    session = FakeSession(Path("/nowhere/helpdesk"))
    session.summaries = ()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "2", "v", "right_square_bracket")
        assert "No case has a tag." in toasts(app)


def test_tags_are_those_that_some_version_has() -> None:
    left, right, _ = helpdesk(Answers())
    assert tags_of(history_of(left, right)) == ["orders"]
