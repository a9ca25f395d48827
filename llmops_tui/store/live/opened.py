"""Requests that one write changes: read once, taken out of the sums, and written once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from llmops_tui.domain.live.request import Request, begin
from llmops_tui.domain.live.tally import parts_of, tally_of
from llmops_tui.store.connection import Database
from llmops_tui.store.live.guards import write_rows
from llmops_tui.store.live.labels import Labels
from llmops_tui.store.live.rollups import Changes
from llmops_tui.store.live.rows import facts_of

T = TypeVar("T")

#: Arguments that one statement is given.
CHUNK = 500

_request = msgspec.msgpack.Decoder(Request).decode
_COLUMNS = (
    "started_at, arrived_at, series_id, counted, complete, user, session, error, failed, refused, flagged,"
    " bad, latency_s, cost_usd, score, facts"
)
_INSERT = f"INSERT INTO requests (id, trace_id, came_at, {_COLUMNS}) VALUES ({', '.join('?' * 19)})"
_UPDATE = f"UPDATE requests SET ({_COLUMNS}) = ({', '.join('?' * 16)}) WHERE id = ?"


def chunks(values: Collection[T], size: int = CHUNK) -> Iterator[list[T]]:
    every = list(values)
    for at in range(0, len(every), size):
        yield every[at : at + size]


def marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def count(changes: Changes, labels: Labels, request: Request, series_id: int, sign: int) -> None:
    """Count a request in its series, in the parts of it that it belongs to, and in the margins.

    Args:
        sign: −1 takes it out again.
    """
    series = request.series
    parts = [labels.series_id(series, part) for part in parts_of(request)]
    changes.add(request.start, (series_id, *labels.margins(series), *parts), tally_of(request), sign)


class Opened(msgspec.Struct):
    """A request that may be changed.

    Attributes:
        place: session, start and whether it is a request, as the database has them; None where it is new.
        is_changed: it is out of the sums, and will be written.
        is_written: it has a row.
    """

    id: int
    request: Request
    series_id: int = 0
    place: tuple[str, float, bool] | None = None
    is_changed: bool = False
    is_written: bool = False

    @property
    def has_moved(self) -> bool:
        """Signals of its session may belong to another request now."""
        r = self.request
        return self.place != (r.session, r.start, r.is_request)


class Requests:
    """Those of one write, by trace id."""

    def __init__(self, db: Database, labels: Labels, changes: Changes, now: float) -> None:
        self._db = db
        self._labels = labels
        self._changes = changes
        self._now = now
        self.by_trace: dict[bytes, Opened] = {}

    def read(self, traces: Iterable[bytes]) -> None:
        """Read those that are there."""
        for part in chunks([trace for trace in traces if trace not in self.by_trace]):
            for trace, id_, series_id, facts in self._db.rows(
                f"SELECT trace_id, id, series_id, facts FROM requests WHERE trace_id IN ({marks(part)})", part
            ):
                r = _request(facts)
                place = (r.session, r.start, r.is_request)
                self.by_trace[trace] = Opened(id_, r, series_id, place, is_written=True)

    def by_id(self, id_: int) -> Opened | None:
        """One by its number, read where it is not open yet."""
        row = self._db.one("SELECT trace_id FROM requests WHERE id = ?", (id_,))
        if row is None:
            return None
        self.read([row[0]])
        return self.by_trace[row[0]]

    def make(self, traces: list[bytes]) -> None:
        """New ones. Numbers are not used again: a screen may still hold one of a request that was dropped."""
        if not traces:
            return
        (highest,) = self._db.one("SELECT ifnull(max(id), 0) FROM requests")
        row = self._db.one("SELECT value FROM counters WHERE name = 'next_request'")
        next_id = max(highest + 1, row[0] if row else 1)
        for n, trace in enumerate(traces):
            self.by_trace[trace] = Opened(next_id + n, begin(trace.hex()), is_changed=True)
        self._db.connection.execute(
            "INSERT INTO counters VALUES ('next_request', ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (next_id + len(traces),),
        )

    def change(self, opened: Opened) -> Request:
        """Take it out of the sums before it is changed; it goes in again when it is written."""
        if not opened.is_changed:
            opened.is_changed = True
            count(self._changes, self._labels, opened.request, opened.series_id, -1)
        return opened.request

    def moved(self) -> list[Opened]:
        """Those that stand elsewhere in their session than before, or in another."""
        return [x for x in self.by_trace.values() if x.is_changed and x.has_moved]

    def write(self) -> None:
        """Write the rows of those that changed, and have the sums hold them again."""
        fresh: list[tuple[Any, ...]] = []
        known: list[tuple[Any, ...]] = []
        guarded: list[Opened] = []
        for trace, opened in self.by_trace.items():
            if not opened.is_changed:
                continue
            r = opened.request
            opened.series_id = self._labels.series_id(r.series)
            count(self._changes, self._labels, r, opened.series_id, 1)
            opened.is_changed = False
            if opened.is_written:
                known.append((*self._values(opened), opened.id))
            else:
                fresh.append((opened.id, trace, self._now, *self._values(opened)))
                opened.is_written = True
            if r.guarded and r.is_request:
                guarded.append(opened)
        self._db.connection.executemany(_INSERT, fresh)
        self._db.connection.executemany(_UPDATE, known)
        if guarded:
            write_rows(self._db, [(each.id, each.series_id, each.request) for each in guarded])

    def _values(self, opened: Opened) -> tuple[Any, ...]:
        r = opened.request
        return (
            *(r.start, self._now, opened.series_id, r.is_request, r.has_root, r.user, r.session, r.error),
            *(r.failed, r.refused, r.flagged, r.is_bad, r.latency_s),
            *(r.cost_usd if r.priced else None, r.score, facts_of(r)),
        )
