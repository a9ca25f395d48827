"""Requests that a person has looked at."""

from __future__ import annotations

from collections.abc import Iterable

from llmops_tui.store.connection import Database

#: Arguments that one statement is given.
_CHUNK = 500


class Looked:
    """Reads and writes it. A mark outlives the raw trace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def mark(self, trace_id: str, at: float, what: str) -> None:
        """Note that a request was looked at.

        Args:
            at: Unix seconds.
            what: `done`, or the id of the case that it became.
        """
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO looked VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at,"
                " what = excluded.what",
                (bytes.fromhex(trace_id), at, what),
            )

    def unmark(self, trace_id: str) -> bool:
        """Put a request back; gives whether it was marked."""
        with self._db.write() as connection:
            return bool(
                connection.execute(
                    "DELETE FROM looked WHERE trace_id = ?", (bytes.fromhex(trace_id),)
                ).rowcount
            )

    def of(self, trace_ids: Iterable[str]) -> dict[str, str]:
        """Trace → what was noted, of those that were looked at."""
        wanted = [bytes.fromhex(each) for each in trace_ids]
        found: dict[str, str] = {}
        for at in range(0, len(wanted), _CHUNK):
            part = wanted[at : at + _CHUNK]
            marks = ", ".join("?" * len(part))
            rows = self._db.rows(f"SELECT trace_id, what FROM looked WHERE trace_id IN ({marks})", part)
            found |= {trace_id.hex(): what for trace_id, what in rows}
        return found
