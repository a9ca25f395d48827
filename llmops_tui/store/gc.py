"""Drop what no version, run or review needs."""

from __future__ import annotations

import sqlite3

import msgspec

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.store.blobs import from_json, from_stored
from llmops_tui.store.connection import Database
from llmops_tui.store.faults import store_error
from llmops_tui.store.processes import lives, parse_owner
from llmops_tui.store.runs import ATTACKED, WHOLE

#: What was only tried (a hybrid, a what-if, a step of a bisect) stays for so long after it was last tried.
KEEP_TRIED_S = 7 * 86_400.0
#: Runs kept of each configuration, besides the newest of each version that stays.
KEEP_RUNS = 20


class Swept(msgspec.Struct, frozen=True):
    """What was dropped, or would be (`dry_run`).

    `freed_bytes` is what the file shrank by; of a dry run, the size of what would go, roughly.
    """

    runs: int
    outputs: int
    calls: int
    texts: int
    freed_bytes: int
    dry_run: bool


def sweep(db: Database, *, keep_runs: int, keep_outputs: frozenset[int], dry_run: bool, now: float) -> Swept:
    """Keep the newest runs, and all they hold; drop the rest.

    Kept are: every version that has a number, with its texts, and those without one that have a label or were
    tried in the last `KEEP_TRIED_S`; of each configuration the newest `keep_runs`
    runs; of each version the newest complete run and the newest with items (so that any two versions
    can still be compared); the outputs of kept runs and of `keep_outputs` (reviews), with their calls.

    Args:
        now: Unix seconds.

    Raises:
        UsageError: a run is under way.
        StoreError: the database can't be written.
    """
    if dry_run:
        return _tried(db, keep_runs, keep_outputs, now)
    before = _settle(db)
    with db.write() as connection:
        swept = _swept(connection, keep_runs, keep_outputs, now, dry_run=False)
        connection.execute(
            "INSERT INTO counters VALUES ('sweeps', 1) ON CONFLICT DO UPDATE SET value = value + 1"
        )
        db.forget()
    _give_back(db)
    return msgspec.structs.replace(swept, freed_bytes=max(before - _settle(db), 0))


class _Undo(Exception):
    """Ends a dry run: what it did is undone."""


def _tried(db: Database, keep_runs: int, keep_outputs: frozenset[int], now: float) -> Swept:
    swept: list[Swept] = []
    try:
        with db.write() as connection:
            swept.append(_swept(connection, keep_runs, keep_outputs, now, dry_run=True))
            raise _Undo
    except _Undo:
        return swept[0]


def _swept(
    connection: sqlite3.Connection,
    keep_runs: int,
    keep_outputs: frozenset[int],
    now: float,
    *,
    dry_run: bool,
) -> Swept:
    _refuse_while_running(connection)
    before = _free_pages(connection)
    runs = _drop_tried(connection, now - KEEP_TRIED_S) + _drop_runs(connection, keep_runs)
    outputs = _drop_outputs(connection, keep_outputs)
    calls = _drop_calls(connection)
    # What a step gave serves an output of its time; what a tool is answered with (trial -1) is a recording.
    connection.execute(
        "DELETE FROM made WHERE trial >= 0 AND at < (SELECT ifnull(min(at), 0) FROM outputs) - 86400"
    )
    connection.execute(
        "DELETE FROM score_sets WHERE id NOT IN (SELECT score_set_id FROM items WHERE score_set_id NOTNULL)"
    )
    connection.execute("DELETE FROM places WHERE id NOT IN (SELECT place_id FROM items)")
    texts = connection.execute(
        "DELETE FROM blobs WHERE id NOT IN (SELECT manifest_id FROM versions "
        "UNION SELECT blob_id FROM version_blobs UNION SELECT setup_id FROM calls "
        "UNION SELECT text_id FROM calls UNION SELECT tool_calls_id FROM calls WHERE tool_calls_id NOTNULL "
        "UNION SELECT blob_id FROM call_messages UNION SELECT text_id FROM outputs "
        "UNION SELECT tool_calls_id FROM outputs WHERE tool_calls_id NOTNULL "
        "UNION SELECT blob_id FROM retrieved UNION SELECT blob_id FROM trace_texts "
        "UNION SELECT result_id FROM made)"
    ).rowcount
    ((page_bytes,),) = connection.execute("PRAGMA page_size").fetchall()
    freed = (_free_pages(connection) - before) * page_bytes
    return Swept(runs, outputs, calls, texts, freed, dry_run)


def _refuse_while_running(connection: sqlite3.Connection) -> None:
    for id_, text in connection.execute("SELECT id, owner FROM runs WHERE state = 'running'").fetchall():
        owner = parse_owner(text)
        if owner is not None and lives(owner):
            raise UsageError(
                Problem(
                    f"run {id_} is under way in process {owner.pid}; nothing was cleaned up",
                    "wait for it or cancel it, then try again",
                )
            )


