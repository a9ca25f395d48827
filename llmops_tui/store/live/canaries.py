"""Canaries that were run: what later ones are held against."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.live.canary import CanaryResult, CanaryRun
from llmops_tui.store.connection import Database

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CanaryResult).decode


class Canaries:
    """Reads and writes them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, result: CanaryResult) -> None:
        run = result.run
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO canaries (config, version, eval_hash, at, data) VALUES (?, ?, ?, ?, ?)",
                (run.config, run.hash, run.eval_hash, run.at, _encode(result)),
            )

    def first(self, config: str, version_hash: str, eval_hash: str) -> tuple[CanaryRun | None, int]:
        """The first canary of a version over the same cases that has scores, and how many there were since,
        itself included."""
        of = (config, version_hash, eval_hash)
        where = "WHERE config = ? AND version = ? AND eval_hash = ?"
        (count,) = self._db.one(f"SELECT count(*) FROM canaries {where}", of)
        for before in range(count):
            (data,) = self._db.one(
                f"SELECT data FROM canaries {where} ORDER BY at, id LIMIT 1 OFFSET ?", (*of, before)
            )
            if (run := _decode(data).run).scores:
                return run, count - before
        return None, 0

    def newest(self, config: str = "", limit: int = 20) -> list[CanaryResult]:
        """Newest first.

        Args:
            config: of this configuration; empty: of any.
        """
        rows = self._db.rows(
            "SELECT data FROM canaries WHERE ? IN ('', config) ORDER BY at DESC, id DESC LIMIT ?",
            (config, limit),
        )
        return [_decode(data) for (data,) in rows]
