"""What the worker says while no run is under way, also where the database can't keep it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Draw
from llmops_tui.engine.events import Event, Notice
from llmops_tui.engine.worker_host import Aside, WorkerHost
from llmops_tui.store import Store

KEY = "ab" * 32


class Idle:
    """A host whose run has ended, on a database of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store.open(path)
        self.told: list[Event] = []
        self.host = WorkerHost(self.store)
        run = cast(Any, object())
        self.host.begin(run, self.told.append)
        self.host.end(run)

    def lose_what_was_made(self) -> None:
        raw = sqlite3.connect(self.path)
        raw.execute("DROP TABLE made")
        raw.commit()
        raw.close()


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Idle]:
    made = Idle(tmp_path / "llmops.db")
    yield made
    made.store.close()


def test_what_is_made_after_a_run_is_kept(idle: Idle) -> None:
    idle.host.made(m.Made(1, KEY, Draw(), {"value": 1}))
    assert idle.host.find_made(KEY, Draw(), False) == {"value": 1}
    assert idle.told == []


def test_a_database_that_cannot_be_read_or_written_is_told_and_the_worker_goes_on(idle: Idle) -> None:
    idle.lose_what_was_made()
    assert idle.host.find_made(KEY, Draw(), False) is None
    idle.host.made(m.Made(1, KEY, Draw(), {"value": 1}))
    notices = [each for each in idle.told if isinstance(each, Notice)]
    assert [each.level for each in notices] == ["error", "error"]
    assert all("no such table: made" in each.text for each in notices)


def test_what_a_job_aside_made_and_cannot_be_kept_is_its_fault(idle: Idle) -> None:
    idle.lose_what_was_made()
    aside = Aside(lambda _text: None, lambda _said: None)
    idle.host._asides[7] = aside
    idle.host.made(m.Made(7, KEY, Draw(), {"value": 1}))
    assert "no such table: made" in str(aside.fault)
    assert idle.told == []
