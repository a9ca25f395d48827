"""What SQLite says, as sentences for the person."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from llmops_tui.domain.errors import Problem, StoreError

#: Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB = 5, 6, 8, 10, 11, 13, 14, 26

_SENTENCES: dict[int, tuple[str, str]] = {
    BUSY: (
        "another process kept the database locked for too long",
        "end the other llmops-tui that works on this workspace, or try again",
    ),
    LOCKED: ("the database is locked by this process", "try again"),
    READONLY: ("the database can't be written", "make the file and its folder writable"),
    IOERR: ("the disk could not be read or written", "check the disk and its free space, then try again"),
    FULL: ("the disk is full", "free some space and run again; what was shown as done is kept"),
    CANTOPEN: ("the database can't be opened", "check that the folder exists and is writable"),
}
#: Extended code of a foreign key that leads nowhere.
FOREIGN_KEY = 787


class DatabaseGone(StoreError):
    """The file was deleted or replaced while it was open."""


def gone(path: Path) -> DatabaseGone:
    """See `DatabaseGone`."""
    return DatabaseGone(
        Problem(
            "the database was deleted or replaced while it was in use",
            "it is opened anew; put a backup in its place only while nothing uses it",
            file=str(path),
        )
    )


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The same fault with what happened, where, and what to do."""
    extended: int = getattr(error, "sqlite_errorcode", None) or 0
    if extended == FOREIGN_KEY:
        message = "what this run builds on was cleaned up by another process meanwhile"
        return StoreError(Problem(message, "run again", file=str(path)))
    code = extended & 0xFF
    if code == NOTADB:
        return not_ours(path, "not a database (or one that is damaged)")
    if code == CORRUPT:
        return damaged(path, str(error))
    message, remedy = _SENTENCES.get(code, ("the database refused", "try again; if it stays, move it away"))
    return StoreError(Problem(f"{message} (SQLite: {error})", remedy, file=str(path)))


def damaged(path: Path | None, detail: str) -> StoreError:
    detail = detail.strip().splitlines()[-1] if detail.strip() else "it can't be read"
    return StoreError(
        Problem(
            f"the database is damaged ({detail}); it was left as it is",
            "move it away, or put a backup in its place: a new one is made, and only answers are asked again",
            file=str(path) if path is not None else None,
        )
    )


def newer(path: Path, found: int, known: int) -> StoreError:
    return StoreError(
        Problem(
            f"the database was written by a newer release of llmops-tui (schema {found}, this one knows "
            f"{known}); it was left as it is",
            "upgrade llmops-tui, or move the database away",
            file=str(path),
        )
    )


def not_ours(path: Path, what: str) -> StoreError:
    return StoreError(
        Problem(
            f"this is {what}; it was left as it is", "move it away: a new database is made", file=str(path)
        )
    )


def system_error(error: OSError, path: Path) -> StoreError:
    """A folder that can't be made, a file that can't be read."""
    return StoreError(
        Problem(
            f"this can't be opened ({error.strerror or error})",
            "make the folder writable, or choose another workspace",
            file=str(path),
        )
    )
