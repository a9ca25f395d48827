"""Readings for a screen: one at a time, the newest wish first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

from llmops_tui.app.lines import shown_line
from llmops_tui.app.screens.frame import sentence

PartT = TypeVar("PartT", bound=str)


class Shows(Protocol):
    """A screen that something is read for."""

    def run_worker(self, work: Any, *, group: str, exit_on_error: bool) -> Any: ...

    def show_problem(self, text: str) -> None: ...


class Loader(ABC, Generic[PartT]):
    """Asks the session; what comes too late for what is set now is not shown.

    Args:
        parts: what can be read, in the order in which it is.
        group: of the screen's workers.
    """

    def __init__(self, shows: Shows, parts: tuple[PartT, ...], group: str) -> None:
        self._shows = shows
        self._parts = parts
        self._group = group
        self._wanted: set[PartT] = set()
        self.is_busy = False
        #: When figures were read last, Unix seconds.
        self.read_at = 0.0

    def want(self, *parts: PartT) -> None:
        """Read these anew."""
        self._wanted |= set(parts)
        if not self.is_busy:
            self.is_busy = True
            self._shows.run_worker(self._work(), group=self._group, exit_on_error=True)

    async def _work(self) -> None:
        try:
            while self._wanted:
                part = next(part for part in self._parts if part in self._wanted)
                self._wanted.discard(part)
                try:
                    await self._one(part)
                except Exception as error:  # whatever was met is told, and the app goes on
                    self._wanted.clear()
                    self._shows.show_problem(shown_line(sentence(error)))
        finally:
            self.is_busy = False

    @abstractmethod
    async def _one(self, part: PartT) -> None:
        """Read one part, and show it."""
