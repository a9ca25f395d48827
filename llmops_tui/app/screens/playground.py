"""The playground: type or paste an input, and see what the baseline and what is on disk answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from llmops_tui.app.actions import Action, bindings
from llmops_tui.app.lines import shown_line
from llmops_tui.app.model import Model
from llmops_tui.app.screens.bench import BenchScreen
from llmops_tui.app.screens.frame import Frame, sentence
from llmops_tui.app.widgets.answers_pane import AnswersPane
from llmops_tui.app.widgets.input_box import InputBox
from llmops_tui.domain.case import Case
from llmops_tui.domain.configuration import Workspace
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.playground import Variable, lacking, values_of
from llmops_tui.engine.events import PlaygroundSides


class PlaygroundScreen(Frame, inherit_bindings=False):
    """A box for each variable of the prompt, and both answers below."""

    SCOPE = "playground"
    BINDINGS = bindings("playground")
    AUTO_FOCUS = ""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.state = model.playground
        self._read_for: tuple[int, str | None, str | None] | None = None
        self._workspace: Workspace | None = None
        self._early = ""
        self._focused_by_question = False

    def compose_panes(self) -> ComposeResult:
        with Vertical(id="panes"):
            yield VerticalScroll(id="inputs", can_focus=False)
            yield AnswersPane(self.state, self.model.status, id="answers")

    def on_mount(self) -> None:
        if self.state.is_untouched and (case := self.bench_case) is not None:
            self.state.fill(case.vars)
        self._show_boxes()
        self.follow()

    @property
    def answers(self) -> AnswersPane:
        return self.query_one("#answers", AnswersPane)

    @property
    def boxes(self) -> list[InputBox]:
        return list(self.query(InputBox))

    @property
    def bench_case(self) -> Case | None:
        """The case under the cursor of the Bench."""
        configuration = self.model.status.configuration
        front = next((s for s in self.owner.screen_stack if isinstance(s, BenchScreen)), None)
        pair = front.pair if front is not None else None
        if configuration is None or pair is None:
            return None
        return next((case for case in configuration.cases if case.id == pair.case_id), None)

    def on_key(self, event: events.Key) -> None:
        """What is typed before the boxes are there is meant for them, and is no command."""
        reading = self.state.sides is None and not self.answers.problem and self.model.status.viewing is None
        if reading and not self.boxes and event.is_printable and event.character:
            self._early += event.character
            event.stop()

    # -- following the model

    def follow(self) -> None:
        super().follow()
        # By identity: each save gives another workspace, and to compare them would take long.
        status = self.model.status
        wanted = (id(status.workspace), status.config, self.model.chosen[0])
        if self.owner.is_engine_up and wanted != self._read_for:
            self._read_for, self._workspace = wanted, status.workspace
            self._read(self.owner.session.playground(self.model.chosen[0]))
        if self.question is not None and isinstance(self.focused, InputBox):
            # What is typed on must not answer it.
            self._focused_by_question = True
            self.answers.focus()
        elif self.question is None:
            self._back_to_input()
        self.answers.follow()

    def answer(self, yes: bool) -> bool:
        had_one = super().answer(yes)
        if had_one and self.question is None:
            self._back_to_input()
        return had_one

    def _back_to_input(self) -> None:
        if self._focused_by_question:
            self._focused_by_question = False
            if self.boxes:
                self.boxes[0].focus()

    def _read(self, future: Future[PlaygroundSides]) -> None:
        """What would be asked: read at the start, and after each save."""

        async def wait() -> None:
            try:
                self.state.sides = await asyncio.wrap_future(future)
            except Exception as error:  # whatever the engine met is told, and the app goes on
                self.answers.problem = sentence(error)
            else:
                self.answers.problem = ""
                self._show_boxes()
                if not self.state.variables():
                    self.answers.focus()
            self.answers.follow()

        self.run_worker(wait(), exclusive=True, group="sides", exit_on_error=True)

    def _show_boxes(self) -> None:
        """One box a variable; those that are there keep their text and the cursor."""
        state = self.state
        wanted = state.variables()
        if [box.variable for box in self.boxes] == [v.name for v in wanted]:
            return
        if wanted and self._early:
            name, typed, self._early = wanted[0].name, self._early, ""
            state.texts[name] = state.texts.get(name, "") + typed
        inputs = self.query_one("#inputs")
        focused = self.focused.variable if isinstance(self.focused, InputBox) else None
        boxes = [self._box(v, len(wanted)) for v in wanted]

        async def change() -> None:
            await inputs.remove_children()
            await inputs.mount_all(boxes)
            box = next((b for b in boxes if b.variable == focused), boxes[0] if boxes else None)
            if box is not None and (self.focused is None or focused is not None):
                box.focus()
                box.move_cursor(box.document.end)

        self.run_worker(change(), exclusive=True, group="boxes", exit_on_error=True)

    def _box(self, variable: Variable, among: int) -> InputBox:
        hint = "type or paste an input; ctrl+s asks" if among == 1 else ""
        if not variable.required:
            hint = "may be left empty"
        box = InputBox(variable.name, self.state.texts.get(variable.name, ""), hint=hint)
        box.least = 3 if among == 1 else 1
        box.most = self._most(among)
        box.title(shown_line(variable.name) + (" · JSON" if variable.is_json else ""))
        box.add_class("pane")
        return box

    def _most(self, among: int) -> int:
        """Rows that a box may grow to: together they leave half of the screen to the answers."""
        frame = 1 if self.has_class("-short") else 2
        return max((self.app.size.height - 4) // 2 // max(min(among, 4), 1) - frame, 1)

    def on_resize(self) -> None:
        boxes = self.boxes
        for box in boxes:
            box.most = self._most(len(boxes))
            box.fit()

    def on_input_box_typed(self, message: InputBox.Typed) -> None:
        message.stop()
        self.state.texts[message.box.variable] = message.box.text

    # -- asking

    def action_ask(self) -> None:
        self._ask(further=False)

    def action_ask_further(self) -> None:
        self._ask(further=True)

    def _ask(self, *, further: bool) -> None:
        if self.question is not None:
            return
        config, values = self.model.status.config, self._values()
        if config is None or values is None:
            if config is None:
                self.say("The workspace is still being read.")
            return
        if self.model.status.viewing is not None:
            self.say("This app only views the workspace; see the line on top.")
            return
        request = self.state.ask(config, values, self.model.chosen[0], further=further)
        self.owner.session.run(request)
        self.follow()
        if request.trial:
            self.say(f"Asking once more: answer {request.trial + 1} to this input.")

    def on_descendant_focus(self) -> None:
        self.show_keys()

    def on_descendant_blur(self) -> None:
        self.show_keys()

    def _values(self) -> dict[str, Any] | None:
        """What is typed, as values; None where that does not do, which is told."""
        variables = self.state.variables()
        try:
            values = values_of(variables, {box.variable: box.text for box in self.boxes})
        except LlmopsError as error:
            self.say(sentence(error), problem=True)
            return None
        if missing := lacking(variables, values):
            self.say(f"{shown_line(missing[0])} is empty; type or paste something.", problem=True)
            box = next(b for b in self.boxes if b.variable == missing[0])
            box.focus()
            return None
        return values

    @property
    def is_busy(self) -> bool:
        return super().is_busy or self.state.is_asking

    def action_stop_asking(self) -> None:
        if self.state.is_asking:
            self._stop_asking()
        else:
            self.action_cancel_run()

    def _stop_asking(self) -> None:
        self.owner.session.stop_asking()
        # Whatever becomes of it, the next esc leaves.
        self.state.is_asking = False

    def action_back(self) -> None:
        if self.answer(False):
            return
        if self.state.is_asking:
            self._stop_asking()
        else:
            self.owner.show_screen("bench")

    # -- the input

    def action_type_input(self) -> None:
        if self.answer(True):
            return
        if self.boxes:
            self.boxes[0].focus()

    def action_next_input(self) -> None:
        boxes = self.boxes
        if not boxes:
            return
        at = boxes.index(self.focused) if isinstance(self.focused, InputBox) else -1
        boxes[(at + 1) % len(boxes)].focus()

    def action_fill_in(self) -> None:
        case = self.bench_case
        if case is None:
            self.say("There is no case under the cursor of the Bench.")
            return
        self._fill(case.vars)
        self.say(f"Filled in the case {case.id}.")

    def action_asked_before(self) -> None:
        from llmops_tui.app.screens.chooser import Choice, Chooser

        if not self.state.remembered:
            self.say("Nothing was asked yet.")
            return
        choices = [Choice(t, _one_line(t)) for t in reversed(self.state.remembered)]
        self.app.push_screen(Chooser("Asked before", choices), self._remember)

    def _remember(self, texts: dict[str, str] | None) -> None:
        if texts is not None:
            self._fill(texts)

    def _fill(self, values: dict[str, Any]) -> None:
        self.state.fill(values)
        for box in self.boxes:
            box.set_text(self.state.texts.get(box.variable, ""))
        self._show_boxes()

    # -- looking and keeping

    def action_split(self) -> None:
        self.answers.toggle_split()

    def action_other_side(self) -> None:
        self.state.other_side()
        self.answers.follow()

    def copyable(self) -> tuple[str, str] | None:
        found, text = self.state.chosen(), self.state.answer_text()
        return (f"the answer of {found.version}", text) if found is not None and text else None

    def action_keep_case(self) -> None:
        from llmops_tui.app.screens.keep_case import KeepCase

        values, sides, configuration = self._values(), self.state.sides, self.model.status.configuration
        if values is None:
            return
        if self.model.status.viewing is not None or sides is None or configuration is None:
            self.say("This app can't write here now; see the lines on top.", problem=True)
            return
        bench = self.bench_case
        answer = self.state.answer_text() if values == self.state.vars else None
        first = bench.file if bench is not None and bench.file in sides.files else sides.files[0]
        files = (first, *(f for f in sides.files if f != first))
        sheet = KeepCase(values, tuple(case.id for case in configuration.cases), files, answer)
        self.app.push_screen(sheet, self._kept)

    def _kept(self, kept: tuple[str, str] | None) -> None:
        if kept is not None:
            self.say(f"Kept as case {kept[0]} in {kept[1]}.", long=True)

    def means_something(self, action: Action) -> bool:
        if action.id == "playground":
            return False
        if isinstance(self.focused, InputBox) and not any(len(k) > 1 for k in action.keys):
            return False  # it would be typed
        if action.id in ("help", "other_side", "split") and isinstance(self.focused, InputBox):
            return False
        if action.id == "next_input":
            return len(self.boxes) > 1
        if action.id == "stop_asking":
            return self.is_busy
        if action.id in ("ask_further", "other_side"):
            return bool(self.state.answers) and not self.state.is_asking
        return super().means_something(action)


def _one_line(texts: dict[str, str]) -> str:
    parts = [text if len(texts) == 1 else f"{name}: {text}" for name, text in texts.items() if text]
    return shown_line("  ".join(parts))[:200]
