"""Reads the database of live traffic in a thread of its own: neither the screen nor a run waits for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from llmops_tui.store.live import LiveStore

T = TypeVar("T")
Job = tuple[Callable[["LiveStore | None"], Any], "Future[Any]"]
#: Seconds without a question after which the thread ends; the next one starts another.
IDLE_S = 20.0


class LiveReader:
    """Answers questions one after the other, on one read-only connection.

    The connection stays open in between: whether others have written is told by it alone
    (`LiveStore.changed`).

    Args:
        root: of the workspace.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._store: LiveStore | None = None
        self._file: tuple[int, int] | None = None

    def ask(self, function: Callable[[LiveStore | None], T]) -> Future[T]:
        """Answer a question.

        Args:
            function: given the store, or None where there is no such database yet.
        """
        future: Future[T] = Future()
        with self._lock:
            self._jobs.put((function, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="live", daemon=True)
                self._thread.start()
        return future

    def close(self) -> None:
        """End the thread once it has answered what was asked; does not wait for that."""
        with self._lock:
            if self._thread is not None:
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            function, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(self._opened()))
            except BaseException as error:  # handed to whoever asked
                future.set_exception(error)

    def _next(self) -> Job | None:
        try:
            job = self._jobs.get(timeout=IDLE_S)
        except queue.Empty:
            job = None
        if job is None:
            with self._lock:
                # What was asked at this very moment is answered still.
                if not self._jobs.empty():
                    return self._jobs.get()
                # Before the next thread may begin: it opens one of its own.
                self._let_go()
                self._thread = None
        return job

    def _opened(self) -> LiveStore | None:
        """The store, opened anew where its file is another one than before."""
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        path = self._root / LIVE_DATABASE
        try:
            found = path.stat()
        except FileNotFoundError:
            self._let_go()
            return None
        file = found.st_dev, found.st_ino
        if self._store is None or file != self._file:
            self._let_go()
            self._store, self._file = LiveStore.open(path, read_only=True), file
        return self._store

    def _let_go(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
