"""Trying variants in the app: the line, the price, the table, and a variant on the Bench."""

from __future__ import annotations

from typing import Any

from piloting import SMALL, commands, opened, press, screen, settle, toasts

from llmops_tui.app.lines import line_width
from llmops_tui.app.screens.trying import TriedSheet, TryLine
from llmops_tui.domain.ranking import Held, Ranking, Standing, rank
from llmops_tui.domain.ranking_words import conclusion
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.events import AskFirst, Estimate, TryRequest, WorkEnded
from llmops_tui.engine.trying import TryOutcome


def ranking() -> Ranking:
    rates = [10, 11, 2]
    labels = ["", "params.temperature=0.7", "models=[evil/[red]model[/]]"]
    standings = [
        Standing(
            label,
            VersionInfo(n + 1, "helpdesk", -n if n else 12, f"{n}bcdef0123", 0.0),
            rates[n] / 20,
            p95_s=1.5,
        )
        for n, label in enumerate(labels)
    ]

    def held(a: int, b: int) -> Held:
        rows = [(str(i), [float(i < rates[a])], [float(i < rates[b])]) for i in range(20)]
        return Held(tuple(rows))

    return rank(standings, held, metric="pass_rate", estimand="these_cases", alpha=0.05)


def outcome() -> TryOutcome:
    found = ranking()
    return TryOutcome("helpdesk", found, conclusion(found, side_by_side=False), 20)


async def typed(pilot: Any, text: str) -> None:
    for character in text:
        await pilot.press(
            {" ": "space", "=": "equals_sign", ",": "comma", ".": "full_stop"}.get(character, character)
        )
    await press(pilot, "enter")


async def test_the_line_is_tried_and_commas_sweep() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "T")
        assert isinstance(app.screen, TryLine)
        await typed(pilot, "params.seed=3 params.temperature=0,0.7")
        request = TryRequest("helpdesk", ("params.seed=3",), ("params.temperature=0,0.7",))
        assert commands(session, "run") == [("run", request)]
        await press(pilot, "T")
        assert "params.seed=3 params.temperature=0,0.7" in screen(app)  # ready to be changed a little
        await press(pilot, "escape")
        assert len(commands(session, "run")) == 1


async def test_fresh_may_stand_in_the_line() -> None:
    async with opened() as (_app, session, pilot):
        await press(pilot, "T")
        await typed(pilot, "--fresh params.seed=3")
        assert commands(session, "run") == [("run", TryRequest("helpdesk", ("params.seed=3",), fresh=True))]


async def test_a_slip_is_said_beside_the_line_and_can_be_mended() -> None:
    async with opened(size=SMALL) as (app, session, pilot):
        await press(pilot, "T")
        await typed(pilot, "temperature")
        assert isinstance(app.screen, TryLine)
        assert "temperature has no value" in screen(app)
        await typed(pilot, "=1")
        assert commands(session, "run")[0][1].sets == ("temperature=1",)


async def test_the_price_is_asked_and_enter_agrees() -> None:
    async with opened() as (app, session, pilot):
        request = TryRequest("helpdesk", sweeps=("params.temperature=0,0.7",))
        session.emit(AskFirst(request, Estimate(60, 20, 40, 0, 0.12, 0.0), "Try 2 variants and v12?"))
        await settle(pilot)
        assert "Try 2 variants and v12? 40 requests, about $0.12" in screen(app)
        await press(pilot, "enter")
        (asked,) = commands(session, "run")
        assert asked[1].agreed


async def test_the_table_and_a_variant_on_the_bench() -> None:
    async with opened() as (app, session, pilot):
        session.emit(WorkEnded(TryRequest("helpdesk"), outcome()))
        await settle(pilot)
        assert isinstance(app.screen, TriedSheet)
        shown = screen(app)
        assert "helpdesk: 2 variants on 20 cases, by pass rate" in shown
        assert "First is params.temperature=0.7; not told apart from it: the version on disk." in shown
        assert "models=[evil/[red]model[/]]" in shown  # nothing is taken for markup
        assert shown.index("params.temperature=0.7") < shown.index("models=[evil")
        await press(pilot, "enter")
        assert not isinstance(app.screen, TriedSheet)
        assert commands(session, "choose_comparison") == [("choose_comparison", "v12", "~1bcdef01")]


async def test_the_version_on_disk_is_not_held_against_itself_and_esc_closes() -> None:
    async with opened(size=SMALL) as (app, session, pilot):
        session.emit(WorkEnded(TryRequest("helpdesk"), outcome()))
        await settle(pilot)
        assert all(len(line) <= SMALL[0] for line in screen(app).splitlines())
        await press(pilot, "j", "enter")
        assert "This is the version on disk" in toasts(app)
        session.emit(WorkEnded(TryRequest("helpdesk"), outcome()))
        await settle(pilot)
        await press(pilot, "escape")
        assert not isinstance(app.screen, TriedSheet)
        assert commands(session, "choose_comparison") == []


async def test_rows_of_the_table_fit_any_width() -> None:
    async with opened() as (app, session, pilot):
        session.emit(WorkEnded(TryRequest("helpdesk"), outcome()))
        await settle(pilot)
        rows = app.screen.query_one("#variants")
        for width in (50, 76, 100, 200):
            assert all(line_width(rows.row(key, width)[0]) <= width for key in (0, 1, 2))
            assert line_width(rows.heading(width)) <= width


async def test_work_that_failed_shows_no_table() -> None:
    async with opened() as (app, session, pilot):
        session.emit(WorkEnded(TryRequest("helpdesk")))
        await settle(pilot)
        assert not isinstance(app.screen, TriedSheet)
