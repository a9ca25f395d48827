"""Runs, their items, and the snapshots that everything compares."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.run import Item, Reason, RunInfo, RunState, Snapshot, make_rows
from llmops_tui.domain.score import Score, Status
from llmops_tui.store.blobs import chunks, clean, marks
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.connection import Database
from llmops_tui.store.processes import lives, parse_owner, this_process
from llmops_tui.store.scores import Scores
from llmops_tui.store.versions import Versions

#: How a status is kept; never renumber.
STATUSES: tuple[Status, ...] = ("passed", "failed", "error", "unscored", "missing")
CODE: dict[Status, int] = {status: n for n, status in enumerate(STATUSES)}

#: As `RunInfo` has them.
RUN_COLUMNS = (
    "id, version_id, reason, state, started_at, total, asked_total, generation, provider_calls, "
    "cached_outputs, elapsed_s, cost_usd"
)
_RUN = f"SELECT {RUN_COLUMNS} FROM runs "

#: A run over attacks and harmless cases.
ATTACKED = "EXISTS (SELECT 1 FROM items WHERE run_id = runs.id) AND reason = 'attack'"
#: A run that says how a version does on its eval sets: none of attacks. A step of a bisect asked one case
#: only, and says it of a hidden version alone, which has nothing else.
WHOLE = (
    "EXISTS (SELECT 1 FROM items WHERE run_id = runs.id) AND reason != 'attack' AND (reason != 'bisect' OR "
    "(SELECT number FROM versions WHERE id = version_id) < 0)"
)

Place = tuple[str, str, int, bool]
"""Case, model, trial, and whether the trial is an extra one."""

ItemRow = tuple[int, Item, tuple[str, ...]]
"""Position in the eval set's order, item, keys of the scores that its status comes from."""


RunList = list[RunInfo]
Items = list[Item]
ScoreList = list[Score]


