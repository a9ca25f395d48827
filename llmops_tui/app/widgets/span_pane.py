"""One step in full, with the places that a search has found."""

from __future__ import annotations

import re

from llmops_tui.app.lines import Line, wrap
from llmops_tui.app.span_lines import FOUND, Parts, Room, lay
from llmops_tui.app.widgets.text_pane import TextPane


class SpanPane(TextPane):
    """Shows the `Parts` of a step."""

    BINDING_GROUP_TITLE = "Step"

    def __init__(self, *, id: str) -> None:
        super().__init__("Step", id=id)
        self.parts: Parts = ()
        self.wanted: re.Pattern[str] | None = None
        self.says = ""
        self.matches: tuple[int, ...] = ()
        self.match = -1
        self._ready: tuple[Room, list[Line]] | None = None

    @property
    def room(self) -> Room:
        """What a layout depends on besides the parts."""
        return self.scrollable_content_region.width, self.wrapped, self.wanted

    def show(self, parts: Parts, ready: tuple[Room, list[Line]] | None = None, *, keep: bool = False) -> None:
        """Show a step.

        Args:
            ready: its layout, made off the UI thread, and the room it was made for.
            keep: it is the same step as before: stay where the person has scrolled to.
        """
        self.parts, self.says, self._ready = parts, "", ready
        self.match = self.match if keep else -1
        self.lay_out(keep=keep)

    def say(self, text: str) -> None:
        """Show a sentence in place of a step."""
        self.parts, self.says, self._ready = (), text, None
        self.lay_out()

    def compose_lines(self, width: int) -> list[Line]:
        if not self.parts:
            lines = wrap(((self.says, "dim"),), width) if self.says else []
        elif self._ready is not None and self._ready[0] == (width, self.wrapped, self.wanted):
            lines = self._ready[1]
        else:
            lines = lay(self.parts, width, wrapped=self.wrapped, wanted=self.wanted)
        self.matches = ()
        if self.wanted is not None:
            self.matches = tuple(
                n for n, line in enumerate(lines) if any(style == FOUND for _, style in line)
            )
        return lines

    def next_match(self, step: int) -> bool:
        """Scroll to the next or previous match; False where there is none further on."""
        at = self.match + step
        if self.match < 0:
            at = 0 if step > 0 else len(self.matches) - 1
        if not 0 <= at < len(self.matches):
            return False
        self.match = at
        y = max(self.matches[at] - self.size.height // 3, 0)
        self.scroll_to(y=y, animate=False, immediate=True)
        return True
