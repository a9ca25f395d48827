"""Bisecting from the Bench and from the History, and the sheet that says what was found."""

from __future__ import annotations

from typing import Any

from made_up import version
from piloting import SMALL, commands, opened, press, screen, settle, toasts

from llmops_tui.domain.bisected import Bisected, Revision, Seen
from llmops_tui.engine.bisecting import BisectOutcome
from llmops_tui.engine.events import AskFirst, BisectRequest, Estimate, TextChange, WorkEnded

PRICE = Estimate(9, 0, 9, 0, 0.0, 0.0)
TEXT = TextChange("prompt", "prompt", "Use only the context.\n", "Say what you like.\n")


def an_outcome(**how: Any) -> BisectOutcome:
    before, first = (
        Revision("v6", "a" * 64, 1_700_000_000.0),
        Revision("v7", "b" * 64, 1_700_000_100.0, "c" * 40, "Ada", "Tone \x1b[31mof voice [/b]"),
    )
    found = {
        "config": "helpdesk",
        "case_id": "refund-window",
        "model": "local/some",
        "git": False,
        "ended": "found",
        "good": Revision("v1"),
        "bad": Revision("v12"),
        "path": (
            Seen(Revision("v1"), "good", 1, 1, True),
            Seen(Revision("v12"), "bad", 0, 1, True),
            Seen(before, "good", 11, 12),
            Seen(Revision("v5"), "skipped", 0, 0, why_not="the workspace is not there"),
        ),
        "before": before,
        "first_bad": first,
        "suspects": (first,),
        "versions": (version(6), version(7)),
        **how,
    }
    return BisectOutcome(Bisected(**found), (TEXT,))


async def test_B_on_the_bench_bisects_the_case_under_the_cursor_after_a_yes() -> None:
    async with opened() as (app, session, pilot):
        case = app.frame.pair
        await press(pilot, "B")
        ((_, request),) = commands(session, "run")
        assert request == BisectRequest("helpdesk", case.case_id, model=case.model)
        session.emit(AskFirst(request, PRICE, "Bisect refund-window over 12 versions?"))
        await settle(pilot)
        assert "over 12 versions? 9 requests, free of charge" in screen(app)
        await press(pilot, "enter")
        assert commands(session, "run")[-1][1].agreed


async def test_B_on_the_history_bisects_between_the_marked_version_and_the_one_under_the_cursor() -> None:
    async with opened() as (app, session, pilot):
        case = app.frame.pair
        await press(pilot, "2", "j", "B")
        assert not commands(session, "run")
        assert "is marked itself" in toasts(app)
        await press(pilot, "j", "j", "B")
        ((_, request),) = commands(session, "run")
        # The older one is the good end, whichever is marked.
        assert (request.case_id, request.good, request.bad) == (case.case_id, "v9", "v11")


async def test_commits_are_bisected_from_the_palette() -> None:
    async with opened() as (app, session, pilot):
        app.frame.action_bisect_git()
        await settle(pilot)
        assert commands(session, "run")[0][1].git


async def test_the_sheet_says_what_broke_the_case_and_what_that_rests_on() -> None:
    for size in (SMALL, (120, 40)):
        async with opened(size=size) as (app, session, pilot):
            session.emit(WorkEnded(BisectRequest("helpdesk", "refund-window"), an_outcome()))
            await settle(pilot)
            text = screen(app)
            assert "v7 broke refund-window (v6 is the last good one)" in text
            assert "Tone of voice [/b]" in text
            assert "Use only the context." in text
            assert "passed 11 of 12, like the good end" in text
            assert "skipped: the workspace is not there" in text
            await press(pilot, "escape")
            assert "is the last good one" not in screen(app)
            assert not commands(session, "choose_comparison")


async def test_enter_shows_it_against_the_one_before_on_the_bench() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2")
        session.emit(WorkEnded(BisectRequest("helpdesk", "refund-window"), an_outcome()))
        await settle(pilot)
        await press(pilot, "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", "v6", "v7")]
        assert app.frame.SCOPE == "bench"
