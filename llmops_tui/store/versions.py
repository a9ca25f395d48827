"""Versions, their names and the baseline."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import msgspec

from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.manifest import Manifest
from llmops_tui.domain.run import VersionInfo
from llmops_tui.store.blobs import Blobs, from_json, from_stored, to_json
from llmops_tui.store.connection import Database

KEYWORDS = ("baseline", "latest", "previous")
NUMBER = re.compile(r"v?(\d{1,15})", re.IGNORECASE)
HASH_PREFIX = re.compile(r"[0-9a-f]{4,64}")
LABEL_LENGTH = 60

_SELECT = (
    "SELECT v.id, v.config, v.number, v.hash, v.created_at, v.git_commit, v.git_dirty, "
    "b.version_id IS NOT NULL FROM versions v LEFT JOIN baselines b ON b.version_id = v.id "
)


VersionList = list[VersionInfo]
Names = list[str]


class Versions:
    """Versions of configurations. `seen` counts which one was on disk last."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs

    # -- recording

    def ensure(
        self,
        config: str,
        manifest: Manifest,
        blobs: dict[str, str],
        *,
        git_commit: str | None = None,
        git_dirty: bool | None = None,
        at: float,
        hidden: bool = False,
    ) -> tuple[VersionInfo, bool]:
        """The version of a manifest, made if it is new; from now on it is `latest`.

        Args:
            blobs: hash → text, for every text that the manifest names.
            hidden: a hybrid, a what-if or a step of a bisect: it gets no number and is never `latest`. Once
                it is on disk it is a version like any other.

        Returns:
            The version, and whether it is new.
        """
        known = self.find(config, manifest.hash)
        if known is not None and (hidden or not known.is_hidden):
            if blobs:
                self._fill_in(known.id, blobs)
            if not hidden:
                self.touch(known.id, at)
            elif known.is_hidden:
                self._tried(known.id, at)
            return known, False
        with self._db.write() as connection:
            known = self.find(config, manifest.hash)  # another process may just have made it
            if known is not None and (hidden or not known.is_hidden):
                return known, False
            (number, seen) = self._db.one(
                "SELECT min(ifnull(min(number), 0), 0) - 1, 0 FROM versions WHERE config = ?"
                if hidden
                else "SELECT max(ifnull(max(number), 0), 0) + 1, ifnull(max(seen), 0) + 1 FROM versions "
                "WHERE config = ?",
                (config,),
            )
            if known is not None:
                # What was tried without a number is on disk now: a version like any other.
                connection.execute(
                    "UPDATE versions SET number = ?, created_at = ?, git_commit = ?, git_dirty = ?, "
                    "seen = ?, seen_at = ? WHERE id = ?",
                    (number, at, git_commit, git_dirty, seen, at, known.id),
                )
                self._add_blobs(connection, known.id, blobs)
                return self.by_id(known.id), True
            text = self._blobs.intern(connection, to_json(manifest))
            ((id_,),) = connection.execute(
                "INSERT INTO versions (config, number, hash, manifest_id, created_at, git_commit, "
                "git_dirty, seen, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (config, number, manifest.hash, text, at, git_commit, git_dirty, seen, at),
            ).fetchall()
            self._add_blobs(connection, id_, blobs)
            return self.by_id(id_), True

    def mark_bundled(self, version_id: int) -> None:
        """Its texts came in a bundle: nobody here has seen its code."""
        with self._db.write() as connection:
            connection.execute("INSERT OR IGNORE INTO foreign_versions VALUES (?)", (version_id,))

    def came_in_bundle(self, version_id: int) -> bool:
        return self._db.one("SELECT 1 FROM foreign_versions WHERE version_id = ?", (version_id,)) is not None

    def _fill_in(self, version_id: int, blobs: dict[str, str]) -> None:
        """Texts of a version that was known from its manifest alone (a colleague's baseline)."""
        if self._db.one("SELECT 1 FROM version_blobs WHERE version_id = ? LIMIT 1", (version_id,)) is None:
            with self._db.write() as connection:
                self._add_blobs(connection, version_id, blobs)

    def _add_blobs(self, connection: sqlite3.Connection, version_id: int, blobs: dict[str, str]) -> None:
        connection.executemany(
            "INSERT OR IGNORE INTO version_blobs VALUES (?, ?)",
            [
                (version_id, self._blobs.intern(connection, text, bytes.fromhex(hash_)))
                for hash_, text in blobs.items()
            ],
        )

    def texts(self, version_id: int) -> dict[str, str]:
        """Hash → text, for every text that was recorded with a version."""
        rows = self._db.rows(
            "SELECT b.hash, b.text FROM version_blobs v JOIN blobs b ON b.id = v.blob_id "
            "WHERE v.version_id = ?",
            (version_id,),
        )
        return {hash_.hex(): from_stored(text) for hash_, text in rows}

    def factor(self, version_id: int) -> int:
        """How many times the planned trials a version has: 1 until it was adjudicated."""
        row = self._db.one("SELECT factor FROM versions WHERE id = ?", (version_id,))
        return row[0] if row else 1

    def set_factor(self, version_id: int, factor: int) -> None:
        with self._db.write() as connection:
            connection.execute("UPDATE versions SET factor = ? WHERE id = ?", (factor, version_id))

    def touch(self, version_id: int, at: float) -> None:
        """This version is on disk (again): it is `latest`, and the one that was is `previous`."""
        sql = (
            "SELECT seen, (SELECT max(seen) FROM versions o WHERE o.config = v.config) "
            "FROM versions v WHERE id = ?"
        )
        row = self._db.one(sql, (version_id,))
        if row is None or row[0] == row[1]:
            return
        with self._db.write() as connection:
            connection.execute(
                "UPDATE versions SET seen_at = ?, seen = 1 + (SELECT max(seen) FROM versions o "
                "WHERE o.config = versions.config) WHERE id = ?",
                (at, version_id),
            )

    def _tried(self, version_id: int, at: float) -> None:
        """A version without a number is tried again: it is kept from here on."""
        with self._db.write() as connection:
            connection.execute("UPDATE versions SET seen_at = ? WHERE id = ?", (at, version_id))

    # -- finding

    def find(self, config: str, hash_: str) -> VersionInfo | None:
        """By the whole hash of its manifest."""
        return self._one("WHERE v.config = ? AND v.hash = ?", (config, hash_))

    def by_id(self, version_id: int) -> VersionInfo:
        """By its row.

        Raises:
            UsageError: there is none.
        """
        found = self._one("WHERE v.id = ?", (version_id,))
        if found is None:
            raise UsageError(Problem("this version is not in the database any more", "choose another"))
        return found

    def get(self, config: str, ref: str) -> VersionInfo:
        """By `v3`, `3`, a hash prefix (4 digits or more), a label, `baseline`, `latest` or `previous`.

        `~` before a hash, as in the name of a version without a number, is left away.

        Raises:
            UsageError: there is none, or several begin with this prefix.
        """
        ref = ref.strip()
        found = self._keyword(config, ref) if ref in KEYWORDS else self._named(config, ref)
        if found is not None:
            return found
        digits = ref.lower().removeprefix("~")
        if HASH_PREFIX.fullmatch(digits):
            several = self._many(
                "WHERE v.config = ? AND substr(v.hash, 1, ?) = ? ORDER BY v.number DESC",
                (config, len(digits), digits),
            )
            if len(several) > 1:
                names = ", ".join(f"{v.name} ({v.hash[: len(digits) + 4]}…)" for v in several[:6])
                raise UsageError(
                    Problem(f"'{ref}' is ambiguous: {names}", "write more digits, or the number")
                )
            if several:
                return several[0]
        raise UsageError(self._unknown(config, ref))

    def _keyword(self, config: str, word: str) -> VersionInfo | None:
        if word == "baseline":
            return self.baseline(config)
        skip = 0 if word == "latest" else 1
        return self._one(
            "WHERE v.config = ? AND v.number > 0 ORDER BY v.seen DESC LIMIT 1 OFFSET ?", (config, skip)
        )

    def _named(self, config: str, ref: str) -> VersionInfo | None:
        number = NUMBER.fullmatch(ref)
        if number is not None:
            found = self._one("WHERE v.config = ? AND v.number = ?", (config, int(number[1])))
            if found is not None:
                return found
        return self._one(
            "WHERE v.id = (SELECT version_id FROM labels WHERE config = ? AND text = ?)", (config, ref)
        )

    def _unknown(self, config: str, ref: str) -> Problem:
        versions = self.list(config)
        if not versions:
            known = self.configs()
            if known and config not in known:
                return Problem(f"'{config}' has no version yet", did_you_mean(config, known))
            return Problem(f"'{config}' has no version yet", "run `llmops-tui run` once")
        if ref == "baseline":
            return Problem(
                f"'{config}' has no baseline yet", "promote a version: `llmops-tui promote latest`"
            )
        if ref == "previous":
            return Problem(f"'{config}' has only one version yet", "change the prompt and save")
        labels = [text for v in versions for text in v.labels]
        names = [*labels, *(v.name for v in versions[:10]), *KEYWORDS]
        return Problem(f"'{config}' has no version '{ref}'", did_you_mean(ref, names))

    def list(self, config: str) -> VersionList:
        """All of a configuration, newest number first."""
        return self._many("WHERE v.config = ? AND v.number > 0 ORDER BY v.number DESC", (config,))

    def configs(self) -> Names:
        """Names of all configurations that have a version."""
        return [
            name
            for (name,) in self._db.rows("SELECT DISTINCT config FROM versions WHERE number > 0 ORDER BY 1")
        ]

    def manifest(self, version_id: int) -> Manifest:
        """The parts of a version, with their content.

        Raises:
            UsageError: there is no such version.
        """
        row = self._db.one("SELECT manifest_id FROM versions WHERE id = ?", (version_id,))
        if row is None:
            self.by_id(version_id)  # says so
        return msgspec.convert(from_json(self._blobs.by_id(row)[row[0]]), Manifest)

    # -- what people decide

    def label(self, version_id: int, text: str) -> VersionInfo:
        """Give a version a name of its own.

        Raises:
            UsageError: the name would be mistaken for another, or is taken.
        """
        text = text.strip()
        version = self.by_id(version_id)
        problem = _label_problem(text)
        if problem is not None:
            raise UsageError(problem)
        with self._db.write() as connection:
            taken = self._named(version.config, text)
            if taken is not None and taken.id != version_id:
                raise UsageError(
                    Problem(f"'{text}' is {taken.name} already", "a label names one version; choose another")
                )
            connection.execute(
                "INSERT OR IGNORE INTO labels (config, text, version_id) VALUES (?, ?, ?)",
                (version.config, text, version_id),
            )
        return self.by_id(version_id)

    def set_baseline(self, version_id: int) -> VersionInfo:
        """Make it the baseline of its configuration."""
        version = self.by_id(version_id)
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO baselines VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET version_id = excluded.version_id",
                (version.config, version_id),
            )
        return self.by_id(version_id)

    def baseline(self, config: str) -> VersionInfo | None:
        return self._one("WHERE b.config = ?", (config,))

    # -- rows

    def _one(self, where: str, args: tuple[Any, ...]) -> VersionInfo | None:
        found = self._many(where, args)
        return found[0] if found else None

    def _many(self, where: str, args: tuple[Any, ...]) -> VersionList:
        rows = self._db.rows(_SELECT + where, args)
        if not rows:
            return []
        labels: dict[int, Names] = {}
        for id_, text in self._db.rows(
            "SELECT version_id, text FROM labels WHERE config = ? ORDER BY text", (rows[0][1],)
        ):
            labels.setdefault(id_, []).append(text)
        return [
            VersionInfo(
                id=id_,
                config=config,
                number=number,
                hash=hash_,
                created_at=created_at,
                git_commit=commit,
                git_dirty=None if dirty is None else bool(dirty),
                labels=tuple(labels.get(id_, ())),
                is_baseline=bool(is_baseline),
            )
            for id_, config, number, hash_, created_at, commit, dirty, is_baseline in rows
        ]


def _label_problem(text: str) -> Problem | None:
    if not text:
        return Problem("a label needs a text")
    if len(text) > LABEL_LENGTH or not text.isprintable():
        return Problem(
            "this label can't be shown on a line", f"use at most {LABEL_LENGTH} printable characters"
        )
    if text.lower() in KEYWORDS or NUMBER.fullmatch(text):
        return Problem(f"'{text}' already names a version", "choose a word of your own")
    if HASH_PREFIX.fullmatch(text.lower()):
        return Problem(
            f"'{text}' looks like the hash of a version", "choose a word with another letter in it"
        )
    return None
