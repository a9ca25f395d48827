"""The database of live traffic: what is not ours, newer, damaged or out of reach is refused and kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from live_traffic import NOW, answered, database, span, trace_id

from llmops_tui.domain.errors import StoreError
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.store import Store, filesystem
from llmops_tui.store.live import LiveStore


def made(folder: Path) -> Path:
    path = database(folder)
    with LiveStore.open(path) as store:
        store.ingest([Batch(spans=[x for n in range(1, 200) for x in answered(n)])], NOW)
    return path


def pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    with LiveStore.open(made(tmp_path)) as store:
        assert store.database.one("PRAGMA synchronous") == (2,)
        assert store.database.one("PRAGMA journal_mode") == ("wal",)
        assert store.database.one("PRAGMA auto_vacuum") == (2,)


def test_neither_store_takes_the_others_database(tmp_path: Path) -> None:
    live, runs = made(tmp_path), tmp_path / "llmops.db"
    Store.open(runs).close()
    for path, open_ in ((live, Store.open), (runs, LiveStore.open)):
        before = path.read_bytes()
        with pytest.raises(StoreError, match="a database of another program"):
            open_(path)
        assert path.read_bytes() == before


def test_a_newer_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = made(tmp_path)
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    newer.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"newer release of llmops-tui \(schema 99"):
            LiveStore.open(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_damaged_or_cut_off_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = made(tmp_path)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    for page in range(2, 30):
        damaged[page * 4096 : page * 4096 + 512] = b"\xff" * 512
    for raw in (bytes(damaged), whole[:20_000]):
        path.write_bytes(raw)
        with pytest.raises(StoreError, match="the database is damaged"):
            LiveStore.open(path)
        assert path.read_bytes() == raw


def test_viewing_what_is_not_there_says_which_command_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database yet; run `llmops-tui collect` once"):
        LiveStore.open(database(tmp_path), read_only=True)
    assert not database(tmp_path).parent.exists()


def test_viewing_sees_what_is_committed_and_writes_nothing(tmp_path: Path) -> None:
    path = made(tmp_path)
    with LiveStore.open(path) as writer, LiveStore.open(path, read_only=True) as viewer:
        viewer.changed()
        writer.ingest([Batch(spans=answered(500))], NOW)
        assert viewer.changed()
        assert viewer.requests.count(LiveFilter()) == 200
        with pytest.raises(StoreError, match="opened for viewing only"):
            viewer.ingest([Batch(spans=answered(501))], NOW)
        with pytest.raises(StoreError, match="opened for viewing only"):
            viewer.sweep(NOW, 0, 1, 1)


def test_viewing_works_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.parent.chmod(0o500)
    try:
        with LiveStore.open(path, read_only=True) as viewer:
            assert len(viewer.tallies(LiveFilter(), 86_400)) == 1
    finally:
        path.parent.chmod(0o700)


def test_over_a_network_the_log_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(filesystem, "MOUNTS", mounts)
    monkeypatch.setattr("llmops_tui.store.connection.is_network", lambda p: filesystem.is_network(p, mounts))
    path = made(tmp_path)
    assert pragma(path, "journal_mode") == "delete"
    with LiveStore.open(path) as store:
        assert store.sweep(NOW + 40 * 86_400, 30, 10**9, 10).requests == 199


def test_a_full_disk_is_told_and_nothing_of_the_batch_is_kept(tmp_path: Path) -> None:
    with LiveStore.open(made(tmp_path)) as store:
        pages = store.database.one("PRAGMA page_count")[0]
        store.database.rows(f"PRAGMA max_page_count = {pages + 2}")
        before = store.counts()["spans"]
        big = Batch(spans=[x for n in range(300, 900) for x in answered(n)])
        with pytest.raises(StoreError, match="the disk is full"):
            store.ingest([big], NOW)
        assert store.counts()["spans"] == before
        store.database.rows("PRAGMA max_page_count = 1000000")
        assert store.ingest([big], NOW).spans == 2_400


@pytest.mark.parametrize("text", ["", "xyz", "ab", "00000000", "ff" * 40, "0\x000", "é" * 12, " 0 "])
def test_what_a_person_types_for_an_id_finds_one_or_nothing(tmp_path: Path, text: str) -> None:
    with LiveStore.open(made(tmp_path)) as store:
        assert store.requests.find(text) is None
        found = store.requests.find(f" {trace_id(7).upper()} ")
        assert found is not None
        assert found.request.trace_id == trace_id(7)


def test_a_trace_of_many_spans_costs_each_portion_the_same(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine and bytes, not in time."""
    with LiveStore.open(database(tmp_path)) as store:
        steps = [0]

        def count() -> int:
            steps[0] += 1
            return 0

        store.database.connection.set_progress_handler(count, 1_000)
        costs, sizes = [], []
        for portion in range(12):
            numbers = range(portion * 500 + 1, portion * 500 + 501)
            spans = [x for n in numbers for x in (_step(n),)]
            before = steps[0]
            store.ingest([Batch(spans=spans)], NOW)
            costs.append(steps[0] - before)
            sizes.append(store.database.one("SELECT length(facts) FROM requests")[0])
    assert max(costs[6:]) < 1.5 * max(costs[1:4])
    assert max(sizes) < 1.2 * sizes[0]


def _step(n: int) -> Arrived:
    return Arrived(trace_id(1), span(n, None if n == 1 else 1, "tool", n / 1000, name=f"step {n % 10}"))
