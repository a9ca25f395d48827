"""What the History and the Matrix ask of many versions at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from llmops_tui.engine.engine import DATABASE
from llmops_tui.engine.session_queries import SessionQueries, T
from llmops_tui.store import Store

if TYPE_CHECKING:
    from llmops_tui.domain.matrix import Matrix
    from llmops_tui.engine.events import VersionSummary
    from llmops_tui.engine.matrix import CellDetail


class SessionMatrix(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def _read(self, function: Callable[[Store], T]) -> Future[T]:
        """Read much in a thread of its own: neither the screen nor a run waits for it."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                with Store.open(self.root / DATABASE, read_only=True) as store:
                    future.set_result(function(store))
            except BaseException as error:  # handed to whoever asked
                future.set_exception(error)

        threading.Thread(target=work, name="reading", daemon=True).start()
        return future

    def history(self) -> Future[tuple[VersionSummary, ...]]:
        from llmops_tui.engine.queries import Queries

        config, engine = self._config or "", self._engine
        configuration = engine.workspace.configurations.get(config) if engine is not None else None
        cases = configuration.cases if configuration is not None else ()
        return self._read(lambda store: Queries(self.root, store).history(config, cases))

    def matrix(self, version: str | None = None) -> Future[Matrix]:
        from llmops_tui.engine import matrix
        from llmops_tui.engine.queries import Queries

        config = self._config or ""

        def work(store: Store) -> Matrix:
            if version is None:
                return matrix.versions_matrix(store, config)
            return matrix.models_matrix(store, Queries(self.root, store).resolve(config, version))

        return self._read(work)

    def matrix_again(self, known: Matrix, version_id: int) -> Future[Matrix]:
        from llmops_tui.engine import matrix

        def work(store: Store) -> Matrix:
            version = store.versions.by_id(version_id)
            return matrix.read_again(store, known, version)

        return self._read(work)

    def matrix_cell(self, matrix: Matrix, row: int, column: int) -> Future[CellDetail | None]:
        from llmops_tui.engine.matrix import cell

        return self._ask(lambda engine: cell(engine.store, matrix, row, column))
