"""What the Bench and the History have in common: lines on top, keys below, questions, files, copying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from textual.app import ComposeResult
from textual.widget import Widget

from llmops_tui.app.actions import Action, Scope, of_scope
from llmops_tui.app.lines import cut, shown_line
from llmops_tui.app.model import Model
from llmops_tui.app.screens.copying import Copying
from llmops_tui.app.widgets.key_line import KeyLine
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.app.widgets.text_pane import TextPane
from llmops_tui.app.widgets.top import Top
from llmops_tui.domain import format as fmt
from llmops_tui.domain.errors import LlmopsError, Problem
from llmops_tui.engine.events import AskFirst

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp

T = TypeVar("T")


class Question(msgspec.Struct):
    """Something that `enter` does and `esc` leaves alone.

    Attributes:
        from_event: nobody pressed a key for it: keys typed at that moment don't answer it.
    """

    text: str
    yes: Callable[[], None]
    no: Callable[[], None] | None = None
    from_event: AskFirst | None = None
    asked_at: float = 0.0


class Frame(Copying, inherit_bindings=False):
    """A screen between `Top` and `KeyLine`."""

    SCOPE: Scope = "bench"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - typed by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012 - typed by Textual
    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = ".pane"

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.question: Question | None = None

    @property
    def owner(self) -> LlmopsApp:
        return cast("LlmopsApp", self.app)

    def compose(self) -> ComposeResult:
        yield self.make_top()
        yield from self.compose_panes()
        yield KeyLine()

    def make_top(self) -> Top:
        """The lines on top."""
        return Top(self.model, self.owner.clock)

    def compose_panes(self) -> ComposeResult:
        """The panes between the lines on top and the keys."""
        raise NotImplementedError

    def follow(self) -> None:
        """Draw what the model holds now."""
        self._follow_question()
        self.query_one(Top).follow()
        self.show_keys()

    def show_keys(self) -> None:
        """The keys that mean something now, or the question that waits."""
        question = self.question.text if self.question is not None else ""
        self.query_one(KeyLine).show([a for a in self.footer_actions() if self.means_something(a)], question)

    def footer_actions(self) -> list[Action]:
        return [a for a in (*of_scope(self.SCOPE), *of_scope("everywhere")) if a.footer]

    def means_something(self, action: Action) -> bool:
        """Whether an action belongs into the footer as things stand."""
        if action.id == "cancel_run":
            return self.is_busy
        return action.id != f"show_{self.SCOPE}"

    @property
    def is_busy(self) -> bool:
        """A run is under way, or longer work."""
        return self.model.bench.running or self.model.status.working is not None

    # -- questions

    def ask(self, text: str, yes: Callable[[], None], no: Callable[[], None] | None = None) -> None:
        """Ask in the bottom line; `enter` is yes, `esc` is no."""
        self.question = Question(text, yes, no)
        self.show_keys()

    def answer(self, yes: bool) -> bool:
        """Answer the question that waits. False where there is none, or it has only just come up."""
        question = self.question
        if question is None:
            return False
        if yes and question.from_event and time.monotonic() - question.asked_at < self.owner.arm_after_s:
            return True
        self.question = None
        if question.from_event is not None:
            self.model.status.asks = None
        self.show_keys()
        act = question.yes if yes else question.no
        if act is not None:
            act()
        return True

    def _follow_question(self) -> None:
        """Show a run that waits for a yes, or take it away when it is no longer wanted."""
        asks = self.model.status.asks
        current = self.question.from_event if self.question is not None else None
        if asks is current:
            return
        if asks is None:
            self.question = None
        else:
            agreed = msgspec.structs.replace(asks.request, agreed=True)
            self.question = Question(
                estimate_words(asks),
                lambda: self.owner.session.run(agreed),
                from_event=asks,
                asked_at=time.monotonic(),
            )

    # -- the engine's answers

    def when_done(
        self, future: Future[T], act: Callable[[T], None], otherwise: Callable[[], None] | None = None
    ) -> None:
        """Do something with a query's answer, on the app's thread; an error is told.

        Args:
            otherwise: done after an error.
        """

        async def wait() -> None:
            try:
                result = await asyncio.wrap_future(future)
            except Exception as error:  # whatever the engine met is told, and the app goes on
                self.say(sentence(error), problem=True)
                if otherwise is not None:
                    otherwise()
            else:
                act(result)

        self.run_worker(wait(), exit_on_error=True)

    # -- panes

    def pane(self) -> RowList | TextPane | None:
        """The focused pane."""
        focused = self.focused
        return focused if isinstance(focused, (RowList, TextPane)) else None

    def action_move(self, where: str) -> None:
        pane = self.pane()
        if pane is not None:
            pane.move(where)

    def action_down(self) -> None:
        self.action_move("down")

    def action_up(self) -> None:
        self.action_move("up")

    def action_top(self) -> None:
        self.action_move("top")

    def action_bottom(self) -> None:
        self.action_move("bottom")

    def action_half_down(self) -> None:
        self.action_move("half_down")

    def action_half_up(self) -> None:
        self.action_move("half_up")

    def action_next_pane(self) -> None:
        self.focus_next(".pane")

    def action_previous_pane(self) -> None:
        self.focus_previous(".pane")

    @property
    def zoomed(self) -> str:
        """The class that says which pane has all of the room; empty where none has."""
        return next((c for c in self.classes if c.startswith("-zoom-")), "")

    def to_zoom(self) -> str:
        """Id of the pane that would have it; empty: none would."""
        return (self.focused.id or "") if self.focused is not None else ""

    def action_zoom(self) -> None:
        if self.zoomed:
            self.remove_class(self.zoomed)
        elif pane := self.to_zoom():
            self.add_class(f"-zoom-{pane}")

    # -- what both screens can do

    def action_show_bench(self) -> None:
        self.owner.show_screen("bench")

    def action_show_history(self) -> None:
        self.owner.show_screen("history")

    def action_show_verdict(self) -> None:
        from llmops_tui.app.screens.verdict import VerdictSheet

        self.app.push_screen(VerdictSheet(self.model))

    def action_show_matrix(self) -> None:
        self.owner.show_screen("matrix")

    def action_show_trace(self) -> None:
        self.owner.show_screen("trace")

    def action_show_live(self) -> None:
        self.owner.show_screen("live")

    def action_show_guards(self) -> None:
        self.owner.show_screen("guards")

    def action_default_pair(self) -> None:
        self.owner.choose_pair(None, None)

    def action_cancel_run(self) -> None:
        if self.is_busy:
            self.owner.session.cancel()
            self.say("Cancelling; what is done is kept.")
        else:
            self.say("Nothing is running.")

    def action_toggle_watching(self) -> None:
        status = self.model.status
        if status.viewing is not None:
            self.say("This app only views the workspace; see the line on top.")
            return
        status.watching = not status.watching
        self.owner.session.set_watching(status.watching)
        self.follow()

    def promote(self, name: str, question: str) -> None:
        """Ask, then make a version the baseline; where its gate is in the way, a reason is asked for."""
        if self.model.status.viewing is not None:
            self.say("This app only views the workspace; see the line on top.")
            return

        def promote(**how: Any) -> None:
            self.when_done(self.owner.session.promote(name, **how), done)

        def done(_version: object) -> None:
            self.say(f"{name} is the baseline now; baselines.yaml holds it. Commit that file.", long=True)
            self.owner.refresh_history()

        def forced(reason: str | None) -> None:
            if reason:
                promote(force=True, note=reason)

        def looked(in_the_way: tuple[Problem, ...]) -> None:
            if not in_the_way:
                self.ask(question, promote)
                return
            from llmops_tui.app.screens.refusal import Refusal

            self.app.push_screen(Refusal(name, [problem.message for problem in in_the_way]), forced)

        self.when_done(self.owner.session.obstacles(name), looked)

    def action_edit_prompt(self) -> None:
        self.open_file(self.owner.session.where_is(""), "The prompt file is not known yet.")

    def open_file(self, place: tuple[Path, int] | None, otherwise: str) -> None:
        """Open a file in the person's editor."""
        if place is None:
            self.say(otherwise, problem=True)
        else:
            self.owner.open_in_editor(*place)

    def prompt_line(self, line: Widget) -> None:
        """Put a line to type in above the keys, and focus it."""
        self.mount(line, before=self.query_one(KeyLine))

    def type_in(self, mark: str, hint: str, then: Callable[[str], None], text: str = "") -> None:
        """Have a line typed; nothing is done after `esc`.

        Args:
            mark: what is typed: `note on refund-window`.
            text: what is there already.
        """
        from llmops_tui.app.widgets.typed_row import TypedRow

        for row in self.query(TypedRow):
            row.query_one("Input").focus()
            return
        before = self.focused

        def done(typed: str | None) -> None:
            self.query(TypedRow).remove()
            if before is not None and before.is_attached:
                before.focus()
            if typed is not None:
                then(typed)

        mark = cut(shown_line(mark), max(self.app.size.width // 2, 10))
        self.prompt_line(TypedRow(mark, done, text=text, hint=hint))


def sentence(error: Exception) -> str:
    """An error as a person is told it; one that was not foreseen is named by its kind."""
    if isinstance(error, LlmopsError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return f"this did not work ({type(error).__name__}: {error})"


def estimate_words(asks: AskFirst) -> str:
    """`Ask again everything? 100 requests, about $0.12 ($0.40 spent today)`."""
    estimate = asks.estimate
    words = [fmt.plural(estimate.requests, "request")]
    if estimate.cost_usd is None:
        words.append("at a price that is not known")
    elif estimate.cost_usd == 0:
        words.append("free of charge")
    else:
        words.append(f"about {fmt.money(estimate.cost_usd)}")
    spent = f" ({fmt.money(estimate.spent_today_usd)} spent today)" if estimate.spent_today_usd else ""
    why = shown_line(asks.why).rstrip(". ")
    return f"{why}{'' if why.endswith('?') else ':'} {', '.join(words)}{spent}"
