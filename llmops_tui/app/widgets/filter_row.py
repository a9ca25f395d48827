"""A line to type in above the keys: the filter of the cases, the label of a version."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from llmops_tui.app.messages import FilterChanged


class FilterRow(Horizontal):
    """`/ tag:refunds is:regressed     3 of 20`. `enter` keeps the text, `esc` clears it."""

    def __init__(self, text: str = "", *, mark: str = "/", hint: str = "") -> None:
        super().__init__(id="filter-row")
        self._text, self._mark = text, mark
        self._hint = hint or "tag:refunds  is:open  is:regressed  score<0.5  any text (also inside outputs)"

    def compose(self) -> Iterator[Widget]:
        yield Static(Content(self._mark), classes="prompt-mark")
        line = Input(self._text, placeholder=self._hint, classes="prompt-line", compact=True)
        line.cursor_blink = False
        yield line
        yield Static(Content(""), classes="prompt-says")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def say(self, text: str) -> None:
        """What became of it, at the right; nothing where the row is only coming, or already going."""
        for says in self.query(".prompt-says").results(Static):
            says.update(Content(text))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._text:
            self._text = event.value
            self.post_message(FilterChanged(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(FilterChanged(event.value, done=True))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.post_message(FilterChanged("", done=True))
        elif event.key in ("down", "up"):
            event.stop()
            self.post_message(FilterChanged(self._text, done=True))
