"""Sums of requests by the time they began and by series, at several resolutions.

They are always exactly the sum over all requests that ever were: a request that more is learned about is
taken away and added anew in the same transaction. Fine buckets are dropped when they are old (`KEPT_DAYS`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from llmops_tui.domain.live.tally import Tally
from llmops_tui.store.connection import Database

#: Seconds of a bucket.
MINUTE, TEN_MINUTES, HOUR, DAY = 60, 600, 3_600, 86_400
RESOLUTIONS = (MINUTE, TEN_MINUTES, HOUR, DAY)
#: How long buckets of a resolution are kept, in days; the others for ever.
KEPT_DAYS = {MINUTE: 8, TEN_MINUTES: 60}
#: Sums that are held in memory between writes.
HELD = 2_000

#: Points that a plot has at most, roughly.
POINTS = 170

Key = tuple[int, int, int]


def resolution_for(window_s: float, age_s: float = 0.0) -> int:
    """The finest resolution that gives a window about 150 points at most.

    Args:
        age_s: how long ago the window began: fine buckets of old windows are gone.
    """
    for resolution in RESOLUTIONS:
        kept_s = KEPT_DAYS.get(resolution, math.inf) * DAY
        if window_s / resolution <= POINTS and max(window_s, age_s) < kept_s - DAY:
            return resolution
    return DAY


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Tally).decode


class Changes:
    """Sums that are to be added, collected by minute and by the series that they belong to."""

    def __init__(self) -> None:
        self._changes: dict[tuple[int, tuple[int, ...]], Tally] = {}

    def add(self, started_at: float, series_ids: tuple[int, ...], tally: Tally, sign: int = 1) -> None:
        """Add sums to several series. What belongs to the same ones is added up first: most requests do."""
        key = (int(started_at // MINUTE) * MINUTE, series_ids)
        found = self._changes.get(key)
        if found is None:
            found = self._changes[key] = Tally()
        found.merge(tally, sign)

    def minutes(self) -> dict[tuple[int, int], Tally]:
        """(start of the minute, series) → what is to be added."""
        found: dict[tuple[int, int], Tally] = {}
        for (minute, series_ids), change in self._changes.items():
            for series_id in series_ids:
                key = (minute, series_id)
                if key not in found:
                    found[key] = Tally()
                found[key].merge(change)
        return found


class Rollups:
    """Reads and writes them. What is written last is held in memory, as it is written again soon."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: dict[Key, Tally] = {}
        self._horizons: dict[int, int] = {}
        db.caches += [self._held, self._horizons]

    def apply(self, changes: Changes) -> None:
        """Add the changes at every resolution. Within a write."""
        touched: dict[Key, Tally] = {}
        for (minute, series_id), change in changes.minutes().items():
            for resolution in RESOLUTIONS:
                key = (resolution, minute // resolution * resolution, series_id)
                if key[1] < self._horizon(resolution):
                    continue
                tally = touched.get(key)
                if tally is None:
                    tally = touched[key] = self._load(key)
                tally.merge(change)
        connection = self._db.connection
        gone = [key for key, tally in touched.items() if tally.is_empty]
        connection.executemany(
            "DELETE FROM rollups WHERE resolution = ? AND bucket = ? AND series_id = ?", gone
        )
        connection.executemany(
            "INSERT INTO rollups VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
            ((*key, _encode(tally)) for key, tally in touched.items() if not tally.is_empty),
        )
        for key in gone:
            self._held.pop(key, None)
        while len(self._held) > HELD:
            # The one that has been there longest.
            del self._held[next(iter(self._held))]

    def _load(self, key: Key) -> Tally:
        found = self._held.get(key)
        if found is None:
            row = self._db.one(
                "SELECT data FROM rollups WHERE resolution = ? AND bucket = ? AND series_id = ?", key
            )
            found = self._held[key] = _decode(row[0]) if row else Tally()
        return found

    def read(
        self, resolution: int, since: float, until: float, series_ids: Iterable[int] | None = None
    ) -> list[tuple[int, int, Tally]]:
        """(bucket, series, sums) of buckets that begin in [since, until), in order."""
        terms = "resolution = ? AND bucket >= ? AND bucket < ?"
        if series_ids is not None:
            # In the text: they are numbers, and there may be more than SQLite takes arguments.
            terms += f" AND series_id IN ({', '.join(map(str, series_ids))})"
        rows = self._db.rows(
            f"SELECT bucket, series_id, data FROM rollups WHERE {terms} ORDER BY bucket, series_id",
            (resolution, since, until),
        )
        return [(bucket, series_id, _decode(data)) for bucket, series_id, data in rows]

    def first(self) -> float | None:
        """When the first bucket of all begins."""
        row = self._db.one("SELECT min(bucket) FROM rollups WHERE resolution = ?", (DAY,))
        return row[0] if row else None

    def drop_old(self, now: float, limit: int) -> bool:
        """Drop some fine buckets that are too old; gives whether any were. Within a write."""
        found = False
        for resolution, days in KEPT_DAYS.items():
            horizon = int(now - days * DAY) // DAY * DAY
            if horizon > self._horizon(resolution):
                self._db.connection.execute(
                    "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                    (f"first_bucket_{resolution}", horizon),
                )
                self._horizons.clear()
                self._held.clear()
            first = self._horizon(resolution)
            row = self._db.one(
                "SELECT max(bucket) FROM (SELECT bucket FROM rollups WHERE resolution = ? AND bucket < ?"
                " ORDER BY bucket LIMIT ?)",
                (resolution, first, limit),
            )
            if row[0] is not None:
                found = True
                self._db.connection.execute(
                    "DELETE FROM rollups WHERE resolution = ? AND bucket <= ?", (resolution, row[0])
                )
        return found

    def _horizon(self, resolution: int) -> int:
        """The first bucket that is kept: what belongs into an older one is not added, as the rest is gone."""
        if resolution not in self._horizons:
            row = self._db.one("SELECT value FROM counters WHERE name = ?", (f"first_bucket_{resolution}",))
            self._horizons[resolution] = row[0] if row else -(2**62)
        return self._horizons[resolution]
