"""Killed at any moment, it opens again with everything that was said to be done; two may write at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_flow import database, evaluated

from llmops_tui.store import Store
from llmops_tui.store.processes import Owner, lives, parse_owner, this_process

WRITER = Path(__file__).with_name("writes_until_killed.py")


def writer(path: Path, name: str, batches: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(path), name, str(batches)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(WRITER.parent)},
    )


def said(line: str) -> dict[int, str]:
    return {int(id_): case for id_, _, case in (word.partition("=") for word in line.split())}


@pytest.mark.parametrize("lines", [1, 2, 9, 40, 150])
def test_killed_while_it_writes_nothing_that_was_said_is_lost(tmp_path: Path, lines: int) -> None:
    path = database(tmp_path)
    process = writer(path, "killed", 1_000_000)
    assert process.stdout is not None
    run_id = int(process.stdout.readline().split()[1])
    committed: dict[int, str] = {}
    for _ in range(lines):
        committed |= said(process.stdout.readline())
    process.kill()
    rest, _ = process.communicate()
    *whole, _cut = rest.split("\n")
    for line in whole:
        committed |= said(line)
    with Store.open(path) as store:
        assert store._db.rows("PRAGMA quick_check") == [("ok",)]
        assert store._db.rows("PRAGMA foreign_key_check") == []
        run = store.runs.get(run_id)
        items = {i.output_id: i for i in store.runs.items(run_id)}
        texts = store.outputs.texts(committed)
    assert run.state == "interrupted"
    assert len(committed) >= lines * 5
    assert {id_: items[id_].case_id for id_ in committed} == committed
    assert texts == {id_: f"answer to {case}" * 50 for id_, case in committed.items()}
    # A batch is whole or not there.
    assert len(items) % 5 == 0


def test_a_process_killed_while_it_makes_the_database_leaves_one_that_opens(tmp_path: Path) -> None:
    for n in range(3):
        path = database(tmp_path / str(n))
        process = writer(path, "early", 1)
        while not path.exists() and process.poll() is None:
            pass
        process.kill()
        process.communicate()
        with Store.open(path) as store:
            assert store.runs.next_generation() == 1


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = database(tmp_path)
    writers = [writer(path, name, 60) for name in ("left", "right")]
    ends = [process.communicate() for process in writers]
    assert [(p.returncode, err) for p, (_, err) in zip(writers, ends, strict=True)] == [(0, ""), (0, "")]
    with Store.open(path) as store:
        assert store._db.rows("PRAGMA quick_check") == [("ok",)]
        for name in ("left", "right"):
            (run,) = store.runs.list(name)
            assert [i.case_id for i in store.runs.items(run.id)] == [
                f"{name}-{batch}-{n}" for batch in range(60) for n in range(5)
            ]


def test_a_transaction_holds_the_right_to_write_from_its_beginning(tmp_path: Path) -> None:
    """One that reads first and asks for it later fails at once when another wrote in between."""
    path = database(tmp_path)
    with Store.open(path) as store, store.transaction():
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_process_that_got_a_dead_ones_number_is_not_taken_for_it() -> None:
    me = this_process()
    assert lives(me)
    assert parse_owner(me.text()) == me
    if me.started:
        assert not lives(Owner(me.pid, "1", me.host))
    assert not lives(Owner(me.pid, me.started, "another-machine"))


def test_looking_at_the_database_beside_a_writer_keeps_its_locks(tmp_path: Path) -> None:
    path = database(tmp_path)
    with Store.open(path) as writer:
        evaluated(writer, "Be brief.", ["one"])
        log = path.with_name(path.name + "-wal")
        before = log.stat().st_ino
        # As the History and the Matrix read: in this very process, beside the connection that writes.
        Store.open(path, read_only=True).close()
        # The last connection of a process takes the log away, if nobody holds a lock.
        code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1])"
        code += "; c.execute('SELECT count(*) FROM runs').fetchone(); c.close()"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        assert log.stat().st_ino == before
