"""The canary: a provider that changes the model under the same name is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine_bench import Bench
from fake_openai import FakeOpenAI

from llmops_tui.domain.live.canary import ALPHA, CanaryRun, compared
from llmops_tui.domain.live.settings import Canary
from llmops_tui.engine.canary import CanaryTask, run_canary
from llmops_tui.store.live import LiveStore

CASES = [
    {"id": f"c{n}", "vars": {"question": f"say word{n}"}, "scorers": [{"contains": f"word{n}"}]}
    for n in range(12)
]


async def test_a_silent_change_of_the_model_is_called_drift(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        gateway = {"base_url": server.url, "retries": 0}
        bench = Bench(
            tmp_path, cases=CASES, models=["gateway/m"], settings={"providers": {"gateway": gateway}}
        )
        await bench.evaluate()
        with LiveStore.open(tmp_path / ".llmops/live.db") as live:
            first = await run_canary(bench.engine, live)
            same = await run_canary(bench.engine, live)
            server.wrong = 1.0
            worse = await run_canary(bench.engine, live)
            kept = live.canaries.newest("bench")
        bench.engine.close()
    assert (first.state, same.state, worse.state) == ("first", "same", "worse")
    assert (worse.before, worse.after, worse.differ, worse.rows) == (1.0, 0.0, 12, 12)
    assert [r.state for r in kept] == ["worse", "same", "first"]
    assert "chance does not explain it" in worse.sentence
    assert server.count == 48


async def test_every_canary_asks_anew_and_the_version_stays_as_it_was(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        gateway = {"base_url": server.url, "retries": 0}
        bench = Bench(
            tmp_path, cases=CASES, models=["gateway/m"], settings={"providers": {"gateway": gateway}}
        )
        await bench.evaluate()
        with LiveStore.open(tmp_path / ".llmops/live.db") as live:
            await run_canary(bench.engine, live)
        assert len(bench.engine.store.versions.list("bench")) == 1
        await bench.nothing()
        bench.engine.close()
    assert server.count == 24


async def test_the_schedule_counts_from_the_last_one_and_a_fault_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    said: list[str] = []
    now = [1_000_000.0]
    with LiveStore.open(tmp_path / ".llmops/live.db") as live:
        task = CanaryTask(bench.engine, live, Canary("bench", 3600), said.append, clock=lambda: now[0])
        assert task.due_in_s() <= 0
        await task.step()
        now[0] += 600
        assert task.due_in_s() == 3000
        bench.write("configs/bench.yaml", "{")
        await task.step()
    bench.engine.close()
    assert "the first of v1" in said[0]
    assert "could not be run" in said[1]


def made(scores: dict[str, list[float]], texts: str = "a", **parts: Any) -> CanaryRun:
    hashes = {key: [texts] * len(value) for key, value in scores.items()}
    return CanaryRun("c", "v1", "h", "e", 1.0, scores, hashes, parts.pop("served", {}), **parts)


def test_few_flips_are_no_drift_and_later_looks_ask_for_more() -> None:
    first = made({f"c{n}\0m": [1.0] for n in range(20)})
    now = made({f"c{n}\0m": [0.0 if n < 6 else 1.0] for n in range(20)}, "b")
    early, late = compared(first, now, 1), compared(first, now, 20)
    assert early.p is not None
    assert ALPHA / 420 < early.p <= ALPHA / 2
    assert (early.state, late.state) == ("worse", "same")


def test_on_a_runtime_that_repeats_itself_a_difference_is_a_fact() -> None:
    first = made({f"c{n}\0m": [1.0] for n in range(5)}, repeats=True)
    now = made({"c0\0m": [0.0], **{f"c{n}\0m": [1.0] for n in range(1, 5)}}, "b", repeats=True)
    assert compared(first, now, 1).state == "worse"


def test_another_model_behind_the_name_is_said_also_where_the_scores_stay() -> None:
    scores = {f"c{n}\0m": [1.0] for n in range(5)}
    result = compared(made(scores, served={"m": ["old"]}), made(scores, served={"m": ["new"]}), 1)
    assert result.state == "changed"
    assert "m is served as new, at first as old" in result.sentence


def test_a_canary_without_scores_is_not_what_later_ones_are_held_against(tmp_path: Path) -> None:
    good = {f"c{n}\0m": [1.0] for n in range(20)}
    bad = {f"c{n}\0m": [0.0] for n in range(20)}
    states = []
    with LiveStore.open(tmp_path / "live.db") as live:
        for scores in ({}, good, good, bad):
            first, count = live.canaries.first("c", "h", "e")
            result = compared(first, made(scores), count)
            live.canaries.add(result)
            states.append((result.state, result.look))
    assert states == [("incomplete", 0), ("first", 0), ("same", 1), ("worse", 2)]
