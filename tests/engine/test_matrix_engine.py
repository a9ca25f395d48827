"""The matrix of a real workspace, and what a cell of it holds."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest
from engine_bench import Bench

from llmops_tui.domain.matrix import Matrix
from llmops_tui.domain.matrix_order import order
from llmops_tui.engine import matrix
from llmops_tui.engine.events import Compared
from llmops_tui.engine.session import Session

ASKS = ("alpha", "beta", "gamma", "delta", "delta gamma alpha")


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    """Five versions of three cases: the prompt says another word each time, and echo answers it."""
    made = Bench(tmp_path / "ws", prompt="user:\n{{ question }} start\n")
    before = "start"
    for word in ASKS:
        made.replace("prompts/bench.md", before, word)
        await made.evaluate()
        before = word
    return made


def drawn(found: Matrix) -> dict[str, str]:
    letters = {"passed": "P", "failed": "F", "error": "E", "unscored": "U", "absent": " ", "missing": "-"}
    return {
        case: "".join(letters[found.cell(n, k).status] for k in range(len(found.columns)))
        for n, (case, _) in enumerate(found.rows)
    }


async def test_five_versions_side_by_side(bench: Bench) -> None:
    found = matrix.versions_matrix(bench.engine.store, "bench")
    assert [c.version.name for c in found.columns] == ["v1", "v2", "v3", "v4", "v5"]
    assert drawn(found) == {"one": "PPPPP", "two": "FFFPP", "three": "UUUUU"}
    assert found.columns[0].version.is_baseline
    assert [c.pass_rate for c in found.columns] == [0.5, 0.5, 0.5, 1.0, 1.0]
    history = {s.version.name: s.tally for s in bench.engine.queries.history("bench")}
    for column in found.columns:
        tally = history[column.version.name]
        assert tally is not None
        assert column.pass_rate == tally.pass_rate
    assert found.cell(1, 3).flip == "fail→pass"
    last = matrix.versions_matrix(bench.engine.store, "bench", 2)
    assert [c.version.name for c in last.columns] == ["v4", "v5"]
    assert [found.rows[n][0] for n in order(found, "trouble first")] == ["two", "one", "three"]


async def test_a_cell_has_its_reasons_its_latency_and_its_cost(bench: Bench) -> None:
    store = bench.engine.store
    found = matrix.versions_matrix(store, "bench")
    cell = matrix.cell(store, found, 1, 0)
    assert cell is not None
    assert cell.row.status == "failed"
    assert cell.trials[0].scores[0].reason
    assert cell.trials[0].output is not None
    assert cell.row.first.latency_s is not None


async def test_one_version_is_read_again_and_the_whole_where_that_is_not_enough(bench: Bench) -> None:
    store = bench.engine.store
    known = matrix.versions_matrix(store, "bench")
    newest = bench.engine.queries.resolve("bench", "v5")
    assert repr(matrix.read_again(store, known, newest)) == repr(known)
    bench.replace("prompts/bench.md", ASKS[-1], "omega")
    await bench.evaluate()
    sixth = bench.engine.queries.resolve("bench", "v6")
    assert len(matrix.read_again(store, known, sixth).columns) == 6


async def test_a_scorer_that_was_edited_marks_what_the_old_one_judged(bench: Bench) -> None:
    bench.replace("evals/bench.yaml", '"delta"', '"gamma"')
    await bench.evaluate()
    found = matrix.versions_matrix(bench.engine.store, "bench")
    two = [case for case, _ in found.rows].index("two")
    assert [found.cell(two, k).judged_otherwise for k in range(5)] == [True] * 4 + [False]
    assert not found.cell(0, 0).judged_otherwise


async def test_models_of_a_version_and_trials_that_are_asked_by_hand(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ws", models=["echo/a", "echo/b"])
    await bench.evaluate()
    await bench.evaluate(extra_trial=("one",), reason="ask again")
    version = bench.engine.queries.resolve("bench", "v1")
    found = matrix.models_matrix(bench.engine.store, version)
    assert [c.version.name for c in found.columns] == ["v1@echo/a", "v1@echo/b"]
    assert drawn(found) == {"one": "PP", "two": "FF", "three": "UU"}
    by_version = matrix.versions_matrix(bench.engine.store, "bench")
    assert by_version.rows[:2] == (("one", "echo/a"), ("one", "echo/b"))
    cell = matrix.cell(bench.engine.store, found, 0, 1)
    assert cell is not None
    assert cell.row.model == "echo/b"
    assert len(cell.trials) == 2
    assert repr(matrix.read_again(bench.engine.store, found, version)) == repr(found)


async def test_the_session_reads_it_beside_its_own_thread(bench: Bench) -> None:
    bench.engine.close()
    session = Session(bench.root)
    events: queue.Queue[object] = queue.Queue()
    session.start(events.put)
    try:
        while not isinstance(events.get(timeout=30), Compared):
            pass
        found = session.matrix().result(30)
        assert drawn(found)["two"] == "FFFPP"
        cell = session.matrix_cell(found, 1, 4).result(30)
        assert cell is not None
        assert cell.row.case_id == "two"
        again = session.matrix_again(found, found.columns[-1].version.id).result(30)
        assert drawn(again) == drawn(found)
        assert len(session.matrix("v2").result(30).columns) == 1
    finally:
        session.close()
