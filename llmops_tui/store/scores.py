"""How outputs were judged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import CallRef
from llmops_tui.store.blobs import chunks, clean, marks
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.connection import Database

#: A score is kept as it was first given; only one that erred is replaced.
_INSERT = (
    "INSERT INTO scores (output_id, key, value, passed, weight, label, error, reason, began_at, elapsed_s, "
    "calls) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, "
    "passed = excluded.passed, weight = excluded.weight, label = excluded.label, "
    "error = excluded.error, reason = excluded.reason, began_at = excluded.began_at, "
    "elapsed_s = excluded.elapsed_s, calls = excluded.calls WHERE scores.error IS NOT NULL"
)


_CALLS = tuple[CallRef, ...]


class Scores:
    """Scores by output and score key."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @no_collection()
    def find_many(self, output_ids: Iterable[int]) -> dict[int, dict[str, Score]]:
        """Scores of many outputs, by output and score key, without their reasons (for planning)."""
        found: dict[int, dict[str, Score]] = {}
        for chunk in chunks(set(output_ids)):
            sql = (
                "SELECT output_id, key, value, passed, weight, label, error FROM scores "
                f"WHERE output_id IN ({marks(chunk)})"
            )
            for id_, raw, value, passed, weight, label, error in self._db.rows(sql, chunk):
                key = raw.hex()
                score = Score(key, label, value, None if passed is None else passed == 1, "", error, weight)
                found.setdefault(id_, {})[key] = score
        return found

    def add_many(self, output_id: int, scores: Sequence[Score]) -> None:
        """Keep these; a key that is there already keeps its score unless that was an error."""
        with self._db.write() as connection:
            self.insert(connection, output_id, scores)

    def insert(self, connection: sqlite3.Connection, output_id: int, scores: Sequence[Score]) -> None:
        """Within a transaction."""
        connection.executemany(_INSERT, [score_row(output_id, s) for s in scores])

    def has_label(self, pattern: str) -> bool:
        """Whether any score has a label like this (`GLOB` of SQLite)."""
        return bool(self._db.one("SELECT EXISTS (SELECT 1 FROM scores WHERE label GLOB ?)", (pattern,))[0])

    def labels_of_run(self, run_id: int) -> set[str]:
        """Labels of the scores that a run's items come from."""
        sql = (
            "SELECT DISTINCT s.label FROM items i LEFT JOIN score_sets t ON t.id = i.score_set_id "
            "JOIN scores s ON s.output_id = i.output_id "
            # A set is keys in a row: a score is of it where its key is in it.
            "WHERE i.run_id = ? AND (t.keys IS NULL OR instr(t.keys, s.key) > 0)"
        )
        return {label for (label,) in self._db.rows(sql, (run_id,))}

    def for_output(self, output_id: int, keys: Sequence[str] | None = None) -> list[Score]:
        """Scores of an output with their reasons.

        Args:
            keys: only these, in this order; None: all there are.
        """
        rows = self._db.rows(
            "SELECT key, label, value, passed, reason, error, weight, began_at, elapsed_s, calls FROM scores "
            "WHERE output_id = ?",
            (output_id,),
        )
        scores = {
            raw.hex(): Score(
                *(raw.hex(), label, value, None if passed is None else bool(passed), reason, error, weight),
                *(began_at, elapsed_s, msgspec.json.decode(calls, type=_CALLS) if calls else ()),
            )
            for raw, label, value, passed, reason, error, weight, began_at, elapsed_s, calls in rows
        }
        if keys is None:
            return sorted(scores.values(), key=lambda s: s.label)
        return [scores[key] for key in keys if key in scores]


def score_row(output_id: int, score: Score) -> tuple[object, ...]:
    return (
        *(output_id, bytes.fromhex(score.key), score.value, score.passed, score.weight, clean(score.label)),
        *(clean(score.error) if score.error is not None else None, clean(score.reason)),
        *(round(score.began_at, 3), round(score.elapsed_s, 6)),
        msgspec.json.encode(score.calls).decode() if score.calls else "",
    )


__all__ = ["Scores", "score_row"]
