"""A sheet that makes a case of an input or of a live request: its id, what is expected, tags, the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
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

Keep = Callable[[NewCase, str], "Future[tuple[str, str]]"]


class KeepCase(ModalScreen[Any]):
    """Gives (id, file) of the case that was written, or None.

    Args:
        values: what it asks.
        ids: those that are taken.
        files: that it may go into, the first one chosen.
        answer: what was answered; None: nothing was.
        draft: what else the case has: an id and tags to begin with, where it came from.
        notes: sentences above it; untrusted.
        keep: writes it; the playground's way where it is None.
    """

    AUTO_FOCUS = "#case-id"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s,f5", "keep", show=False),
        Binding("ctrl+n", "next_file", show=False),
        Binding("ctrl+t", "take_answer", show=False),
    ]

    def __init__(
        self,
        values: dict[str, Any],
        ids: tuple[str, ...],
        files: tuple[str, ...],
        answer: str | None,
        *,
        draft: NewCase | None = None,
        notes: Sequence[str] = (),
        keep: Keep | None = None,
    ) -> None:
        super().__init__()
        self._files, self._answer, self._notes, self._keep = files, answer, notes, keep
        self._file = 0
        self._draft = draft or NewCase(suggested_id(values, ids), values)
        self._busy = False

    def compose(self) -> ComposeResult:
        sheet = Vertical(classes="sheet", id="keep-case")
        sheet.border_title = Content("Keep as a case · ctrl+s writes it, esc closes")
        with sheet:
            for note in self._notes:
                yield Static(Content(shown_line(note)), classes="case-note")
            yield from self._row(
                "id", Input(self._draft.id, id="case-id", classes="prompt-line", compact=True)
            )
            known, hint = ", ".join(self._draft.tags), "apart by commas"
            tags = Input(known, placeholder=hint, id="case-tags", classes="prompt-line", compact=True)
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
        id_ = self.query_one("#case-id", Input).value
        new = msgspec.structs.replace(self._draft, id=id_, expected=expected, tags=tags)
        self._busy = True
        keep = self._keep or cast("LlmopsApp", self.app).session.keep_case
        future = keep(new, self._files[self._file])

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
