"""What guardrails did in requests that are kept, and what people said of it.

A row is kept of every firing and failure, and of the random sample. What there is to read of it is the
request's own (`Request.guarded`), so that it is written once and goes when the request does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from llmops_tui.domain.live.guards import GuardReview, GuardRow, row_of
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.request import Request
from llmops_tui.domain.live.sampling import place_of
from llmops_tui.domain.live.settings import GUARDS_SAMPLE
from llmops_tui.store.connection import Database
from llmops_tui.store.live.labels import Labels

#: The share of the sample is kept here, in parts of a billion.
_COUNTER, _PARTS = "guards_sample", 1_000_000_000
#: Arguments that one statement is given.
_CHUNK = 500

Args = list[Any]

_PASS = "NOT g.triggered AND NOT g.failed"
_NOT_REVIEWED = (
    "NOT EXISTS (SELECT 1 FROM requests AS q JOIN guard_reviews AS v ON v.trace_id = q.trace_id"
    " WHERE q.id = g.request_id AND v.guardrail = g.guardrail)"
)
#: A row that was drawn stays drawn, whatever the share is now.
_UPSERT = (
    "INSERT INTO guard_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " started_at = excluded.started_at, series_id = excluded.series_id, triggered = excluded.triggered,"
    " failed = excluded.failed, score = excluded.score, threshold = excluded.threshold,"
    " elapsed_s = excluded.elapsed_s, cost_usd = excluded.cost_usd"
)

_encode = msgspec.msgpack.Encoder().encode
_review = msgspec.msgpack.Decoder(GuardReview).decode
_request = msgspec.msgpack.Decoder(Request).decode


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a guardrail within a window.

    Attributes:
        waiting: firings without a review. unseen: drawn passes without one. failed: those that failed.
        drawn: rows of the random sample, firings and passes. drawn_usd: what they cost.
        thresholds: those that it had, the newest last.
        told: rows that tell a score. scored: scores are told that are not 1 and 0.
    """

    waiting: int = 0
    unseen: int = 0
    drawn: int = 0
    drawn_usd: float = 0.0
    thresholds: tuple[float, ...] = ()
    scored: bool = False
    failed: int = 0
    told: int = 0


def set_sample(db: Database, share: float) -> None:
    """Draw this share from now on. Within a write."""
    if share != sample_of(db):
        db.connection.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (_COUNTER, round(share * _PARTS)),
        )


def sample_of(db: Database) -> float:
    row = db.one("SELECT value FROM counters WHERE name = ?", (_COUNTER,))
    return row[0] / _PARTS if row else GUARDS_SAMPLE


def write_rows(db: Database, requests: Iterable[tuple[int, int, Request]]) -> None:
    """Keep what is to be kept of requests. Within a write.

    Args:
        requests: (number, number of the series, request).
    """
    share = sample_of(db)
    rows: list[tuple[Any, ...]] = []
    for id_, series_id, request in requests:
        place = place_of(request.trace_id)
        drawn = place < share
        for name, guarded in request.guarded.items():
            if not (drawn or guarded.fired or guarded.failed):
                continue
            row = row_of(request, name, drawn=drawn)
            assert row is not None
            rows.append(
                (
                    *(id_, name, request.start, series_id, row.triggered, bool(row.failed), drawn, place),
                    *(row.score, row.threshold, row.elapsed_s, row.cost_usd),
                )
            )
    db.connection.executemany(_UPSERT, rows)
    if rows and db.one("SELECT 1 FROM guard_reviews LIMIT 1"):
        # What was said of a pass is not said of the firing that it turned out to be.
        db.connection.executemany(
            "DELETE FROM guard_reviews WHERE trace_id = (SELECT trace_id FROM requests WHERE id = ?)"
            " AND guardrail = ? AND triggered <> ?",
            [(row[0], row[1], row[4]) for row in rows],
        )


