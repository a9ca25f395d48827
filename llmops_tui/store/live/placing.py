"""Which request a signal is about: its trace's, or the newest of its session that began before it.

Traces and signals come in any order, so a signal of a session is placed anew when a request comes that began
between its own and itself. A signal that is about no request counts by itself, for its feature.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmops_tui.domain.live.amounts import share
from llmops_tui.domain.live.arrival import Signal
from llmops_tui.domain.live.request import Series, take_signal
from llmops_tui.domain.live.tally import Sums, Tally
from llmops_tui.store.connection import Database
from llmops_tui.store.live.labels import Labels
from llmops_tui.store.live.opened import Opened, Requests, chunks, marks
from llmops_tui.store.live.rollups import Changes

_INSERT = "INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TARGET = (
    "SELECT id FROM requests WHERE session = ? AND session <> '' AND counted AND started_at <= ?"
    " ORDER BY started_at DESC, trace_id LIMIT 1"
)


class Placing:
    """The signals of one write."""

    def __init__(self, db: Database, labels: Labels, requests: Requests, changes: Changes) -> None:
        self._db = db
        self._labels = labels
        self._requests = requests
        self._changes = changes
        self._claimed: list[bytes] = []

    def tell(self, signals: list[Signal], new: list[bytes]) -> None:
        """Take signals that name a trace into its request, and those that came before theirs."""
        if self._db.one("SELECT 1 FROM signals WHERE request_id IS NULL AND trace_id <> x'' LIMIT 1"):
            for part in chunks(new):
                for trace, kind, value in self._db.rows(
                    "SELECT trace_id, kind, value FROM signals"
                    f" WHERE request_id IS NULL AND trace_id IN ({marks(part)})",
                    part,
                ):
                    self._take(self._requests.by_trace[trace], kind, value)
                    self._claimed.append(trace)
        for signal in signals:
            opened = self._opened(signal)
            if opened is not None:
                self._take(opened, signal.kind, signal.value)

    def write(self, signals: list[Signal], now: float) -> None:
        """Write what was told. Those of a session are placed afterwards; those of nothing count alone.

        Args:
            now: Unix seconds, when it came.
        """
        by_trace = self._requests.by_trace
        self._db.connection.executemany(
            "UPDATE signals SET request_id = ? WHERE trace_id = ? AND request_id IS NULL",
            [(by_trace[trace].id, trace) for trace in self._claimed],
        )
        for signal in signals:
            if not signal.trace_id:
                self._count_alone(signal.at, signal.kind, signal.value, signal.feature, 1)
        self._db.connection.executemany(_INSERT, [(*self._row(signal), now) for signal in signals])

    def settle(self, signals: Iterable[Signal], moved: Iterable[Opened]) -> None:
        """Place signals of sessions: new ones, and those that a request came in between."""
        new = {s.id for s in signals if s.session and not s.trace_id}
        found = {row[0]: row for part in chunks(new) for row in self._signals("id", part)}
        if self._db.one("SELECT 1 FROM signals WHERE trace_id = x'' AND session <> '' LIMIT 1"):
            for session, since in _touched(moved).items():
                for row in self._signals("session", [session], since):
                    found[row[0]] = row
        for id_, session, at, kind, value, feature, holder in found.values():
            row = self._db.one(_TARGET, (session, at))
            target = row[0] if row else None
            if target == holder:
                continue
            self._leave(holder, at, kind, value, feature)
            self._join(target, at, kind, value, feature)
            self._db.connection.execute("UPDATE signals SET request_id = ? WHERE id = ?", (target, id_))

    def _signals(self, column: str, values: list[str], since: float = 0.0) -> list[Any]:
        return self._db.rows(
            "SELECT id, session, at, kind, value, feature, request_id FROM signals"
            f" WHERE {column} IN ({marks(values)}) AND at >= ? AND trace_id = x'' AND session <> ''",
            [*values, since],
        )

    def _leave(self, holder: int | None, at: float, kind: str, value: float, feature: str) -> None:
        if holder is None:
            self._count_alone(at, kind, value, feature, -1)
        elif (opened := self._requests.by_id(holder)) is not None:
            self._take(opened, kind, value, -1)

    def _join(self, target: int | None, at: float, kind: str, value: float, feature: str) -> None:
        opened = None if target is None else self._requests.by_id(target)
        if opened is None:
            self._count_alone(at, kind, value, feature, 1)
        else:
            self._take(opened, kind, value)

    def _take(self, opened: Opened, kind: Any, value: float, sign: int = 1) -> None:
        take_signal(self._requests.change(opened), Signal("", kind, value, 0.0), sign)

    def _count_alone(self, at: float, kind: str, value: float, feature: str, sign: int) -> None:
        series = Series(feature=feature)
        ids = (self._labels.series_id(series), *self._labels.margins(series))
        self._changes.add(at, ids, alone(kind, value), sign)

    def _opened(self, signal: Signal) -> Opened | None:
        return self._requests.by_trace.get(bytes.fromhex(signal.trace_id)) if signal.trace_id else None

    def _row(self, signal: Signal) -> tuple[Any, ...]:
        opened = self._opened(signal)
        return (
            *(signal.id, opened.id if opened else None, bytes.fromhex(signal.trace_id), signal.session),
            *(signal.user, signal.feature, signal.kind, signal.value, signal.at),
            *(signal.comment, signal.edited),
        )


def _touched(moved: Iterable[Opened]) -> dict[str, float]:
    """Session → since when its signals may belong to another request now."""
    found: dict[str, float] = {}
    for opened in moved:
        r = opened.request
        places = [(r.session, r.start)]
        if opened.place is not None:
            places.append((opened.place[0], opened.place[1]))
        for session, start in places:
            if session:
                found[session] = min(found.get(session, start), start)
    return found


def alone(kind: Any, value: float) -> Tally:
    """What a signal counts that is about no request."""
    request_free = Signal("", kind, value, 0.0)
    exact = share(value)
    return Tally(signals={kind: Sums(1, exact, exact * exact, bad=int(request_free.is_bad))})
