"""A session as the app has it: events are taken one by one, and saves are made as editors make them."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from llmops_tui.engine.events import Compared, Event
from llmops_tui.engine.session import Session

E = TypeVar("E")
PATIENCE_S = 30.0


class Screen:
    """Takes events as the app does, and waits for one of a kind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.session = Session(root)
        self.seen: list[Event] = []
        self._events: queue.Queue[Event] = queue.Queue()

    def start(self) -> Screen:
        self.session.start(self._events.put)
        return self

    def wait(self, kind: type[E], matching: Callable[[E], bool] = lambda _: True) -> E:
        while True:
            event = self._events.get(timeout=PATIENCE_S)
            self.seen.append(event)
            if isinstance(event, kind) and matching(event):
                return event

    def save(self, file: str, old: str, new: str) -> None:
        """As editors do: write beside, then rename."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        beside = path.with_name(".save.tmp")
        beside.write_text(text.replace(old, new), encoding="utf-8")
        beside.replace(path)


Open = Callable[..., Screen]


def settled(event: Compared) -> bool:
    return all(not p.pending for p in event.comparison.pairs) and bool(event.comparison.pairs)
