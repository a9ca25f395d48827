"""A small list to pick one thing from."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList


class Choice(msgspec.Struct, frozen=True):
    """What is chosen, and how it is called."""

    value: Any
    title: str


class Chooser(ModalScreen[Any]):
    """Gives the value of the choice, or None."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,q", "dismiss", show=False),
        Binding("j", "next", show=False),
        Binding("k", "previous", show=False),
    ]

    def __init__(self, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        options = OptionList(*(Content(c.title) for c in self._choices), classes="sheet", compact=True)
        options.border_title = Content(f"{self._title} · enter chooses, esc closes")
        yield options

    def action_next(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_previous(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._choices[event.option_index].value)