def _drop_tried(connection: sqlite3.Connection, before: float) -> int:
    """Versions without a number that can be tried again, with their runs; returns how many runs."""
    wanted = (
        "FROM versions v WHERE number < 0 AND seen_at < ? AND id NOT IN (SELECT version_id FROM baselines) "
        "AND id NOT IN (SELECT version_id FROM labels) "
        "AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.version_id = v.id AND r.started_at >= ?)"
    )
    ((runs,),) = connection.execute(
        f"SELECT count(*) FROM runs WHERE version_id IN (SELECT id {wanted})", (before, before)
    ).fetchall()
    connection.execute(f"DELETE FROM versions WHERE id IN (SELECT id {wanted})", (before, before))
    return int(runs)


def _drop_runs(connection: sqlite3.Connection, keep_runs: int) -> int:
    connection.execute(
        "WITH ranked AS (SELECT r.id, row_number() OVER (PARTITION BY v.config ORDER BY r.id DESC) AS n "
        "FROM runs r JOIN versions v ON v.id = r.version_id) "
        "DELETE FROM runs WHERE id NOT IN (SELECT id FROM ranked WHERE n <= ?) "
        f"AND id NOT IN (SELECT max(id) FROM runs WHERE state = 'complete' AND {WHOLE} GROUP BY version_id) "
        f"AND id NOT IN (SELECT max(id) FROM runs WHERE {WHOLE} GROUP BY version_id) "
        f"AND id NOT IN (SELECT max(id) FROM runs WHERE {ATTACKED} GROUP BY version_id) "
        # One that a filter narrowed tells less than the whole one before it.
        "AND id NOT IN (SELECT max(id) FROM runs WHERE state = 'complete' AND asked_total >= total "
        f"AND {ATTACKED} GROUP BY version_id)",
        (keep_runs,),
    )
    ((dropped,),) = connection.execute("SELECT changes()").fetchall()  # `rowcount` does not tell after WITH
    return int(dropped)


def _drop_outputs(connection: sqlite3.Connection, keep: frozenset[int]) -> int:
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS kept_outputs (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM kept_outputs")
    connection.executemany("INSERT OR IGNORE INTO kept_outputs VALUES (?)", [(id_,) for id_ in keep])
    return connection.execute(
        "DELETE FROM outputs WHERE id NOT IN (SELECT output_id FROM items WHERE output_id NOTNULL) "
        "AND id NOT IN (SELECT id FROM kept_outputs)"
    ).rowcount


def _drop_calls(connection: sqlite3.Connection) -> int:
    """Calls that no output is made of, and no score."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS kept_calls (key BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM kept_calls")
    judged = connection.execute("SELECT calls FROM scores WHERE calls != ''").fetchall()
    connection.executemany(
        "INSERT OR IGNORE INTO kept_calls VALUES (?)",
        [(bytes.fromhex(ref[0]),) for (text,) in judged for ref in from_json(text)],
    )
    steps = connection.execute("SELECT b.text FROM made m JOIN blobs b ON b.id = m.result_id").fetchall()
    kept = [from_json(from_stored(text)) for (text,) in steps]
    made = [each["result"] for each in kept if "result" in each]
    refs = [r[0] for each in made for name in ("calls", "guard_calls") for r in each.get(name, ())]
    connection.executemany("INSERT OR IGNORE INTO kept_calls VALUES (?)", [(bytes.fromhex(r),) for r in refs])
    sql = "SELECT calls FROM outputs UNION ALL SELECT guard_calls FROM outputs WHERE guard_calls != x''"
    for (keys,) in connection.execute(sql).fetchall():
        connection.executemany(
            "INSERT OR IGNORE INTO kept_calls VALUES (?)",
            [(keys[i : i + 32],) for i in range(0, len(keys), 32)],
        )
    return connection.execute("DELETE FROM calls WHERE key NOT IN (SELECT key FROM kept_calls)").rowcount


def _free_pages(connection: sqlite3.Connection) -> int:
    ((count,),) = connection.execute("PRAGMA freelist_count").fetchall()
    return int(count)


def _settle(db: Database) -> int:
    """Move the write-ahead log into the file; returns the size of the file."""
    db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return db.path.stat().st_size


def _give_back(db: Database) -> None:
    """Give free pages back to the disk."""
    from sqlite_utils import Database as UtilsDatabase

    # As a script: this pragma frees one page a step, and `execute` makes but one.
    try:
        UtilsDatabase(db.connection, execute_plugins=False).executescript("PRAGMA incremental_vacuum")
    except sqlite3.Error as error:
        raise store_error(error, db.path) from error
