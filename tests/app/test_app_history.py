"""The History: versions, marks, labels, promotion."""

from __future__ import annotations

from fake_session import FakeSession
from piloting import SMALL, commands, opened, press, screen, settle, toasts


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if f" {name} " in f"{line} ")


async def test_versions_are_newest_first_with_what_changed_and_how_they_scored() -> None:
    async with opened(size=(140, 40)) as (app, _, pilot):
        await press(pilot, "2")
        text = "\n".join(screen(app).splitlines()[2:])
        assert text.index(" v12 ") < text.index("v11 baseline") < text.index(" v10 ")
        assert "90.0%" in row(text, "v12")
        assert "prompt" in row(text, "v12")
        assert "first idea" in row(text, "v3")
        assert "3a5c6e2+" in row(text, "v3")
        assert "cancelled" in row(text, "v5")
        assert "! v4" in text
        assert "mean score ▁" in text


async def test_the_baseline_is_the_left_side_until_another_is_marked() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2")
        assert "◆ v11 baseline" in screen(app)
        assert "compares v11 with v12" in screen(app)
        await press(pilot, "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", None, None)]
        assert "refund-window" in screen(app)


async def test_any_two_versions_are_compared_on_the_bench() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2", "j", "j", "b", "j")
        assert "compares v10 with v9" in screen(app)
        await press(pilot, "c")
        assert commands(session, "choose_comparison") == [("choose_comparison", "v10", "v9")]
        assert app.frame.SCOPE == "bench"


async def test_an_older_version_against_the_newest_follows_what_is_saved_next() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "2", "G", "b", "g", "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", "v1", None)]


async def test_zero_goes_back_to_baseline_and_latest() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "0")
        assert commands(session, "choose_comparison") == [("choose_comparison", None, None)]
        assert app.model.chosen == (None, None)


async def test_a_version_is_not_compared_with_itself() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2", "j", "enter")
        assert not commands(session, "choose_comparison")
        assert "v11 is marked itself" in toasts(app)


async def test_a_label_is_typed_and_kept() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2", "L")
        assert "label of v12" in screen(app)
        await press(pilot, *"good", "enter")
        assert commands(session, "label") == [("label", "v12", "good")]
        await press(pilot, "L", "x", "escape")
        assert len(commands(session, "label")) == 1


async def test_P_promotes_the_version_under_the_cursor_if_it_is_complete() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2", "P", "enter")
        assert commands(session, "promote") == [("promote", "v12")]
        await press(pilot, *"jjjjjjj")
        await press(pilot, "P", "enter")
        assert len(commands(session, "promote")) == 1
        assert "v5 can't be promoted: its run was cancelled" in toasts(app)


async def test_warnings_of_a_version_are_told_in_words() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "2", *"jjjjjjjj")
        assert "is an alias that the provider may move" in screen(app)


async def test_without_versions_it_says_how_to_get_the_first() -> None:
    from pathlib import Path

    session = FakeSession(Path("/nowhere/helpdesk"))
    session.summaries = ()
    async with opened(session, size=SMALL) as (app, _, pilot):
        await press(pilot, "2")
        assert "No version yet." in screen(app)
        await press(pilot, "L", "b", "P", "enter", "escape")
        await settle(pilot)
        assert app.frame.SCOPE == "bench"


async def test_y_copies_the_hash() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2", "y")
        assert app.clipboard == session.candidate.version.hash


async def test_while_the_versions_are_read_another_wish_waits_its_turn() -> None:
    from concurrent.futures import Future
    from typing import Any

    asked: list[Future[Any]] = []
    async with opened() as (app, session, pilot):
        whole = session.history().result()

        def history() -> Future[Any]:
            asked.append(Future())
            return asked[-1]

        session.history = history  # type: ignore[method-assign]
        await pilot.press("2")
        await pilot.pause()
        for _ in range(3):
            app.refresh_history()
        await pilot.pause()
        assert len(asked) == 1
        asked[0].set_result(whole[1:])
        while len(asked) < 2:
            await pilot.pause(0.01)
        asked[1].set_result(whole)
        await settle(pilot)
        assert len(asked) == 2
        assert " v12 " in "\n".join(screen(app).splitlines()[2:])
