"""Sentences for the person at the terminal, seldom."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from llmops_tui.domain.safe_text import clean_line

#: Prints one line.
Say = Callable[[str], None]


class Told:
    """Sentences for stderr: the same subject once in a while, not once for each request of a flood.

    Args:
        say: prints a line.
        every_s: of one subject.
    """

    def __init__(self, say: Say, every_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._every_s = every_s
        self._last: dict[str, float] = {}

    def __call__(self, subject: str, sentence: str) -> None:
        now = self._clock()
        last = self._last.get(subject)
        if last is None or now - last >= self._every_s:
            self._last[subject] = now
            # A log on the disk that is full, a pipe that nobody reads: no reason to stop.
            with contextlib.suppress(OSError, ValueError):
                self._say(clean_line(sentence))
