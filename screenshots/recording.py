"""What the app was told while it showed the demo: enough to show the same again, anywhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.events import (
    Compared,
    Event,
    NothingToDo,
    PairDetail,
    TextChange,
    VersionSummary,
    WorkspaceLoaded,
)

#: What shows it: the same everywhere.
ROOT = Path("/home/you/helpdesk")


class Recording(msgspec.Struct, frozen=True):
    """The demo, evaluated on the embedded model.

    Attributes:
        at: Unix seconds, when it was recorded; the pictures show this moment.
        details: case id → both sides in full.
    """

    at: float
    loaded: WorkspaceLoaded
    compared: Compared
    nothing: NothingToDo
    details: dict[str, PairDetail]
    texts: tuple[TextChange, ...]
    history: tuple[VersionSummary, ...]


class RecordedSession:
    """A session that plays a recording: see `engine.session_api.SessionApi`."""

    def __init__(self, recording: Recording) -> None:
        self.root = ROOT
        self._recording = recording

    def start(self, on_event: Callable[[Event], None]) -> None:
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

    def where_is(self, _case_id: str) -> tuple[Path, int] | None:
        return None


def _done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future