class Guards:
    """Reads rows, and reads and writes reviews of one `live.db`."""

    def __init__(self, db: Database, labels: Labels) -> None:
        self._db = db
        self._labels = labels

    @property
    def sample(self) -> float:
        """Share of the passes that is kept."""
        return sample_of(self._db)

    # -- rows

    def kept(self, wanted: LiveFilter) -> dict[str, Kept]:
        """Guardrail → what is kept of it in a window, of the series that a filter takes."""
        where, args = self._where(wanted)
        found: dict[str, Kept] = {}
        for name, waiting, unseen, drawn, usd, scored, failed, told in self._db.rows(
            f"SELECT g.guardrail, total(g.triggered AND {_NOT_REVIEWED}),"
            f" total({_PASS} AND g.drawn AND {_NOT_REVIEWED}), total(g.drawn),"
            " total(CASE WHEN g.drawn THEN g.cost_usd END), max(g.score > 0 AND g.score < 1),"
            " total(g.failed), count(g.score)"
            f" FROM guard_rows AS g WHERE {where} GROUP BY g.guardrail",
            args,
        ):
            found[name] = Kept(
                *(int(waiting), int(unseen), int(drawn), usd),
                scored=bool(scored),
                failed=int(failed),
                told=told,
            )
        for name, threshold in self._db.rows(
            f"SELECT g.guardrail, g.threshold FROM guard_rows AS g WHERE {where}"
            " AND g.threshold IS NOT NULL GROUP BY g.guardrail, g.threshold ORDER BY max(g.started_at)",
            args,
        ):
            thresholds = (*found[name].thresholds, threshold)
            found[name] = msgspec.structs.replace(found[name], thresholds=thresholds)
        return found

    def elapsed_s(self, wanted: LiveFilter, guardrail: str, limit: int = 2_000) -> list[float]:
        """Seconds that it took a request, of the newest that were drawn at random."""
        where, args = self._where(wanted, guardrail)
        rows = self._db.rows(
            f"SELECT g.elapsed_s FROM guard_rows AS g WHERE {where} AND g.drawn"
            " ORDER BY g.started_at DESC LIMIT ?",
            [*args, limit],
        )
        return [elapsed_s for (elapsed_s,) in rows]

    def waiting(self, wanted: LiveFilter, guardrail: str, *, firings: bool, limit: int) -> list[GuardRow]:
        """Rows without a review, in an order that is random and stays the same.

        Args:
            firings: those on which it fired; else those of the random sample that it let pass.
        """
        where, args = self._where(wanted, guardrail)
        which = "g.triggered" if firings else f"{_PASS} AND g.drawn"
        rows = self._db.rows(
            "SELECT r.facts, f.drawn FROM (SELECT g.request_id, g.drawn, g.place FROM guard_rows AS g"
            f" WHERE {where} AND {which} AND {_NOT_REVIEWED} ORDER BY g.place, g.request_id LIMIT ?) AS f"
            " JOIN requests AS r ON r.id = f.request_id ORDER BY f.place, f.request_id",
            [*args, limit],
        )
        found = [row_of(_request(facts), guardrail, drawn=bool(drawn)) for facts, drawn in rows]
        return [row for row in found if row is not None]

    def failures(self, wanted: LiveFilter, guardrail: str, limit: int) -> list[GuardRow]:
        """Rows of requests in which it failed itself, the newest first."""
        where, args = self._where(wanted, guardrail)
        rows = self._db.rows(
            "SELECT r.facts, f.drawn FROM (SELECT g.request_id, g.drawn, g.started_at FROM guard_rows AS g"
            f" WHERE {where} AND g.failed ORDER BY g.started_at DESC, g.request_id LIMIT ?) AS f"
            " JOIN requests AS r ON r.id = f.request_id ORDER BY f.started_at DESC, f.request_id",
            [*args, limit],
        )
        found = [row_of(_request(facts), guardrail, drawn=bool(drawn)) for facts, drawn in rows]
        return [row for row in found if row is not None]

    def drawn(self, trace_ids: Iterable[str]) -> set[str]:
        """Those of some traces that are of the random sample."""
        wanted = [bytes.fromhex(trace_id) for trace_id in trace_ids]
        found: set[str] = set()
        for at in range(0, len(wanted), _CHUNK):
            part = wanted[at : at + _CHUNK]
            rows = self._db.rows(
                "SELECT r.trace_id FROM requests AS r JOIN guard_rows AS g ON g.request_id = r.id"
                f" WHERE g.drawn AND r.trace_id IN ({', '.join('?' * len(part))})",
                part,
            )
            found |= {trace_id.hex() for (trace_id,) in rows}
        return found

    def row(self, listed: LiveRequest, guardrail: str) -> GuardRow | None:
        """What a guardrail did in a request; None where it did not look."""
        return row_of(listed.request, guardrail, drawn=bool(self.drawn([listed.request.trace_id])))

    def _where(self, wanted: LiveFilter, guardrail: str = "") -> tuple[str, Args]:
        terms = ["g.started_at >= ?", "g.started_at < ?"]
        args: Args = [wanted.since, wanted.until]
        if guardrail:
            terms, args = ["g.guardrail = ?", *terms], [guardrail, *args]
        every = self._labels.series()
        fitting = [id_ for id_, series in every.items() if wanted.takes(series)]
        if len(fitting) < len(every):
            # In the text: they are numbers, and there may be more than SQLite takes arguments.
            terms.append(f"g.series_id IN ({', '.join(map(str, fitting))})")
        return " AND ".join(terms), args

    # -- reviews

    def review(self, *reviews: GuardReview) -> None:
        """Keep reviews; of one request and guardrail the last one counts.

        Raises:
            StoreError: it can't be written; nothing was.
        """
        with self._db.write() as connection:
            connection.executemany(
                "INSERT INTO guard_reviews VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " triggered = excluded.triggered, at = excluded.at, reviewed_at = excluded.reviewed_at,"
                " data = excluded.data",
                [
                    (
                        *(bytes.fromhex(each.trace_id), each.guardrail, each.triggered, each.at),
                        *(each.reviewed_at, _encode(each)),
                    )
                    for each in reviews
                ],
            )

    def take_back(self, guardrail: str, trace_ids: Iterable[str]) -> int:
        """Take reviews back; gives how many there were."""
        with self._db.write() as connection:
            return sum(
                connection.execute(
                    "DELETE FROM guard_reviews WHERE trace_id = ? AND guardrail = ?",
                    (bytes.fromhex(trace_id), guardrail),
                ).rowcount
                for trace_id in trace_ids
            )

    def reviews(self, wanted: LiveFilter, guardrail: str = "") -> list[GuardReview]:
        """Of requests of a window and of the series that a filter takes, in the order they were said."""
        rows = self._db.rows(
            "SELECT data FROM guard_reviews WHERE at >= ? AND at < ? AND ? IN ('', guardrail)"
            " ORDER BY reviewed_at, trace_id",
            (wanted.since, wanted.until, guardrail),
        )
        found = (_review(data) for (data,) in rows)
        return [review for review in found if wanted.takes(review.series)]

    def by_trace(self, guardrail: str) -> dict[str, GuardReview]:
        """Trace → review, all of a guardrail."""
        rows = self._db.rows("SELECT data FROM guard_reviews WHERE guardrail = ?", (guardrail,))
        return {review.trace_id: review for review in (_review(data) for (data,) in rows)}
