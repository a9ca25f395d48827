"""Requests that were answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from llmops_tui.domain.call import Call, ChatRequest, Draw
from llmops_tui.domain.model import Usage
from llmops_tui.store.blobs import Blobs, chunks, clean, from_json, marks, to_json
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.connection import Database
from llmops_tui.store.served import QUARTER_S, Served, add_sums, add_to_spending

_INSERT = (
    "INSERT INTO calls (key, generation, trial, step, occurrence, model, pin, setup_id, text_id, "
    "tool_calls_id, finish_reason, refused, served_model, fingerprint, input_tokens, output_tokens, "
    "cached_tokens, reasoning_tokens, latency_s, ttft_s, cost_usd, attempts, sent_at, raw) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_COLUMNS = (
    "id, generation, trial, step, occurrence, model, setup_id, text_id, tool_calls_id, finish_reason, "
    "refused, served_model, fingerprint, input_tokens, output_tokens, cached_tokens, reasoning_tokens, "
    "latency_s, ttft_s, cost_usd, attempts, sent_at, raw"
)
_FIND = f"SELECT {_COLUMNS} FROM calls WHERE key = ? AND trial = ? AND step = ? AND occurrence = ?"


class Calls:
    """Answers by request key and draw. The request's messages and the answer are blobs."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs

    def find(self, key: str, draw: Draw, fresh: bool) -> Call | None:
        """The answer to a request.

        Args:
            fresh: of exactly the draw's generation; else the newest of any generation.
        """
        args: list[Any] = [bytes.fromhex(key), draw.trial, draw.step, draw.occurrence]
        sql = _FIND
        if fresh:
            sql += " AND generation = ?"
            args.append(draw.generation)
        row = self._db.one(sql + " ORDER BY generation DESC LIMIT 1", args)
        return self._built(key, row) if row is not None else None

    @no_collection()
    def find_many(self, wanted: Iterable[tuple[str, Draw]]) -> dict[tuple[str, Draw], Call]:
        """Calls by key and draw; those that are not there are left out."""
        places = set(wanted)
        rows: dict[tuple[str, Draw], Any] = {}
        for chunk in chunks({key for key, _ in places}):
            sql = f"SELECT key, {_COLUMNS} FROM calls WHERE key IN ({marks(chunk)})"
            for raw, *row in self._db.rows(sql, [bytes.fromhex(key) for key in chunk]):
                place = (raw.hex(), Draw(*row[1:5]))
                if place in places:
                    rows[place] = row
        messages: dict[int, list[int]] = {}
        for chunk in chunks(row[0] for row in rows.values()):
            where = f"call_id IN ({marks(chunk)}) ORDER BY call_id, n"
            sql = f"SELECT call_id, blob_id FROM call_messages WHERE {where}"
            for call_id, blob_id in self._db.rows(sql, chunk):
                messages.setdefault(call_id, []).append(blob_id)
        ids = {blob for found in messages.values() for blob in found}
        ids |= {id_ for row in rows.values() for id_ in (row[6], row[7], row[8]) if id_}
        texts = self._blobs.by_id(ids)
        return {place: _call(place[0], row, messages.get(row[0], []), texts) for place, row in rows.items()}

    def newest(self, keys: Iterable[str], trial: int) -> dict[str, Call]:
        """The newest answer to each of these requests in a trial, whatever step asked it."""
        draws: dict[str, Draw] = {}
        for chunk in chunks(set(keys)):
            sql = (
                "SELECT key, generation, trial, step, occurrence FROM calls "
                f"WHERE trial = ? AND key IN ({marks(chunk)}) ORDER BY generation, id"
            )
            for raw, *draw in self._db.rows(sql, [trial, *(bytes.fromhex(key) for key in chunk)]):
                draws[raw.hex()] = Draw(*draw)
        return {key: call for (key, _), call in self.find_many(draws.items()).items()}

    def add_many(self, calls: Sequence[Call], pins: dict[str, str] | None = None) -> None:
        """Keep these; one that is there already (same key and draw) is left alone.

        Args:
            pins: model id → hash of its part in the version that asked, where that is known.
        """
        if not calls:
            return
        with self._db.write() as connection:
            new = []
            for call in calls:
                pin = (pins or {}).get(call.model_id, "")
                if self.insert(connection, call, pin):
                    new.append((call, pin))
            add_sums(connection, new)

    def add_spending(self, cost_usd: float | None, at: float) -> None:
        """Count what was paid for something that is no call.

        Args:
            at: Unix seconds.
        """
        if cost_usd:
            with self._db.write() as connection:
                add_to_spending(connection, {int(at // QUARTER_S): cost_usd})

    def insert(self, connection: sqlite3.Connection, call: Call, pin: str) -> bool:
        """Within a transaction, and outside the sums; whether it is new."""
        blobs, draw, request, usage = self._blobs, call.draw, call.request, call.usage
        setup = [request.params, request.tools, request.response_format]
        found = connection.execute(
            _INSERT,
            (
                bytes.fromhex(call.key),
                *(draw.generation, draw.trial, draw.step, draw.occurrence, call.model_id, pin),
                blobs.intern_json(connection, setup),
                blobs.intern(connection, call.text),
                blobs.intern_json(connection, call.tool_calls),
                *(_cleaned(call.finish_reason), call.refused),
                *(_cleaned(call.served_model), _cleaned(call.fingerprint)),
                *(usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens),
                *(call.latency_s, call.ttft_s, call.cost_usd, call.attempts, call.sent_at),
                to_json(call.raw) if call.raw else "",
            ),
        ).fetchall()
        if not found:
            return False
        connection.executemany(
            "INSERT INTO call_messages VALUES (?, ?, ?)",
            [(found[0][0], n, blobs.intern_json(connection, m)) for n, m in enumerate(request.messages)],
        )
        return True

    def _built(self, key: str, row: Any) -> Call:
        messages = self._db.rows("SELECT blob_id FROM call_messages WHERE call_id = ? ORDER BY n", (row[0],))
        ids = [m for (m,) in messages]
        texts = self._blobs.by_id({*ids, row[6], row[7], *([row[8]] if row[8] else [])})
        return _call(key, row, ids, texts)

    # -- sums

    def served(self, model_id: str, pin: str | None = None) -> list[Served]:
        """What was served under a model's name, the one first seen first.

        Args:
            pin: hash of the model's part of a version: only what was asked under that pin.
        """
        sql = (
            "SELECT served_model, fingerprint, min(first_seen), max(last_seen), sum(calls) FROM served "
            "WHERE model = ?" + (" AND pin = ?" if pin is not None else "") + " GROUP BY 1, 2 ORDER BY 3, 4"
        )
        rows = self._db.rows(sql, (model_id,) if pin is None else (model_id, pin))
        return [Served(m or None, f or None, first, last, n) for m, f, first, last, n in rows]

    def average_cost(self, model_id: str) -> float | None:
        """USD of one call to a model so far; None where no price was ever known."""
        sql = "SELECT sum(cost_usd), sum(priced_calls) FROM served WHERE model = ?"
        cost, n = self._db.one(sql, (model_id,))
        return cost / n if n else None

    def average_tokens(self, model_id: str) -> tuple[float, float] | None:
        """Input and output tokens of one call to a model so far; None where it was never asked."""
        sql = "SELECT sum(input_tokens), sum(output_tokens), sum(calls) FROM served WHERE model = ?"
        t_in, t_out, n = self._db.one(sql, (model_id,))
        return (t_in / n, t_out / n) if n else None

    def spent_since(self, since: float) -> float:
        """USD of all calls since a time, which is taken down to its quarter of an hour."""
        sql = "SELECT ifnull(sum(cost_usd), 0.0) FROM spending WHERE quarter >= ?"
        (cost,) = self._db.one(sql, (int(since // QUARTER_S),))
        return float(cost)


def _call(key: str, row: Any, message_ids: Sequence[int], texts: dict[int, str]) -> Call:
    """A call from its row (`_COLUMNS`) and the texts that it names."""
    _id, generation, trial, step, occurrence, model, setup_id, text_id, tools_id, *rest = row
    finish_reason, refused, served_model, fingerprint, t_in, t_out, t_cached, t_reasoning = rest[:8]
    latency_s, ttft_s, cost_usd, attempts, sent_at, raw = rest[8:]
    params, tools, response_format = from_json(texts[setup_id])
    messages = tuple(from_json(texts[m]) for m in message_ids)
    return Call(
        key=key,
        draw=Draw(generation, trial, step, occurrence),
        model_id=model,
        request=ChatRequest(messages, params, tuple(tools), response_format),
        text=texts[text_id],
        tool_calls=tuple(from_json(texts[tools_id])) if tools_id else (),
        finish_reason=finish_reason,
        refused=bool(refused),
        served_model=served_model,
        fingerprint=fingerprint,
        usage=Usage(t_in, t_out, t_cached, t_reasoning),
        latency_s=latency_s,
        ttft_s=ttft_s,
        cost_usd=cost_usd,
        attempts=attempts,
        sent_at=sent_at,
        raw=from_json(raw) if raw else {},
    )


def _cleaned(text: str | None) -> str | None:
    return clean(text) if text is not None else None
