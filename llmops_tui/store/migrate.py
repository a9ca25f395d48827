"""Bring a database to the schema of this release, through sqlite-utils, after a backup copy.

Imported only when there is something to do: sqlite-utils costs 180 ms.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database as UtilsDatabase
from sqlite_utils.migrations import Migrations

from llmops_tui.store import faults
from llmops_tui.store.connection import APPLICATION_ID, set_journal

Steps = Sequence[tuple[str, str]]


def migrate(
    connection: sqlite3.Connection, path: Path, steps: Steps, application: int = APPLICATION_ID
) -> Path | None:
    """Apply what is missing, all of it or nothing.

    Args:
        steps: of the schema, from the first on.
        application: what it is marked with.

    Returns:
        The backup copy, where there was a database before.

    Raises:
        StoreError: a step failed or the disk is full; the database is as it was.
    """
    with _only_one(path):
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found >= len(steps):
            return None  # another process was first
        backup = _backup(connection, path, found) if found else None
        if not found:
            # Both before the first table, and neither within a transaction.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            set_journal(connection, path)
        database = UtilsDatabase(connection, execute_plugins=False)
        try:
            connection.execute("BEGIN IMMEDIATE")
            _migrations(steps).apply(database)
            connection.execute(f"PRAGMA application_id = {application}")
            connection.execute(f"PRAGMA user_version = {len(steps)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return backup


def _migrations(steps: Steps) -> Migrations:
    migrations = Migrations("llmops-tui")
    for name, script in steps:

        def apply(db: Any, script: str = script) -> None:
            for statement in script.split(";\n"):
                if statement.strip():
                    db.execute(statement)

        migrations(name=name)(apply)
    return migrations


def _backup(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """A whole copy beside the database: `llmops.db.schema1.backup`."""
    target = path.with_name(f"{path.name}.schema{version}.backup")
    unfinished = target.with_name(target.name + ".part")
    try:
        unfinished.unlink(missing_ok=True)
        copy = sqlite3.connect(unfinished)
        try:
            connection.backup(copy)
        finally:
            copy.close()
        unfinished.replace(target)
    except OSError as error:
        raise faults.system_error(error, target) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """One process at a time, by a lock on a file beside the database."""
    try:
        file = path.with_name(path.name + ".migrating").open("a")
    except OSError as error:
        raise faults.system_error(error, path) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
