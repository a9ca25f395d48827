"""Opens the app on a fake session, and reads the screen as a person does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fake_session import FakeSession
from made_up import NOW
from textual.pilot import Pilot

from llmops_tui.app.app import LlmopsApp
from llmops_tui.app.settings import Settings

WIDE, SMALL = (120, 40), (80, 24)


@asynccontextmanager
async def opened(
    session: FakeSession | None = None,
    size: tuple[int, int] = WIDE,
    settings: Settings | None = None,
    arm_after_s: float = 0.0,
) -> AsyncIterator[tuple[LlmopsApp, FakeSession, Pilot[Any]]]:
    """The app, its session and a pilot, once everything that was asked for is on screen."""
    fake = session or FakeSession(Path("/nowhere/helpdesk"))
    app = LlmopsApp(
        fake, settings or Settings(theme="llmops-dark"), clock=lambda: NOW, arm_after_s=arm_after_s
    )
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield app, fake, pilot


async def settle(pilot: Pilot[Any]) -> None:
    """Until nothing is under way any more."""
    for _ in range(20):
        await pilot.pause()
        if all(worker.is_finished for worker in pilot.app.workers):
            return
        await pilot.app.workers.wait_for_complete()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    """Until something holds, or it is plain that it never will."""
    for _ in range(200):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"it never came to be on this screen:\n{screen(pilot.app)}")


def screen(app: Any) -> str:
    """The text on screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def cursor(app: Any) -> str:
    """The case under the cursor."""
    return str(app.frame.query_one("#cases").cursor[0])


def toasts(app: Any) -> str:
    """What was told in passing."""
    return "\n".join(notification.message for notification in app._notifications)


def commands(session: FakeSession, *names: str) -> list[tuple[Any, ...]]:
    """The commands of these names that the app gave."""
    return [asked for asked in session.asked if asked[0] in names]
