"""Titles of panes: plain text on the frame, or on the rule where there is no room for a frame."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class Titled(Widget):
    """Nothing in a title is taken for markup."""

    _title = ""

    def title(self, text: str) -> None:
        """Head the pane."""
        self._title = text
        self.draw_title()

    def draw_title(self) -> None:
        """A frame leaves a space beside its title, a rule does not."""
        text = self._title
        if text and self.is_attached and self.screen.has_class("-short"):
            text = f" {text} "
        self.border_title = Content(text or " ")
