"""Look at a database before anything is written, then bring it up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from llmops_tui.domain.errors import Problem, StoreError
from llmops_tui.store import faults
from llmops_tui.store.connection import quick_check, set_journal


def prepare(
    connection: sqlite3.Connection,
    path: Path,
    read_only: bool,
    steps: Sequence[tuple[str, str]],
    application: int,
    made_by: str,
) -> None:
    """Make it ours and as new as this release.

    Args:
        application: what SQLite calls the application id of such a database.
        made_by: the command that brings an older one up to date.

    Raises:
        StoreError: it is damaged, another program's, or from a newer release; it is left as it is.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if owner != application:
        ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if tables or found:
            raise faults.not_ours(path, "a database of another program")
    if found > len(steps):
        raise faults.newer(path, found, len(steps))
    if read_only:
        if found < len(steps):
            raise StoreError(
                Problem(
                    "the database is from an older release, and viewing does not change it",
                    f"run `llmops-tui {made_by}` once",
                    file=str(path),
                )
            )
        return
    if found:
        quick_check(connection, path)
        set_journal(connection, path)
    if found < len(steps):
        from llmops_tui.store.migrate import migrate

        migrate(connection, path, steps, application)
