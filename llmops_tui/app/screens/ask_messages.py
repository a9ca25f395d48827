"""A sheet over the Trace: the messages of one model call, edited and asked again beside the original."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from llmops_tui.app.lines import EMPTY, Line, shown, shown_line, wrap
from llmops_tui.app.output_lines import Layout, Side, layout
from llmops_tui.app.output_text import OutputDoc, TrialDiff, facts, output_text
from llmops_tui.app.screens.copying import Copying
from llmops_tui.app.screens.frame import estimate_words, sentence
from llmops_tui.app.trace_state import answer_text
from llmops_tui.app.widgets.input_box import InputBox
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.app.widgets.output_pane import SPLIT_FROM
from llmops_tui.domain import message_text
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.prose_diff import diff
from llmops_tui.domain.trace import Span
from llmops_tui.engine.events import AskFirst, RunRequest
from llmops_tui.engine.trace_events import MessagesAnswer, MessagesRequest

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp


class AskMessages(ModalScreen[Any], Copying):
    """`ctrl+s` asks what is typed. Gives the text as it stands when it is closed; no file is touched.

    Args:
        request: what was asked then, as it would be asked again.
        step: the model call that it is of.
        text: the messages as they were edited before; None: as they were sent.
    """

    AUTO_FOCUS = "#messages"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s,f5,ctrl+enter", "ask", show=False),
        Binding("ctrl+r", "ask_further", show=False),
        Binding("ctrl+o", "stop", show=False),
        Binding("y", "copy", show=False),
        Binding("Y", "save_copy", show=False),
        Binding("j,down", "move('down')", show=False),
        Binding("k,up", "move('up')", show=False),
        Binding("ctrl+d,pagedown,space", "move('half_down')", show=False),
        Binding("ctrl+u,pageup", "move('half_up')", show=False),
        Binding("g,home", "move('top')", show=False),
        Binding("G,end", "move('bottom')", show=False),
        Binding("q", "leave", show=False),
    ]

    def __init__(self, request: MessagesRequest, step: Span, text: str | None = None) -> None:
        super().__init__()
        self._text = message_text.written(request.messages) if text is None else text
        self._request = request
        self._original = shown(answer_text(step))
        self._asked: MessagesRequest | None = None
        self._priced: MessagesRequest | None = None
        self._answer: MessagesAnswer | None = None
        self._trial = TrialDiff("", None, self._original, None)
        self._waiting: Future[MessagesAnswer] | None = None
        self._number = 0

    @property
    def session(self) -> Any:
        return cast("LlmopsApp", self.app).session

    def compose(self) -> ComposeResult:
        sheet = Vertical(classes="sheet -large", id="ask-messages")
        sheet.border_title = Content("Edit and ask · ctrl+s asks, esc closes")
        with sheet:
            box = InputBox("messages", self._text, id="messages")
            box.add_class("pane")
            box.title(f"Messages to {shown_line(self._request.model)}")
            yield box
            answer = LinePane("Answer", id="new-answer")
            answer.add_class("pane")
            yield answer

    def on_mount(self) -> None:
        self._fit()
        self._show()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """The messages have half of the sheet at most."""
        box = self.box
        box.least, box.most = 4, max((self.app.size.height - 4) // 2 - 1, 3)
        box.fit()

    @property
    def box(self) -> InputBox:
        return self.query_one("#messages", InputBox)

    @property
    def pane(self) -> LinePane:
        return self.query_one("#new-answer", LinePane)

    # -- asking

    def action_ask(self) -> None:
        self._ask(0)

    def action_ask_further(self) -> None:
        self._ask(self._asked.trial + 1 if self._asked is not None else 0)

    def _ask(self, trial: int) -> None:
        try:
            messages = message_text.read(self.box.text)
        except UsageError as error:
            self.say(sentence(error), problem=True)
            return
        agreed = self._priced is not None and self._priced.messages == messages
        self._number += 1
        request = msgspec.structs.replace(
            self._request, messages=messages, trial=trial, number=self._number, agreed=agreed
        )
        self._asked, self._answer, self._priced = request, None, None
        self._waiting = self.session.ask_messages(request)
        self.run_worker(self._wait(self._waiting, request), exclusive=True, exit_on_error=True)
        self._show()

    async def _wait(self, future: Future[MessagesAnswer], request: MessagesRequest) -> None:
        try:
            answer = await asyncio.wrap_future(future)
        except Exception as error:  # whatever the engine met is told, and the app goes on
            answer = MessagesAnswer(request.number, failure=sentence(error))
        if self._asked is not request:
            return
        if answer.output is not None:
            new = shown(output_text(answer.output))
            compared = await asyncio.to_thread(diff, self._original, new)
            words = facts(answer.output) + (" · answered before" if answer.cached else "")
            self._trial = TrialDiff("", compared, self._original, new, "", words)
        if answer.estimate is not None:
            self._priced = request
        self._waiting, self._answer = None, answer
        self._show()
        if answer.output is not None:
            self.pane.focus()

    def action_stop(self) -> None:
        if self._waiting is not None:
            self.session.stop_asking()
            self._asked = self._waiting = None
            self._show()

    def action_leave(self) -> None:
        if self._waiting is not None:
            self.session.stop_asking()
        self.dismiss(self.box.text)

    # -- the answer

    def _show(self) -> None:
        pane, answer = self.pane, self._answer
        if self._waiting is not None:
            pane.title("Answer · asked …")
        elif answer is not None and answer.output is not None:
            pane.title("Answer · the original beside the new one")
        else:
            pane.title("Answer · the original")
        pane.show(self._lines)

    def _lines(self, width: int) -> list[Line]:
        answer, out = self._answer, list[Line]()
        if answer is not None and answer.failure:
            out += [*wrap(((f"✗ {shown_line(answer.failure)}", "error"),), width, 2), EMPTY]
        if answer is not None and answer.estimate is not None:
            price = estimate_words(AskFirst(RunRequest(self._request.config), answer.estimate, answer.why))
            out += [*wrap(((f"{price}. ctrl+s once more asks.", "warning"),), width, 2), EMPTY]
        if answer is None or answer.output is None:
            trial = TrialDiff("", None, self._original, None)
        else:
            trial = self._trial
        laid: Layout = layout(
            OutputDoc((), (trial,), 0),
            Side("original"),
            Side("edited"),
            width,
            split=self.app.size.width >= SPLIT_FROM,
        )
        return [*out, *laid.lines]

    def action_move(self, where: str) -> None:
        self.pane.move(where)

    def copyable(self) -> tuple[str, str] | None:
        answer = self._answer
        if answer is not None and answer.output is not None:
            return "the new answer", output_text(answer.output)
        return ("the original answer", self._original) if self._original else None
