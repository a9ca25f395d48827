"""A box to type or paste an input in."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from llmops_tui.app.widgets.titled import Titled
from llmops_tui.domain.safe_text import clean

#: Rows of text of a box, at least and at most.
LEAST, MOST = 1, 12


class InputBox(TextArea, Titled):
    """Several lines, wrapped. `enter` is a new line; the screen's own keys send and leave."""

    class Typed(Message):
        """The text is another one."""

        def __init__(self, box: InputBox) -> None:
            super().__init__()
            self.box = box

    BINDING_GROUP_TITLE = "Input"

    def __init__(self, name: str, text: str = "", *, hint: str = "", id: str | None = None) -> None:
        super().__init__(
            text,
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            compact=True,
            placeholder=Content(hint),
        )
        self.variable = name
        self.cursor_blink = False
        self.least, self.most = LEAST, MOST

    def on_mount(self) -> None:
        self.fit()

    def render_line(self, y: int) -> Strip:
        # One that was taken away may be drawn once more, and has no styles by then.
        return super().render_line(y) if self.is_attached else Strip.blank(self.size.width)

    def on_resize(self) -> None:
        self.draw_title()
        self.fit()

    def fit(self) -> None:
        """As high as its text, between its bounds."""
        rows = min(max(self.wrapped_document.height, self.least), self.most)
        frame = self.size.height and self.outer_size.height - self.size.height
        height = rows + (frame or 2)
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def set_text(self, text: str) -> None:
        """Put a text in place of what is there."""
        if text != self.text:
            self.load_text(text)
            self.move_cursor(self.document.end)
            self.fit()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.fit()
        self.post_message(self.Typed(self))

    async def _on_paste(self, event: events.Paste) -> None:
        """What a terminal would obey is not pasted; tabs and line ends are."""
        event.prevent_default()
        event.stop()
        await super()._on_paste(events.Paste(clean(event.text)))
