"""A database of an older release comes along, after a backup copy; a step that fails changes nothing."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from store_flow import MODEL, database, evaluated

from llmops_tui.domain.errors import StoreError
from llmops_tui.store import Store, schema

FIRST = schema.STEPS[:1]


def of_first_schema(folder: Path) -> Path:
    """A database as the first step alone makes it, with a version, its run and two calls.

    Today's code writes it under the whole schema; then the later steps are taken back.
    """
    path = database(folder)
    with Store.open(path) as store:
        evaluated(store, "a", ["one", "two"])
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE served; DROP TABLE spending; DROP TABLE verdicts; DROP TABLE promotions; "
        "ALTER TABLE versions DROP COLUMN factor; "
        "DROP TABLE foreign_versions; DROP TABLE trace_texts; DROP TABLE traces; DROP TABLE made; "
        "ALTER TABLE calls DROP COLUMN raw; "
        "ALTER TABLE scores DROP COLUMN began_at; ALTER TABLE scores DROP COLUMN elapsed_s; "
        "ALTER TABLE scores DROP COLUMN calls; ALTER TABLE outputs DROP COLUMN guardrails; "
        "ALTER TABLE outputs DROP COLUMN guard_calls; ALTER TABLE outputs DROP COLUMN guard_failed; "
        "DELETE FROM _sqlite_migrations WHERE name != 'flow'; PRAGMA user_version = 1;"
    )
    connection.close()
    return path


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()


def test_the_fixture_is_what_the_first_step_makes(tmp_path: Path) -> None:
    plain = tmp_path / "plain.db"
    Store.open(plain, steps=FIRST).close()
    assert tables(plain) == tables(of_first_schema(tmp_path))


def test_an_older_database_comes_along_with_all_it_holds(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path)
    with Store.open(path) as store:
        snapshot = store.runs.snapshot(store.versions.get("helpdesk", "v1").id)
        assert snapshot is not None
        assert [r.status for r in snapshot.rows] == ["passed", "passed"]
        # The sums were made from the calls that were there.
        assert [(s.served_model, s.fingerprint, s.calls) for s in store.calls.served(MODEL)] == [
            ("small-1", "fp_1", 2)
        ]
        assert store.calls.spent_since(0) == pytest.approx(0.004)
        evaluated(store, "b", ["one"])
        assert store.calls.served(MODEL)[0].calls == 3


def test_before_it_is_changed_a_whole_copy_is_made(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path)
    before = tables(path)
    Store.open(path).close()
    backup = path.with_name("llmops.db.schema1.backup")
    assert tables(backup) == before
    with Store.open(backup, steps=FIRST) as old:
        assert old.versions.get("helpdesk", "v1").number == 1


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    path = database(tmp_path)
    Store.open(path).close()
    Store.open(path).close()
    assert list(path.parent.glob("*.backup*")) == []


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path)
    before = tables(path)
    broken = (*schema.STEPS, ("broken", "CREATE TABLE extra (id);\nINSERT INTO nowhere VALUES (1);\n"))
    with pytest.raises(StoreError, match="no such table: nowhere"):
        Store.open(path, steps=broken)
    assert tables(path) == before
    with Store.open(path) as store:
        assert store.calls.spent_since(0) == pytest.approx(0.004)


def test_viewing_does_not_migrate(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="from an older release"):
        Store.open(path, read_only=True)
    assert path.read_bytes() == before


def _open_and_count(path: Path) -> int:
    with Store.open(path) as store:
        return store.calls.served(MODEL)[0].calls


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    path = of_first_schema(tmp_path)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_open_and_count, [path] * 3) == [2, 2, 2]