class Runs:
    """Runs of versions. An item is the newest word on one position of its run."""

    def __init__(self, db: Database, versions: Versions, scores: Scores) -> None:
        self._db = db
        self._versions = versions
        self._scores = scores
        self._places: dict[Place, int] = {}
        self._sets: dict[tuple[str, ...], int] = {}
        db.caches += [self._places, self._sets]

    # -- a run's life

    def start(
        self,
        version_id: int,
        reason: Reason,
        *,
        total: int,
        asked_total: int,
        generation: int = 0,
        eval_hash: str = "",
        at: float,
    ) -> RunInfo:
        with self._db.write() as connection:
            ((id_,),) = connection.execute(
                "INSERT INTO runs (version_id, reason, state, started_at, total, asked_total, generation, "
                "eval_hash, owner) VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?) RETURNING id",
                (version_id, reason, at, total, asked_total, generation, eval_hash, this_process().text()),
            ).fetchall()
        return RunInfo(id_, version_id, reason, "running", at, total, asked_total, generation)

    def finish(
        self,
        run_id: int,
        *,
        state: RunState,
        provider_calls: int,
        cached_outputs: int,
        elapsed_s: float | None,
        cost_usd: float | None,
    ) -> RunInfo:
        with self._db.write() as connection:
            connection.execute(
                "UPDATE runs SET state = ?, provider_calls = ?, cached_outputs = ?, elapsed_s = ?, "
                "cost_usd = ? WHERE id = ?",
                (state, provider_calls, cached_outputs, elapsed_s, cost_usd, run_id),
            )
        return self.get(run_id)

    def interrupt_dead(self) -> int:
        """Runs whose process is gone become `interrupted`; returns how many."""
        running = self._db.rows("SELECT id, owner FROM runs WHERE state = 'running'")
        dead = []
        for id_, text in running:
            owner = parse_owner(text)
            if owner is None or not lives(owner):
                dead.append((id_,))
        if dead:
            with self._db.write() as connection:
                connection.executemany(
                    "UPDATE runs SET state = 'interrupted' WHERE id = ? AND state = 'running'", dead
                )
        return len(dead)

    def next_generation(self) -> int:
        """A generation that nobody had before."""
        with self._db.write() as connection:
            ((value,),) = connection.execute(
                "INSERT INTO counters VALUES ('generation', 1) ON CONFLICT DO UPDATE SET value = value + 1 "
                "RETURNING value"
            ).fetchall()
        return int(value)

    # -- finding

    def get(self, run_id: int) -> RunInfo:
        """By its number.

        Raises:
            UsageError: there is none.
        """
        row = self._db.one(_RUN + "WHERE id = ?", (run_id,))
        if row is None:
            raise UsageError(Problem(f"there is no run {run_id} any more", "choose another"))
        return RunInfo(*row)

    def list(self, config: str) -> RunList:
        """All runs of a configuration, newest first."""
        where = "WHERE version_id IN (SELECT id FROM versions WHERE config = ?) ORDER BY id DESC"
        return [RunInfo(*row) for row in self._db.rows(_RUN + where, (config,))]

    def last_config(self) -> str | None:
        """The configuration that was evaluated last; where none was, the one that was last on disk."""
        row = self._db.one(
            "SELECT v.config FROM runs r JOIN versions v ON v.id = r.version_id ORDER BY r.id DESC LIMIT 1"
        ) or self._db.one("SELECT config FROM versions ORDER BY seen_at DESC LIMIT 1")
        return row[0] if row else None

    def eval_hash(self, run_id: int) -> str:
        """What its items were judged by; empty where there is no such run."""
        row = self._db.one("SELECT eval_hash FROM runs WHERE id = ?", (run_id,))
        return row[0] if row else ""

    def snapshot(
        self, version_id: int, run_id: int | None = None, *, attacks: bool = False
    ) -> Snapshot | None:
        """The items of a run as rows, in the order of the eval set.

        Args:
            run_id: None: the newest run of the version that has items.
            attacks: of those over attacks, and not of those over its eval sets.
        """
        with self._db.read(), no_collection():
            if run_id is None:
                where = f"WHERE version_id = ? AND {ATTACKED if attacks else WHOLE}"
                row = self._db.one(_RUN + where + " ORDER BY id DESC LIMIT 1", (version_id,))
            else:
                row = self._db.one(_RUN + "WHERE version_id = ? AND id = ?", (version_id, run_id))
            if row is None:
                return None
            run = RunInfo(*row)
            return Snapshot(self._versions.by_id(version_id), run, make_rows(self.items(run.id)))

    def served(self, run_id: int) -> dict[str, set[tuple[str, str]]]:
        """Model → what its provider said it served for the outputs of a run: (model, fingerprint)."""
        found: dict[str, set[tuple[str, str]]] = {}
        rows = self._db.rows(
            "SELECT DISTINCT c.model, ifnull(c.served_model, ''), ifnull(c.fingerprint, '') FROM items i "
            "JOIN outputs o ON o.id = i.output_id JOIN calls c ON c.key = substr(o.calls, 1, 32) "
            "AND c.trial = o.trial AND c.generation = o.generation WHERE i.run_id = ?",
            (run_id,),
        )
        for model, served, fingerprint in rows:
            found.setdefault(model, set()).add((served, fingerprint))
        return found

    def newest(self, version_id: int, *, rescored: bool) -> int | None:
        """The newest run of a version that has items; without `rescored`, one that could ask."""
        where = "" if rescored else "AND reason != 'rescored' "
        row = self._db.one(
            f"SELECT max(id) FROM runs WHERE version_id = ? {where}AND {WHOLE}",
            (version_id,),
        )
        return row[0] if row else None

    def items(self, run_id: int) -> Items:
        """Items of a run by position."""
        rows = self._db.rows(
            "SELECT p.case_id, p.model, p.trial, i.status, i.score, i.output_id, o.text_hash, i.failure, "
            "o.latency_s, o.cost_usd, p.extra FROM items i JOIN places p ON p.id = i.place_id "
            "LEFT JOIN outputs o ON o.id = i.output_id WHERE i.run_id = ? ORDER BY i.position",
            (run_id,),
        )
        return [make_item(row) for row in rows]

    def item_scores(self, item: Item) -> ScoreList:
        """The scores that an item's status comes from, with reasons, in the order of the case.

        Where the item's run did not say which, the newest word of each scorer.
        """
        if item.output_id is None:
            return []
        row = self._db.one(
            "SELECT s.keys FROM items i JOIN places p ON p.id = i.place_id "
            "JOIN score_sets s ON s.id = i.score_set_id WHERE i.output_id = ? AND p.case_id = ? "
            "AND p.model = ? AND i.status = ? AND i.score IS ? ORDER BY i.run_id DESC LIMIT 1",
            (item.output_id, item.case_id, item.model, CODE[item.status], item.score),
        )
        if row is None and item.status == "unscored":
            return []  # a case without scorers; its output may be another case's too
        if row is None:
            return self._scores.for_output(item.output_id)
        keys = row[0].hex()
        return self._scores.for_output(item.output_id, [keys[i : i + 64] for i in range(0, len(keys), 64)])

    # -- items

    def add_items(self, run_id: int, items: Sequence[ItemRow]) -> None:
        """Put items at their positions; one that is there already is replaced."""
        with self._db.write() as connection:
            self.insert_items(connection, run_id, items)

    def insert_items(self, connection: sqlite3.Connection, run_id: int, items: Sequence[ItemRow]) -> None:
        """Within a transaction."""
        self._intern_places(connection, [_place(item) for _, item, _ in items])
        self._intern_sets(connection, (keys for _, _, keys in items))
        connection.executemany(
            "INSERT INTO items (run_id, position, place_id, status, score, output_id, score_set_id, failure) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET place_id = excluded.place_id, "
            "status = excluded.status, score = excluded.score, output_id = excluded.output_id, "
            "score_set_id = excluded.score_set_id, failure = excluded.failure",
            [
                (
                    *(
                        run_id,
                        position,
                        self._places[_place(item)],
                        CODE[item.status],
                        item.score,
                        item.output_id,
                    ),
                    self._sets[keys] if keys else None,
                    clean(item.failure) if item.failure is not None else None,
                )
                for position, item, keys in items
            ],
        )

    def _intern_places(self, connection: sqlite3.Connection, places: Sequence[Place]) -> None:
        known = self._places
        unknown = [p for p in places if p not in known]
        if len(unknown) > 500:
            sql = "SELECT case_id, model, trial, extra, id FROM places"
            for case, model, trial, extra, id_ in connection.execute(sql).fetchall():
                known[case, model, trial, bool(extra)] = id_
        for place in unknown:
            if place not in known:
                known[place] = self._place(connection, place)

    @staticmethod
    def _place(connection: sqlite3.Connection, place: Place) -> int:
        sql = (
            "INSERT INTO places (case_id, model, trial, extra) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING id"
        )
        found = connection.execute(sql, place).fetchall()
        if not found:
            sql = "SELECT id FROM places WHERE case_id = ? AND model = ? AND trial = ? AND extra = ?"
            found = connection.execute(sql, place).fetchall()
        id_: int = found[0][0]
        return id_

    def _intern_sets(self, connection: sqlite3.Connection, sets: Iterable[tuple[str, ...]]) -> None:
        known = self._sets
        unknown = {bytes.fromhex("".join(keys)): keys for keys in sets if keys and keys not in known}
        for chunk in chunks(unknown):
            sql = f"SELECT keys, id FROM score_sets WHERE keys IN ({marks(chunk)})"
            for raw, id_ in connection.execute(sql, chunk).fetchall():
                known[unknown[raw]] = id_
        for raw, keys in unknown.items():
            if keys not in known:
                sql = "INSERT INTO score_sets (keys) VALUES (?) RETURNING id"
                ((known[keys],),) = connection.execute(sql, (raw,)).fetchall()

    def models(self, run_id: int) -> dict[str, str]:
        """Model id → hash of its part, for the version that a run evaluates."""
        row = self._db.one("SELECT version_id FROM runs WHERE id = ?", (run_id,))
        if row is None:
            return {}
        return {p.name: p.hash for p in self._versions.manifest(row[0]).of_kind("models")}


def make_item(row: Sequence[Any]) -> Item:
    """An item from its columns, in the order of the queries above."""
    case, model, trial, status, score, id_, hash_, failure, s, usd, extra = row
    text_hash = hash_.hex() if hash_ else ""
    return Item(case, model, trial, STATUSES[status], score, id_, text_hash, failure, s, usd, extra == 1)


def _place(item: Item) -> Place:
    return (item.case_id, item.model, item.trial, item.extra)
