"""The gate over an engine: what it fills in, what it draws anew, and what it may not look at twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import WRONG, Asked, FakeOpenAI, Reply, say

from llmops_tui.domain.errors import UsageError
from llmops_tui.engine.events import AskFirst, Event, GateRequest, Working
from llmops_tui.engine.gating import Gate, GateOutcome
from llmops_tui.engine.promotion import promote

CASES = 8


async def two_versions(root: Path, server: FakeOpenAI, model: str = "fake/random-0.5") -> Bench:
    """v1 and v2, each evaluated once; by default on a model that is wrong half of the time."""
    cases = [
        {"id": f"c{n}", "vars": {"question": f"word {n}"}, "scorers": [{"contains": "word"}]}
        for n in range(CASES)
    ]
    ours = Bench(
        root,
        cases=cases,
        models=[model],
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


async def test_a_comment_in_the_prompt_passes_as_a_fact_though_the_model_is_noisy(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = await two_versions(tmp_path, server)
        ours.write("llmops.yaml", server_settings(server, max_drop=0.01))
        ours.replace("prompts/bench.md", "Be short.", "{# to ourselves #}Be brief.")
        server.forget()
        ours.engine.load()
        outcome = await gate(ours)
        # It is another version that comes to the same requests.
        assert (outcome.candidate.name, server.count) == ("v3", 0)
        assert (outcome.result.verdict, outcome.result.exploratory) == ("pass", False)
        assert "what is asked is the same on both sides" in outcome.result.reasons[0]
        fresh = await gate(ours, fresh=True)
        # Asked once for both sides.
        assert (fresh.result.verdict, server.count) == ("pass", CASES)
        ours.engine.close()


def server_settings(server: FakeOpenAI, **rules: Any) -> str:
    return json.dumps({"providers": {"fake": {"base_url": server.url, "concurrency": 8}}, "gate": rules})


async def test_a_model_that_was_exchanged_is_held_against_the_answers_that_are_there(tmp_path: Path) -> None:
    """The endpoint is part of the pin: another server under the same name is another model."""

    def wrong(asked: Asked) -> Reply:
        return say(asked, WRONG)

    async with FakeOpenAI() as old, FakeOpenAI(wrong) as new:
        ours = await two_versions(tmp_path, old, "fake/m")
        promote(ours.engine, ours.engine.queries.resolve("bench", "v2"))
        ours.write("llmops.yaml", server_settings(new))
        ours.engine.load()
        old.forget()
        outcome = await gate(ours)
        assert (old.count, new.count) == (0, CASES)
        assert (outcome.baseline.name, outcome.candidate.name, outcome.adapted) == ("v2", "v3", ())
        assert outcome.result.verdict == "fail"
        # Asked anew, only the model that is here can be: the two are the same then, and that is said.
        outcome = await gate(ours, fresh=True)
        assert (old.count, new.count) == (0, CASES)
        assert outcome.result.headline == "nothing changed but the models of this machine"
        assert "v2 was pinned to another fake/m than is here" in outcome.adapted[0]
        ours.engine.close()


@pytest.mark.parametrize("when", ["Gate", "Look 2"])
async def test_a_gate_that_is_cut_short_leaves_the_results_that_were_there(tmp_path: Path, when: str) -> None:
    async with FakeOpenAI(latency_ms=20) as server:
        ours = await two_versions(tmp_path, server)
        before = [ours.rows(name) for name in ("v1", "v2")]

        def listen(event: Event) -> None:
            if isinstance(event, Working) and event.what.startswith(when) and event.done:
                ours.engine.cancel()

        request = GateRequest("bench", agreed=True, fresh=when == "Gate", adjudicate=True)
        outcome = await Gate(ours.engine).gate(request, listen)
        assert not isinstance(outcome, AskFirst)
        assert outcome.cancelled
        assert outcome.result.headline == "cut short"
        assert "no result yet" not in outcome.result.reasons[0]
        for name, rows in zip(("v1", "v2"), before, strict=True):
            now = ours.rows(name)
            assert now.keys() == rows.keys()
            assert all(item.status in ("passed", "failed") for row in now.values() for item in row.items)
        ended = await ours.nothing()
        assert ended.version.name == "v2"
        ours.engine.close()


async def test_two_gates_at_once_are_refused_in_a_sentence(tmp_path: Path) -> None:
    async with FakeOpenAI(latency_ms=30) as server:
        ours = await two_versions(tmp_path, server)
        under_way = asyncio.Event()
        request = GateRequest("bench", agreed=True, fresh=True)
        first = asyncio.create_task(Gate(ours.engine).gate(request, lambda _event: under_way.set()))
        await under_way.wait()
        with pytest.raises(UsageError, match="another gate is under way"):
            await gate(ours, fresh=True)
        outcome = await first
        assert not isinstance(outcome, AskFirst)
        assert not outcome.cancelled
        ours.engine.close()


async def test_a_case_that_was_removed_is_named(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = await two_versions(tmp_path, server)
        cases = [
            {"id": f"c{n}", "vars": {"question": f"word {n}"}, "scorers": [{"contains": "word"}]}
            for n in range(1, CASES)
        ]
        ours.cases(*cases)
        ours.engine.load()
        outcome = await gate(ours)
        assert outcome.result.rows == CASES - 1
        assert "1 case of the baseline in no eval file any more, not compared: c0" in outcome.result.reasons
        ours.engine.close()
