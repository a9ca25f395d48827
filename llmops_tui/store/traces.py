"""How outputs came about, and what steps of programs gave."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain.call import Draw
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.store.blobs import Blobs, chunks, from_json, marks, to_json
from llmops_tui.store.connection import Database

#: Texts beyond this length are kept once each, by content.
INLINE = 200
#: Key of a mapping that stands for a text, or for JSON, among the blobs.
_TEXT, _JSON = "$text", "$json"
#: Trial under which the recording of a tool is kept: it belongs to no trial.
RECORDED = -1

_RECORDS = tuple[SpanRecord, ...]


class KeptTrace(msgspec.Struct, frozen=True):
    """`began_at`: Unix seconds."""

    began_at: float
    records: tuple[SpanRecord, ...]


class Traces:
    """Spans by output, or by the attempt that failed."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs

    def insert(
        self,
        connection: sqlite3.Connection,
        records: Sequence[SpanRecord],
        began_at: float,
        *,
        output_id: int | None = None,
        attempt_id: int | None = None,
    ) -> None:
        """Within a transaction. An output's first trace stands."""
        ids: set[int] = set()
        kept = [
            msgspec.structs.replace(r, attributes=self._packed(connection, r.attributes, ids))
            if r.attributes
            else r
            for r in records
        ]
        made = connection.execute(
            "INSERT INTO traces (output_id, attempt_id, began_at, spans) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING id",
            (output_id, attempt_id, round(began_at, 6), to_json(kept)),
        ).fetchall()
        if made and ids:
            connection.executemany(
                "INSERT OR IGNORE INTO trace_texts VALUES (?, ?)", [(made[0][0], id_) for id_ in ids]
            )

    def _packed(
        self, connection: sqlite3.Connection, values: dict[str, Any], ids: set[int]
    ) -> dict[str, Any]:
        packed: dict[str, Any] = {}
        for name, value in values.items():
            mark = ""
            if isinstance(value, str):
                if len(value) > INLINE:
                    mark, text = _TEXT, value
            elif isinstance(value, dict | list | tuple):
                text = to_json(value)
                if len(text) > INLINE or (isinstance(value, dict) and value.keys() & {_TEXT, _JSON}):
                    mark = _JSON
            if mark:
                id_ = self._blobs.intern(connection, text)
                ids.add(id_)
                value = {mark: id_}
            packed[name] = value
        return packed

    def of_output(self, output_id: int) -> KeptTrace | None:
        """None for one that was made before traces were kept."""
        return self._get("output_id", output_id)

    def count(self, output_ids: Sequence[int]) -> int:
        """How many of these outputs have a trace."""
        return sum(
            int(self._db.one(f"SELECT count(*) FROM traces WHERE output_id IN ({marks(chunk)})", chunk)[0])
            for chunk in chunks(set(output_ids))
        )

    def of_attempt(self, attempt_id: int) -> KeptTrace | None:
        return self._get("attempt_id", attempt_id)

    def _get(self, column: str, id_: int) -> KeptTrace | None:
        row = self._db.one(f"SELECT began_at, spans FROM traces WHERE {column} = ?", (id_,))
        if row is None:
            return None
        records = msgspec.convert(from_json(row[1]), _RECORDS)
        wanted = {v[mark] for r in records for v in r.attributes.values() if (mark := _mark(v))}
        texts = self._blobs.by_id(wanted)
        return KeptTrace(
            row[0],
            tuple(
                msgspec.structs.replace(
                    r, attributes={k: _unpacked(v, texts) for k, v in r.attributes.items()}
                )
                for r in records
            ),
        )


def _mark(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        return key if key in (_TEXT, _JSON) else ""
    return ""


def _unpacked(value: Any, texts: dict[int, str]) -> Any:
    mark = _mark(value)
    if not mark:
        return value
    text = texts[value[mark]]
    return text if mark == _TEXT else from_json(text)


class Made:
    """What steps gave, and what recorded tools are answered with: JSON by content key and draw."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs

    def find(self, key: str, draw: Draw, fresh: bool) -> Any | None:
        """Args:
        fresh: of exactly the draw's generation; else the newest of any.
        """
        args: list[Any] = [bytes.fromhex(key), draw.trial]
        sql = "SELECT result_id FROM made WHERE key = ? AND trial = ?"
        if fresh and draw.trial != RECORDED:
            sql += " AND generation = ?"
            args.append(draw.generation)
        row = self._db.one(sql + " ORDER BY generation DESC LIMIT 1", args)
        return from_json(self._blobs.by_id(row)[row[0]]) if row is not None else None

    def add(self, key: str, draw: Draw, result: Any, at: float) -> None:
        """Keep it; one that is there already is left alone."""
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO made (key, generation, trial, result_id, at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (
                    *(bytes.fromhex(key), draw.generation, draw.trial),
                    *(self._blobs.intern(connection, to_json(result)), at),
                ),
            )
