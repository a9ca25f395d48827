"""Opening: what is not ours, newer, damaged or out of reach is refused in a sentence and left alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_flow import call, database, evaluated, result, start, version

from llmops_tui.domain.errors import LlmopsError, StoreError
from llmops_tui.store import Store, WorkspaceLock
from llmops_tui.store.filesystem import is_network, mount_type


def made(folder: Path) -> Path:
    path = database(folder)
    with Store.open(path) as store:
        evaluated(store, "a", ["one", "two"])
    return path


def pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_a_new_database_writes_ahead_and_can_shrink(tmp_path: Path) -> None:
    path = made(tmp_path)
    assert (pragma(path, "journal_mode"), pragma(path, "auto_vacuum")) == ("wal", 2)
    assert pragma(path, "quick_check") == "ok"


def test_viewing_sees_what_is_committed_and_writes_nothing(tmp_path: Path) -> None:
    path = made(tmp_path)
    with Store.open(path) as writer, Store.open(path, read_only=True) as viewer:
        of = version(writer, "b")
        assert viewer.versions.get("helpdesk", "latest").id == of.id
        with pytest.raises(LlmopsError, match="opened for viewing only"):
            version(viewer, "c")


def test_viewing_works_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.parent.chmod(0o500)
    try:
        with Store.open(path, read_only=True) as viewer:
            assert viewer.versions.get("helpdesk", "v1").number == 1
    finally:
        path.parent.chmod(0o700)


def test_viewing_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database yet; run `llmops-tui run` once"):
        Store.open(database(tmp_path), read_only=True)
    assert not database(tmp_path).parent.exists()


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "llmops.db"
    path.write_bytes(b"dear diary" * 100)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"not a database .*left as it is; move it away"):
            Store.open(path, read_only=read_only)
    assert path.read_bytes() == b"dear diary" * 100


def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "llmops.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos (id)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="a database of another program"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_newer_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = made(tmp_path)
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer release of llmops-tui \(schema 99.*upgrade llmops-tui"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = made(tmp_path)
    raw = bytearray(path.read_bytes())
    for page in range(2, 30):
        raw[page * 4096 : page * 4096 + 512] = b"\xff" * 512
    path.write_bytes(raw)
    with pytest.raises(StoreError, match=r"the database is damaged .*left as it is; move it away"):
        Store.open(path)
    assert path.read_bytes() == bytes(raw)


def test_a_cut_off_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.write_bytes(path.read_bytes()[:20_000])
    before = path.read_bytes()
    with pytest.raises(StoreError, match="damaged"):
        Store.open(path)
    assert path.read_bytes() == before


def test_damage_that_is_met_later_is_told(tmp_path: Path) -> None:
    path = made(tmp_path)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE blobs SET text = substr(text, 1, 20) WHERE id = (SELECT manifest_id FROM versions)")
    raw.execute("DELETE FROM blobs WHERE id = (SELECT text_id FROM outputs WHERE id = 1)")
    raw.commit()
    raw.close()
    with Store.open(path) as store:
        with pytest.raises(StoreError, match="a stored text can't be read"):
            store.versions.manifest(1)
        with pytest.raises(StoreError, match="a text is missing"):
            store.outputs.get(1)


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "llmops.db"
    path.touch()
    with Store.open(path) as store:
        assert version(store).number == 1


def test_a_place_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    (tmp_path / ".llmops").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"can't be opened .*make the folder writable"):
        Store.open(database(tmp_path))


def test_a_full_disk_is_told_and_what_was_committed_stays(tmp_path: Path) -> None:
    """SQLite's own limit of pages gives the fault of a full disk."""
    path = made(tmp_path)
    with Store.open(path) as store:
        run = start(store, version(store, "b"), 50)
        pages = store._db.one("PRAGMA page_count")[0]
        store._db.rows(f"PRAGMA max_page_count = {pages + 4}")
        text = "x" * 50_000
        with pytest.raises(StoreError, match=r"the disk is full .*free some space"):
            store.record(
                run.id, calls=[call("big", text)], results=[result(0, "big", text, prompt="b")], at=1.0
            )
        store._db.rows("PRAGMA max_page_count = 1000000")
        assert store.runs.snapshot(store.versions.get("helpdesk", "v1").id) is not None
        store.record(run.id, calls=[call("big", text)], results=[result(0, "big", text, prompt="b")], at=1.0)
    assert pragma(path, "quick_check") == "ok"


def test_a_database_that_becomes_read_only_is_told(tmp_path: Path) -> None:
    with Store.open(made(tmp_path)) as store:
        store._db.rows("PRAGMA query_only = 1")
        with pytest.raises(StoreError, match=r"can't be written .*make the file and its folder writable"):
            version(store, "b")


def test_opening_costs_no_sqlite_utils_once_it_is_made(tmp_path: Path) -> None:
    path = made(tmp_path)
    code = (
        "import sys; from pathlib import Path; from llmops_tui.store import Store; "
        f"Store.open(Path({str(path)!r})).close(); print('sqlite_utils' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "False"


# -- where it is


def test_the_innermost_mount_says_what_file_system_it_is(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nserver:/home /net nfs4 rw 0 0\n/dev/sdb1 /net/local\\040disk ext4 rw 0 0\n"
    )
    assert mount_type(Path("/net/anna/ws"), mounts) == "nfs4"
    assert is_network(Path("/net/anna/ws"), mounts)
    assert not is_network(Path("/net/local disk/ws"), mounts)
    assert not is_network(Path("/network"), mounts)
    assert not is_network(Path("/net"), tmp_path / "no such file")


def test_on_a_network_file_system_wal_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path)
    monkeypatch.setattr("llmops_tui.store.connection.is_network", lambda _path: True)
    with Store.open(path) as store:
        version(store, "b")
    assert pragma(path, "journal_mode") == "delete"


# -- two apps


def test_the_second_app_is_told_who_has_the_workspace(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from llmops_tui.store import WorkspaceLock; "
        f"lock = WorkspaceLock(Path({str(tmp_path)!r})); print(lock.acquire(), flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "None\n"
    second = WorkspaceLock(tmp_path)
    assert second.acquire() == f"process {first.pid}"
    first.kill()
    first.communicate()
    assert second.acquire() is None
    assert second.acquire() is None
    second.release()
    third = WorkspaceLock(tmp_path)
    assert third.acquire() is None
    third.release()
