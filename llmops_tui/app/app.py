"""The app: it alone hears the engine, and the screens draw what it knows."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, InvalidThemeError, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from llmops_tui.app.actions import bindings, keys_of, of_scope
from llmops_tui.app.arranged import arrange, let_go
from llmops_tui.app.lines import shown_line
from llmops_tui.app.messages import EngineEvent
from llmops_tui.app.model import Model, WantedCase
from llmops_tui.app.paint import Paint
from llmops_tui.app.screens.bench import BenchScreen
from llmops_tui.app.screens.copying import Copying
from llmops_tui.app.screens.frame import Frame
from llmops_tui.app.settings import Settings
from llmops_tui.app.theme import DARK, LIGHT, fallbacks, suits_terminal
from llmops_tui.app.verdict_text import outcome_words
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.engine.events import (
    BisectRequest,
    Compared,
    Event,
    ExplainRequest,
    GateRequest,
    ItemsDone,
    Notice,
    TryRequest,
    WorkEnded,
)
from llmops_tui.engine.session_api import SessionApi

if TYPE_CHECKING:
    from llmops_tui.app.trace_state import LiveTraced, Traced

#: Streaming results are drawn this often: over ssh and tmux repaints are what costs.
REPAINT_S = 0.15
#: Screens over the Bench: where each is, imported when it is first shown.
FRAMES = {
    "history": ("llmops_tui.app.screens.history", "HistoryScreen"),
    "playground": ("llmops_tui.app.screens.playground", "PlaygroundScreen"),
    "matrix": ("llmops_tui.app.screens.matrix", "MatrixScreen"),
    "trace": ("llmops_tui.app.screens.trace", "TraceScreen"),
    "live": ("llmops_tui.app.screens.live", "LiveScreen"),
    "guards": ("llmops_tui.app.screens.guards", "GuardsScreen"),
}
#: Rows beyond which they are drawn less often.
MANY_ROWS = 20_000


class LlmopsApp(App[int], inherit_bindings=False):
    """Bench and History over one session.

    Args:
        session: started after the first frame; closing it is left to the caller.
        settings: the person's theme and keys.
        clock: Unix seconds, for "4 s ago".
        arm_after_s: time for which `enter` does not agree to a run that asks by itself.
    """

    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = ""
    TITLE = "llmops-tui"
    AUTO_FOCUS = ".pane"

    def __init__(
        self,
        session: SessionApi,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.time,
        arm_after_s: float = 0.5,
    ) -> None:
        self.settings = settings or Settings()
        self.user_keymap = self.settings.keymap
        super().__init__()
        self.session = session
        self.clock = clock
        self.arm_after_s = arm_after_s
        self.model = Model(session.root.name or str(session.root))
        self.is_engine_up = False
        #: What was tried last, as it was typed.
        self.tried_line = ""
        self._flush_timer: Timer | None = None
        self._interrupted_at: float | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = suits_terminal(os.environ)
        self.paint = Paint(self.theme_variables)

    # -- life

    def on_mount(self) -> None:
        self._take_settings()
        self.theme_changed_signal.subscribe(self, lambda _theme: self._repaint_theme())
        self._repaint_theme()
        stored = self.session.last_comparison()
        if stored is not None:
            self.model.apply(Compared(*stored))
        self.push_screen(BenchScreen(self.model))
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.session.start(self._hear)

    def _take_settings(self) -> None:
        for problem in self.settings.problems:
            self.model.apply(Notice("error", str(problem), key=f"settings {problem.message}"))
        if self.settings.theme:
            try:
                self.theme = self.settings.theme
                if self.no_color and self.current_theme.ansi:
                    # Textual makes black on black of an ANSI theme without colours.
                    self.theme = suits_terminal(os.environ)
            except InvalidThemeError:
                text = f"There is no theme '{self.settings.theme}'; the palette (:) lists the two of ours."
                self.model.apply(Notice("error", text, key="settings theme"))
        if self.user_keymap:
            self.set_keymap(self.user_keymap)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return fallbacks(self.current_theme.dark)

    def _repaint_theme(self) -> None:
        self.paint = Paint(self.theme_variables)
        for screen in self.screen_stack:
            screen.refresh()
            for widget in screen.query("*"):
                widget.refresh()

    # -- the engine

    def _hear(self, event: Event) -> None:
        """On the engine's thread: make ready what takes long, and bring it over."""
        arranged = None
        if isinstance(event, Compared) and event.comparison is not self.model.bench.comparison:
            arranged = arrange(event.comparison, self.model.bench.order)
        self.post_message(EngineEvent(event, arranged))

    def on_engine_event(self, message: EngineEvent) -> None:
        event = message.event
        self.is_engine_up = True
        if isinstance(event, Notice) and not event.key and event.text:
            self._toast(event)
        if isinstance(event, WorkEnded) and event.result is not None:
            self._show_result(event)
        bench = self.model.bench
        old = [bench.comparison] if bench.comparison is not None and len(bench.pairs) > MANY_ROWS else []
        at_once = self.model.apply(event, message.arranged)
        if old and old[0] is not bench.comparison:
            threading.Thread(target=let_go, args=(old,), daemon=True).start()
            del old
        if at_once:
            self._follow()
        elif self._flush_timer is None:
            many = isinstance(event, ItemsDone) and len(self.model.bench.pairs) > MANY_ROWS
            self._flush_timer = self.set_timer(REPAINT_S * (3 if many else 1), self._follow)

    def _show_result(self, event: WorkEnded) -> None:
        """What came of longer work."""
        if isinstance(event.request, GateRequest):
            self._toast(Notice("info", outcome_words(event.result, self.model.bench.review.gate)), 12)
        elif isinstance(event.request, TryRequest):
            from llmops_tui.app.screens import trying

            trying.show(self, event.result)
        elif isinstance(event.request, ExplainRequest):
            self._explained(event.result)
        elif isinstance(event.request, BisectRequest):
            from llmops_tui.app.screens.bisected import BisectSheet

            self.push_screen(BisectSheet(event.result))

    def _follow(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None
        for screen in self.screen_stack:
            if isinstance(screen, Copying) and screen.is_mounted and (screen.is_current or screen.is_active):
                screen.follow()

    def _toast(self, event: Notice, seconds: float | None = None) -> None:
        levels: dict[str, Any] = {"error": "error", "warning": "warning"}
        severity = levels.get(event.level, "information")
        self.notify(shown_line(event.text), severity=severity, timeout=seconds, markup=False)

    def _explained(self, outcome: Any) -> None:
        """Show what `engine.explaining` found."""
        from llmops_tui.app.screens.explanation import ExplanationSheet

        if outcome.cancelled:
            self.notify(f"Not explained: {outcome.explanation.sentence}.", markup=False)
        else:
            calls, cost_usd = outcome.provider_calls, outcome.cost_usd
            self.push_screen(ExplanationSheet(outcome.explanation, calls, cost_usd))

    # -- screens

    @property
    def frame(self) -> Frame | None:
        """The Bench or the History, below what lies over it."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, Frame)), None)

    def show_screen(self, name: str) -> None:
        """Show a screen of `FRAMES`. The Bench lies below the others and keeps its state."""
        current = self.frame
        if current is None or name == current.SCOPE:
            return
        # A trace may lie over the Matrix, or over the Live screen.
        while current is not None and current.SCOPE not in ("bench", name):
            self.pop_screen()
            current = self.frame
        if name == "trace":
            self.model.wanted_trace = None
        if current is not None and name == current.SCOPE:
            current.follow()
        else:
            module, class_ = FRAMES[name]
            self.push_screen(getattr(import_module(module), class_)(self.model))

    def traced(self) -> Traced | LiveTraced | None:
        """What the Trace shows: what another screen asked for, else the case under the Bench's cursor."""
        if self.model.wanted_trace is not None:
            return self.model.wanted_trace
        front = next((s for s in self.screen_stack if isinstance(s, BenchScreen)), None)
        if front is None or front.pair is None:
            return None
        from llmops_tui.app.trace_state import of_pair

        return of_pair(self.model.bench, front.pair)

    def show_trace(self, traced: Traced | LiveTraced) -> None:
        """Show a trace over the screen in front, which `leave_trace` goes back to."""
        from llmops_tui.app.screens.trace import TraceScreen

        self.model.wanted_trace = traced
        self.push_screen(TraceScreen(self.model))

    def leave_trace(self) -> None:
        """Back to the screen that the trace was opened from."""
        below = [s for s in self.screen_stack if isinstance(s, Frame)]
        if len(below) > 2:
            self.pop_screen()
            below[-2].follow()
        else:
            self.show_screen("bench")

    def refresh_history(self) -> None:
        """The versions have changed: labels, a baseline."""
        self.model.revision += 1
        if self.frame is not None:
            self.frame.follow()

    def choose_pair(
        self, baseline: str | None, candidate: str | None, case: WantedCase | None = None
    ) -> None:
        """Compare these two on the Bench; None is the default of that side.

        Args:
            case: where the cursor goes once they are there.
        """
        self.model.chosen = (baseline, candidate)
        self.model.wanted_case = case
        for screen in self.screen_stack:
            if isinstance(screen, BenchScreen):
                screen.start_over()
        self.session.choose_comparison(baseline, candidate)
        self.show_screen("bench")

    def choose_config(self, name: str) -> None:
        """Show another configuration."""
        self.model.chosen = (None, None)
        for screen in self.screen_stack:
            if isinstance(screen, BenchScreen):
                screen.start_over()
        self.session.choose_config(name)

    # -- everywhere

    def action_palette(self) -> None:
        from llmops_tui.app.screens.palette import Palette

        if isinstance(self.screen, Frame):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen in front, by name."""
        if not isinstance(screen, Frame):
            return
        for action in (*of_scope(screen.SCOPE), *of_scope("everywhere")):
            if action.id not in ("palette", "interrupt"):
                prefix = "app" if "everywhere" in action.scopes else "screen"
                run = f"{prefix}.{action.id}"
                keys = " ".join(keys_of(action, self.user_keymap))
                help_ = f"{keys:<6} {action.help}"
                yield SystemCommand(
                    action.title.capitalize(), help_, lambda run=run, s=screen: self._act(run, s)
                )

    def _act(self, action: str, screen: Screen[Any]) -> None:
        self.call_later(screen.run_action, action)

    def action_playground(self) -> None:
        if isinstance(self.screen, Frame):
            self.show_screen("playground")

    def action_doctor(self) -> None:
        from llmops_tui.app.screens.doctor import DoctorSheet

        if isinstance(self.screen, Frame):
            self.push_screen(DoctorSheet())

    def action_help(self) -> None:
        from llmops_tui.app.screens.help import Help

        frame = self.frame
        if frame is not None and self.screen is frame:
            self.push_screen(Help(frame.SCOPE, self.user_keymap))

    def action_toggle_theme(self) -> None:
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def action_quit_app(self) -> None:
        self.exit(0)

    def action_interrupt(self) -> None:
        now = time.monotonic()
        if self._interrupted_at is not None and now - self._interrupted_at < 3:
            self.exit(0)
            return
        self._interrupted_at = now
        self.notify("ctrl+c once more quits.", timeout=3, markup=False)

    # -- files

    def open_in_editor(self, file: Path, line: int) -> None:
        """Open a file at a line; the app makes room and is drawn anew afterwards."""
        from textual.app import SuspendNotSupported

        from llmops_tui.app.editor import command, editor_words, opens_window

        try:
            words = editor_words(os.environ)
        except LlmopsError as error:
            self._toast(Notice("error", str(error)))
            return
        call = command(words, file, line)
        try:
            if opens_window(words):
                subprocess.Popen(
                    call, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            else:
                with self.suspend():
                    subprocess.run(call, check=False)
                self.refresh(layout=True)
        except OSError as error:
            self._toast(Notice("error", f"{words[0]} could not be started: {error.strerror}; set EDITOR"))
        except SuspendNotSupported:
            self._toast(Notice("error", "This terminal can't make room for an editor; open it beside."))
