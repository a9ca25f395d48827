"""The answers of the playground: as they come, then compared."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import work

from llmops_tui.app import playground_lines
from llmops_tui.app.lines import Line, shown_line, wrap
from llmops_tui.app.playground_state import PlaygroundState
from llmops_tui.app.status import Status
from llmops_tui.app.widgets.text_pane import TextPane
from llmops_tui.domain.prose_diff import Diff

#: Under this width of the terminal answers stand below each other unless asked otherwise.
SPLIT_FROM = 100


class AnswersPane(TextPane):
    """Draws a `PlaygroundState`. `problem` says why it can't be asked at all."""

    BINDING_GROUP_TITLE = "Answers"

    def __init__(self, state: PlaygroundState, status: Status, *, id: str) -> None:
        super().__init__("Answers", id=id)
        self.add_class("pane")
        self.problem = ""
        self._state, self._status = state, status
        self._split: bool | None = None
        self._diffs: dict[int, Diff] = {}
        self._diffs_of = -1
        self._drawn: tuple[Any, ...] = ()
        self._shown_number = -1

    @property
    def is_split(self) -> bool:
        return self._split if self._split is not None else self.app.size.width >= SPLIT_FROM

    def toggle_split(self) -> None:
        """Beside each other, or below."""
        self._split = not self.is_split
        self.follow()

    def follow(self) -> None:
        """Draw what is new; where the person has scrolled to stays."""
        state = self._state
        columns = list(state.columns())
        price = state.sides.estimate if state.sides is not None else None
        title = playground_lines.title(columns, state.ended, state.is_asking, price)
        chosen = state.chosen()
        if chosen is not None and chosen.output is not None and any(a and b for a, b in columns):
            title += f" · y copies {chosen.version}"
        now = (title, columns, state.ended, self._diffs_of, self.is_split, self._says())
        if now != self._drawn:
            self._drawn = now
            self.title(title)
            keep, self._shown_number = state.number == self._shown_number, state.number
            self.lay_out(keep=keep)
        if state.ended is not None and not state.ended.problem and self._diffs_of != state.number:
            self._compare(state.number, columns)

    @work(exclusive=True, group="compare")
    async def _compare(self, number: int, columns: list[playground_lines.Column]) -> None:
        """Off the UI thread: long texts take a while."""
        self._diffs = await asyncio.to_thread(playground_lines.compared, columns)
        self._diffs_of = number
        self.follow()

    def compose_lines(self, width: int) -> list[Line]:
        state = self._state
        says = self._says()
        if says is not None:
            text, style = says
            return [row for line in text.split("\n") for row in wrap(((line, style),), width)]
        diffs = self._diffs if self._diffs_of == state.number else {}
        return playground_lines.lines(list(state.columns()), diffs, state.ended, width, split=self.is_split)

    def _says(self) -> tuple[str, str] | None:
        """Sentences in place of answers, and their style."""
        state = self._state
        if state.ended is not None and state.ended.problem:
            return shown_line(state.ended.problem), "error"
        if state.answers:
            return None
        if self.problem:
            return shown_line(self.problem), "error"
        if self._status.viewing is not None:
            return "This app only views the workspace, and asks nothing; see the line on top.", "warning"
        if state.ended is not None and state.ended.cancelled:
            return "Nothing was asked.", "dim"
        if state.sides is None:
            return "The workspace is still being read.", "dim"
        sides = state.sides
        who = f"{sides.left} and {sides.right}" if sides.left else sides.right
        said = [shown_line(f"ctrl+s asks {who}; ctrl+t keeps the input as a case.")]
        return "\n".join([*said, *map(playground_lines.as_sentence, sides.said)]), "dim"
