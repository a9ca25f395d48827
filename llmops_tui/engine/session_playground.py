"""What the playground asks the engine: made-up inputs, and cases to be kept of them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path

from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.playground import NewCase
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import AskFirst, PlaygroundSides
from llmops_tui.engine.playground_events import Answered, PlaygroundRequest
from llmops_tui.engine.session_queries import SessionQueries

_VIEWS = Problem("this app only views the workspace, and asks and writes nothing", "see the line on top")


class SessionPlayground(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def __init__(self, root: Path, config: str | None) -> None:
        super().__init__(root, config)
        self._viewing = False
        self._asking: asyncio.Task[None] | None = None

    def playground(self, against: str | None = None) -> Future[PlaygroundSides]:
        def work(engine: Engine) -> PlaygroundSides:
            from llmops_tui.engine.playground import Playground

            if self._viewing:
                raise UsageError(_VIEWS)
            return Playground(engine).sides(self._config or "", against)

        return self._ask(work)

    def keep_case(self, new: NewCase, file: str | None = None) -> Future[tuple[str, str]]:
        def work(engine: Engine) -> tuple[str, str]:
            from llmops_tui.engine.playground import keep

            if self._viewing:
                raise UsageError(_VIEWS)
            return keep(engine, self._config or "", new, file)

        return self._ask(work)

    def stop_asking(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop_asking)

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _start_asking(self, request: PlaygroundRequest) -> None:
        """Beside a run that is under way; what was asked before is given up."""
        self._stop_asking()
        self._asking = asyncio.create_task(self._answers(request))

    async def _answers(self, request: PlaygroundRequest) -> None:
        from llmops_tui.engine.playground import Playground

        engine = self._engine
        assert engine is not None
        result: Answered | AskFirst
        try:
            if self._viewing:
                raise UsageError(_VIEWS)
            result = await Playground(engine).ask(request, self._emit)
        except asyncio.CancelledError:
            self._emit(Answered(request.number, cancelled=True))
            raise
        except LlmopsError as error:
            result = Answered(request.number, problem=str(error))
        if isinstance(result, AskFirst):
            self._emit(Answered(request.number, cancelled=True))
        self._emit(result)
