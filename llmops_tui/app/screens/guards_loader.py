"""Brings figures and queues of guardrails onto the screen: one reading at a time, the newest wish first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from llmops_tui.app.lines import shown_line
from llmops_tui.app.screens.frame import sentence

if TYPE_CHECKING:
    from llmops_tui.app.screens.guards import GuardsScreen

Part = Literal["figures", "items", "trials"]
ALL: tuple[Part, ...] = ("figures", "items", "trials")


class GuardsLoader:
    """Asks the session; what comes too late for what is set now is not shown."""

    def __init__(self, screen: GuardsScreen) -> None:
        self._screen = screen
        self._wanted: set[Part] = set()
        self.is_busy = False
        #: When figures were read last, Unix seconds.
        self.read_at = 0.0

    def want(self, *parts: Part) -> None:
        """Read these anew."""
        self._wanted |= set(parts)
        if not self.is_busy:
            self.is_busy = True
            self._screen.run_worker(self._work(), group="guards", exit_on_error=True)

    async def _work(self) -> None:
        try:
            while self._wanted:
                part = next(part for part in ALL if part in self._wanted)
                self._wanted.discard(part)
                try:
                    await self._one(part)
                except Exception as error:  # whatever was met is told, and the app goes on
                    self._wanted.clear()
                    self._screen.show_problem(shown_line(sentence(error)))
        finally:
            self.is_busy = False

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
