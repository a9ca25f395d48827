"""The text of an answer while it comes, for the jobs that want to see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmops_tui.domain import messages as m
from llmops_tui.domain.redact import Redactor
from llmops_tui.domain.safe_text import whole_text

#: Pieces of this time are told together: nobody reads faster, and every message costs.
EVERY_S = 0.1


class TokenStream:
    """One request's text, told piece by piece; secrets never leave, wherever the provider cuts them.

    What might be the beginning of a secret is held back until more has come.
    """

    def __init__(self, send: Callable[[m.FromWorker], None], redactor: Redactor) -> None:
        self._send = send
        self._redactor = redactor
        self._jobs: list[int] = []
        self._told: list[str] = []
        self._held: list[str] = []
        self._later: asyncio.TimerHandle | None = None
        self._void = False

    def join(self, job: int) -> None:
        """Another job wants to see it: from the start."""
        self._jobs.append(job)
        if text := "".join(self._told):
            self._send(m.Token(job, text, anew=True))
        self._tell_soon()

    def add(self, text: str) -> None:
        """A piece has come. The first one is told at once."""
        self._held.append(text)
        self._tell_soon()

    def restart(self) -> None:
        """The request is sent again: the text begins anew."""
        self._void = self._void or bool(self._told)
        self._told, self._held = [], []

    def end(self, *, complete: bool) -> None:
        """No more comes. What is held back is told where the text is whole, dropped where it is not."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if complete:
            self._tell(whole=True)

    def _tell_soon(self) -> None:
        if self._jobs and self._held and self._later is None:
            self._tell()
            self._later = asyncio.get_running_loop().call_later(EVERY_S, self._tell_again)

    def _tell_again(self) -> None:
        self._later = None
        self._tell_soon()

    def _tell(self, *, whole: bool = False) -> None:
        text = "".join(self._held)
        end = len(text) if whole else self._redactor.settled(text)
        if not whole and end and "\ud800" <= text[end - 1] <= "\udbff":
            end -= 1  # half of a character: the other half is to come
        self._held = [text[end:]] if end < len(text) else []
        ready = whole_text(self._redactor.redact(text[:end]))
        if not ready:
            return
        self._told.append(ready)
        for job in self._jobs:
            self._send(m.Token(job, ready, self._void))
        self._void = False
