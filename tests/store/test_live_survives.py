"""Killed at any moment, what was acknowledged is there once; two may write at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from live_traffic import database, recomputed, rows, sums, trace_id

from llmops_tui.store.live import LiveStore

WRITER = Path(__file__).with_name("takes_in_until_killed.py")


def writer(path: Path, first: int, batches: int, shared: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(path), str(first), str(batches), str(shared)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(WRITER.parent)},
    )


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_killed_while_it_takes_in_nothing_acknowledged_is_lost(tmp_path: Path, lines: int) -> None:
    path = database(tmp_path)
    committed: set[int] = set()
    # Killed twice; the second one goes on where nobody knows what the first had.
    for first in (1, 1):
        process = writer(path, first, 1_000_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        for _ in range(lines):
            committed |= set(map(int, process.stdout.readline().split()))
        process.kill()
        rest, _ = process.communicate()
        *whole, _cut = rest.split("\n")
        for line in whole:
            committed |= set(map(int, line.split()))
    with LiveStore.open(path) as store:
        assert store.database.rows("PRAGMA quick_check") == [("ok",)]
        assert store.database.rows("PRAGMA foreign_key_check") == []
        found = rows(store)
        assert {trace_id(n) for n in committed} <= found.keys()
        assert all(r.spans == 4 for r in found.values())
        assert store.counts()["spans"] == 4 * len(found)
        assert len(found) % 5 == 0
        assert sums(store) == recomputed(store)
    assert len(committed) >= lines * 5


def test_two_processes_take_in_at_once(tmp_path: Path) -> None:
    path = database(tmp_path)
    writers = [writer(path, first, 40, shared=7) for first in (1, 100_002)]
    ends = [process.communicate() for process in writers]
    assert [(p.returncode, err) for p, (_, err) in zip(writers, ends, strict=True)] == [(0, ""), (0, "")]
    with LiveStore.open(path) as store:
        found = rows(store)
        assert len(found) == 2 * 200 + 7
        assert all(r.spans == 4 and r.has_root for r in found.values())
        assert sums(store) == recomputed(store)
