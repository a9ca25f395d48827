"""The database of live traffic, opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from llmops_tui.domain.live.arrival import Aside, Batch
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Series
from llmops_tui.domain.live.tally import Tally, count_in, error_part
from llmops_tui.store import faults
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.connection import Database, connect
from llmops_tui.store.live import schema
from llmops_tui.store.live.alerts import Alerts
from llmops_tui.store.live.canaries import Canaries
from llmops_tui.store.live.guards import Guards
from llmops_tui.store.live.ingest import Ingest, Ingested
from llmops_tui.store.live.labels import Labels, margin_for
from llmops_tui.store.live.looked import Looked
from llmops_tui.store.live.requests import Requests
from llmops_tui.store.live.retention import Retention, Swept, size_bytes
from llmops_tui.store.live.rollups import RESOLUTIONS, Rollups
from llmops_tui.store.live.traits import Traits
from llmops_tui.store.live.watch import Watch
from llmops_tui.store.opening import prepare

#: Where it is, within the workspace.
LIVE_DATABASE = Path(".llmops") / "live.db"
APPLICATION_ID = 0x6C6C6D76  # "llmv"
#: What is left of the log after it was brought into the file.
LOG_BYTES = 4_000_000
#: Requests that sums are made of where a filter can't be answered from those that are kept.
MOST_REQUESTS = 20_000
#: Such sums that are held, for a screen that asks for the same again.
MOST_MADE = 16


class LiveStore:
    """All that is kept of live traffic. Belongs to the thread that opened it; processes may share it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._made: dict[tuple[LiveFilter, int], list[tuple[int, Series, Tally]]] = {}
        self._made_at: object = None
        self._seen = -1
        self.labels = Labels(db)
        self.rollups = Rollups(db)
        self.requests = Requests(db, self.labels.series)
        self.alerts = Alerts(db)
        self.traits = Traits(db, self.labels, self.rollups)
        self.watch = Watch(db)
        self.canaries = Canaries(db)
        self.looked = Looked(db)
        self.guards = Guards(db, self.labels)
        self.retention = Retention(db, self.rollups)
        self._ingest = Ingest(db, self.labels, self.rollups)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> LiveStore:
        """Open it; made if it is not there.

        Raises:
            StoreError: it can't be opened, is damaged, not ours, or from a newer release.
        """
        connection = connect(path, read_only=read_only, made_by="collect")
        try:
            prepare(connection, path, read_only, schema.STEPS, APPLICATION_ID, "collect")
            if not read_only:
                # What is acknowledged outlives a power cut too.
                connection.execute("PRAGMA synchronous = FULL")
                # What is overwritten or dropped leaves nothing in pages that are written anyway.
                connection.execute("PRAGMA secure_delete = FAST")
                connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            return cls(Database(path, connection, read_only=read_only))
        except sqlite3.Error as error:
            connection.close()
            raise faults.store_error(error, path) from error
        except BaseException:
            connection.close()
            raise

    @property
    def path(self) -> Path:
        return self._db.path

    @property
    def database(self) -> Database:
        """For the other subjects of this database (`store.live`)."""
        return self._db

    def transaction(self) -> AbstractContextManager[object]:
        """All writes within are committed together, or not at all."""
        return self._db.write()

    def ingest(self, batches: Sequence[Batch], now: float) -> Ingested:
        """Take in what came, in one transaction that is on disk when this returns.

        Args:
            now: Unix seconds.

        Raises:
            StoreError: it can't be written; nothing was.
            DatabaseGone: the file was taken away while it was open: open it anew, and send again.
        """
        ingested = self._ingest.take(batches, now)
        # Last, so that nothing is told to be kept that went into a file without a name.
        self._db.check_place()
        return ingested

    def tallies(
        self, wanted: LiveFilter, resolution: int, by: Iterable[str] | None = None
    ) -> list[tuple[int, Series, Tally]]:
        """(start of the bucket, series, sums), in order of time.

        Args:
            resolution: seconds of a bucket, one of `RESOLUTIONS`. `since` is taken at a whole bucket.
            by: dimensions that are to be told apart, by default all: the fewer, the faster. The series may
                then be empty in others, and several of one bucket may be equal.
        """
        assert resolution in RESOLUTIONS
        if not wanted.is_of_series:
            return self._made_tallies(wanted, resolution)
        part = error_part(wanted.error) if wanted.error else wanted.only
        if by is not None and not part:
            part = margin_for([*by, *wanted.dimensions])
        series = self.labels.series(part)
        fitting = {id_ for id_, each in series.items() if wanted.takes(each)}
        since = wanted.since // resolution * resolution
        found = self.rollups.read(resolution, since, wanted.until, fitting)
        return [(bucket, series[id_], tally) for bucket, id_, tally in found]

    def totals(self, wanted: LiveFilter, resolution: int) -> dict[int, Tally]:
        """Start of the bucket → sums of all series together, in order of time."""
        return whole_windows(self.tallies(wanted, resolution, ()))

    @no_collection()
    def _made_tallies(self, wanted: LiveFilter, resolution: int) -> list[tuple[int, Series, Tally]]:
        """Of single requests, where no sums are kept: made once for as long as nothing is written."""
        written = (self._db.one("PRAGMA data_version"), self._db.connection.total_changes)
        if written != self._made_at:
            self._made.clear()
            self._made_at = written
        if (known := self._made.get((wanted, resolution))) is not None:
            return known
        made: dict[tuple[int, Series], Tally] = {}
        for request in self.requests.facts(wanted, MOST_REQUESTS):
            key = (int(request.start // resolution) * resolution, request.series)
            found = made.get(key)
            if found is None:
                found = made[key] = Tally()
            count_in(found, request)
        if len(self._made) >= MOST_MADE:
            self._made.clear()
        ordered = sorted(made.items(), key=lambda x: x[0][0])
        answer = self._made[wanted, resolution] = [(at, series, tally) for (at, series), tally in ordered]
        return answer

    def sweep(self, now: float, keep_days: float, max_bytes: int, budget_s: float = 1.0) -> Swept:
        """Drop raw traffic that is too old or too much; sums stay: see `Retention.sweep`."""
        return self.retention.sweep(now, keep_days, max_bytes, budget_s)

    def asides(self, limit: int = 100) -> list[Aside]:
        """What could not be taken in, newest first."""
        rows = self._db.rows("SELECT source, place, why, text FROM asides ORDER BY id DESC LIMIT ?", (limit,))
        return [Aside(*row) for row in rows]

    def aside_count(self) -> int:
        """How many records could not be taken in and are kept."""
        return int(self._db.one("SELECT count(*) FROM asides")[0])

    def counts(self) -> dict[str, int]:
        """How many spans, requests, signals, scores and asides are kept, and bytes on disk."""
        tables = ("spans", "requests", "signals", "scores", "asides")
        found = {table: int(self._db.one(f"SELECT count(*) FROM {table}")[0]) for table in tables}
        return {**found, "bytes": size_bytes(self._db.path)}

    def changed(self) -> bool:
        """Whether another process has written since this was last asked."""
        (now,) = self._db.one("PRAGMA data_version")
        before, self._seen = self._seen, now
        return bool(now != before)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> LiveStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def whole_windows(buckets: Iterable[tuple[int, Series, Tally]]) -> dict[int, Tally]:
    """Sums by bucket, all series together."""
    made: dict[int, Tally] = {}
    for bucket, _series, tally in buckets:
        found = made.get(bucket)
        if found is None:
            found = made[bucket] = Tally()
        found.merge(tally)
    return made
