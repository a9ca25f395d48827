"""The database of one workspace, opened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from llmops_tui.domain.call import Call
from llmops_tui.domain.run import Item
from llmops_tui.store import faults, schema
from llmops_tui.store.attempts import Attempts
from llmops_tui.store.blobs import Blobs
from llmops_tui.store.bundle_rows import BundleRows
from llmops_tui.store.calls import Calls
from llmops_tui.store.cells import Cells
from llmops_tui.store.connection import APPLICATION_ID, Database, connect
from llmops_tui.store.gc import KEEP_RUNS, Swept, sweep
from llmops_tui.store.opening import prepare
from llmops_tui.store.outputs import Outputs
from llmops_tui.store.record import Recorder, Result
from llmops_tui.store.runs import Runs
from llmops_tui.store.scores import Scores
from llmops_tui.store.traces import Made, Traces
from llmops_tui.store.verdicts import Verdicts
from llmops_tui.store.versions import Versions


class Store:
    """All that is kept, one repository a subject. Belongs to the thread that opened it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen = -1
        self.blobs = Blobs(db)
        self.versions = Versions(db, self.blobs)
        self.calls = Calls(db, self.blobs)
        self.outputs = Outputs(db, self.blobs)
        self.scores = Scores(db)
        self.traces = Traces(db, self.blobs)
        self.made = Made(db, self.blobs)
        self.runs = Runs(db, self.versions, self.scores)
        self.attempts = Attempts(db)
        self.verdicts = Verdicts(db)
        self.cells = Cells(db)
        self.bundles = BundleRows(
            db, self.versions, self.calls, self.outputs, self.scores, self.runs, self.traces
        )
        self._recorder = Recorder(
            db, self.calls, self.outputs, self.scores, self.runs, self.attempts, self.traces
        )

    @classmethod
    def open(
        cls, path: Path, *, read_only: bool = False, steps: Sequence[tuple[str, str]] = schema.STEPS
    ) -> Store:
        """Open it; made if it is not there, brought up to date if it is older.

        Args:
            read_only: to view what another process may be writing; changes nothing.
            steps: of the schema; fewer make the database of an older release.

        Raises:
            StoreError: it can't be opened, is damaged, not ours, or from a newer release. It is
                left as it is.
        """
        connection = connect(path, read_only=read_only)
        try:
            prepare(connection, path, read_only, steps, APPLICATION_ID, "run")
            store = cls(Database(path, connection, read_only=read_only))
            if not read_only:
                store.runs.interrupt_dead()
        except sqlite3.Error as error:
            connection.close()
            raise faults.store_error(error, path) from error
        except BaseException:
            connection.close()
            raise
        return store

    def copy_to(self, target: Path) -> None:
        """A whole copy as it is now, also while another process writes.

        Raises:
            StoreError: it can't be written.
        """
        try:
            copy = sqlite3.connect(target)
            try:
                self._db.connection.backup(copy)
            finally:
                copy.close()
        except sqlite3.Error as error:
            raise faults.store_error(error, target) from error

    @property
    def path(self) -> Path:
        return self._db.path

    @property
    def read_only(self) -> bool:
        return self._db.read_only

    def transaction(self) -> AbstractContextManager[object]:
        """All writes within are committed together, or not at all."""
        return self._db.write()

    def record(
        self, run_id: int, *, calls: Sequence[Call], results: Sequence[Result], at: float
    ) -> list[Item]:
        """Commit a batch of a run: see `Recorder.record`."""
        return self._recorder.record(run_id, calls=calls, results=results, at=at)

    def gc(
        self,
        *,
        keep_runs: int = KEEP_RUNS,
        keep_outputs: frozenset[int] = frozenset(),
        dry_run: bool = False,
        now: float | None = None,
    ) -> Swept:
        """Drop what nothing needs: see `gc.sweep`."""
        now = time.time() if now is None else now
        return sweep(self._db, keep_runs=keep_runs, keep_outputs=keep_outputs, dry_run=dry_run, now=now)

    def changed(self) -> bool:
        """Whether another process has written since this was last asked."""
        (now,) = self._db.one("PRAGMA data_version")
        before, self._seen = self._seen, now
        return bool(now != before)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
