"""The Live screen: figures at a glance, a plot, and the requests behind each figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_up_live as live
import msgspec
import pytest
from fake_session import FakeSession
from made_up import NOW
from piloting import SMALL, commands, opened, press, screen, settle, toasts, until
from rich.cells import cell_len

from llmops_tui.app.screens.live import LiveScreen
from llmops_tui.domain.errors import Problem, StoreError
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import Line
from llmops_tui.domain.live.request import Request
from llmops_tui.engine.trace_events import TraceView

LARGE = (160, 50)


def fake() -> FakeSession:
    return FakeSession(Path("/nowhere/helpdesk"))


def shown(app: Any) -> LiveScreen:
    found = app.frame
    assert isinstance(found, LiveScreen)
    return found


def last(session: FakeSession, name: str) -> tuple[Any, ...]:
    """What was asked for last."""
    return commands(session, name)[-1]


async def come_in(app: Any, session: FakeSession, pilot: Any) -> None:
    """Something came in, and the screen looks."""
    session.came_in = True
    shown(app).look()
    await settle(pilot)


# -- at a glance


async def test_the_six_are_told_with_their_change_and_what_it_means_and_a_status_in_words() -> None:
    async with opened(size=LARGE) as (app, _, pilot):
        await press(pilot, "5")
        text = screen(app)
        assert "last 24 h" in text.splitlines()[0]
        assert "newest 12 s ago" in text.splitlines()[0]
        assert "12,345 requests" in text.splitlines()[1]
        assert "3 set aside" in text.splitlines()[1]
        assert "87.1%  ▼ −7.1 pts worse" in text
        assert "! warning" in text
        assert "8.1 s  ▲ +238% worse" in text
        assert "✗ critical" in text
        assert "2.1%  ▼ −1.3 pts better" in text
        assert "$0.0042  ≈ +2%" in text
        assert "1.2%  = as before" in text
        assert "p95 is above 5 s, the limit of slow-answers" in text


async def test_what_fires_stands_on_top_in_words() -> None:
    session = fake()
    calm = [live.alert(f"rule-{k}", severity="warning", since=NOW - 60 * k) for k in range(4)]
    over = live.alert("old", until=NOW - 60)
    session.overview = live.overview(alerts=(*calm, live.alert(), over))
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5")
        lines = screen(app).splitlines()
        assert "critical for 12 min · slow-answers: p95 of latency is 8.1 s" in lines[2]
        assert "rule-0" in lines[3]
        assert "and 3 more; a lists them" in lines[4]
        assert "old" not in "\n".join(lines[:5])


@pytest.mark.parametrize("size", [(60, 20), SMALL, (100, 30), (120, 40), LARGE, (200, 60)])
async def test_frames_are_whole_at_every_size(size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, _, pilot):
        for keys in (["5"], ["enter"], ["escape", "tab"], ["tab"], ["f"], ["f", "a"], ["escape", "M"]):
            await press(pilot, *keys)
            lines = screen(app).splitlines()
            assert len(lines) == size[1]
            assert {cell_len(line) for line in lines} == {size[0]}


async def test_on_a_small_terminal_the_plot_and_the_list_take_turns() -> None:
    async with opened(size=SMALL) as (app, _, pilot):
        await press(pilot, "5")
        assert "Pass rate by version" in screen(app)
        assert "Requests" not in screen(app)
        await press(pilot, "enter")
        assert "Requests · lowest scores" in screen(app)
        assert "Pass rate by version" not in screen(app)
        assert "! warning" in screen(app)
        await press(pilot, "escape")
        assert "Pass rate by version" in screen(app)


# -- the window, the metric


async def test_w_goes_through_the_windows_and_W_goes_back() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5")
        wanted = last(session, "live_overview")[1]
        assert wanted.until - wanted.since == 24 * 3_600
        await press(pilot, "w")
        assert "last 7 d" in screen(app).splitlines()[0]
        for name in ("live_overview", "live_plot", "live_requests"):
            assert last(session, name)[1].since == NOW - 7 * 86_400
        await press(pilot, "w", "w")
        assert "last 1 h" in screen(app).splitlines()[0]
        await press(pilot, "W")
        assert "last 30 d" in screen(app).splitlines()[0]


async def test_the_plot_follows_the_figure_under_the_cursor_and_m_goes_through_its_group() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "l", "l")
        assert last(session, "live_plot")[2:] == ("latency_p95", "version")
        assert "Latency p95 by version" in screen(app)
        await press(pilot, "m")
        assert last(session, "live_plot")[2] == "latency_p50"
        await press(pilot, "m", "m", "m")
        assert "Step p95 search by version" in screen(app)
        await press(pilot, "m")
        assert last(session, "live_plot")[2] == "latency_p95"
        await press(pilot, "j")
        assert last(session, "live_plot")[2] == "error_rate"


async def test_b_splits_by_version_feature_model_user_or_not_at_all() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5")
        assert "● v12 87.0% n 12,345" in screen(app)
        assert "◇ v11 94.0% n 12,345" in screen(app)
        seen = []
        for _ in range(5):
            await press(pilot, "b")
            seen.append(last(session, "live_plot")[3])
        assert seen == ["feature", "model", "user", None, "version"]


async def test_any_metric_can_be_chosen_and_its_group_is_gone_to() -> None:
    async with opened(size=LARGE) as (app, session, pilot):
        await press(pilot, "5", "M")
        assert "ttft_p95" in screen(app)
        titles = [str(o.prompt) for o in app.screen.query_one("OptionList").options]
        at = next(n for n, title in enumerate(titles) if "refusal_rate" in title)
        app.screen.query_one("OptionList").highlighted = at
        await press(pilot, "enter")
        assert last(session, "live_plot")[2] == "refusal_rate"
        assert "Refusals by version" in screen(app)
        assert shown(app).groups.cursor == "safety"
        await press(pilot, "enter")
        assert last(session, "live_requests")[1].only == "refused"


# -- filters


async def test_d_lists_the_values_of_a_dimension_with_counts_and_narrows_to_one() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "d", "j", "enter")
        assert last(session, "live_choices")[2] == "feature"
        assert "refunds       812" in screen(app)
        await press(pilot, "j", "enter")
        for name in ("live_overview", "live_plot", "live_requests"):
            assert last(session, name)[1].feature == "refunds"
        assert "only feature:refunds" in screen(app).splitlines()[0]
        await press(pilot, "d", "j", "enter", "enter")
        assert last(session, "live_overview")[1].feature == ""


async def test_a_filter_is_typed_and_esc_takes_it_away_again() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "slash", *"user:u1 is:failed slow", "enter")
        _name, wanted, order, _limit = last(session, "live_requests")
        assert (wanted.user, wanted.only, order) == ("u1", "failed", "slowest")
        assert last(session, "live_overview")[1].user == "u1"
        assert "only user:u1 is:failed" in screen(app).splitlines()[0]
        await press(pilot, "escape")
        assert last(session, "live_overview")[1].user == ""
        assert app.frame.SCOPE == "live"
        await press(pilot, "escape")
        assert app.frame.SCOPE == "bench"


async def test_a_word_that_is_not_understood_is_said_with_the_nearest_one() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "5", "slash", *"featur:refunds")
        assert "did you mean 'feature:'" in screen(app)


# -- from a figure to its requests, to a trace


@pytest.mark.parametrize(
    ("moves", "only", "order"),
    [
        ((), "scored", "lowest"),
        (("l",), "", "dearest"),
        (("l", "l"), "", "slowest"),
        (("j",), "flagged", "newest"),
        (("j", "l"), "bad", "newest"),
        (("j", "l", "l"), "failed", "newest"),
    ],
)
async def test_enter_on_a_figure_lists_the_requests_behind_it(
    moves: tuple[str, ...], only: str, order: str
) -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", *moves, "enter")
        _name, wanted, asked, _limit = last(session, "live_requests")
        assert (wanted.only, asked) == (only, order)
        assert app.focused is shown(app).requests
        # The figures are still those of everything.
        assert last(session, "live_overview")[1].only == ""


async def test_enter_on_a_request_opens_its_trace_with_scores_and_signals_and_esc_comes_back() -> None:
    async with opened(size=LARGE) as (app, session, pilot):
        await press(pilot, "5", "enter", "j", "j", "enter")
        assert last(session, "live_trace") == ("live_trace", 998)
        assert app.frame.SCOPE == "trace"
        text = screen(app)
        assert "search · 00000000" in text
        assert "scorer faithfulness" in text
        assert "signal thumb" in text
        await press(pilot, "G", "k", "k")
        assert "the answer names 60 days" in screen(app)
        await press(pilot, "escape")
        assert app.frame.SCOPE == "live"
        assert shown(app).requests.cursor == 998
        assert "Requests · lowest scores" in screen(app)
        await press(pilot, "t", "1")
        assert app.frame.SCOPE == "bench"
        await press(pilot, "t")
        assert commands(session, "trace")


async def test_from_a_trace_five_goes_back_to_the_same_live_screen() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "5", "w", "enter", "enter")
        before = next(s for s in app.screen_stack if isinstance(s, LiveScreen))
        await press(pilot, "5")
        assert app.frame is before


async def test_a_trace_that_is_not_kept_any_more_is_said() -> None:
    session = fake()
    session.live_trace_view = TraceView()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5", "t")
        assert "This trace is not kept any more." in screen(app)


async def test_what_is_set_is_still_set_after_a_look_at_the_bench() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "l", "l", "w", "1", "5")
        assert "last 7 d" in screen(app).splitlines()[0]
        assert last(session, "live_plot")[2] == "latency_p95"
        assert shown(app).groups.cursor == "latency"


async def test_n_goes_to_the_next_request_with_something_wrong() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "5", "n")
        assert shown(app).requests.cursor == 996
        await press(pilot, "n")
        assert shown(app).requests.cursor == 993
        await press(pilot, "n", "N", "N")
        assert shown(app).requests.cursor == 996
        await press(pilot, "N")
        assert "No earlier request with something wrong" in toasts(app)


async def test_o_orders_the_list_another_way() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "o")
        assert last(session, "live_requests")[2] == "slowest"
        assert "slowest first" in screen(app)
        await press(pilot, "o", "o", "o")
        assert last(session, "live_requests")[2] == "newest"


async def test_an_alert_leads_to_its_requests() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "a")
        assert "(feature:refunds)" in screen(app)
        await press(pilot, "enter")
        wanted = last(session, "live_requests")[1]
        assert (wanted.feature, wanted.since) == ("refunds", NOW - 900)
        assert "Requests · of slow-answers" in screen(app)
        await press(pilot, "escape", "escape")
        assert last(session, "live_requests")[1].feature == ""


async def test_without_alerts_a_says_so() -> None:
    session = fake()
    session.overview = live.overview(alerts=())
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5", "a")
        assert "No alert in the last 24 h" in toasts(app)


async def test_y_copies_the_trace_id() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "5", "enter", "j", "y")
        assert app.clipboard == f"{1:032x}"


@pytest.mark.parametrize("keys", [("+",), ("t", "+")])
async def test_plus_makes_a_case_of_a_request_from_the_list_and_from_its_trace(keys: tuple[str, ...]) -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", *keys)
        assert last(session, "live_case") == ("live_case", 1_000)
        text = screen(app)
        assert "question: " in text
        assert "it was answered: You have [60] days." in text
        assert "asks nearly the same: refund-window" in text
        assert "live, refunds" in text
        await press(pilot, "tab", "tab", *"30 days", "ctrl+s")
        _name, config, new, file = last(session, "keep_live_case")
        assert (config, new.id, new.expected, file) == (
            *("helpdesk", "how-many-days", "30 days", "evals/live.yaml"),
        )
        assert new.tags == ("live", "refunds")
        assert "Kept as case how-many-days in evals/live.yaml" in toasts(app)


async def test_V_says_whether_it_is_safe_to_go_on_with_the_newest_version() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5", "slash", *"version:v12 feature:refunds", "enter", "V")
        wanted = last(session, "live_rollout")[1]
        assert (wanted.version, wanted.feature, wanted.since) == ("", "refunds", NOW - 86_400)
        text = screen(app)
        assert "Rollout helpdesk v12 against v11" in text
        assert "Stop: the pass rate has fallen by 7.0 points" in text
        assert "94.0%" in text
        await press(pilot, "escape")
        assert app.screen is shown(app)


# -- what comes in meanwhile


async def test_what_comes_in_is_shown_and_the_cursor_stays_on_its_request() -> None:
    session = fake()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5", "enter", "j", "j")
        rows = shown(app).requests
        assert rows.cursor == 998
        session.requests = (*(live.request(-k) for k in (3, 2, 1)), *live.requests())
        session.overview = live.overview(newest_at=NOW - 1)
        await come_in(app, session, pilot)
        assert rows.keys[:3] == [1_003, 1_002, 1_001]
        assert rows.cursor == 998
        assert "newest 1 s ago" in screen(app)


async def test_the_request_under_the_cursor_stays_where_the_list_has_moved_past_it() -> None:
    session = fake()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5", "enter", "j")
        session.requests = tuple(live.request(-k) for k in range(50, 10, -1))
        await come_in(app, session, pilot)
        assert shown(app).requests.cursor == 999
        assert shown(app).requests.keys[-1] == 999


async def test_where_nothing_came_in_nothing_is_read_until_the_figures_are_old() -> None:
    now = [NOW]
    async with opened() as (app, session, pilot):
        app.clock = lambda: now[0]
        await press(pilot, "5")
        asked = len(session.asked)
        shown(app).look()
        await settle(pilot)
        assert len(session.asked) == asked
        now[0] += 61
        shown(app).look()
        await settle(pilot)
        assert len(session.asked) == asked + 3


async def test_nothing_is_looked_for_while_another_screen_is_in_front() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5")
        below = shown(app)
        await press(pilot, "t")
        asked = len(session.asked)
        session.came_in = True
        below.look()
        await settle(pilot)
        assert len(session.asked) == asked
        assert session.came_in


async def test_more_of_a_long_list_is_read_when_its_end_comes_near() -> None:
    session = fake()
    session.requests = live.requests(700)
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5", "enter")
        rows = shown(app).requests
        assert len(rows.keys) == 200
        assert "200+" in screen(app)
        await press(pilot, "G")
        assert len(rows.keys) == 700
        assert rows.cursor == 801


async def test_an_answer_that_comes_too_late_is_not_shown() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "5")
        session.holds = True
        session.requests = ()
        await pilot.press("o")
        await pilot.pause()
        await pilot.press("o")
        await pilot.pause()
        session.requests = live.requests(5)
        ((future, late),) = session.held
        session.held = []
        future.set_result(late)
        await until(pilot, lambda: bool(session.held))
        assert len(shown(app).requests.keys) == 60
        session.release()
        await settle(pilot)
        assert len(shown(app).requests.keys) == 5


# -- nothing, and trouble


async def test_before_anything_was_collected_it_says_how_to_begin() -> None:
    session = fake()
    session.overview = None
    async with opened(session, size=SMALL) as (app, _, pilot):
        await press(pilot, "5")
        text = screen(app)
        assert "No live traffic has come in yet." in text
        assert "llmops-tui collect" in text
        assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318" in text
        for key in ("enter", "m", "M", "escape", "n", "o", "b", "w", "a", "y", "t", "+", "j", "l", "f", "f"):
            await press(pilot, key)
        assert app.is_running


async def test_a_window_in_which_nothing_came_says_when_the_newest_request_did() -> None:
    session = fake()
    session.overview, session.requests = live.empty_window(), ()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5")
        text = screen(app)
        assert "No request in the last 24 h." in text
        assert "The newest request came 3 days ago; w widens the window." in text
        assert "– no data" in text


async def test_a_filter_that_takes_nothing_is_told_to_be_changed() -> None:
    session = fake()
    session.overview, session.requests = live.empty_window(), ()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5", "/", *"feature:x", "enter")
        text = screen(app)
        assert "No request in the last 24 h." in text
        assert "/ changes the filter, w widens the window." in text


async def test_trouble_with_the_database_is_told_and_what_was_read_stays() -> None:
    session = fake()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "5")
        session.fails = StoreError(Problem("live.db [is] damaged", "move it away", file=".llmops/live.db"))
        await press(pilot, "w")
        assert "live.db [is] damaged" in screen(app)
        assert "87.1%" in screen(app)
        session.fails = None
        await press(pilot, "w")
        assert "damaged" not in screen(app)


async def test_trouble_at_the_first_reading_is_told_too() -> None:
    session = fake()
    async with opened(session, size=SMALL) as (app, _, pilot):
        session.fails = StoreError(Problem("live.db is from a newer release", "update llmops-tui"))
        await press(pilot, "5")
        assert "live.db is from a newer release" in screen(app)
        assert "could not be read" in screen(app)


NASTY = (
    "[/some/path] [bold]x[/] [@click=app.quit]y[/] [",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x00 \x7f",
    "日本語のテキスト" * 40,
    "👩‍👩‍👧‍👦 🇩🇪 e\u0301\u0301",
    "שלום \u202eevil\u202c",
    "tab\there\r\nand\rthere",
    "\ud800 lone",
    "x" * 50_000,
)


@pytest.mark.parametrize("at", range(len(NASTY)))
async def test_what_others_wrote_can_only_be_read(at: int) -> None:
    nasty, size = NASTY[at], (SMALL, LARGE)[at % 2]

    def worse(r: Request) -> Request:
        texts = dict.fromkeys(("feature", "version", "model", "user", "input", "name", "error"), nasty)
        return msgspec.structs.replace(r, **texts, signals=[(nasty, 0.0, True)])

    session = fake()
    session.requests = tuple(
        msgspec.structs.replace(each, request=worse(each.request)) for each in live.requests()
    )
    session.choices = [(nasty, 3), ("", 1)]
    session.overview = live.overview(
        alerts=(live.alert(nasty, sentence=nasty, severity=nasty, filter=LiveFilter(feature=nasty)),),
        groups=tuple(
            msgspec.structs.replace(
                view,
                headline=msgspec.structs.replace(view.headline, title=nasty, why=nasty),
                others=(live.figure("score.x", 0.5), live.figure(f"score.{nasty}", 0.5)),
            )
            for view in live.overview().groups
        ),
    )
    session.live_plot = plots_named(nasty, session.live_plot)  # type: ignore[method-assign]
    async with opened(session, size=size) as (app, _, pilot):
        for keys in ("5", "m m", "enter j", "y n", "a", "enter", "d enter", "j enter"):
            await press(pilot, *keys.split())
            lines = screen(app).splitlines()
            assert {cell_len(line) for line in lines} == {size[0]}
            assert not any(c in "\n".join(lines) for c in "\x1b\x00\x07\x9b\u202e")
        await press(pilot, "t", "escape", "+")


def plots_named(name: str, plot: Callable[..., Any]) -> Callable[..., Any]:
    def answer(*args: Any) -> Any:
        future = plot(*args)
        made = future.result()
        named = tuple(Line(name, line.figure) for line in made.lines)
        again: Any = type(future)()
        again.set_result(msgspec.structs.replace(made, lines=named))
        return again

    return answer
