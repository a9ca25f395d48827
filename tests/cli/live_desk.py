"""The command line on a small workspace with live traffic; remembers what was printed last."""

from __future__ import annotations

from pathlib import Path

from desk import Desk


class LiveDesk:
    """`run` gives the exit code; `out` and `err` are what the last command printed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.out = self.err = ""

    @property
    def root(self) -> Path:
        return self._desk.root

    def run(self, *arguments: str) -> int:
        code, self.out, self.err = self._desk(*arguments)
        return code
