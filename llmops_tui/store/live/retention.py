"""Raw traffic is kept for a time and up to a size; sums by the hour and the day for ever.

What is dropped is dropped in small transactions, the oldest first (by when it came), so that taking traffic
in never waits for long. Sums do not change: they are of all requests that ever were. Of a dropped trace a
digest of its id stays for a while, so that the same export imported again is not counted twice.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from llmops_tui.store import faults
from llmops_tui.store.connection import BUSY_TIMEOUT_S, Database
from llmops_tui.store.live.opened import marks
from llmops_tui.store.live.rollups import DAY, Rollups
from llmops_tui.store.live.rows import short_id

#: A transaction is made smaller when it took longer, and larger when it took much less.
_STEP_S = 0.02
_MOST_AT_ONCE, _SPANS_AT_ONCE = 200, 1_000
#: Dropping goes on until so much of the limit is left free for what comes before the next sweep.
_ROOM = 0.2
#: Above this share of the limit something is dropped.
_FULL = 0.9
#: The log is cut where it is longer.
_LOG_BYTES = 8_000_000
_PAGES_AT_ONCE = 200
#: How long the ids of dropped traces are remembered, and how much of the limit they may take.
_REMEMBERED_DAYS, _REMEMBERED_SHARE, _REMEMBERED_BYTES = 90, 0.05, 40


class Swept(msgspec.Struct, frozen=True):
    """What was dropped.

    Attributes:
        bytes: size on disk afterwards, the log included.
        freed_bytes: what the files shrank by.
        is_done: nothing is left to drop; else the time was used up.
    """

    requests: int = 0
    spans: int = 0
    signals: int = 0
    scores: int = 0
    asides: int = 0
    bytes: int = 0
    freed_bytes: int = 0
    is_done: bool = True

    def sentence(self) -> str:
        """What was dropped, for a person; empty where nothing was."""
        parts = [
            f"{count:,} {name}"
            for name in ("requests", "spans", "signals", "scores", "asides")
            if (count := getattr(self, name))
        ]
        if not parts:
            return ""
        return f"Dropped what was old: {', '.join(parts)}. Sums are kept; {self.bytes / 1e6:,.1f} MB on disk."


def size_bytes(path: Path) -> int:
    """What a database takes on disk, its log included."""
    total = 0
    for name in (path.name, path.name + "-wal"):
        try:
            total += path.with_name(name).stat().st_size
        except OSError:
            continue
    return total


class Retention:
    """Drops what is too old, and the oldest of what is too much."""

    def __init__(
        self, db: Database, rollups: Rollups, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._db = db
        self._rollups = rollups
        self._clock = clock
        self._at_once = 20

    def is_due(self, max_bytes: int) -> bool:
        """Whether there is too much; costs two looks at files."""
        return size_bytes(self._db.path) > _FULL * max_bytes

    def sweep(self, now: float, keep_days: float, max_bytes: int, budget_s: float) -> Swept:
        """Drop requests with all that belongs to them, and what else is too old.

        Args:
            now: Unix seconds.
            keep_days: how long something is kept after it came.
            max_bytes: of the file and its log.
            budget_s: how long this may take; the rest is for the next time.

        Raises:
            StoreError: it can't be written.
        """
        before = size_bytes(self._db.path)
        end = self._clock() + budget_s
        dropped = dict.fromkeys(("requests", "spans", "signals", "scores", "asides"), 0)
        oldest = now - keep_days * DAY
        with self._wiping():
            self._cut_log()
            done = self._repeat(end, lambda: self._drop_loose(oldest, now, dropped))
            done = done and self._repeat(end, lambda: self._drop_requests(oldest, now, dropped))
            done = self._repeat(end, lambda: self._drop_fine(now)) and done
            done = self._forget_dropped(now, max_bytes, end) and done
            if self._used() > _FULL * max_bytes:
                enough = (1 - _ROOM) * max_bytes
                done = done and self._repeat(
                    end, lambda: self._used() > enough and self._drop_any(now, dropped)
                )
            if self._bytes("page_count") > (1 - _ROOM / 2) * max_bytes:
                done = self._repeat(end, lambda: self._shrink((1 - _ROOM) * max_bytes)) and done
            self._cut_log(always=before > _FULL * max_bytes)
        after = size_bytes(self._db.path)
        return Swept(**dropped, bytes=after, freed_bytes=max(before - after, 0), is_done=done)

    @contextmanager
    def _wiping(self) -> Iterator[None]:
        """What is dropped is overwritten on disk as well: texts and user ids do not stay in free pages."""
        self._db.rows("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            self._db.rows("PRAGMA secure_delete = FAST")

    def _repeat(self, end: float, step: Callable[[], bool]) -> bool:
        """Until it has nothing more to do (True) or the time is used up."""
        while True:
            started = self._clock()
            if started >= end:
                return False
            if not step():
                return True
            self._cut_log()
            took = self._clock() - started
            if took > _STEP_S:
                self._at_once = max(self._at_once // 2, 1)
            elif took < _STEP_S / 3:
                self._at_once = min(self._at_once * 2, _MOST_AT_ONCE)

    # -- requests

    def _drop_requests(self, oldest: float, now: float, dropped: dict[str, int]) -> bool:
        rows = self._db.rows("SELECT id, came_at FROM requests ORDER BY id LIMIT ?", (self._at_once,))
        old: list[int] = []
        for id_, came_at in rows:
            if came_at >= oldest:
                break
            old.append(id_)
        return self._drop(old, now, dropped)

    def _drop_any(self, now: float, dropped: dict[str, int]) -> bool:
        """The oldest, however old; where there is no request, what else there is."""
        rows = self._db.rows("SELECT id FROM requests ORDER BY id LIMIT ?", (self._at_once,))
        if rows:
            return self._drop([id_ for (id_,) in rows], now, dropped)
        return self._drop_loose(float("inf"), now, dropped)

    def _drop(self, ids: list[int], now: float, dropped: dict[str, int]) -> bool:
        if not ids:
            return False
        with self._db.write() as connection:
            # Known as dropped before the first of its spans is gone: none may be taken in anew in between.
            traces = connection.execute(
                f"SELECT trace_id FROM requests WHERE id IN ({marks(ids)})", ids
            ).fetchall()
            connection.executemany(
                "INSERT OR IGNORE INTO dropped VALUES (?, ?)",
                [(short_id(trace), int(now // DAY)) for (trace,) in traces],
            )
            # A trace may have more spans than one transaction should drop.
            found = connection.execute(
                f"DELETE FROM spans WHERE id IN (SELECT id FROM spans WHERE request_id IN ({marks(ids)})"
                " LIMIT ?)",
                [*ids, _SPANS_AT_ONCE],
            ).rowcount
            dropped["spans"] += found
            if found == _SPANS_AT_ONCE:
                return True
            where = f"WHERE request_id IN ({marks(ids)})"
            dropped["signals"] += self._drop_signals(where, ids, now)
            dropped["scores"] += connection.execute(f"DELETE FROM scores {where}", ids).rowcount
            # Reviews stay: they have what is counted by, and no text.
            connection.execute(f"DELETE FROM guard_rows {where}", ids)
            dropped["requests"] += connection.execute(
                f"DELETE FROM requests WHERE id IN ({marks(ids)})", ids
            ).rowcount
        return True

    def _drop_signals(self, where: str, args: Sequence[object], now: float) -> int:
        """Those that name no trace are remembered by their own ids. Within a write."""
        gone = self._db.rows(f"DELETE FROM signals {where} RETURNING id, trace_id", list(args))
        self._db.connection.executemany(
            "INSERT OR IGNORE INTO dropped VALUES (?, ?)",
            [(short_id(id_.encode()), int(now // DAY)) for id_, trace in gone if not trace],
        )
        return len(gone)

    def _drop_loose(self, oldest: float, now: float, dropped: dict[str, int]) -> bool:
        """Signals and scores whose trace never came, and what was set aside."""
        with self._db.write() as connection:
            alone = "SELECT id FROM signals WHERE request_id IS NULL AND came_at < ? LIMIT ?"
            found = self._drop_signals(f"WHERE id IN ({alone})", [oldest, 5 * self._at_once], now)
            dropped["signals"] += found
            for table, where in (
                ("scores", "request_id IS NULL AND came_at < ?"),
                ("asides", "at < ?"),
            ):
                key = {"scores": "(trace_id, scorer, source)", "asides": "id"}[table]
                columns = key.strip("()")
                count = connection.execute(
                    f"DELETE FROM {table} WHERE {key} IN (SELECT {columns} FROM {table} WHERE {where}"
                    " LIMIT ?)",
                    (oldest, 5 * self._at_once),
                ).rowcount
                dropped[table] += count
                found += count
        return found > 0

    # -- sums and ids

    def _drop_fine(self, now: float) -> bool:
        with self._db.write():
            return self._rollups.drop_old(now, 20 * self._at_once)

    def _forget_dropped(self, now: float, max_bytes: int, end: float) -> bool:
        """Forget traces that were dropped long ago, and the oldest where there are too many."""
        (count,) = self._db.one("SELECT count(*) FROM dropped")
        oldest = int(now // DAY) - _REMEMBERED_DAYS
        excess = count - int(_REMEMBERED_SHARE * max_bytes / _REMEMBERED_BYTES)

        def step() -> bool:
            nonlocal excess
            limit = 20 * self._at_once
            day, limit = (2**62, min(excess, limit)) if excess > 0 else (oldest, limit)
            with self._db.write() as connection:
                found = connection.execute(
                    "DELETE FROM dropped WHERE trace IN"
                    " (SELECT trace FROM dropped WHERE day < ? ORDER BY day LIMIT ?)",
                    (day, limit),
                ).rowcount
            excess -= found
            return found > 0

        return self._repeat(end, step)

    # -- the file

    def _bytes(self, name: str) -> int:
        """What SQLite counts in pages."""
        (size,) = self._db.one("PRAGMA page_size")
        (count,) = self._db.one(f"PRAGMA {name}")
        return int(count) * int(size)

    def _used(self) -> int:
        """Bytes that hold something."""
        return self._bytes("page_count") - self._bytes("freelist_count")

    def _shrink(self, wanted: float) -> bool:
        """Give free pages at the end of the file back, some at a time."""
        free = self._bytes("freelist_count")
        if not free or self._bytes("page_count") <= wanted:
            return False
        with self._db.write():
            self._db.rows(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
        return self._bytes("freelist_count") < free

    def _cut_log(self, always: bool = False) -> None:
        """Bring the log into the file and cut it; where somebody reads, next time."""
        log = self._db.path.with_name(self._db.path.name + "-wal")
        try:
            length = log.stat().st_size
        except OSError:
            return
        if not length or not (always or length > _LOG_BYTES):
            return
        try:
            self._db.connection.execute("PRAGMA busy_timeout = 50")
            self._db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            raise faults.store_error(error, self._db.path) from error
        finally:
            self._db.connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
