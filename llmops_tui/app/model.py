"""Everything on screen, kept up to date from the engine's events. Pure: it draws nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from llmops_tui.app.arranged import Arranged
from llmops_tui.app.bench_state import BenchState
from llmops_tui.app.playground_state import PlaygroundState
from llmops_tui.app.status import Status
from llmops_tui.engine.events import (
    AskFirst,
    Compared,
    Event,
    ItemsDone,
    NothingToDo,
    Notice,
    Progress,
    RunEnded,
    RunStarted,
    Viewing,
    Working,
    WorkspaceBroken,
    WorkspaceLoaded,
)
from llmops_tui.engine.playground_events import Answered, Answering

if TYPE_CHECKING:
    from llmops_tui.app.guards_state import GuardsState
    from llmops_tui.app.live_state import LiveState
    from llmops_tui.app.trace_state import LiveTraced, Traced


class WantedCase(msgspec.Struct, frozen=True):
    """A case that another screen asked the Bench to show, in the comparison of these two."""

    case_id: str
    model: str
    baseline: str
    candidate: str


class Model:
    """The state of the app.

    Attributes:
        wanted_case: where the Bench's cursor goes when that comparison has come.
        wanted_trace: what the Trace shows; None: the case under the Bench's cursor, and it follows that.
        live: what the Live screen was set to when it was left; None: it was not shown yet.
        guards: the same of the Guards screen.
        running_version: id of the version that is being evaluated.
        chosen: what a person chose to compare, by name; None is the default of that side.
        revision: counts comparisons, so that who shows something derived knows when it is old.
    """

    def __init__(self, workspace_name: str) -> None:
        self.bench = BenchState()
        self.status = Status(workspace_name)
        self.playground = PlaygroundState()
        self.chosen: tuple[str | None, str | None] = (None, None)
        self.revision = 0
        self.wanted_case: WantedCase | None = None
        self.wanted_trace: Traced | LiveTraced | None = None
        self.live: LiveState | None = None
        self.guards: GuardsState | None = None
        self.running_version: int | None = None
        self._run_id: int | None = None

    @property
    def shows_run(self) -> bool:
        """Results that come in belong to the version on screen."""
        return self._run_id is not None

    def apply(self, event: Event, arranged: Arranged | None = None) -> bool:
        """Take an event in. True where the screen should follow at once and not a moment later.

        Args:
            arranged: the comparison of a `Compared`, made ready elsewhere.
        """
        status, bench = self.status, self.bench
        match event:
            case WorkspaceLoaded():
                self._loaded(event)
            case WorkspaceBroken():
                status.broken = event.problems
            case Compared():
                self._compared(event, arranged)
            case RunStarted():
                self._started(event)
            case ItemsDone():
                if event.run_id == self._run_id:
                    bench.items_done(event.items)
                return False
            case Progress():
                status.progress = event
                return False
            case Working():
                status.working = event if event.what else None
                status.nothing = None
                return not event.what
            case Answering() | Answered():
                return self.playground.take(event)
            case RunEnded():
                status.ended, status.progress = event, None
                self.running_version = None
                if self._run_id is None or event.run.id == self._run_id:
                    if self.shows_run:
                        bench.run_ended(event.run)
                    bench.running = False
                    self._run_id = None
            case NothingToDo():
                status.nothing, status.asks = event, None
                bench.running = False
            case AskFirst():
                status.asks = event
            case Viewing():
                status.viewing = event.why
            case Notice():
                self._noticed(event)
        return True

    def _loaded(self, event: WorkspaceLoaded) -> None:
        status = self.status
        status.workspace, status.broken = event.workspace, ()
        status.nothing = None
        if status.config != event.config:
            status.config, status.ended = event.config, None
        configuration = status.configuration
        if configuration is not None:
            models = tuple(model.id for model in configuration.models)
            critical = event.workspace.gate.critical
            self.bench.cases_read(configuration.cases, models, critical)

    def _compared(self, event: Compared, arranged: Arranged | None) -> None:
        is_new = event.comparison is not self.bench.comparison
        bench, judged = self.bench, (event.gate, event.decisions)
        bench.show(event.comparison, event.changed, event.drift, *judged, arranged=arranged)
        if event.comparison.candidate.run.state != "running" and not self.shows_run:
            self.bench.running = False
        self.revision += is_new

    def _started(self, event: RunStarted) -> None:
        status, bench = self.status, self.bench
        status.nothing = status.asks = status.ended = status.progress = None
        shown = bench.candidate
        other = self.chosen[1] is not None and shown is not None and shown.id != event.version.id
        bench.running = True
        self.running_version = event.version.id
        if other:
            self._run_id = None
            return
        self._run_id = event.run.id
        bench.run_started(event.run, event.version, event.changed)

    def _noticed(self, event: Notice) -> None:
        if event.level == "error" and event.key:
            self.status.notices.pop(event.key, None)
            if event.text:
                self.status.notices[event.key] = event.text
