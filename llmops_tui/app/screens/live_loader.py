"""Brings live figures onto the screen: one reading at a time, the newest wish first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from llmops_tui.app.live_state import LiveState
from llmops_tui.app.screens.loading import Loader

if TYPE_CHECKING:
    from llmops_tui.app.screens.live import LiveScreen

Part = Literal["figures", "plot", "requests"]
ALL: tuple[Part, ...] = ("figures", "requests", "plot")


class LiveLoader(Loader[Part]):
    def __init__(self, screen: LiveScreen) -> None:
        super().__init__(screen, ALL, "live")
        self._screen = screen

    async def _one(self, part: Part) -> None:
        screen, session = self._screen, self._screen.owner.session
        state, now = screen.state, screen.owner.clock()
        asked = _key(part, state, screen.limit)
        answer: Any
        match part:
            case "figures":
                answer = await asyncio.wrap_future(session.live_overview(state.filter_at(now), now))
                self.read_at = now
            case "plot":
                future = session.live_plot(state.filter_at(now), state.metric, state.by, now)
                answer = await asyncio.wrap_future(future)
            case "requests":
                wanted, order = state.listed_at(now), state.listing.order
                answer = await asyncio.wrap_future(session.live_requests(wanted, order, screen.limit))
        # What was set in the meantime has been wished for already.
        if asked != _key(part, screen.state, screen.limit):
            return
        match part:
            case "figures":
                screen.show_overview(answer)
            case "plot":
                screen.show_plot(answer)
            case "requests":
                screen.show_requests(answer, asked)


def _key(part: Part, state: LiveState, limit: int) -> tuple[object, ...]:
    """What an answer depends on."""
    match part:
        case "figures":
            return state.window_s, state.wanted
        case "plot":
            return state.window_s, state.wanted, state.metric, state.by
        case "requests":
            return state.window_s, state.wanted, state.listing, limit
