"""A line to type in above the keys, for one answer: a note, a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual import events
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static


class TypedRow(Horizontal):
    """`note on refund-window  the law says so`. `enter` gives the text, `esc` leaves all as it was.

    Args:
        mark: what is typed, at the left.
        text: what is there already.
        then: called with the text, or with None after `esc`.
    """

    def __init__(self, mark: str, then: Callable[[str | None], None], *, text: str = "", hint: str) -> None:
        super().__init__(id="typed-row")
        self._mark, self._text, self._hint = mark, text, hint
        self._then = then

    def compose(self) -> Iterator[Widget]:
        yield Static(Content(self._mark), classes="prompt-mark")
        line = Input(self._text, placeholder=self._hint, classes="prompt-line", compact=True)
        line.cursor_blink = False
        yield line

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._then(event.value)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self._then(None)
