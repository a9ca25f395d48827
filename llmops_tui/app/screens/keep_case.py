"""A sheet that makes a case of an input: its id, what is expected, tags, and the file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from llmops_tui.app.lines import shown_line
from llmops_tui.app.screens.frame import sentence
from llmops_tui.app.widgets.input_box import InputBox
from llmops_tui.domain.playground import NewCase, suggested_id

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp


class KeepCase(ModalScreen[Any]):
    """Gives (id, file) of the case that was written, or None."""

    AUTO_FOCUS = "#case-id"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s,f5", "keep", show=False),
        Binding("ctrl+n", "next_file", show=False),
        Binding("ctrl+t", "take_answer", show=False),
    ]

    def __init__(
        self, values: dict[str, Any], ids: tuple[str, ...], files: tuple[str, ...], answer: str | None
    ) -> None:
        super().__init__()
        self._values, self._files, self._answer = values, files, answer
        self._file = 0
        self._id = suggested_id(values, ids)
        self._busy = False

    def compose(self) -> ComposeResult:
        sheet = Vertical(classes="sheet", id="keep-case")
        sheet.border_title = Content("Keep as a case · ctrl+s writes it, esc closes")
        with sheet:
            yield from self._row("id", Input(self._id, id="case-id", classes="prompt-line", compact=True))
            tags = Input(placeholder="apart by commas", id="case-tags", classes="prompt-line", compact=True)
            yield from self._row("tags", tags)
            hint = "none; ctrl+t takes the answer over" if self._answer else "none"
            expected = InputBox("expected", hint=hint, id="case-expected")
            expected.least, expected.most = 2, 6
            yield from self._row("expected", expected)
            yield Static(id="case-file")
            yield Static(id="case-says")

    def _row(self, name: str, field: Widget) -> ComposeResult:
        yield Static(Content(name), classes="field-name")
        yield field

    def on_mount(self) -> None:
        for line in self.query(Input):
            line.cursor_blink = False
        self._show_file()

    def _show_file(self) -> None:
        more = "  (ctrl+n: another file)" if len(self._files) > 1 else ""
        text = f"into  {shown_line(self._files[self._file])}{more}"
        self.query_one("#case-file", Static).update(Content(text))

    def action_next_file(self) -> None:
        self._file = (self._file + 1) % len(self._files)
        self._show_file()

    def action_take_answer(self) -> None:
        if self._answer is None:
            self._say("This input was not answered yet; ask it first.")
            return
        expected = self.query_one("#case-expected", InputBox)
        expected.set_text(self._answer)
        expected.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """`enter` goes on; it writes nothing."""
        event.stop()
        self.focus_next()

    def _say(self, text: str) -> None:
        self.query_one("#case-says", Static).update(Content(shown_line(text)))

    def action_keep(self) -> None:
        if self._busy:
            return
        tags = tuple(t.strip() for t in self.query_one("#case-tags", Input).value.split(",") if t.strip())
        expected = self.query_one("#case-expected", InputBox).text or None
        new = NewCase(self.query_one("#case-id", Input).value, self._values, expected, tags)
        self._busy = True
        future = cast("LlmopsApp", self.app).session.keep_case(new, self._files[self._file])

        async def wait() -> None:
            try:
                kept = await asyncio.wrap_future(future)
            except Exception as error:  # told where it can be mended
                self._say(sentence(error))
            else:
                self.dismiss(kept)
            finally:
                self._busy = False

        self.run_worker(wait(), exit_on_error=True)
