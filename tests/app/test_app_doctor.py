"""The ladder over a screen: what stands there, that it is looked at again, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

from fake_session import FakeSession
from piloting import SMALL, commands, opened, press, screen

from llmops_tui.domain.ladder.ladder import Item, Ladder

HERE = Path("/nowhere/helpdesk")


def items() -> tuple[Item, ...]:
    return (
        Item("versioned", "baseline", "Prompts are committed", "met", "12 files in git"),
        Item(
            "logged", "baseline", "Requests are logged", "unknown", "no database of live traffic", "collect"
        ),
        Item("ci", "repeatable", "CI runs the gate", "unmet", "CI never runs it: [/ci.yml]", "let CI run it"),
        Item(
            "alerts", "mature", "Alerts reach somebody", "partly", "2 rules; \x1b[31mchat failed", "mend it"
        ),
    )


def standing(rung: str = "none") -> FakeSession:
    session = FakeSession(HERE)
    session.stands = Ladder(rung, items(), ("helpdesk",), ("orders",), 1.0)  # type: ignore[arg-type]
    return session


async def test_it_says_the_rung_what_is_next_and_every_item() -> None:
    async with opened(standing()) as (app, session, pilot):
        await press(pilot, "D")
        text = screen(app)
        assert "Starting  helpdesk" in text
        assert "Next, for Baseline" in text
        assert "✓ met     Prompts are committed" in text
        assert "? unknown Requests are logged" in text
        assert "✗ unmet   CI runs the gate" in text
        assert "◐ partly  Alerts reach somebody" in text
        # Of what comes from outside nothing is markup, and nothing moves the cursor.
        assert "[/ci.yml]" in text
        assert "\x1b[31m" not in text
        assert len(commands(session, "ladder")) == 1


async def test_it_is_read_at_80_columns() -> None:
    async with opened(standing(), size=SMALL) as (app, _, pilot):
        await press(pilot, "D")
        text = screen(app)
        assert "1. collect" in text
        assert all(len(line) <= 80 for line in text.splitlines())


async def test_r_looks_again_and_esc_closes() -> None:
    async with opened(standing()) as (app, session, pilot):
        await press(pilot, "D")
        session.stands = Ladder("mature", (items()[0],), ("helpdesk",))
        await press(pilot, "r")
        assert "Mature  helpdesk" in screen(app)
        assert "Every item of the ladder is met." in screen(app)
        assert len(commands(session, "ladder")) == 2
        await press(pilot, "escape")
        assert "Mature  helpdesk" not in screen(app)


async def test_what_goes_wrong_is_a_sentence() -> None:
    session = standing()
    session.fails = "the files have mistakes"
    async with opened(session) as (app, _, pilot):
        await press(pilot, "D")
        assert "the files have mistakes" in screen(app)
        session.fails = None
        await press(pilot, "r")
        assert "Starting  helpdesk" in screen(app)


async def test_it_opens_from_every_screen() -> None:
    async with opened(standing()) as (app, _, pilot):
        for key in "2345":
            await press(pilot, key, "D")
            assert "Starting  helpdesk" in screen(app), key
            await press(pilot, "escape")
