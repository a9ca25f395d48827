"""Taking traffic in: spans once each, requests folded, sums kept equal, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.live.arrival import SIGNAL_KINDS, Aside, Batch, LiveScore, Signal
from llmops_tui.domain.live.request import fold, take_score
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.domain.trace import Span
from llmops_tui.store.connection import Database
from llmops_tui.store.live.guards import set_sample
from llmops_tui.store.live.labels import Labels
from llmops_tui.store.live.opened import Opened, Requests, chunks, marks
from llmops_tui.store.live.placing import Placing
from llmops_tui.store.live.rollups import Changes, Rollups
from llmops_tui.store.live.rows import id_bytes, score_settled, settled, short_id, signal_settled, span_row
from llmops_tui.store.live.watch import note_spent

#: Records set aside that are kept, and characters of each.
_ASIDES, _ASIDE_LENGTH = 10_000, 1_000

_INSERT_SPAN = (
    "INSERT INTO spans (request_id, span_id, parent_id, name, kind, started_at, ended_at, error, attributes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
#: The newest judgement of a scorer is kept, of one moment the lowest (as `take_score` has it); a failure to
#: judge takes no judgement away.
_INSERT_SCORE = (
    "INSERT INTO scores (trace_id, scorer, source, request_id, value, passed, reason, error, at, cost_usd,"
    " came_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET request_id = excluded.request_id, value = excluded.value,"
    " passed = excluded.passed, reason = excluded.reason, error = excluded.error, at = excluded.at,"
    " cost_usd = excluded.cost_usd, came_at = excluded.came_at"
    " WHERE excluded.at > scores.at AND (excluded.error = '' OR scores.error <> '')"
    " OR excluded.error = '' AND scores.error <> ''"
    " OR excluded.at = scores.at AND excluded.error = '' AND scores.error = ''"
    " AND (ifnull(excluded.value, -1), ifnull(excluded.passed, -1))"
    " < (ifnull(scores.value, -1), ifnull(scores.passed, -1))"
)

#: A request, and its new spans with their attributes as JSON.
_Fresh = list[tuple[Opened, list[tuple[Span, bytes]]]]


class Ingested(msgspec.Struct, frozen=True):
    """What came of it; the rest of what was sent was there already.

    Attributes:
        duplicates: spans that were there already.
        late: spans of traces that were dropped already (`retention`): they are counted, and not kept again.
    """

    spans: int = 0
    duplicates: int = 0
    signals: int = 0
    scores: int = 0
    asides: int = 0
    late: int = 0


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
            shares = [b.guards_sample for b in batches if b.guards_sample is not None]
            if shares:
                set_sample(self._db, shares[-1])
            return _Taking(self._db, self._labels, self._rollups, now).take(batches)

    def _look_for_others(self) -> None:
        """Where another process has written, what is held in memory may be out of date."""
        (now,) = self._db.one("PRAGMA data_version")
        if now != self._seen:
            self._db.forget()
            self._seen = now


class _Taking:
    """One write."""

    def __init__(self, db: Database, labels: Labels, rollups: Rollups, now: float) -> None:
        self._db = db
        self._labels = labels
        self._rollups = rollups
        self._now = now
        self._changes = Changes()
        self._requests = Requests(db, labels, self._changes, now)

    def take(self, batches: Sequence[Batch]) -> Ingested:
        came = self._by_trace(batches)
        scores = [score_settled(s, self._now) for batch in batches for s in batch.scores if s.trace_id]
        note_spent(self._db, scores, self._now)
        signals = self._new_signals([s for batch in batches for s in batch.signals])
        named = {*(s.trace_id for s in scores), *(s.trace_id for s in signals)} - {""}
        traces = {*came, *map(bytes.fromhex, named)}
        self._requests.read(traces)
        dropped = self._dropped(traces)
        late = sum(len(came.pop(trace)) for trace in dropped if trace in came)
        scores = [s for s in scores if bytes.fromhex(s.trace_id) not in dropped]
        signals = [s for s in signals if bytes.fromhex(s.trace_id) not in dropped]

        new = [trace for trace in came if trace not in self._requests.by_trace]
        fresh = self._fold(came, new)
        claimed = self._score(scores, new)
        placing = Placing(self._db, self._labels, self._requests, self._changes)
        placing.tell(signals, new)
        moved = self._requests.moved()
        self._requests.write()
        self._write_spans(fresh)
        scored = self._write_scores(scores, claimed)
        placing.write(signals, self._now)
        placing.settle(signals, moved)
        self._requests.write()
        self._rollups.apply(self._changes)
        kept = sum(len(spans) for _opened, spans in fresh)
        duplicates = sum(map(len, came.values())) - kept
        asides = self._set_aside([x for batch in batches for x in batch.aside])
        return Ingested(kept, duplicates, len(signals), scored, asides, late)

    def _dropped(self, traces: set[bytes]) -> set[bytes]:
        """Those that were dropped, or are being dropped: they are in the sums for ever."""
        by_key = {short_id(trace): trace for trace in traces}
        return {by_key[key] for key in self._remembered(by_key)}

    def _remembered(self, keys: Collection[bytes]) -> list[bytes]:
        found: list[bytes] = []
        for part in chunks(keys):
            rows = self._db.rows(f"SELECT trace FROM dropped WHERE trace IN ({marks(part)})", part)
            found += [key for (key,) in rows]
        return found

    # -- spans

    def _by_trace(self, batches: Sequence[Batch]) -> dict[bytes, list[Span]]:
        found: dict[bytes, list[Span]] = {}
        for batch in batches:
            for arrived in batch.spans:
                trace = id_bytes(arrived.trace_id or arrived.span.id or "?", 16)
                found.setdefault(trace, []).append(arrived.span)
        return found

    def _fold(self, came: dict[bytes, list[Span]], new: list[bytes]) -> _Fresh:
        """Take into the requests what was not there, each span once."""
        self._requests.make(new)
        fresh: _Fresh = []
        for trace, spans in came.items():
            opened = self._requests.by_trace[trace]
            ready: dict[str, tuple[Span, bytes]] = {}
            for span in spans:
                made = settled(span, self._now)
                ready.setdefault(made[0].id, made)
            if opened.is_written:
                for id_ in self._known(opened.id, ready):
                    del ready[id_]
            if ready:
                fold(self._requests.change(opened), [span for span, _ in ready.values()], self._labels.label)
                fresh.append((opened, list(ready.values())))
        return fresh

    def _known(self, request_id: int, span_ids: Collection[str]) -> list[str]:
        found: list[str] = []
        for part in chunks([bytes.fromhex(id_) for id_ in span_ids]):
            rows = self._db.rows(
                f"SELECT span_id FROM spans WHERE request_id = ? AND span_id IN ({marks(part)})",
                [request_id, *part],
            )
            found += [id_.hex() for (id_,) in rows]
        return found

    def _write_spans(self, fresh: _Fresh) -> None:
        self._db.connection.executemany(
            _INSERT_SPAN,
            (span_row(opened.id, span, attributes) for opened, spans in fresh for span, attributes in spans),
        )

    # -- scores

    def _score(self, scores: list[LiveScore], new: list[bytes]) -> set[bytes]:
        """Take scores into their requests; gives the new traces that some came before."""
        claimed: set[bytes] = set()
        for score in [*self._waiting_scores(new, claimed), *scores]:
            opened = self._requests.by_trace.get(bytes.fromhex(score.trace_id))
            if opened is not None and not score.error:
                take_score(self._requests.change(opened), score, self._labels.label)
        return claimed

    def _waiting_scores(self, new: list[bytes], claimed: set[bytes]) -> list[LiveScore]:
        found: list[LiveScore] = []
        if not self._db.one("SELECT 1 FROM scores WHERE request_id IS NULL LIMIT 1"):
            return found
        for part in chunks(new):
            for trace, scorer, value, passed, error, at, source in self._db.rows(
                "SELECT trace_id, scorer, value, passed, error, at, source FROM scores"
                f" WHERE request_id IS NULL AND trace_id IN ({marks(part)})",
                part,
            ):
                claimed.add(trace)
                did_pass = None if passed is None else bool(passed)
                found.append(LiveScore(trace.hex(), scorer, value, did_pass, "", error, at, source))
        return found

    def _write_scores(self, scores: list[LiveScore], claimed: set[bytes]) -> int:
        """Gives how many told something new."""
        by_trace = self._requests.by_trace
        connection = self._db.connection
        connection.executemany(
            "UPDATE scores SET request_id = ? WHERE trace_id = ? AND request_id IS NULL",
            [(by_trace[trace].id, trace) for trace in claimed],
        )
        before = connection.total_changes
        connection.executemany(_INSERT_SCORE, [self._score_row(score) for score in scores])
        return connection.total_changes - before

    def _score_row(self, score: LiveScore) -> tuple[Any, ...]:
        trace = bytes.fromhex(score.trace_id)
        opened = self._requests.by_trace.get(trace)
        return (
            *(trace, score.scorer, score.source, opened.id if opened else None, score.value, score.passed),
            *(score.reason, score.error, score.at, score.cost_usd, self._now),
        )

    # -- signals, and what could not be taken

    def _new_signals(self, signals: list[Signal]) -> list[Signal]:
        """Those that were not there, once each."""
        once: dict[str, Signal] = {}
        for signal in signals:
            if signal.kind in SIGNAL_KINDS:
                made = signal_settled(signal, self._now)
                once.setdefault(made.id, made)
        for part in chunks(once):
            for (known,) in self._db.rows(f"SELECT id FROM signals WHERE id IN ({marks(part)})", part):
                del once[known]
        gone = {short_id(id_.encode()): id_ for id_, signal in once.items() if not signal.trace_id}
        for key in self._remembered(gone):
            del once[gone[key]]
        return list(once.values())

    def _set_aside(self, asides: list[Aside]) -> int:
        if not asides:
            return 0
        connection = self._db.connection
        before = connection.total_changes
        connection.executemany(
            "INSERT OR IGNORE INTO asides (at, source, place, why, text) VALUES (?, ?, ?, ?, ?)",
            (
                (self._now, *(whole_text(t)[:_ASIDE_LENGTH] for t in (x.source, x.place, x.why, x.text)))
                for x in asides
            ),
        )
        added = connection.total_changes - before
        connection.execute("DELETE FROM asides WHERE id <= (SELECT max(id) FROM asides) - ?", (_ASIDES,))
        return added
