"""What was found out about requests after they were stored: sums stay equal to what is summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from llmops_tui.domain.live.request import Request
from llmops_tui.store.connection import Database
from llmops_tui.store.live.labels import AT_MOST, Labels
from llmops_tui.store.live.opened import count
from llmops_tui.store.live.rollups import Changes, Rollups

#: Up to which request traits were looked for.
_COUNTER = "traits_upto"
#: Values of one trait that a request may have.
MOST_VALUES = 12

_facts = msgspec.msgpack.Encoder().encode
_request = msgspec.msgpack.Decoder(Request).decode


class Traits:
    """Reads requests without traits and writes them in one `live.db`."""

    def __init__(self, db: Database, labels: Labels, rollups: Rollups) -> None:
        self._db = db
        self._labels = labels
        self._rollups = rollups

    def waiting(self, arrived_before: float, limit: int) -> tuple[list[tuple[int, str]], int]:
        """(number, beginning of the input) of requests that were not looked at, evenly picked of all.

        Args:
            arrived_before: Unix seconds; what came later may still be incomplete.
            limit: how many of them.

        Returns:
            They, and the number up to which all were looked through: for `describe`.
        """
        row = self._db.one("SELECT value FROM counters WHERE name = ?", (_COUNTER,))
        after = row[0] if row else 0
        (upto,) = self._db.one(
            "SELECT ifnull(max(id), 0) FROM requests WHERE id > ? AND arrived_at < ?", (after, arrived_before)
        )
        if not upto:
            return [], after
        step = max(-(-(upto - after) // limit), 1)
        rows = self._db.rows(
            "SELECT id, facts FROM requests WHERE id > ? AND id <= ? AND counted"
            " AND id % ? = 0 ORDER BY id LIMIT ?",
            (after, upto, step, limit),
        )
        found = [(id_, _request(facts).input) for id_, facts in rows]
        return [(id_, text) for id_, text in found if text], upto

    def known(self, trait: str) -> set[str]:
        """Values of a trait that have been counted."""
        return {value for (value,) in self._db.rows("SELECT value FROM labels WHERE dimension = ?", (trait,))}

    def describe(self, found: Sequence[tuple[int, Mapping[str, Sequence[str]]]], upto: int = 0) -> int:
        """Write traits of requests, in one transaction; gives how many were still there.

        Args:
            found: (number of the request, trait → values).
            upto: see `waiting`.

        Raises:
            StoreError: it can't be written; nothing was.
        """
        described = 0
        with self._db.write() as connection:
            # Another process may have added to the same sums.
            self._db.forget()
            changes = Changes()
            for id_, traits in found:
                row = self._db.one("SELECT series_id, facts FROM requests WHERE id = ?", (id_,))
                if row is None:
                    continue
                series_id, request = row[0], _request(row[1])
                count(changes, self._labels, request, series_id, -1)
                request.traits = {**request.traits, **self._bounded(traits)}
                count(changes, self._labels, request, series_id, 1)
                connection.execute("UPDATE requests SET facts = ? WHERE id = ?", (_facts(request), id_))
                described += 1
            self._rollups.apply(changes)
            if upto:
                connection.execute(
                    "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                    (_COUNTER, upto),
                )
        return described

    def _bounded(self, traits: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        return {
            trait: list(dict.fromkeys(self._labels.label(trait, value) for value in values[:MOST_VALUES]))
            for trait, values in traits.items()
            if trait in AT_MOST and values
        }
