"""What configurations answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.errors import Problem, StoreError
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.store.blobs import CHUNK, Blobs, chunks, clean, from_json, from_stored, marks, to_json
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.connection import Database

_INSERT = (
    "INSERT INTO outputs (key, trial, generation, text_hash, latency_s, cost_usd, ttft_s, text_id, "
    "tool_calls_id, finish_reason, refused, input_tokens, output_tokens, cached_tokens, reasoning_tokens, "
    "calls, at, guardrails, guard_calls, guard_failed) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING RETURNING id"
)


class OutputRow(msgspec.Struct, frozen=True, gc=False):
    """An output as planning needs it: where it is, and its figures.

    Attributes:
        guard_failed: a guardrail failed itself on the way to it.
    """

    output_id: int
    text_hash: str
    latency_s: float
    cost_usd: float | None
    generation: int
    guard_failed: bool = False


class Outputs:
    """Outputs by content key, generation and trial."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs

    @no_collection()
    def find_many(
        self, keys: Iterable[tuple[str, int]], generation: int | None = None
    ) -> dict[tuple[str, int], OutputRow]:
        """Those that are there, by (content key, trial).

        Args:
            generation: exactly this one; None: the newest of each.
        """
        wanted = set(keys)
        rows: dict[tuple[str, int], OutputRow] = {}
        for key, trial, id_, text_hash, latency_s, cost_usd, failed, found in self._light(
            {k for k, _ in wanted}, generation
        ):
            place = (key.hex(), trial)
            if place not in wanted:
                continue
            before = rows.get(place)
            if before is None or found > before.generation:
                rows[place] = OutputRow(id_, text_hash.hex(), latency_s, cost_usd, found, bool(failed))
        return rows

    def _light(self, keys: set[str], generation: int | None) -> Iterator[Any]:
        """Rows of these content keys, and perhaps others: of a generation, or at least the newest."""
        columns = "SELECT key, trial, id, text_hash, latency_s, cost_usd, guard_failed, "
        sql = columns + "generation FROM outputs"
        (newest,) = self._db.one("SELECT ifnull(max(id), 0) FROM outputs")
        if len(keys) * 3 >= newest and generation is None:
            yield from self._db.rows(sql)  # reading all is quicker than seeking a third of them
            return
        for chunk in chunks(keys):
            found = [bytes.fromhex(k) for k in chunk]
            if generation is not None:
                where = f" WHERE key IN ({marks(chunk)}) AND generation = ?"
                yield from self._db.rows(sql + where, [*found, generation])
                continue
            # Beside max() the other columns are those of its row; a key may have a thousand generations.
            yield from self._db.rows(
                f"{columns}max(generation) FROM outputs WHERE key IN ({marks(chunk)}) GROUP BY key, trial",
                found,
            )

    def same_requests(self, run_ids: Iterable[int]) -> dict[int, str]:
        """Output → a mark of its requests, for outputs of these runs that share all of them with another."""
        wanted = list(run_ids)
        where = f"SELECT output_id FROM items WHERE run_id IN ({marks(wanted)}) AND output_id NOTNULL"
        rows = self._db.rows(
            "WITH used AS (SELECT id, trial, generation, calls AS request FROM outputs "
            f"WHERE length(calls) >= 32 AND id IN ({where})), "
            "shared AS (SELECT request, trial, generation FROM used GROUP BY 1, 2, 3 HAVING count(*) > 1) "
            "SELECT u.id, u.request FROM used u JOIN shared s "
            "ON s.request = u.request AND s.trial = u.trial AND s.generation = u.generation",
            wanted,
        )
        return {id_: request.hex() for id_, request in rows}

    def requests(self, run_ids: Iterable[int]) -> dict[int, bytes]:
        """Output → the keys of all its requests in order, for the outputs of these runs."""
        wanted = list(run_ids)
        where = f"SELECT output_id FROM items WHERE run_id IN ({marks(wanted)}) AND output_id NOTNULL"
        return dict(self._db.rows(f"SELECT id, calls FROM outputs WHERE id IN ({where})", wanted))

    def rows(self, output_ids: Iterable[int]) -> dict[int, OutputRow]:
        """The same by row id."""
        found: dict[int, OutputRow] = {}
        for chunk in chunks(output_ids):
            sql = (
                "SELECT id, text_hash, latency_s, cost_usd, generation FROM outputs "
                f"WHERE id IN ({marks(chunk)})"
            )
            for id_, text_hash, latency_s, cost_usd, generation in self._db.rows(sql, chunk):
                found[id_] = OutputRow(id_, text_hash.hex(), latency_s, cost_usd, generation)
        return found

    def add(self, content_key: str, generation: int, trial: int, output: Output, at: float) -> int:
        """Keep an output; returns its row. One that is there already is left alone."""
        with self._db.write() as connection:
            id_, _hash, _new = self.insert(connection, content_key, generation, trial, output, at)
        return id_

    def insert(
        self, connection: sqlite3.Connection, key: str, generation: int, trial: int, output: Output, at: float
    ) -> tuple[int, str, bool]:
        """Row id, hash of the text and whether it is new. Within a transaction."""
        blobs, usage = self._blobs, output.usage
        text_hash = text_digest(output.text)
        raw = bytes.fromhex(text_hash)
        content = bytes.fromhex(key)
        found = connection.execute(
            _INSERT,
            (
                *(content, trial, generation, raw, output.latency_s, output.cost_usd, output.ttft_s),
                blobs.intern(connection, output.text, raw),
                blobs.intern_json(connection, output.tool_calls),
                clean(output.finish_reason) if output.finish_reason is not None else None,
                output.refused,
                *(usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens),
                *(bytes.fromhex("".join(output.calls)), at),
                to_json(output.guardrails) if output.guardrails else "",
                bytes.fromhex("".join(output.guard_calls)),
                output.guard_failed,
            ),
        ).fetchall()
        if not found:
            sql = "SELECT id, text_hash FROM outputs WHERE key = ? AND trial = ? AND generation = ?"
            ((id_, there),) = connection.execute(sql, (content, trial, generation)).fetchall()
            return id_, there.hex(), False
        id_ = found[0][0]
        if output.retrieved:
            connection.executemany(
                "INSERT INTO retrieved VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (id_, n, clean(c.source), blobs.intern(connection, c.text), c.score, c.position)
                    for n, c in enumerate(output.retrieved)
                ],
            )
        return id_, text_hash, True

    def set_aside(self, connection: sqlite3.Connection, output_id: int, output: Output) -> None:
        """Make room for an output where a guardrail failed itself on the way to another. In a transaction.

        The old one stays for the runs that have it, in a generation that is never the newest. Nothing is done
        where the new one is no other: the guardrail failed again, in the same way.
        """
        sql = "SELECT text_hash, guardrails FROM outputs WHERE id = ? AND guard_failed AND generation >= 0"
        found = connection.execute(sql, (output_id,)).fetchone()
        if found is None:
            return  # another process, or a case with the same inputs, was first
        raw, looks = found
        if raw.hex() == text_digest(output.text) and looks == to_json(output.guardrails):
            return
        connection.execute(
            "UPDATE outputs SET generation = (SELECT min(min(o.generation), 0) - 1 FROM outputs o "
            "WHERE o.key = outputs.key AND o.trial = outputs.trial) WHERE id = ?",
            (output_id,),
        )

    def get(self, output_id: int) -> Output:
        """An output in full.

        Raises:
            StoreError: it was cleaned up.
        """
        row = self._db.one(
            "SELECT text_id, tool_calls_id, finish_reason, refused, calls, input_tokens, output_tokens, "
            "cached_tokens, reasoning_tokens, latency_s, ttft_s, cost_usd, guardrails, guard_calls "
            "FROM outputs "
            "WHERE id = ?",
            (output_id,),
        )
        if row is None:
            raise StoreError(Problem("this output was cleaned up", "run again, to have it made anew"))
        text_id, tools_id, finish_reason, refused, calls, t_in, t_out, t_cached, t_reasoning, *rest = row
        pieces = self._db.rows(
            "SELECT source, blob_id, score, position FROM retrieved WHERE output_id = ? ORDER BY n",
            (output_id,),
        )
        ids = {text_id, *(p[1] for p in pieces), *([tools_id] if tools_id else [])}
        texts = self._blobs.by_id(ids)
        return Output(
            text=texts[text_id],
            tool_calls=tuple(from_json(texts[tools_id])) if tools_id else (),
            finish_reason=finish_reason,
            refused=bool(refused),
            retrieved=tuple(
                Chunk(source, texts[b], score, position) for source, b, score, position in pieces
            ),
            calls=_keys(calls),
            usage=Usage(t_in, t_out, t_cached, t_reasoning),
            latency_s=rest[0],
            ttft_s=rest[1],
            cost_usd=rest[2],
            guardrails=_looks(rest[3]),
            guard_calls=_keys(rest[4]),
        )

    def looks(self, output_ids: Iterable[int], *, failed: bool = False) -> dict[int, tuple[Look, ...]]:
        """What guardrails saw on the way to outputs, by row id; those on which none looked are left out.

        Args:
            failed: only outputs on which a guardrail failed itself.
        """
        found: dict[int, tuple[Look, ...]] = {}
        which = "guard_failed" if failed else "guardrails != ''"
        for chunk in chunks(output_ids):
            sql = f"SELECT id, guardrails FROM outputs WHERE id IN ({marks(chunk)}) AND {which}"
            rows: list[Any] = self._db.rows(sql, chunk)
            found |= {id_: _looks(text) for id_, text in rows}
        return found

    def texts(self, output_ids: Iterable[int]) -> dict[int, str]:
        """Texts of outputs, by row id; those that are not there are left out."""
        found: dict[int, str] = {}
        for chunk in chunks(output_ids, CHUNK):
            sql = (
                "SELECT outputs.id, blobs.text FROM outputs JOIN blobs ON blobs.id = outputs.text_id "
                f"WHERE outputs.id IN ({marks(chunk)})"
            )
            rows: list[Any] = self._db.rows(sql, chunk)
            for id_, text in rows:
                found[id_] = from_stored(text)
        return found

    def with_hashes(self, starts: Iterable[str]) -> frozenset[int]:
        """Rows of outputs whose text's hash starts with one of these hexadecimal digits."""
        wanted = {start.lower() for start in starts if start}
        lengths = {len(start) for start in wanted}
        if not wanted:
            return frozenset()
        rows: list[Any] = self._db.rows("SELECT id, text_hash FROM outputs")
        return frozenset(id_ for id_, raw in rows if any(raw.hex()[:n] in wanted for n in lengths))


def _keys(raw: bytes) -> tuple[str, ...]:
    return tuple(raw[i : i + 32].hex() for i in range(0, len(raw), 32))


def _looks(text: str) -> tuple[Look, ...]:
    return msgspec.convert(from_json(text), tuple[Look, ...]) if text else ()
