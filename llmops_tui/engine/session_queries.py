"""What the app asks the engine while it runs: each answered on the engine's thread, as a future."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.engine import DATABASE, Engine
from llmops_tui.engine.events import Compared, Event, PairDetail, TextChange
from llmops_tui.engine.queries import Queries
from llmops_tui.store import Store, kept_for_long

T = TypeVar("T")


class SessionQueries(ABC):
    """The queries of `session_api.SessionApi`; `Session` has the thread, the commands and the events."""

    def __init__(self, root: Path, config: str | None) -> None:
        self.root = root
        self._config = config
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._judging: set[asyncio.Future[None]] = set()
        self._viewing = False
        self._shown: Compared | None = None
        self._emit: Callable[[Event], None] = lambda _event: None

    @abstractmethod
    async def _rescore(self, *names: str | None) -> None:
        """Hold versions against the cases on disk."""

    @property
    @abstractmethod
    def _is_closing(self) -> bool:
        """The session ends: nothing is read any more."""

    @abstractmethod
    def _compared(self) -> None:
        """Tell the screen what is compared now."""

    def last_comparison(self) -> tuple[Comparison, tuple[PartChange, ...]] | None:
        if not (self.root / DATABASE).exists():
            return None
        try:
            with kept_for_long(), Store.open(self.root / DATABASE, read_only=True) as store:
                return Queries(self.root, store).last()
        except LlmopsError:
            return None  # told by the engine, which opens it in earnest

    def _ask(self, function: Callable[[Engine], T], *sides: str) -> Future[T]:
        """Run a query on the engine's thread.

        Args:
            sides: versions that are held against the cases on disk first.
        """
        future: Future[T] = Future()

        def settle() -> None:
            try:
                assert self._engine is not None
                future.set_result(function(self._engine))
            except BaseException as error:  # handed to whoever asked
                future.set_exception(error)

        async def judged() -> None:
            await self._rescore(*sides)
            settle()

        def answer() -> None:
            if not future.set_running_or_notify_cancel():
                return
            if sides:
                task = asyncio.ensure_future(judged())
                self._judging.add(task)
                task.add_done_callback(self._judging.discard)
            else:
                settle()

        self._ready.wait(timeout=10)
        if self._engine is None or self._loop is None or self._loop.is_closed():
            future.set_exception(LlmopsError("the engine is not running; see the message on top"))
        else:
            self._loop.call_soon_threadsafe(answer)
        return future

    def detail(self, pair: Pair) -> Future[PairDetail]:
        return self._ask(lambda engine: engine.queries.detail(pair))

    def texts(self, a: VersionInfo, b: VersionInfo) -> Future[tuple[TextChange, ...]]:
        return self._ask(lambda engine: engine.queries.texts(a, b))

    def output_texts(self, output_ids: tuple[int, ...]) -> Future[dict[int, str]]:
        return self._ask(lambda engine: engine.store.outputs.texts(output_ids))

    def compare(self, a: str, b: str) -> Future[tuple[Comparison, tuple[PartChange, ...]]]:
        return self._ask(lambda engine: engine.queries.compare(self._config or "", a, b), a, b)

    def promote(self, version: str, *, force: bool = False, note: str = "") -> Future[VersionInfo]:
        def work(engine: Engine) -> VersionInfo:
            from llmops_tui.engine.promotion import promote

            config = self._config or ""
            promoted = promote(engine, engine.queries.resolve(config, version), force=force, note=note)
            self._compared()
            return promoted

        return self._ask(work)

    def label(self, version: str, text: str) -> Future[VersionInfo]:
        def work(engine: Engine) -> VersionInfo:
            found = engine.queries.resolve(self._config or "", version)
            return engine.store.versions.label(found.id, text)

        return self._ask(work)

    def export(self, a: str, b: str) -> Future[Path]:
        def work(engine: Engine) -> Path:
            from llmops_tui.engine.export import write_report

            return write_report(engine, self._config or "", a, b, None)

        return self._ask(work, a, b)

    def where_is(self, case_id: str) -> tuple[Path, int] | None:
        engine = self._engine
        configuration = engine.workspace.configurations.get(self._config or "") if engine else None
        if configuration is None:
            return None
        if not case_id:
            return self.root / configuration.prompt_file, 1
        for case in configuration.cases:
            if case.id == case_id:
                return self.root / case.file, case.line or 1
        return None
