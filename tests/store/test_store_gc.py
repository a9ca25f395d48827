"""gc: what no version, run or review needs goes; what they need stays whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from store_flow import call, database, evaluated, finish, manifest, output, result, start, version

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.run import VersionInfo
from llmops_tui.store import Result, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(database(tmp_path)) as opened:
        yield opened


def again(store: Store, of: VersionInfo, generation: int, text: str) -> int:
    """A run in a new generation, of one case; returns its output."""
    run = start(store, of, 1, generation=generation)
    made = result(0, "one", text, generation=generation)
    key = call(text).key
    made = msgspec.structs.replace(made, output=msgspec.structs.replace(output("one", text), calls=(key,)))
    (item,) = store.record(run.id, calls=[call(text, text, generation=generation)], results=[made], at=3.0)
    finish(store, run)
    assert item.output_id is not None
    return item.output_id


def test_old_runs_go_with_what_only_they_held(store: Store) -> None:
    of = version(store)
    ids = [again(store, of, n, f"answer {n} " * 2000) for n in range(5)]
    swept = store.gc(keep_runs=2)
    assert (swept.runs, swept.outputs, swept.calls, swept.dry_run) == (3, 3, 3, False)
    assert swept.freed_bytes > 3 * 2000 * len("answer 0 ")
    assert store._db.rows("PRAGMA freelist_count") == [(0,)]
    assert len(store.runs.list("helpdesk")) == 2
    assert set(store.outputs.texts(ids)) == set(ids[3:])
    asked = call("answer 4 " * 2000, "answer 4 " * 2000, generation=4)
    assert store.calls.find(asked.key, asked.draw, fresh=True) == asked
    assert store._db.rows("PRAGMA foreign_key_check") == []


def test_every_version_can_still_be_compared(store: Store) -> None:
    versions = [evaluated(store, prompt, ["one", "two"]) for prompt in ("a", "b", "c")]
    before = [store.runs.snapshot(v.id) for v in versions]
    swept = store.gc(keep_runs=0)
    assert (swept.runs, swept.outputs, swept.calls) == (0, 0, 0)
    assert [store.runs.snapshot(v.id) for v in versions] == before
    for v in versions:
        assert store.versions.manifest(v.id).hash == v.hash


def test_a_cancelled_run_does_not_push_out_the_complete_one(store: Store) -> None:
    of = evaluated(store, "a", ["one"])
    complete = store.runs.list("helpdesk")[0]
    cut = start(store, of, 1)
    store.record(cut.id, calls=(), results=[result(0, "one")], at=3.0)
    store.runs.finish(
        cut.id, state="cancelled", provider_calls=0, cached_outputs=0, elapsed_s=1.0, cost_usd=0.0
    )
    store.gc(keep_runs=0)
    assert {r.id for r in store.runs.list("helpdesk")} == {complete.id, cut.id}


def test_what_a_review_needs_stays(store: Store) -> None:
    of = version(store)
    old, *_ = [again(store, of, n, f"answer {n}") for n in range(3)]
    swept = store.gc(keep_runs=1, keep_outputs=frozenset({old}))
    assert swept.outputs == 1
    assert store.outputs.get(old).text == "answer 0"


def test_a_dry_run_tells_the_same_and_drops_nothing(store: Store) -> None:
    of = version(store)
    ids = [again(store, of, n, f"answer {n}") for n in range(4)]
    tried = store.gc(keep_runs=1, dry_run=True)
    assert set(store.outputs.texts(ids)) == set(ids)
    done = store.gc(keep_runs=1)
    assert (tried.runs, tried.outputs, tried.calls, tried.texts) == (
        done.runs,
        done.outputs,
        done.calls,
        done.texts,
    )
    assert (tried.dry_run, done.outputs) == (True, 3)


def test_what_was_spent_is_known_after_gc(store: Store) -> None:
    of = version(store)
    for n in range(3):
        again(store, of, n, f"answer {n}")
    before = store.calls.spent_since(0)
    assert store.gc(keep_runs=0).calls == 2
    assert store.calls.spent_since(0) == before > 0


def test_nothing_is_dropped_under_a_run(store: Store) -> None:
    of = evaluated(store, "a", ["one"])
    run = start(store, of, 1)
    with pytest.raises(UsageError, match=rf"run {run.id} is under way .*nothing was cleaned up; wait for it"):
        store.gc()


def test_another_process_that_remembers_ids_writes_on_after_gc(tmp_path: Path) -> None:
    with Store.open(database(tmp_path)) as app, Store.open(database(tmp_path)) as other:
        of = version(app)
        for n in range(3):
            again(app, of, n, "the same answer" if n < 2 else "another")
        other.gc(keep_runs=1)
        run = start(app, of, 1, generation=9)
        (item,) = app.record(
            run.id,
            calls=[call("the same answer", "the same answer", generation=9)],
            results=[result(0, "one", "the same answer", generation=9)],
            at=4.0,
        )
        assert item.output_id is not None
        assert app.outputs.get(item.output_id).text == "the same answer"
        assert app._db.rows("PRAGMA foreign_key_check") == []


DAY = 86_400.0


def tried(store: Store, prompt: str, at: float) -> VersionInfo:
    """A version without a number, evaluated once."""
    made, _ = store.versions.ensure("helpdesk", manifest(prompt), {}, at=at, hidden=True)
    run = start(store, made, 1, at=at)
    store.record(run.id, calls=(), results=[result(0, prompt, prompt)], at=at)
    finish(store, run)
    return made


def test_what_was_only_tried_stays_for_a_week(store: Store) -> None:
    version(store, at=1.0)
    old, new = tried(store, "old", at=1.0), tried(store, "new", at=3 * DAY)
    assert store.gc(now=6 * DAY).runs == 0
    assert store.gc(now=8 * DAY).runs == 1
    assert store.versions.find("helpdesk", old.hash) is None
    assert store.versions.get("helpdesk", new.name) == new
    assert [v.name for v in store.versions.list("helpdesk")] == ["v1"]


def test_what_is_tried_again_or_has_a_label_stays(store: Store) -> None:
    again_, labelled = tried(store, "again", at=1.0), tried(store, "labelled", at=1.0)
    store.versions.label(labelled.id, "cheaper model")
    store.versions.ensure("helpdesk", manifest("again"), {}, at=7 * DAY, hidden=True)
    store.gc(now=10 * DAY)
    assert store.versions.get("helpdesk", again_.name) == again_
    assert store.versions.get("helpdesk", "cheaper model").id == labelled.id
    store.gc(now=20 * DAY)
    assert store.versions.find("helpdesk", again_.hash) is None


def test_a_step_of_a_bisect_is_not_how_a_version_does(store: Store) -> None:
    """It asked one case: the whole run before it stays, and the Matrix reads that."""
    found = evaluated(store, "a", ["one", "two"])
    whole = store.runs.snapshot(found.id)
    assert whole is not None
    step = store.runs.start(
        found.id, "bisect", total=1, asked_total=1, generation=0, eval_hash="e" * 64, at=9.0
    )
    row = whole.rows[0]
    result = Result(0, "0" * 64, 0, row.items[0].output_id, None, (), None, row.items[0])
    store.record(step.id, calls=(), results=[result], at=9.0)
    store.runs.finish(
        step.id, state="complete", provider_calls=0, cached_outputs=1, elapsed_s=0.1, cost_usd=0.0
    )
    store.gc(keep_runs=0)
    assert store.cells.newest_runs([found.id])[found.id].id == whole.run.id
    assert store.runs.snapshot(found.id) == whole
