"""The gate over an engine: what it fills in, what it draws anew, and what it may not look at twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine_bench import Bench
from fake_openai import FakeOpenAI

from llmops_tui.engine.events import AskFirst, GateRequest
from llmops_tui.engine.gating import Gate, GateOutcome

CASES = 8


async def two_versions(root: Path, server: FakeOpenAI) -> Bench:
    """v1 and v2 on a model that is wrong half of the time, each evaluated once."""
    cases = [
        {"id": f"c{n}", "vars": {"question": f"word {n}"}, "scorers": [{"contains": "word"}]}
        for n in range(CASES)
    ]
    ours = Bench(
        root,
        cases=cases,
        models=["fake/random-0.5"],
        settings={"providers": {"fake": {"base_url": server.url, "concurrency": 8}}},
    )
    await ours.evaluate()
    ours.replace("prompts/bench.md", "Be brief.", "Be short.")
    await ours.evaluate()
    return ours


async def gate(ours: Bench, **how: Any) -> GateOutcome:
    outcome = await Gate(ours.engine).gate(GateRequest("bench", agreed=True, **how))
    assert not isinstance(outcome, AskFirst)
    return outcome


async def test_every_look_of_a_fresh_gate_is_drawn_anew(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = await two_versions(tmp_path, server)
        for _ in range(3):
            server.forget()
            outcome = await gate(ours, fresh=True, adjudicate=True)
            trials = outcome.result.looks[-1].trials
            # What an earlier gate drew for its later looks was looked at then, and counts no more.
            assert server.count == outcome.result.provider_calls == 2 * CASES * trials
            assert not outcome.result.exploratory
        ours.engine.close()


async def test_a_gate_on_what_is_there_asks_nothing_and_says_that_it_is_exploratory(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = await two_versions(tmp_path, server)
        server.forget()
        outcome = await gate(ours)
        assert (server.count, outcome.result.provider_calls, outcome.cost_usd) == (0, 0, 0.0)
        assert outcome.result.exploratory
        ours.engine.close()
