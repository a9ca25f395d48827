"""One connection to the database: how it is opened, how it writes, what its faults become."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from llmops_tui.domain.errors import Problem, StoreError
from llmops_tui.store import faults
from llmops_tui.store.filesystem import is_network

BUSY_TIMEOUT_S = 10.0
APPLICATION_ID = 0x6C6C6D6F  # "llmo", so that another program's database is never taken for ours
#: `quick_check` reads the whole file: below this size that is a few milliseconds.
CHECK_BYTES = 4_000_000
OLDEST_SQLITE = (3, 35)  # RETURNING


class Database:
    """A connection of one thread.

    Every write is in a `BEGIN IMMEDIATE` transaction, every cursor is read to its end, and every
    fault of SQLite becomes a `StoreError`.

    Attributes:
        caches: of row ids by content; emptied when a transaction is undone, or another process
            may have deleted rows.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self.connection = connection
        self.caches: list[dict[Any, Any]] = []
        self._sweeps = -1
        self._place = _place(path)

    def check_place(self) -> None:
        """Raise `DatabaseGone` where the path is not the file any more that was opened: what is written goes
        nowhere then."""
        if _place(self.path) != self._place:
            raise faults.gone(self.path)

    def close(self) -> None:
        self.connection.close()

    # -- reading

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        try:
            return self.connection.execute(sql, args).fetchall()
        except sqlite3.Error as error:
            raise faults.store_error(error, self.path) from error

    def one(self, sql: str, args: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        found = self.rows(sql, args)
        return found[0] if found else None

    @contextmanager
    def read(self) -> Iterator[None]:
        """Several reads of one state."""
        if self.connection.in_transaction:
            yield
            return
        self.rows("BEGIN")
        try:
            yield
        finally:
            self.rows("COMMIT")

    # -- writing

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """All that is done within is committed together, or not at all. May be nested."""
        if self.read_only:
            raise StoreError(
                Problem(
                    "the database was opened for viewing only", "close the other llmops-tui and try again"
                )
            )
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._check_sweeps()
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            self._undo()
            if isinstance(error, sqlite3.Error):
                raise faults.store_error(error, self.path) from error
            raise

    def _undo(self) -> None:
        self.forget()
        if self.connection.in_transaction:
            # A full disk makes SQLite undo it by itself; the first fault is the one to tell.
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")

    def _check_sweeps(self) -> None:
        found = self.connection.execute("SELECT value FROM counters WHERE name = 'sweeps'").fetchone()
        sweeps = found[0] if found else 0
        if sweeps != self._sweeps:
            self.forget()
            self._sweeps = sweeps

    def forget(self) -> None:
        for cache in self.caches:
            cache.clear()


def _place(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect(path: Path, *, read_only: bool, made_by: str = "run") -> sqlite3.Connection:
    """A bare connection with its settings made; writes nothing.

    Args:
        made_by: the command that makes such a database.

    Raises:
        StoreError: not a database, damaged, or not to be opened.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(
            Problem(
                f"this Python has SQLite {sqlite3.sqlite_version}, and 3.35 or newer is needed",
                "use another Python (uv's own will do)",
            )
        )
    _look_at(path, read_only, made_by)
    try:
        connection = _open(path, read_only)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -32000")
    except sqlite3.Error as error:
        raise faults.store_error(error, path) from error
    return connection


def _look_at(path: Path, read_only: bool, made_by: str) -> None:
    """Make its folder; refuse what can't be there.

    The file itself is never opened here: closing it would drop the locks that this process holds on it
    through other connections (fcntl(2)), and another process would then take the WAL away under them.
    """
    try:
        if read_only and not path.is_file():
            raise StoreError(
                Problem("there is no database yet", f"run `llmops-tui {made_by}` once", file=str(path))
            )
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise faults.system_error(error, path) from error


def _open(path: Path, read_only: bool) -> sqlite3.Connection:
    uri = path.resolve().as_uri()
    if not read_only:
        return _connect(uri + "?mode=rwc")
    connection = _connect(uri + "?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # A folder that can't be written has no place for the WAL's index; without a WAL none is needed.
        connection = _connect(uri + "?immutable=1")
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, cached_statements=256)


def set_journal(connection: sqlite3.Connection, path: Path) -> None:
    """WAL, or a plain journal on a network file system."""
    wanted = "delete" if is_network(path.parent) else "wal"
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != wanted:
        connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()


def quick_check(connection: sqlite3.Connection, path: Path) -> None:
    """Look through a small database.

    Raises:
        StoreError: it is damaged.
    """
    if path.stat().st_size > CHECK_BYTES:
        return
    found = connection.execute("PRAGMA quick_check(1)").fetchall()
    if found != [("ok",)]:
        raise faults.damaged(path, str(found[0][0]) if found else "")
