"""Brings figures and queues of guardrails onto the screen: one reading at a time, the newest wish first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from llmops_tui.app.screens.loading import Loader

if TYPE_CHECKING:
    from llmops_tui.app.screens.guards import GuardsScreen

Part = Literal["figures", "items", "trials"]
ALL: tuple[Part, ...] = ("figures", "items", "trials")


class GuardsLoader(Loader[Part]):
    def __init__(self, screen: GuardsScreen) -> None:
        super().__init__(screen, ALL, "guards")
        self._screen = screen

    async def _one(self, part: Part) -> None:
        screen, session = self._screen, self._screen.owner.session
        state, now = screen.state, screen.owner.clock()
        wanted = state.filter_at(now)
        match part:
            case "figures":
                view = await asyncio.wrap_future(session.guards(wanted, now))
                self.read_at = now
                # What was set in the meantime has been wished for already.
                if (state.window_s, state.wanted) == (screen.state.window_s, screen.state.wanted):
                    screen.show_view(view)
            case "items":
                guardrail, asked = screen.guardrail, screen.listing
                if not guardrail:
                    screen.show_items((), asked)
                    return
                future = session.guard_items(guardrail, state.queue, wanted, screen.limit)
                items = await asyncio.wrap_future(future)
                if asked == screen.listing:
                    screen.asked = wanted
                    screen.show_items(items, asked)
            case "trials":
                screen.show_trials(await asyncio.wrap_future(session.guard_trials()))
