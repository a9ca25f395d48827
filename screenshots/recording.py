"""What the app was told while it showed the demo: enough to show the same again, anywhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.ladder.ladder import Ladder
from llmops_tui.domain.live.guards import GuardItem, GuardTrial, Queue, ThresholdCurve
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.overview import Overview, Plot
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.matrix import Matrix, Place, Source, by_versions
from llmops_tui.domain.run import Snapshot, VersionInfo
from llmops_tui.engine.events import (
    Compared,
    Event,
    NothingToDo,
    OutputDetail,
    PairDetail,
    PlaygroundSides,
    TextChange,
    VersionSummary,
    WorkspaceLoaded,
)
from llmops_tui.engine.guard_events import GuardsView
from llmops_tui.engine.matrix import CellDetail
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest
from llmops_tui.engine.trace_events import TraceView

#: What shows it: the same everywhere.
ROOT = Path("/home/you/helpdesk")


class LiveRecording(msgspec.Struct, frozen=True):
    """A day of live traffic.

    Attributes:
        plots: metric → it by version.
        requests, low: the newest, and those with the lowest score.
        trace: of the first of the latter.
    """

    overview: Overview
    plots: dict[str, Plot]
    requests: tuple[LiveRequest, ...]
    low: tuple[LiveRequest, ...]
    trace: TraceView


class GuardsRecording(msgspec.Struct, frozen=True):
    """Guardrails over a day.

    Attributes:
        items: guardrail and queue, apart by a blank → what waits there.
        curve: of the first guardrail.
    """

    view: GuardsView
    items: dict[str, tuple[GuardItem, ...]]
    curve: ThresholdCurve
    trials: tuple[GuardTrial, ...] = ()


class Recording(msgspec.Struct, frozen=True):
    """The demo, evaluated on the embedded model.

    Attributes:
        at: Unix seconds, when it was recorded; the pictures show this moment.
        details: case id → both sides in full.
        versions: oldest first, for the Matrix.
        cells: case id → its trials in the newest version.
        answering, answered: what the playground told of one input.
        live: what the Live screen shows; None: nothing was collected.
        guards: what the Guards screen shows; None: no guardrail looked.
        ladder: where the workspace stands.
        traces: case id → how both sides came about, of the case that the Bench opens on.
    """

    at: float
    loaded: WorkspaceLoaded
    compared: Compared
    nothing: NothingToDo
    details: dict[str, PairDetail]
    texts: tuple[TextChange, ...]
    history: tuple[VersionSummary, ...]
    versions: tuple[Snapshot, ...]
    cells: dict[str, tuple[OutputDetail, ...]]
    sides: PlaygroundSides
    answering: tuple[Answering, ...]
    answered: Answered
    traces: dict[str, TraceView] = {}
    live: LiveRecording | None = None
    guards: GuardsRecording | None = None
    ladder: Ladder | None = None


class RecordedSession:
    """A session that plays a recording: see `engine.session_api.SessionApi`."""

    def __init__(self, recording: Recording) -> None:
        self.root = ROOT
        self._recording = recording

    def start(self, on_event: Callable[[Event], None]) -> None:
        self._tell = on_event
        for event in (self._recording.loaded, self._recording.compared, self._recording.nothing):
            on_event(event)

    def close(self) -> None:
        pass

    def last_comparison(self) -> tuple[Comparison, tuple[PartChange, ...]]:
        return self._recording.compared.comparison, self._recording.compared.changed

    def detail(self, pair: Pair) -> Future[PairDetail]:
        return _done(self._recording.details[pair.case_id])

    def texts(self, _a: VersionInfo, _b: VersionInfo) -> Future[tuple[TextChange, ...]]:
        return _done(self._recording.texts)

    def history(self) -> Future[tuple[VersionSummary, ...]]:
        return _done(self._recording.history)

    def output_texts(self, _output_ids: tuple[int, ...]) -> Future[dict[int, str]]:
        sides = [side for d in self._recording.details.values() for side in (*d.baseline, *d.candidate)]
        return _done({n: side.output.text for n, side in enumerate(sides) if side.output is not None})

    def verdict(self) -> Future[GateResult | None]:
        return _done(self._recording.compared.gate)

    def matrix(self, _version: str | None = None) -> Future[Matrix]:
        numbers: dict[Place, int] = {}
        sources = []
        for one in self._recording.versions:
            items = [i for row in one.rows for i in row.items]
            places = [(i.case_id, i.model, i.trial, i.extra) for i in items]
            recorded = [
                (numbers.setdefault(place, len(numbers)), item.status, item.score, 1)
                for place, item in zip(places, items, strict=True)
            ]
            sources.append(Source(one.version, one.run, recorded))
        return _done(by_versions(sources, {n: place for place, n in numbers.items()}))

    def matrix_cell(self, matrix: Matrix, row: int, column: int) -> Future[CellDetail | None]:
        name, case = matrix.columns[column].version.name, matrix.rows[row][0]
        newest = self._recording.versions[-1]
        if name != newest.version.name or case not in self._recording.cells:
            return _done(None)
        at = next(r for r in newest.rows if r.case_id == case)
        return _done(CellDetail(at, self._recording.cells[case]))

    def playground(self, _against: str | None = None) -> Future[PlaygroundSides]:
        return _done(self._recording.sides)

    def trace(
        self,
        _config: str,
        _baseline: VersionInfo | None,
        _candidate: VersionInfo,
        case_id: str,
        _model: str,
        _trial: int | None = None,
    ) -> Future[TraceView]:
        return _done(self._recording.traces[case_id])

    def live_overview(self, _wanted: LiveFilter, _now: float) -> Future[Overview | None]:
        live = self._recording.live
        return _done(None if live is None else live.overview)

    def live_plot(
        self, _wanted: LiveFilter, metric: str, _by: str | None, _now: float
    ) -> Future[Plot | None]:
        live = self._recording.live
        return _done(None if live is None else live.plots[metric])

    def live_requests(
        self, _wanted: LiveFilter, order: str = "newest", limit: int = 200
    ) -> Future[tuple[LiveRequest, ...]]:
        live = self._recording.live
        rows = () if live is None else live.low if order == "lowest" else live.requests
        return _done(rows[:limit])

    def live_trace(self, _id: int) -> Future[TraceView]:
        live = self._recording.live
        return _done(TraceView() if live is None else live.trace)

    def live_changed(self) -> Future[bool]:
        return _done(False)

    def ladder(self, _now: float) -> Future[Ladder]:
        return _done(self._recording.ladder or Ladder("none", ()))

    def guards(self, _wanted: LiveFilter, _now: float) -> Future[GuardsView]:
        guards = self._recording.guards
        return _done(GuardsView() if guards is None else guards.view)

    def guard_trials(self) -> Future[tuple[GuardTrial, ...]]:
        guards = self._recording.guards
        return _done(() if guards is None else guards.trials)

    def guard_items(
        self, guardrail: str, queue: Queue, _wanted: LiveFilter, limit: int = 200
    ) -> Future[tuple[GuardItem, ...]]:
        guards = self._recording.guards
        return _done(() if guards is None else guards.items.get(f"{guardrail} {queue}", ())[:limit])

    def guard_curve(self, guardrail: str, _wanted: LiveFilter) -> Future[ThresholdCurve]:
        guards = self._recording.guards
        return _done(ThresholdCurve(guardrail, None) if guards is None else guards.curve)

    def run(self, request: PlaygroundRequest) -> None:
        for event in (*self._recording.answering, self._recording.answered):
            self._tell(msgspec.structs.replace(event, number=request.number))

    def where_is(self, _case_id: str) -> tuple[Path, int] | None:
        return None


def _done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future
