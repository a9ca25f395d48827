"""Figures of live traffic in words, points as lines, filters as they are typed."""

from __future__ import annotations

import made_up_live as live
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import NOW

from llmops_tui.app.lines import line_width
from llmops_tui.app.live_figures import change_of, joined, value_text
from llmops_tui.app.live_filter import IS, NAMES, parse, text_of
from llmops_tui.app.live_plot import MARKS, plot_lines, time_names
from llmops_tui.app.live_state import LiveState, all_metrics, next_wrong
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import Line, Plot, Point


def words(figure: object) -> str:
    return "".join(text for text, _ in change_of(figure))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "before", "said"),
    [
        ("pass_rate", 0.9, 0.95, "▼ −5.0 pts worse"),
        ("error_rate", 0.05, 0.01, "▲ +4.0 pts worse"),
        ("error_rate", 0.01, 0.05, "▼ −4.0 pts better"),
        ("latency_p95", 2.0, 1.0, "▲ +100% worse"),
        ("latency_p95", 20.0, 1.0, "▲ ×10 or more worse"),
        ("requests", 110.0, 100.0, "▲ +10%"),
        ("requests", 110.0, 0.0, "▲ from nothing"),
        ("score.x", 0.5, 0.6, "▼ −0.10 worse"),
        ("cost_per_request", 0.01, 0.01, "= as before"),
    ],
)
def test_a_change_says_whether_it_is_for_the_worse(name: str, value: float, before: float, said: str) -> None:
    assert words(live.figure(name, value, before)) == said


def test_what_chance_does_as_well_is_not_called_worse() -> None:
    figure = live.figure("error_rate", 0.05, 0.04, low=0.03, high=0.07)
    assert words(figure) == "≈ +1.0 pts"
    assert words(msgspec.structs.replace(figure, low=0.045)) == "▲ +1.0 pts worse"
    assert words(live.figure("error_rate", 0.05)) == ""


def test_values_are_written_by_their_unit() -> None:
    assert value_text(0.924, "share") == "92.4%"
    assert value_text(5_234_567, "tokens") == "5.23 M"
    assert value_text(None, "usd") == "–"


@given(st.lists(st.tuples(st.none() | st.floats(0, 1), st.integers(0, 50)), max_size=60), st.integers(1, 70))
def test_joined_points_keep_what_they_stand_for(rows: list[tuple[float | None, int]], room: int) -> None:
    points = tuple(Point(NOW + k, value, n) for k, (value, n) in enumerate(rows))
    share = live.figure("pass_rate", 0.5, points=points)
    made = joined(share, room)
    assert len(made) <= room
    assert sum(p.n for p in made) == sum(n for _, n in rows)
    known = [p for p in points if p.value is not None and p.n]
    if known and all(p.value is not None or not p.n for p in points):
        whole = sum((p.value or 0) * p.n for p in known)
        assert sum((p.value or 0) * p.n for p in made if p.n) == pytest.approx(whole)
    count = joined(live.figure("requests", 1.0, points=points), room)
    assert sum(p.value or 0 for p in count) == pytest.approx(sum(v or 0 for v, _ in rows))


def test_a_plot_has_a_legend_with_value_and_n_and_a_symbol_for_each_line() -> None:
    lines = plot_lines(live.plot("pass_rate", "version"), "it fell", 100, 14)
    text = ["".join(t for t, _ in line) for line in lines]
    assert text[0] == "it fell"
    assert "● v12 87.0% n 12,345" in text[1]
    assert "◇ v11 94.0% n 12,345" in text[1]
    drawn = "\n".join(text[2:])
    assert "●" in drawn
    assert "◇" in drawn
    assert len(lines) == 14
    assert all(line_width(line) <= 100 for line in lines)


def test_more_lines_than_symbols_are_counted_and_not_drawn() -> None:
    line = live.plot("pass_rate", "version").lines[0]
    many = Plot("pass_rate", "user", 900, tuple(Line(f"u{k}", line.figure) for k in range(11)))
    text = "\n".join("".join(t for t, _ in row) for row in plot_lines(many, "", 60, 30))
    assert "and 3 more, which are not drawn" in text
    assert "u10" not in text
    assert len({symbol for symbol, _ in MARKS}) == len(MARKS)


def test_a_plot_without_a_value_says_so() -> None:
    nothing = Plot("pass_rate", None, 900, (Line("", live.figure("pass_rate", None)),))
    text = "\n".join("".join(t for t, _ in row) for row in plot_lines(nothing, "", 60, 10))
    assert "no such figure in this window" in text
    assert plot_lines(Plot("pass_rate", "user", 900, ()), "", 60, 10)


@given(st.integers(1, 400), st.floats(1, 90_000), st.integers(1, 200))
def test_names_of_times_leave_air_between_them(n: int, step: float, room: int) -> None:
    names = time_names([NOW + k * step for k in range(n)], room)
    assert len(names) == n
    assert names[-1]


# -- the filter


def test_a_filter_is_written_as_it_is_typed() -> None:
    typed = parse('feature:refunds user:"Ada L" is:failed slow')
    assert typed.wanted == LiveFilter(feature="refunds", user="Ada L", only="failed")
    assert typed.order == "slowest"
    assert not typed.problem
    assert text_of(typed.wanted) == 'feature:refunds user:"Ada L" is:failed'


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text("abc :-'ü", min_size=1).filter(str.strip)),
    st.sampled_from(("", *IS)),
)
def test_what_is_written_is_read_the_same(fields: dict[str, str], only: str) -> None:
    wanted = LiveFilter(**fields, only=only)  # type: ignore[arg-type]
    assert parse(text_of(wanted)).wanted == wanted


@given(st.text(max_size=60))
def test_whatever_is_typed_is_answered(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("is:fialed", "did you mean 'failed'"),
        ("featur:refunds", "did you mean 'feature:'"),
        ("slo", ""),
        ("is:fai", ""),
        ("feature:", ""),
        ('"open', "'open' is not understood"),
    ],
)
def test_what_is_not_understood_is_said_and_what_is_still_typed_is_not(text: str, problem: str) -> None:
    said = parse(text).problem
    assert problem in said
    assert bool(said) == bool(problem)


# -- the state


def test_all_metrics_are_offered_once_those_with_figures_first() -> None:
    names = [name for name, _ in all_metrics(live.overview())]
    assert len(names) == len(set(names))
    assert names[0] == "pass_rate"
    assert "score.faithfulness" in names
    assert "latency_p99" in names
    assert "score" not in names  # it needs a part
    assert all_metrics(None)


def test_an_alerts_requests_are_listed_with_its_own_window() -> None:
    alert = live.alert()
    listing = msgspec.structs.replace(LiveState().listing, of=alert.filter)
    state = LiveState(wanted=LiveFilter(user="u1"), listing=listing)
    assert state.listed_at(NOW) == alert.filter
    assert state.filter_at(NOW).user == "u1"


def test_what_is_wrong_is_looked_for_in_both_directions() -> None:
    rows = [(each.id, each.request) for each in live.requests(12)]
    low = live.request(1, scores={"x": (0.2, None)})
    rows[1] = (low.id, low.request)
    assert next_wrong(rows, 0, 1) == 999
    assert next_wrong(rows, 1, 1) == 996
    assert next_wrong(rows, 9, 1) is None
    assert next_wrong(rows, 4, -1) == 999
