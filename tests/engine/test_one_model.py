"""One model of a version beside another: `v1@echo/a` and `v1@echo/b`."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_bench import Bench

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.run import RunInfo, Snapshot, only_model
from llmops_tui.engine.export import write_report
from llmops_tui.engine.gating import Gate

MODELS = ["echo/echo", "echo/parrot"]


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "ws", models=MODELS)
    await made.evaluate()
    return made


async def test_two_models_of_one_version_are_paired_case_by_case(bench: Bench) -> None:
    comparison, changes = bench.engine.queries.compare("bench", "v1@echo/echo", "v1@echo/parrot")
    assert [p.case_id for p in comparison.pairs] == ["one", "two", "three"]
    assert {p.model for p in comparison.pairs} == {"echo/parrot"}
    assert all(p.baseline is not None and p.baseline.model == "echo/echo" for p in comparison.pairs)
    assert comparison.candidate.version.name == "v1@echo/parrot"
    assert comparison.candidate.is_complete
    assert not comparison.is_alone
    assert [c.label for c in changes] == ["models.echo/parrot"]
    assert changes[0].before is not None
    assert changes[0].before.name == "echo/echo"


async def test_a_part_of_the_name_is_enough_where_it_names_one(bench: Bench) -> None:
    assert bench.engine.queries.side("bench", "v1@parrot").model == "echo/parrot"
    # A part of both that is neither's name.
    with pytest.raises(UsageError, match="2 models of v1"):
        bench.engine.queries.side("bench", "v1@o/")
    with pytest.raises(UsageError, match="v1 has no model 'parot'"):
        bench.engine.queries.side("bench", "v1@parot")


async def test_the_other_side_is_held_to_the_same_model(bench: Bench) -> None:
    bench.replace("prompts/bench.md", "Be brief.", "Be kind.")
    await bench.evaluate()
    comparison, changes = bench.engine.queries.compare("bench", "v1@parrot", "v2")
    assert comparison.candidate.version.name == "v2@echo/parrot"
    assert len(comparison.pairs) == 3
    assert [c.label for c in changes] == ["prompt"]
    bench.configure(models=["echo/echo"])
    await bench.evaluate()
    with pytest.raises(UsageError, match="v3 has no model 'echo/parrot'"):
        bench.engine.queries.compare("bench", "v1@parrot", "v3")


async def test_what_is_about_a_whole_version_says_so(bench: Bench) -> None:
    with pytest.raises(UsageError, match="is one model of v1, and this is about a whole version; name v1"):
        bench.engine.queries.resolve("bench", "v1@parrot")


async def test_the_gate_judges_it_and_the_report_is_written(bench: Bench) -> None:
    comparison, _ = bench.engine.queries.compare("bench", "v1@echo/echo", "v1@echo/parrot")
    gate = Gate(bench.engine)
    result = gate.judged(comparison)
    assert result.rows == 2
    assert gate.deterministic(comparison) == {"echo/parrot"}
    path = write_report(bench.engine, "bench", "v1@echo/echo", "v1@parrot", None)
    assert path.parent == bench.root
    assert "llmops-tui report v1@echo/echo v1@echo/parrot" in path.read_text()


async def test_scores_of_a_side_are_brought_up_to_date(bench: Bench) -> None:
    bench.replace("evals/bench.yaml", "delta", "gamma")
    bench.engine.load()
    await bench.engine.rescore(bench.engine.queries.side("bench", "v1@parrot"))
    comparison, _ = bench.engine.queries.compare("bench", "v1@echo/echo", "v1@parrot")
    assert {p.case_id: p.candidate.status for p in comparison.pairs if p.candidate}["two"] == "passed"


def test_a_model_of_an_unfinished_run_is_unfinished(bench: Bench) -> None:
    snapshot = bench.engine.queries.snapshot(bench.engine.queries.resolve("bench", "v1"))
    run = RunInfo(1, 1, "save", "complete", 0.0, 6, 6)
    rows = tuple(r for r in snapshot.rows if (r.case_id, r.model) != ("three", "echo/parrot"))
    cut = Snapshot(snapshot.version, run, rows)
    assert only_model(cut, "echo/echo").is_complete
    assert not only_model(cut, "echo/parrot").is_complete
