"""The outputs of a case, side by side or inline."""

from __future__ import annotations

from llmops_tui.app.lines import Line, wrap
from llmops_tui.app.output_lines import Layout, Side, layout
from llmops_tui.app.output_text import OutputDoc
from llmops_tui.app.widgets.text_pane import TextPane

#: Under this width of the terminal outputs stand below each other unless asked otherwise.
SPLIT_FROM = 120


#: Width, side by side or not, wrapped or not.
Room = tuple[int, bool, bool]


class OutputPane(TextPane):
    """Shows an `OutputDoc`. `split` is None until the person chooses: the width decides then."""

    BINDING_GROUP_TITLE = "Output"

    def __init__(self, *, id: str) -> None:
        super().__init__("Output", id=id)
        self.split: bool | None = None
        self.doc: OutputDoc | None = None
        self.sides = (Side(""), Side(""))
        self.says = ""
        self._hunks: tuple[int, ...] = ()
        self._ready: tuple[Room, Layout] | None = None

    @property
    def room(self) -> Room:
        """What a layout depends on besides the text."""
        return self.scrollable_content_region.width, self.is_split, self.wrapped

    def show(
        self, doc: OutputDoc, sides: tuple[Side, Side], ready: tuple[Room, Layout], *, keep: bool = False
    ) -> None:
        """Show a case.

        Args:
            ready: its layout, made off the UI thread, and the room it was made for.
            keep: it is the same case as before: stay where the person has scrolled to.
        """
        self.doc, self.sides, self.says, self._ready = doc, sides, "", ready
        self.lay_out(keep=keep)

    def say(self, text: str) -> None:
        """Show a sentence in place of outputs."""
        self.doc, self.says = None, text
        self.lay_out()

    @property
    def is_split(self) -> bool:
        if self.split is not None:
            return self.split
        return self.app.size.width >= SPLIT_FROM

    def toggle_split(self) -> None:
        self.split = not self.is_split
        self.lay_out(keep=True)

    def compose_lines(self, width: int) -> list[Line]:
        if self.doc is None:
            self._hunks = ()
            return wrap(((self.says, "dim"),), width) if self.says else []
        if self._ready is not None and self._ready[0] == (width, self.is_split, self.wrapped):
            laid = self._ready[1]
        else:
            laid = layout(self.doc, *self.sides, width, split=self.is_split, wrapped=self.wrapped)
        self._hunks = laid.hunks
        return list(laid.lines)

    def hunk(self, step: int) -> bool:
        """Scroll to the next or previous change; False where there is none further on."""
        top = self.scroll_offset.y
        last = max(len(self.lines) - self.size.height, 0)
        if step > 0:
            target = next((h for h in self._hunks if h > top and top < last), None)
        else:
            target = next((h for h in reversed(self._hunks) if h < top), None)
        if target is None:
            return False
        self.scroll_to(y=target, animate=False, immediate=True)
        return True
