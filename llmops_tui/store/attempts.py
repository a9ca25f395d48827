"""Outputs that could not be had: kept to be told, never answers of the cache."""

from __future__ import annotations

import sqlite3

import msgspec

from llmops_tui.domain.call import Failure
from llmops_tui.store.blobs import clean
from llmops_tui.store.connection import Database


class Attempt(msgspec.Struct, frozen=True):
    """A failure, and what it was that failed."""

    run_id: int
    case_id: str
    model: str
    trial: int
    content_key: str
    failure: Failure
    at: float


class Attempts:
    """Failures by run."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self, run_id: int, case_id: str, model: str, trial: int, content_key: str, failure: Failure, at: float
    ) -> None:
        with self._db.write() as connection:
            self.insert(connection, Attempt(run_id, case_id, model, trial, content_key, failure, at))

    def insert(self, connection: sqlite3.Connection, attempt: Attempt) -> int:
        """Within a transaction; returns its row."""
        failure = attempt.failure
        made = connection.execute(
            "INSERT INTO attempts (run_id, case_id, model, trial, key, kind, message, remedy, provider, "
            "attempts, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                *(attempt.run_id, attempt.case_id, attempt.model, attempt.trial),
                *(bytes.fromhex(attempt.content_key), failure.kind, clean(failure.message)),
                *(clean(failure.remedy), failure.provider, failure.attempts, attempt.at),
            ),
        ).fetchall()
        return int(made[0][0])

    def newest(self, run_id: int, case_id: str, model: str, trial: int) -> int | None:
        """Row of the last failure of one place of a run."""
        row = self._db.one(
            "SELECT max(id) FROM attempts WHERE run_id = ? AND case_id = ? AND model = ? AND trial = ?",
            (run_id, case_id, model, trial),
        )
        return row[0] if row is not None else None

    def for_run(self, run_id: int) -> list[Attempt]:
        """In the order in which they happened."""
        rows = self._db.rows(
            "SELECT case_id, model, trial, key, kind, message, remedy, provider, attempts, at FROM attempts "
            "WHERE run_id = ? ORDER BY id",
            (run_id,),
        )
        return [
            Attempt(run_id, case, model, trial, key.hex(), Failure(kind, message, remedy, provider, n), at)
            for case, model, trial, key, kind, message, remedy, provider, n, at in rows
        ]
