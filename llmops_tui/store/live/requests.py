"""Finding requests of live traffic, and their traces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.request import Request
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.store.connection import Database
from llmops_tui.store.live.opened import chunks, marks

Args = list[Any]
#: A trace's id, or its beginning.
_ID_START = re.compile("[0-9a-f]{8,32}")

_request = msgspec.msgpack.Decoder(Request).decode
_attributes = msgspec.json.Decoder().decode

#: Spans of one trace that are read; what is beyond them is left out, and the title says so.
MOST_SPANS = 20_000


_ONLY = {
    "failed": "failed",
    "refused": "refused",
    "flagged": "flagged",
    "bad": "bad",
    "scored": "score IS NOT NULL",
    "low": "score < 0.5",
    "worth": "(failed OR flagged OR bad OR refused)",
}
_ORDERS = {
    "newest": "started_at DESC, id DESC",
    "slowest": "latency_s DESC, id DESC",
    "dearest": "cost_usd DESC, id DESC",
    "lowest": "score IS NULL, score, started_at DESC, id DESC",
}


class Requests:
    """Reads requests of one `live.db`."""

    def __init__(self, db: Database, series: Any) -> None:
        self._db = db
        self._series = series

    def where(self, wanted: LiveFilter) -> tuple[str, Args] | None:
        """The condition of a filter; None where no series fits, and so no request does."""
        terms = ["counted", "started_at >= ?", "started_at < ?"]
        args: Args = [wanted.since, wanted.until]
        if wanted.user:
            terms, args = [*terms, "user = ?", "user <> ''"], [*args, wanted.user]
        if wanted.session:
            terms, args = [*terms, "session = ?", "session <> ''"], [*args, wanted.session]
        if wanted.error:
            terms, args = [*terms, "error = ?"], [*args, wanted.error]
        if wanted.only:
            terms.append(_ONLY[wanted.only])
        every = self._series()
        fitting = [id_ for id_, series in every.items() if wanted.takes(series)]
        if not fitting:
            return None
        if len(fitting) < len(every):
            # In the text: they are numbers, and there may be more than SQLite takes arguments.
            terms.append(f"series_id IN ({', '.join(map(str, fitting))})")
        return " AND ".join(terms), args

    def listed(
        self, wanted: LiveFilter, *, order: str = "newest", limit: int = 200, offset: int = 0
    ) -> list[LiveRequest]:
        """Requests that a filter takes.

        Args:
            order: `newest`, `slowest`, `dearest` or `lowest` (score).
        """
        found = self.where(wanted)
        if found is None:
            return []
        # The index alone tells which; only these rows are read.
        rows = self._db.rows(
            "SELECT r.id, r.arrived_at, r.facts FROM (SELECT id, row_number() OVER () AS n FROM"
            f" (SELECT id FROM requests WHERE {found[0]} ORDER BY {_ORDERS[order]} LIMIT ? OFFSET ?)) AS f"
            " JOIN requests AS r ON r.id = f.id ORDER BY f.n",
            [*found[1], limit, offset],
        )
        return [LiveRequest(id_, _request(facts), at) for id_, at, facts in rows]

    def count(self, wanted: LiveFilter) -> int:
        found = self.where(wanted)
        if found is None:
            return 0
        (count,) = self._db.one(f"SELECT count(*) FROM requests WHERE {found[0]}", found[1])
        return int(count)

    def counts_by(self, seconds: int, wanted: LiveFilter) -> dict[int, int]:
        """Start of each bucket of so many seconds → requests in it."""
        found = self.where(wanted)
        if found is None:
            return {}
        rows = self._db.rows(
            "SELECT CAST(started_at / ? AS INTEGER) * ? AS bucket, count(*)"
            f" FROM requests WHERE {found[0]} GROUP BY bucket",
            [seconds, seconds, *found[1]],
        )
        return dict(rows)

    def facts(self, wanted: LiveFilter, limit: int = 100_000) -> list[Request]:
        """Newest first."""
        return [each.request for each in self.listed(wanted, limit=limit)]

    def get(self, id_: int) -> LiveRequest | None:
        row = self._db.one("SELECT id, arrived_at, facts FROM requests WHERE id = ?", (id_,))
        return LiveRequest(row[0], _request(row[2]), row[1]) if row else None

    def find(self, trace_id: str) -> LiveRequest | None:
        """By its trace's id, or the beginning of it (8 digits at least) where only one has it."""
        trace_id = trace_id.strip().lower()
        if not _ID_START.fullmatch(trace_id):
            return None
        low = bytes.fromhex((trace_id + "0" * 32)[:32])
        high = bytes.fromhex((trace_id + "f" * 32)[:32])
        rows = self._db.rows(
            "SELECT id, arrived_at, facts FROM requests WHERE trace_id BETWEEN ? AND ? LIMIT 2", (low, high)
        )
        return LiveRequest(rows[0][0], _request(rows[0][2]), rows[0][1]) if len(rows) == 1 else None

    def users(self, wanted: LiveFilter, limit: int = 50) -> list[tuple[str, int, float, int, int]]:
        """(user, requests, USD, failed, with a bad signal), the dearest first, then the busiest."""
        found = self.where(wanted)
        if found is None:
            return []
        # It has them user by user, and all but the session.
        index = "" if wanted.session or wanted.user else "INDEXED BY requests_user"
        return self._db.rows(
            "SELECT user, count(*), ifnull(sum(cost_usd), 0.0), sum(failed), sum(bad)"
            f" FROM requests {index} WHERE {found[0]} AND user <> ''"
            " GROUP BY user ORDER BY 3 DESC, 2 DESC, 1 LIMIT ?",
            [*found[1], limit],
        )

    def trace(self, id_: int) -> Trace | None:
        """The whole trace of a request; None where it is not there any more."""
        row = self._db.one("SELECT trace_id, facts FROM requests WHERE id = ?", (id_,))
        if row is None:
            return None
        spans = [
            Span(
                *(span_id.hex(), parent_id.hex(), name, kind, start, end),
                *("ok" if error is None else "error", error or "", _attributes(attributes)),
            )
            for span_id, parent_id, name, kind, start, end, error, attributes in self._db.rows(
                "SELECT span_id, parent_id, name, kind, started_at, ended_at, error, attributes FROM spans"
                " WHERE request_id = ? ORDER BY started_at, id LIMIT ?",
                (id_, MOST_SPANS),
            )
        ]
        request = _request(row[1])
        title = request.name or request.feature or "request"
        if request.spans > MOST_SPANS:
            title += f" · the first {MOST_SPANS} of {request.spans} spans"
        return Trace(row[0].hex(), title, _parents_first(spans))

    def kinds(self, ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Number of a request → kinds of its spans; without those of which no span is kept."""
        found: dict[int, set[str]] = {}
        for chunk in chunks(ids):
            rows = self._db.rows(
                f"SELECT DISTINCT request_id, kind FROM spans WHERE request_id IN ({marks(chunk)})", chunk
            )
            for id_, kind in rows:
                found.setdefault(id_, set()).add(kind)
        return {id_: frozenset(kinds) for id_, kinds in found.items()}

    def signals(self, id_: int) -> list[Signal]:
        rows = self._db.rows(
            "SELECT id, kind, value, at, trace_id, session, user, feature, comment, edited FROM signals"
            " WHERE request_id = ? ORDER BY at",
            (id_,),
        )
        return [Signal(row[0], row[1], row[2], row[3], row[4].hex(), *row[5:]) for row in rows]

    def scores(self, id_: int) -> list[LiveScore]:
        rows = self._db.rows(
            "SELECT trace_id, scorer, value, passed, reason, error, at, source, cost_usd FROM scores"
            " WHERE request_id = ? ORDER BY at",
            (id_,),
        )
        return [
            LiveScore(row[0].hex(), row[1], row[2], None if row[3] is None else bool(row[3]), *row[4:])
            for row in rows
        ]


def _parents_first(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Each parent before its children, siblings by start; what has no parent here is a root."""
    known = {span.id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    ordered: list[Span] = []
    seen: set[str] = set()
    stack = list(reversed(children.get("", ())))
    while stack:
        span = stack.pop()
        if span.id in seen:
            continue
        seen.add(span.id)
        ordered.append(span)
        stack += reversed(children.get(span.id, ()))
    # Spans that name each other as parents.
    ordered += [span for span in spans if span.id not in seen]
    return tuple(ordered)
