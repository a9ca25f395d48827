"""Runs and snapshots: a batch is committed as one, and a snapshot is what a version is known to answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from store_flow import (
    MODEL,
    call,
    content_key,
    database,
    evaluated,
    failed,
    finish,
    output,
    result,
    score,
    start,
    version,
)

from llmops_tui.domain.errors import StoreError
from llmops_tui.domain.run import Item, make_rows
from llmops_tui.store import Result, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(database(tmp_path)) as opened:
        yield opened


def test_a_batch_comes_back_as_a_snapshot_in_the_order_of_the_eval_set(store: Store) -> None:
    of = version(store)
    run = start(store, of, 3)
    late = store.record(run.id, calls=[call("three")], results=[result(2, "three")], at=3.0)
    early = store.record(run.id, calls=(), results=[result(0, "one", "no"), failed(1, "two")], at=4.0)
    snapshot = store.runs.snapshot(of.id)
    assert snapshot is not None
    assert [r.case_id for r in snapshot.rows] == ["one", "two", "three"]
    assert snapshot.rows == make_rows([*early, *late])
    assert all(i.output_id and len(i.text_hash) == 64 for i in (early[0], late[0]))
    assert snapshot.run.state == "running"
    done = finish(store, run)
    assert (done.state, done.provider_calls, done.cost_usd) == ("complete", 1, 0.01)


def test_a_failure_is_an_item_and_an_attempt(store: Store) -> None:
    run = start(store, version(store), 1)
    (item,) = store.record(run.id, calls=(), results=[failed(0, "one")], at=3.0)
    assert (item.status, item.output_id) == ("error", None)
    assert item.failure == "gateway did not answer in 60 s; try again"
    assert [a.case_id for a in store.attempts.for_run(run.id)] == ["one"]


def test_a_later_word_on_a_place_replaces_the_earlier(store: Store) -> None:
    of = version(store)
    run = start(store, of, 1)
    store.record(run.id, calls=(), results=[failed(0, "one")], at=3.0)
    store.record(run.id, calls=(), results=[result(0, "one")], at=4.0)
    snapshot = store.runs.snapshot(of.id)
    assert snapshot is not None
    assert [(r.status, r.first.failure) for r in snapshot.rows] == [("passed", None)]


def test_what_was_there_already_is_recorded_without_its_texts(store: Store) -> None:
    of = evaluated(store, "a", ["one", "two"])
    first = store.runs.snapshot(of.id)
    assert first is not None
    run = start(store, of, 2)
    ready = [
        Result(n, content_key(i.case_id, "a"), 0, i.output_id, None, (), None, i)
        for n, i in enumerate(r.first for r in first.rows)
    ]
    assert store.record(run.id, calls=(), results=ready, at=5.0) == [r.item for r in ready]
    second = store.runs.snapshot(of.id)
    assert second is not None
    assert second.run.id == run.id
    assert second.rows == first.rows


def test_a_new_score_on_an_old_output_fills_in_the_item(store: Store) -> None:
    id_ = store.outputs.add(content_key("one"), 0, 0, output("one"), at=1.0)
    run = start(store, version(store), 1)
    verdict = score("contains", 0.0)
    item = Item("one", MODEL, 0, "failed", 0.0)
    rescored = Result(0, content_key("one"), 0, id_, None, (verdict,), None, item, (verdict.key,))
    (kept,) = store.record(run.id, calls=(), results=[rescored], at=2.0)
    assert (kept.output_id, kept.latency_s, kept.cost_usd) == (id_, 0.25, 0.002)
    assert store.runs.item_scores(kept) == [verdict]


def test_an_item_shows_the_scores_its_status_came_from(store: Store) -> None:
    """The same output judged again, by another reference: each run keeps its own reasons."""
    of = version(store)
    old, new = score("contains"), msgspec.structs.replace(score("contains", 0.0), key="ab" * 32)
    first, second = start(store, of, 1), start(store, of, 1)
    (before,) = store.record(first.id, calls=(), results=[result(0, "one", "yes", old)], at=1.0)
    item = msgspec.structs.replace(before, status="failed", score=0.0)
    again = Result(0, content_key("one"), 0, before.output_id, None, (new,), None, item, (new.key,))
    (after,) = store.record(second.id, calls=(), results=[again], at=2.0)
    assert store.runs.item_scores(before) == [old]
    assert store.runs.item_scores(after) == [new]


def test_an_output_that_another_process_made_first_stands_with_its_scores(store: Store) -> None:
    run = start(store, version(store), 1)
    store.record(run.id, calls=(), results=[result(0, "one", "first", score("contains", 0.5))], at=1.0)
    (met,) = store.record(run.id, calls=(), results=[result(0, "one", "second", score("contains"))], at=2.0)
    assert met.output_id is not None
    assert store.outputs.get(met.output_id).text == "first"
    assert (met.status, met.score) == ("failed", 0.5)
    # A scorer that never judged the kept text: nothing is claimed about it.
    (unknown,) = store.record(run.id, calls=(), results=[result(0, "one", "third", score("other"))], at=3.0)
    assert (unknown.status, unknown.score) == ("missing", None)


def test_trials_and_extra_trials_are_one_row(store: Store) -> None:
    of = version(store)
    run = start(store, of, 3)
    items = [
        (0, Item("one", MODEL, 0, "passed", 1.0), ()),
        (1, Item("one", MODEL, 1, "failed", 0.0), ()),
        (2, Item("one", MODEL, 2, "passed", 1.0, extra=True), ()),
    ]
    store.runs.add_items(run.id, items)
    snapshot = store.runs.snapshot(of.id, run.id)
    assert snapshot is not None
    (row,) = snapshot.rows
    assert (row.status, row.score, [i.extra for i in row.items]) == ("failed", 0.5, [False, False, True])


def test_the_snapshot_is_of_the_newest_run_that_has_items(store: Store) -> None:
    of = evaluated(store, "a", ["one"])
    assert store.runs.snapshot(version(store, "b").id) is None
    run = start(store, of, 1)
    snapshot = store.runs.snapshot(of.id)
    assert snapshot is not None
    assert snapshot.run.id < run.id
    assert store.runs.list("helpdesk")[0].id == run.id
    assert store.runs.last_config() == "helpdesk"


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    run = start(store, version(store), 2)
    broken = msgspec.structs.replace(result(1, "two"), output_id=999, output=None)
    with pytest.raises(StoreError, match="cleaned up by another process"):
        store.record(run.id, calls=[call("one")], results=[result(0, "one"), broken], at=1.0)
    assert store.calls.find(call("one").key, call("one").draw, fresh=True) is None
    # Nothing of it is remembered either: the same batch, mended, goes in.
    (item,) = store.record(run.id, calls=[call("one")], results=[result(0, "one")], at=1.0)
    assert store.outputs.get(item.output_id or 0).text == "yes"


def test_writes_of_a_transaction_are_one(store: Store) -> None:
    def half() -> None:
        with store.transaction():
            version(store, "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert store.versions.configs() == []


def test_generations_are_handed_out_once(tmp_path: Path) -> None:
    with Store.open(database(tmp_path)) as one, Store.open(database(tmp_path)) as other:
        given = [one.runs.next_generation(), other.runs.next_generation(), one.runs.next_generation()]
    assert given == [1, 2, 3]


def test_a_run_of_a_dead_process_is_interrupted_and_one_of_a_living_is_not(tmp_path: Path) -> None:
    path = database(tmp_path)
    with Store.open(path) as store:
        of = version(store)
        mine = start(store, of, 1)
    code = (
        "import sys; from pathlib import Path; from llmops_tui.store import Store; "
        f"s = Store.open(Path({str(path)!r})); "
        f"s.runs.start({of.id}, 'save', total=1, asked_total=1, at=1.0); sys.stdout.flush(); "
        "import os; os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    with Store.open(path) as store:
        states = {r.id: r.state for r in store.runs.list("helpdesk")}
    assert states == {mine.id: "running", mine.id + 1: "interrupted"}
