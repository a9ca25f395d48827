"""What the app sets going: runs, work that is longer than a run, and the comparison that comes of them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from llmops_tui.domain.errors import LlmopsError
from llmops_tui.engine.events import (
    AskFirst,
    Compared,
    Event,
    Notice,
    RunEnded,
    RunRequest,
    RunStarted,
    WorkEnded,
    Working,
    WorkRequest,
)
from llmops_tui.engine.session_doctor import SessionDoctor
from llmops_tui.engine.session_guards import SessionGuards
from llmops_tui.engine.session_matrix import SessionMatrix
from llmops_tui.engine.session_review import SessionReview
from llmops_tui.engine.session_traces import SessionTraces
from llmops_tui.store import kept_for_long

#: A run is shown a moment after it began: its first requests leave before the screen is busy.
COMPARE_AFTER_S = 0.08


class SessionRuns(SessionReview, SessionMatrix, SessionTraces, SessionGuards, SessionDoctor):
    """Part of `session_api.SessionApi`; `Session` has the thread, the files and the commands."""

    def __init__(self, root: Path, config: str | None) -> None:
        super().__init__(root, config)
        self._pair: tuple[str | None, str | None] = (None, None)
        self._run: asyncio.Task[None] | None = None
        self._work_under_way: asyncio.Task[None] | None = None
        self._held: list[Event] = []
        self._owed: asyncio.TimerHandle | None = None
        self._rescoring = asyncio.Lock()
        self._stop: asyncio.Event | None = None

    @property
    def _is_running(self) -> bool:
        return self._run is not None and not self._run.done()

    @property
    def _is_working(self) -> bool:
        return self._work_under_way is not None and not self._work_under_way.done()

    @property
    def _is_closing(self) -> bool:
        return self._stop is None or self._stop.is_set()

    def _start_run(self, request: RunRequest, *, ask_first: bool = False, free_only: bool = False) -> None:
        if self._viewing:
            self._emit(Notice("warning", "This app only views the workspace; see the line on top."))
            return
        busy = self._run is not None and not self._run.done()
        if busy and request.only_failed:
            self._emit(Notice("info", "A run is under way; it asks what is missing."))
            return
        if self._is_working and self._engine is not None:
            # What was answered is kept; the save is what the person waits for now.
            self._engine.cancel()
        self._run = asyncio.create_task(self._evaluate(request, ask_first, free_only))

    async def _evaluate(self, request: RunRequest, ask_first: bool, free_only: bool) -> None:
        engine = self._engine
        assert engine is not None
        try:
            if not request.agreed and (ask_first or free_only or request.fresh):
                price = engine.price_of(request)
                free = price.cost_usd == 0.0 and not ask_first and not request.fresh
                waits = price.requests > 0 and not free
                if waits:
                    why = "Ask again everything?" if request.fresh else "Evaluate what changed?"
                    self._compared()
                    self._emit(AskFirst(request, price, why))
                    return
            result = await engine.evaluate(request, self._relay)
        except LlmopsError as error:
            self._compared()
            self._emit(Notice("error", str(error), key="run"))
            return
        self._emit(Notice("error", "", key="run"))
        if (
            isinstance(result, RunEnded)
            and result.run.state == "cancelled"
            and self._run is not asyncio.current_task()
        ):
            return  # superseded: its successor speaks
        self._release()
        self._emit(result)
        if not isinstance(result, AskFirst):
            await self._rescore()
        self._compared()
        if request.reason == "save" and not isinstance(result, AskFirst):
            await self._evaluate_others()

    def _start_work(self, request: WorkRequest) -> None:
        if self._viewing:
            self._emit(Notice("warning", "This app only views the workspace; see the line on top."))
            return
        if self._run is not None and not self._run.done():
            self._emit(Notice("info", "A run is under way; ask again when it is done, or cancel it (C)."))
            return
        self._run = self._work_under_way = asyncio.create_task(self._work(request))

    async def _work(self, request: WorkRequest) -> None:
        from llmops_tui.engine import session_work

        engine = self._engine
        assert engine is not None
        result: object = None
        try:
            result = await session_work.carry_out(engine, request, self._emit)
        except LlmopsError as error:
            self._emit(Notice("error", str(error)))
        finally:
            self._emit(Working(""))
        if isinstance(result, AskFirst):
            self._emit(result)
        else:
            self._emit(WorkEnded(request, result))
        self._work_under_way = None
        self._compared()

    async def _evaluate_others(self) -> None:
        """A save may have touched other configurations too (a prompt they share): after the one on screen.

        Only those that were evaluated before; the next save supersedes this like any run.
        """
        engine = self._engine
        assert engine is not None
        for name in list(engine.workspace.configurations):
            if name == self._config or engine.store.versions.baseline(name) is None:
                continue
            if self._run is not asyncio.current_task():
                return
            try:
                result = await engine.evaluate(RunRequest(name, "save"))
            except LlmopsError as error:
                self._emit(Notice("warning", f"{name} was not evaluated: {error}"))
                continue
            if isinstance(result, AskFirst):
                self._emit(Notice("warning", f"{name} was not evaluated: {result.why}; o shows it"))
            elif isinstance(result, RunEnded) and result.run.state == "complete":
                count = result.tally
                said = f"{count.passed} of {count.cases} passed"
                text = f"The save touched {name} too: {result.version.name}, {said}; o shows it"
                self._emit(Notice("info", text))

    def _relay(self, event: Event) -> None:
        """Events of a run. Its start waits a moment: the first requests leave before the screen is busy.

        Between the start and the first items comes a comparison of what is known so far.
        """
        if isinstance(event, RunStarted):
            # What kept the last one from starting is mended.
            self._held += [event, Notice("error", "", key="run")]
            loop = asyncio.get_running_loop()
            self._owed = loop.call_later(COMPARE_AFTER_S, self._compared)
            return
        if self._owed is not None:
            self._compared()
        self._emit(event)

    def _release(self) -> None:
        """Tell what was held back, in order."""
        held, self._held = self._held, []
        for event in held:
            self._emit(event)

    async def _rescore(self, *names: str | None) -> None:
        """Hold versions against the cases on disk, where that asks no model: both sides, judged alike.

        Args:
            names: of the versions; None is the default of its side. Without any, those on screen.
        """
        engine = self._engine
        assert engine is not None
        if self._viewing or self._config is None:
            return
        wanted = [(name, n) for n, name in enumerate(names or self._pair)]
        for name, side in wanted:
            default = "latest" if side else "baseline"
            # One at a time; while a run is under way none, since it would supersede that.
            async with self._rescoring:
                with contextlib.suppress(LlmopsError):  # said where the comparison is made
                    await engine.rescore(engine.queries.side(self._config, name or default))

    def _compared(self) -> None:
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None
        self._release()
        engine = self._engine
        assert engine is not None
        assert self._config is not None
        with kept_for_long():
            try:
                comparison, changed = engine.queries.compare(self._config, *self._pair)
            except LlmopsError as error:
                self._emit(Notice("error", str(error), key="compare"))
                return
            drift = engine.queries.drift(comparison)
            gate, decisions = self._judged(comparison)
            self._shown = Compared(comparison, changed, drift, gate, decisions)
            self._emit(self._shown)
