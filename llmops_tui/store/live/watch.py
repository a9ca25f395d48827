"""Which requests were looked at for judging, and how far it got."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from llmops_tui.domain.live.listing import LiveRequest
from llmops_tui.domain.live.request import Request
from llmops_tui.store.connection import Database

_request = msgspec.msgpack.Decoder(Request).decode

#: What the column `watch` says.
NEW, PASSED_OVER, WAITS, JUDGED = 0, 1, 2, 3


class Watch:
    """Reads and writes it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def undecided(self, before: float, limit: int, *, open_before: float | None = None) -> list[LiveRequest]:
        """Requests that nobody has looked at and that have come to rest, oldest first.

        Args:
            before: Unix seconds: nothing has come of them since.
            open_before: the same for those whose root has not come in; by default as `before`.
        """
        rows = self._db.rows(
            "SELECT id, arrived_at, facts FROM requests WHERE watch = 0 AND arrived_at < ?"
            " AND (complete OR arrived_at < ?) ORDER BY arrived_at LIMIT ?",
            (before, before if open_before is None else open_before, limit),
        )
        return [LiveRequest(id_, _request(facts), at) for id_, at, facts in rows]

    def decide(self, ids: Iterable[int], state: int) -> None:
        """Note what was decided on them."""
        ids = list(ids)
        if not ids:
            return
        with self._db.write() as connection:
            connection.executemany("UPDATE requests SET watch = ? WHERE id = ?", ((state, x) for x in ids))

    def recall(self, since: float) -> int:
        """Have those judged that were passed over and turned out badly; gives how many.

        Args:
            since: Unix seconds: they began since.
        """
        # Looked for before anything is locked: there may be many, and the receiver writes, too.
        rows = self._db.rows(
            f"SELECT id FROM requests WHERE watch = {PASSED_OVER} AND counted"
            " AND started_at >= ? AND (failed OR flagged OR bad)",
            (since,),
        )
        self.decide((id_ for (id_,) in rows), WAITS)
        return len(rows)

    def give_up(self, before: float) -> int:
        """Let go of those that have waited since before a moment (Unix seconds); gives how many."""
        with self._db.write() as connection:
            # The state in the text: an index of some rows is not used for an argument.
            return connection.execute(
                f"UPDATE requests SET watch = {PASSED_OVER} WHERE watch = {WAITS} AND arrived_at < ?",
                (before,),
            ).rowcount

    def waiting(self, limit: int) -> list[LiveRequest]:
        """Those that are to be judged, newest first: where there are too many, the old ones stay behind."""
        rows = self._db.rows(
            "SELECT id, arrived_at, facts FROM requests WHERE watch = 2 ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [LiveRequest(id_, _request(facts), at) for id_, at, facts in rows]

    def count_waiting(self) -> int:
        (count,) = self._db.one("SELECT count(*) FROM requests WHERE watch = 2")
        return int(count)

    def spent_since(self, at: float) -> float:
        """USD that judging cost since then, as far as it is known."""
        (cost,) = self._db.one(
            "SELECT ifnull(sum(cost_usd), 0.0) FROM scores WHERE at >= ? AND source IN ('online', 'worth')",
            (at,),
        )
        return float(cost)
