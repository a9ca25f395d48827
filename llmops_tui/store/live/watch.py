"""Which requests were looked at for judging, and how far it got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from llmops_tui.domain.live.amounts import usd
from llmops_tui.domain.live.arrival import LiveScore
from llmops_tui.domain.live.listing import LiveRequest
from llmops_tui.domain.live.request import Request
from llmops_tui.store.connection import Database

_request = msgspec.msgpack.Decoder(Request).decode

#: What the column `watch` says.
NEW, PASSED_OVER, WAITS, JUDGED = 0, 1, 2, 3
#: A trace without a root is taken as it is after so long: its root is kept elsewhere, or lost.
UNFINISHED_S = 300.0


class Watch:
    """Reads and writes it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def undecided(self, before: float, limit: int) -> list[LiveRequest]:
        """Requests that nobody has looked at and that have come to rest, oldest first.

        Args:
            before: Unix seconds: nothing has come of them since; where the root has not come either, for
                `UNFINISHED_S` more, as it may still be under way.
        """
        new = "SELECT id FROM requests WHERE watch = 0 AND complete = {} AND arrived_at < ?"
        rows = self._db.rows(
            "SELECT id, arrived_at, facts FROM requests WHERE id IN ("
            f"SELECT id FROM ({new.format(1)} ORDER BY arrived_at LIMIT ?)"
            f" UNION ALL SELECT id FROM ({new.format(0)} ORDER BY arrived_at LIMIT ?))"
            " ORDER BY arrived_at LIMIT ?",
            (before, limit, before - UNFINISHED_S, limit, limit),
        )
        return [LiveRequest(id_, _request(facts), at) for id_, at, facts in rows]

    def decide(self, states: Mapping[int, int]) -> None:
        """Note what was decided on requests: number → state."""
        if not states:
            return
        with self._db.write() as connection:
            connection.executemany(
                "UPDATE requests SET watch = ? WHERE id = ?", ((state, id_) for id_, state in states.items())
            )

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
        self.decide(dict.fromkeys((id_ for (id_,) in rows), WAITS))
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
        """USD that judging cost since then (a quarter of an hour of the last two days), as far as it is
        known; what was judged may have been dropped meanwhile."""
        (nano_usd,) = self._db.one(
            "SELECT ifnull(sum(value), 0) FROM counters WHERE name >= ? AND name < ?",
            (_spent_name(at), _SPENT + ":"),
        )
        return float(nano_usd) / _NANO


#: Money is kept by the quarter of an hour: midnight is the beginning of one everywhere.
_SPENT, _QUARTER_S, _NANO = "spent ", 900, 1e9
_SPENT_FOR_S = 2 * 86_400.0


def _spent_name(at: float) -> str:
    return f"{_SPENT}{max(int(at // _QUARTER_S), 0) * _QUARTER_S:012d}"


def note_spent(db: Database, scores: Iterable[LiveScore], now: float) -> None:
    """Add what judging cost here. Within a write."""
    spent: dict[str, int] = {}
    for score in scores:
        if score.cost_usd and score.source in ("online", "worth"):
            name = _spent_name(score.at)
            spent[name] = spent.get(name, 0) + round(usd(score.cost_usd) * _NANO)
    if spent:
        db.connection.executemany(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            spent.items(),
        )
        db.connection.execute(
            "DELETE FROM counters WHERE name >= ? AND name < ?", (_SPENT, _spent_name(now - _SPENT_FOR_S))
        )
