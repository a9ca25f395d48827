"""Taking traffic in: spans once each, requests folded, sums kept equal, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.live.arrival import Arrived, Aside, Batch, LiveScore, Signal
from llmops_tui.domain.live.request import Request, Series, begin, fold, take_score, take_signal
from llmops_tui.domain.live.tally import Sums, Tally, tally_of
from llmops_tui.domain.trace import Span
from llmops_tui.store.connection import Database
from llmops_tui.store.live.labels import Labels
from llmops_tui.store.live.rollups import Changes, Rollups

_facts = msgspec.msgpack.Encoder().encode
_request = msgspec.msgpack.Decoder(Request).decode
_attributes = msgspec.json.Encoder().encode
#: Arguments that one statement is given.
_CHUNK = 500
#: Records set aside that are kept.
_ASIDES = 10_000

_INSERT_SPAN = (
    "INSERT INTO spans (request_id, span_id, parent_id, name, kind, started_at, ended_at, error, attributes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COLUMNS = (
    "started_at, arrived_at, series_id, counted, complete, user, session, failed, refused, flagged, bad,"
    " latency_s, cost_usd, score, facts"
)
_INSERT_REQUEST = f"INSERT INTO requests (trace_id, {_COLUMNS}) VALUES ({', '.join('?' * 16)})"
_UPDATE_REQUEST = f"UPDATE requests SET ({_COLUMNS}) = ({', '.join('?' * 15)}) WHERE id = ?"


class Ingested(msgspec.Struct, frozen=True):
    """What came of it; the rest of what was sent was there already.

    Attributes:
        duplicates: spans that were there already.
    """

    spans: int = 0
    duplicates: int = 0
    signals: int = 0
    scores: int = 0
    asides: int = 0


class _Open(msgspec.Struct):
    """A request that is being changed. `id` is 0 where it is new."""

    id: int
    request: Request
    known: set[bytes] = set()
    series_id: int = 0
    changed: bool = False


class Ingest:
    """Writes what comes in."""

    def __init__(self, db: Database, labels: Labels, rollups: Rollups) -> None:
        self._db = db
        self._labels = labels
        self._rollups = rollups
        self._seen = -1

    def take(self, batches: Sequence[Batch], now: float) -> Ingested:
        """Take all of it in, or nothing.

        Raises:
            StoreError: it can't be written; nothing was.
        """
        with self._db.write():
            self._look_for_others()
            traces: dict[str, list[Arrived]] = {}
            for batch in batches:
                for arrived in batch.spans:
                    traces.setdefault(arrived.trace_id, []).append(arrived)
            signals = self._new_signals([s for batch in batches for s in batch.signals])
            scores = [s for batch in batches for s in batch.scores]
            wanted = {*traces, *(s.trace_id for s in scores), *(s.trace_id for s in signals if s.trace_id)}
            open_ = self._open(wanted, traces)
            spans, duplicates, rows = 0, 0, []
            changes = Changes()
            for opened in open_.values():
                if opened.id:
                    self._count(changes, opened, -1)
            for trace_id, came in traces.items():
                opened = open_[trace_id]
                fresh = self._fresh(opened, came)
                spans += len(fresh)
                duplicates += len(came) - len(fresh)
                if fresh:
                    fold(opened.request, fresh.values(), self._labels.label)
                    opened.changed = True
                    rows.append((opened, fresh))
            self._number(open_, traces)
            self._db.connection.executemany(_INSERT_SPAN, _span_rows(rows))
            self._take_scores(open_, scores)
            self._take_signals(open_, signals, changes)
            self._claim_waiting(open_, traces)
            self._write_requests(open_, changes, now)
            self._rollups.apply(changes)
            asides = self._set_aside([a for batch in batches for a in batch.aside], now)
            return Ingested(spans, duplicates, len(signals), len(scores), asides)

    def _look_for_others(self) -> None:
        """Where another process has written, what is held in memory may be out of date."""
        (now,) = self._db.one("PRAGMA data_version")
        if now != self._seen:
            self._db.forget()
            self._seen = now

    # -- requests

    def _open(self, wanted: Iterable[str], traces: dict[str, list[Arrived]]) -> dict[str, _Open]:
        """Those that are there, and new ones for traces that have spans now."""
        found: dict[str, _Open] = {}
        ids = [bytes.fromhex(trace_id) for trace_id in wanted]
        for at in range(0, len(ids), _CHUNK):
            part = ids[at : at + _CHUNK]
            marks = ", ".join("?" * len(part))
            for id_, series_id, facts in self._db.rows(
                f"SELECT id, series_id, facts FROM requests WHERE trace_id IN ({marks})", part
            ):
                request = _request(facts)
                found[request.trace_id] = _Open(id_, request, series_id=series_id)
        there = [opened.id for trace_id, opened in found.items() if trace_id in traces]
        by_id = {opened.id: opened for opened in found.values()}
        for at in range(0, len(there), _CHUNK):
            some = there[at : at + _CHUNK]
            marks = ", ".join("?" * len(some))
            for id_, span_id in self._db.rows(
                f"SELECT request_id, span_id FROM spans WHERE request_id IN ({marks})", some
            ):
                by_id[id_].known.add(span_id)
        for trace_id in traces:
            if trace_id not in found:
                found[trace_id] = _Open(0, begin(trace_id))
        return found

    def _fresh(self, opened: _Open, arrived: list[Arrived]) -> dict[bytes, Span]:
        """Those that were not there, once each."""
        fresh: dict[bytes, Span] = {}
        for each in arrived:
            span_id = bytes.fromhex(each.span.id)
            if span_id not in opened.known and span_id not in fresh:
                fresh[span_id] = each.span
        return fresh

    def _number(self, open_: dict[str, _Open], traces: dict[str, list[Arrived]]) -> None:
        """Give new requests their numbers: spans refer to them. The rest of the row is written at the end."""
        new = [trace_id for trace_id in traces if not open_[trace_id].id]
        if not new:
            return
        row = self._db.one("SELECT max(id) FROM requests")
        next_id = self._next_id(row[0] or 0)
        for n, trace_id in enumerate(new):
            opened = open_[trace_id]
            opened.id = next_id + n
            opened.changed = True
        self._db.connection.executemany(
            "INSERT INTO requests (id, trace_id, started_at, arrived_at, series_id, counted, complete, user,"
            " session, failed, refused, flagged, bad, latency_s, facts)"
            " VALUES (?, ?, 0, 0, ?, 0, 0, '', '', 0, 0, 0, 0, 0, x'')",
            ((open_[t].id, bytes.fromhex(t), self._labels.series_id(open_[t].request.series)) for t in new),
        )
        self._db.connection.execute(
            "INSERT INTO counters VALUES ('next_request', ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (next_id + len(new),),
        )

    def _next_id(self, highest: int) -> int:
        """Numbers are not used again: a screen may still hold one of a request that was dropped."""
        row = self._db.one("SELECT value FROM counters WHERE name = 'next_request'")
        return max(highest + 1, row[0] if row else 1)

    def _count(self, changes: Changes, opened: _Open, sign: int) -> None:
        changes.add(opened.request.start, opened.series_id, tally_of(opened.request), sign)

    def _write_requests(self, open_: dict[str, _Open], changes: Changes, now: float) -> None:
        rows = []
        for opened in open_.values():
            r = opened.request
            opened.series_id = self._labels.series_id(r.series)
            self._count(changes, opened, 1)
            if opened.changed:
                rows.append(
                    (
                        *(
                            r.start,
                            now,
                            opened.series_id,
                            r.is_request,
                            r.has_root,
                            r.user,
                            r.session,
                            r.failed,
                        ),
                        *(r.refused, r.flagged, r.is_bad, r.latency_s),
                        *(r.cost_usd if r.priced else None, r.score, _facts(r), opened.id),
                    )
                )
        self._db.connection.executemany(_UPDATE_REQUEST, rows)

    # -- scores and signals

    def _take_scores(self, open_: dict[str, _Open], scores: list[LiveScore]) -> None:
        rows = []
        for score in scores:
            opened = open_.get(score.trace_id)
            if opened is not None:
                take_score(opened.request, score, self._labels.label)
                opened.changed = True
            rows.append(_score_row(score, opened))
        self._db.connection.executemany(
            "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )

    def _new_signals(self, signals: list[Signal]) -> list[Signal]:
        """Those that were not there, once each, and each with its trace where that can be told."""
        once = {signal.id: signal for signal in signals}
        if not once:
            return []
        ids = list(once)
        for at in range(0, len(ids), _CHUNK):
            part = ids[at : at + _CHUNK]
            marks = ", ".join("?" * len(part))
            for (known,) in self._db.rows(f"SELECT id FROM signals WHERE id IN ({marks})", part):
                del once[known]
        return [self._placed(signal) for signal in once.values()]

    def _placed(self, signal: Signal) -> Signal:
        """A signal of a session is about its newest request before it."""
        if signal.trace_id or not signal.session:
            return signal
        row = self._db.one(
            "SELECT trace_id FROM requests WHERE session = ? AND session <> '' AND started_at <= ?"
            " ORDER BY started_at DESC LIMIT 1",
            (signal.session, signal.at),
        )
        return msgspec.structs.replace(signal, trace_id=row[0].hex()) if row else signal

    def _take_signals(self, open_: dict[str, _Open], signals: list[Signal], changes: Changes) -> None:
        rows = []
        for signal in signals:
            opened = open_.get(signal.trace_id) if signal.trace_id else None
            if opened is not None:
                take_signal(opened.request, signal)
                opened.changed = True
            elif not signal.trace_id:
                self._count_alone(changes, signal)
            rows.append(_signal_row(signal, opened))
        self._db.connection.executemany("INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _count_alone(self, changes: Changes, signal: Signal) -> None:
        """A signal that belongs to no request counts for its feature."""
        sums = Sums(1, signal.value, signal.value**2, bad=int(signal.is_bad))
        series = self._labels.series_id(Series(feature=signal.feature))
        changes.add(signal.at, series, Tally(signals={signal.kind: sums}))

    def _claim_waiting(self, open_: dict[str, _Open], traces: dict[str, list[Arrived]]) -> None:
        """Scores and signals that came before their trace."""
        for table in ("scores", "signals"):
            column = "request_id IS NULL AND trace_id <> x''"
            if not self._db.one(f"SELECT 1 FROM {table} WHERE {column} LIMIT 1"):
                continue
            for trace_id in traces:
                opened = open_[trace_id]
                key = bytes.fromhex(trace_id)
                if table == "scores":
                    self._claim_scores(opened, key)
                else:
                    self._claim_signals(opened, key)

    def _claim_scores(self, opened: _Open, trace_id: bytes) -> None:
        where = "WHERE trace_id = ? AND request_id IS NULL"
        rows = self._db.rows(
            f"SELECT scorer, value, passed, reason, error, at, source, cost_usd FROM scores {where}",
            (trace_id,),
        )
        for scorer, value, passed, reason, error, at, source, cost in rows:
            did_pass = None if passed is None else bool(passed)
            score = LiveScore(trace_id.hex(), scorer, value, did_pass, reason, error, at, source, cost)
            take_score(opened.request, score, self._labels.label)
            opened.changed = True
        if rows:
            self._db.connection.execute(f"UPDATE scores SET request_id = ? {where}", (opened.id, trace_id))

    def _claim_signals(self, opened: _Open, trace_id: bytes) -> None:
        where = "WHERE trace_id = ? AND request_id IS NULL"
        rows = self._db.rows(f"SELECT id, kind, value, at FROM signals {where}", (trace_id,))
        for id_, kind, value, at in rows:
            take_signal(opened.request, Signal(id_, kind, value, at))
            opened.changed = True
        if rows:
            self._db.connection.execute(f"UPDATE signals SET request_id = ? {where}", (opened.id, trace_id))

    def _set_aside(self, asides: list[Aside], now: float) -> int:
        if not asides:
            return 0
        before = self._db.connection.total_changes
        self._db.connection.executemany(
            "INSERT OR IGNORE INTO asides (at, source, place, why, text) VALUES (?, ?, ?, ?, ?)",
            ((now, x.source, x.place, x.why, x.text) for x in asides),
        )
        added = self._db.connection.total_changes - before
        self._db.connection.execute(
            "DELETE FROM asides WHERE id <= (SELECT max(id) FROM asides) - ?", (_ASIDES,)
        )
        return added


def _span_rows(rows: list[tuple[_Open, dict[bytes, Span]]]) -> Iterable[tuple[Any, ...]]:
    for opened, spans in rows:
        for span_id, span in spans.items():
            error = (span.error or "") if span.status == "error" else None
            yield (
                *(opened.id, span_id, bytes.fromhex(span.parent_id), span.name, span.kind),
                *(span.start, span.end, error, _attributes(span.attributes)),
            )


def _score_row(score: LiveScore, opened: _Open | None) -> tuple[Any, ...]:
    return (
        *(bytes.fromhex(score.trace_id), score.scorer, score.source, opened.id if opened else None),
        *(score.value, score.passed, score.reason, score.error, score.at, score.cost_usd),
    )


def _signal_row(signal: Signal, opened: _Open | None) -> tuple[Any, ...]:
    return (
        *(signal.id, opened.id if opened else None, bytes.fromhex(signal.trace_id), signal.session),
        *(signal.user, signal.feature, signal.kind, signal.value, signal.at, signal.comment, signal.edited),
    )
