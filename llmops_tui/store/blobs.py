"""Long texts, once each by content."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec

from llmops_tui.domain.canonical import text_digest
from llmops_tui.store import faults
from llmops_tui.store.connection import Database

#: Values of one `IN (…)`.
CHUNK = 1000
#: Ids of texts that come again and again (system messages, chunks) are remembered; never more than this.
REMEMBERED = 50_000


def chunks(values: Iterable[Any], size: int = CHUNK) -> Iterable[list[Any]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def marks(values: Sequence[Any]) -> str:
    """`?, ?, ?`, as many as there are values."""
    return ", ".join("?" * len(values))


def to_stored(text: str) -> str | bytes:
    """A text as SQLite takes it: one with lone surrogates (cut emoji in an answer) goes in as bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_stored(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def clean(text: str) -> str:
    """A sentence without lone surrogates, which SQLite refuses."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def to_json(value: Any) -> str:
    """Compact JSON; lone surrogates are escaped."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))


def from_json(text: str) -> Any:
    """The value back.

    Raises:
        StoreError: the text is damaged (SQLite does not check what is within a row).
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise faults.damaged(None, "a stored text can't be read") from error


class Blobs:
    """Texts by the hash of their content (`canonical.text_digest`)."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._ids: dict[bytes, int] = {}
        db.caches.append(self._ids)

    def put_many(self, texts: Iterable[str]) -> list[str]:
        """Keep these; returns their hashes."""
        with self._db.write() as connection:
            hashes = []
            for text in texts:
                hashes.append(text_digest(text))
                self.intern(connection, text, bytes.fromhex(hashes[-1]))
        return hashes

    def get(self, hash_: str) -> str | None:
        """One text, or None."""
        return self.get_many([hash_]).get(hash_)

    def get_many(self, hashes: Iterable[str]) -> dict[str, str]:
        """Those that are there, by hash."""
        found: dict[str, str] = {}
        for chunk in chunks(hashes):
            sql = f"SELECT hash, text FROM blobs WHERE hash IN ({marks(chunk)})"
            for hash_, text in self._db.rows(sql, [bytes.fromhex(h) for h in chunk]):
                found[hash_.hex()] = from_stored(text)
        return found

    def known(self, hashes: Iterable[str]) -> set[str]:
        """Which of these are there."""
        found: set[str] = set()
        for chunk in chunks(hashes):
            sql = f"SELECT hash FROM blobs WHERE hash IN ({marks(chunk)})"
            found.update(row[0].hex() for row in self._db.rows(sql, [bytes.fromhex(h) for h in chunk]))
        return found

    # -- for the other repositories, by row id

    def intern(self, connection: sqlite3.Connection, text: str, hash_: bytes | None = None) -> int:
        """Row id of a text, which is put in if it is new. Within a transaction."""
        if hash_ is None:
            hash_ = bytes.fromhex(text_digest(text))
        known = self._ids.get(hash_)
        if known is not None:
            return known
        new = connection.execute(
            "INSERT INTO blobs (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id",
            (hash_, to_stored(text)),
        ).fetchall()
        if not new:
            new = connection.execute("SELECT id FROM blobs WHERE hash = ?", (hash_,)).fetchall()
        if len(self._ids) >= REMEMBERED:
            self._ids.clear()
        id_: int = new[0][0]
        self._ids[hash_] = id_
        return id_

    def intern_json(self, connection: sqlite3.Connection, value: Any) -> int | None:
        """Row id of a value's JSON; None where the value is empty."""
        return self.intern(connection, to_json(value)) if value else None

    def by_id(self, ids: Iterable[int]) -> dict[int, str]:
        """Texts by row id; all of them are there, or the database is damaged."""
        wanted = set(ids)
        found: dict[int, str] = {}
        for chunk in chunks(wanted):
            sql = f"SELECT id, text FROM blobs WHERE id IN ({marks(chunk)})"
            for id_, text in self._db.rows(sql, chunk):
                found[id_] = from_stored(text)
        if len(found) < len(wanted):
            raise faults.damaged(self._db.path, "a text is missing")
        return found
