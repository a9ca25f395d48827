"""What widgets and the engine tell the screens."""

from __future__ import annotations

from typing import Any

from textual.message import Message

from llmops_tui.app.arranged import Arranged
from llmops_tui.engine.events import Event


class EngineEvent(Message):
    """Something the engine said, brought over to the app's own thread.

    `arranged` is the comparison of a `Compared`, made ready on the way.
    """

    def __init__(self, event: Event, arranged: Arranged | None = None) -> None:
        super().__init__()
        self.event = event
        self.arranged = arranged


class CursorMoved(Message):
    """The cursor of a list stands on another row. `key` is None where the list is empty."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.key = key


class RowOpened(Message):
    """A row was clicked a second time, or opened with `enter`."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.key = key


class FilterChanged(Message):
    """The person typed in the filter bar. `done` with `enter`; `text` is empty after `esc`."""

    def __init__(self, text: str, done: bool = False) -> None:
        super().__init__()
        self.text = text
        self.done = done


class LaidOut(Message):
    """A pane has made its lines anew; it may want more or less room."""
