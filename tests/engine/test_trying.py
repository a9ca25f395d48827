"""Variants over an engine: what is asked, what is known already, and that no file is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, error, say

from llmops_tui.domain.errors import LlmopsError
from llmops_tui.engine.events import AskFirst, Subset, TryRequest, Working
from llmops_tui.engine.trying import TryOutcome, try_variants

CASES = 6


def asking(
    root: Path, server: FakeOpenAI, *models: str, cases: int = CASES, concurrency: int = 4, **more: Any
) -> Bench:
    entries = [
        {"id": f"c{n}", "vars": {"question": f"word {n}"}, "scorers": [{"contains": "word"}]}
        for n in range(cases)
    ]
    settings = {"providers": {"fake": {"base_url": server.url, "concurrency": concurrency, "retries": 0}}}
    names = [f"fake/{m}" for m in models or ("plain",)]
    return Bench(root, cases=entries, models=names, settings=settings, **more)


async def tried(ours: Bench, **how: Any) -> TryOutcome:
    ours.engine.load()
    outcome = await try_variants(ours.engine, TryRequest("bench", agreed=True, **how), ours.listen)
    assert isinstance(outcome, TryOutcome)
    return outcome


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of the workspace but the database, to the byte, with its time."""
    files = [p for p in root.rglob("*") if p.is_file() and ".llmops" not in p.parts]
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def labels(outcome: TryOutcome) -> list[str]:
    return [row.standing.label for row in outcome.ranking.rows]


async def test_variants_are_asked_beside_the_version_on_disk_and_asked_once(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        before = contents(tmp_path)
        outcome = await tried(ours, sweeps=("params.temperature=0,0.5",), sets=("params.seed=3",))
        assert server.count == outcome.provider_calls == 3 * CASES
        assert labels(outcome) == [
            "",
            "params.seed=3 params.temperature=0",
            "params.seed=3 params.temperature=0.5",
        ]
        sent = {(r.body.get("temperature"), r.body.get("seed")) for r in server.requests}
        assert sent == {(None, None), (0, 3), (0.5, 3)}
        assert contents(tmp_path) == before

        again = await tried(ours, sweeps=("params.temperature=0,0.5",), sets=("params.seed=3",))
        assert (server.count, again.provider_calls) == (3 * CASES, 0)
        assert [r.version for r in again.ranking.rows] == [r.version for r in outcome.ranking.rows]
        more = await tried(ours, sweeps=("params.temperature=0,0.9",), sets=("params.seed=3",))
        assert more.provider_calls == CASES
        ours.engine.close()


async def test_a_critical_case_that_a_variant_breaks_is_told(tmp_path: Path) -> None:
    cases = [
        {"id": "safe", "vars": {"question": "word"}, "scorers": [{"contains": "word"}], "tags": ["critical"]},
        {"id": "plain", "vars": {"question": "word"}, "scorers": [{"contains": "word"}]},
    ]
    ours = Bench(
        tmp_path, cases=cases, prompt="{{ question }}", files={"prompts/mute.md": "none {{ question[:1] }}"}
    )
    outcome = await tried(ours, sets=("prompt=prompts/mute.md",))
    (row,) = [r for r in outcome.ranking.rows if r.claim != "on disk"]
    assert row.standing.critical == ("safe",)
    assert row.claim == "worse"  # echo repeats itself: a fact
    assert outcome.ranking.by_fact
    ours.engine.close()


async def test_what_is_tried_has_no_number_is_never_the_latest_and_is_found_by_its_name(
    tmp_path: Path,
) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        outcome = await tried(ours, sets=("params.temperature=0.5",))
        queries = ours.engine.queries
        (variant,) = [r.version for r in outcome.ranking.rows if r.claim != "on disk"]
        assert variant.is_hidden
        assert [s.version.name for s in queries.history("bench")] == ["v1"]
        assert queries.resolve("bench", "latest").name == "v1"
        assert queries.resolve("bench", variant.name) == variant
        assert queries.resolve("bench", variant.name[1:]) == variant
        comparison, changed = queries.compare("bench", "v1", variant.name)
        assert [c.label for c in changed] == ["params.temperature"]
        assert len(comparison.pairs) == CASES
        assert queries.summary(variant).changed == ("params.temperature",)
        run = ours.engine.store.runs.get(comparison.candidate.run.id)
        assert run.reason == "what-if"
        ours.engine.close()


async def test_a_variant_that_is_what_is_on_disk_is_not_a_second_side(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server, config={"params": {"temperature": 0}})
        outcome = await tried(ours, sweeps=("params.temperature=0,0.0,0.5",))
        assert server.count == 2 * CASES
        on_disk = outcome.ranking.on_disk
        assert on_disk.standing.same_as == ("params.temperature=0", "params.temperature=0.0")
        assert len(outcome.ranking.rows) == 2
        with pytest.raises(LlmopsError, match=r"params\.temperature=0 is what is on disk already"):
            await tried(ours, sets=("params.temperature=0",))
        ours.engine.close()


async def test_files_that_change_under_a_try_are_not_taken_for_a_variant(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        ours.engine.load()
        ours.replace("prompts/bench.md", "Be brief.", "Be short.")
        with pytest.raises(LlmopsError, match="the files were changed a moment ago; try again"):
            await try_variants(ours.engine, TryRequest("bench", sets=("params.seed=1",), agreed=True))
        assert server.count == 0
        assert len((await tried(ours, sets=("params.seed=1",))).ranking.rows) == 2
        ours.engine.close()


async def test_a_recorded_version_keeps_its_number_when_it_is_tried_again(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server, config={"params": {"temperature": 0}})
        await ours.evaluate()
        ours.configure(params={"temperature": 1})
        await ours.evaluate()
        server.forget()
        outcome = await tried(ours, sets=("params.temperature=0",))
        assert server.count == 0
        assert {r.version.name for r in outcome.ranking.rows} == {"v1", "v2"}
        assert ours.engine.queries.resolve("bench", "latest").name == "v2"
        ours.engine.close()


async def test_a_better_model_is_told_apart_and_a_worse_one_too(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server, "random-0.5", config={"trials": 8})
        outcome = await tried(ours, sweeps=("models=fake/plain,fake/random-0.999",))
        claims = {r.standing.label: r.claim for r in outcome.ranking.rows}
        assert claims == {"models=fake/plain": "better", "": "on disk", "models=fake/random-0.999": "worse"}
        assert labels(outcome) == ["models=fake/plain", "", "models=fake/random-0.999"]
        assert [r.standing.label for r in outcome.ranking.best] == ["models=fake/plain"]
        ours.engine.close()


async def test_a_configuration_with_two_models_is_held_against_one_case_by_case(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        outcome = await tried(ours, sets=("models=[fake/plain, fake/random-0.999]",))
        assert server.count == 2 * CASES  # what the first model answered is known
        (row,) = [r for r in outcome.ranking.rows if r.claim != "on disk"]
        assert row.evidence is not None
        assert row.evidence.rows == CASES
        assert row.evidence.delta == pytest.approx(-0.5, abs=0.1)
        ours.engine.close()


async def test_fresh_draws_all_sides_anew_side_by_side(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        first = await tried(ours, sets=("params.seed=1",))
        assert not first.side_by_side
        server.forget()
        second = await tried(ours, sets=("params.seed=1",), fresh=True)
        assert server.count == 2 * CASES
        assert second.side_by_side
        assert "Latencies were measured side by side." in second.conclusion
        ours.engine.close()


async def test_the_sides_take_turns(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server, cases=10, concurrency=1)
        await tried(ours, sets=("params.seed=1",), fresh=True)
        seeds = [r.body.get("seed") for r in server.requests]
        assert seeds == [None] * 8 + [1] * 8 + [1] * 2 + [None] * 2
        ours.engine.close()


async def test_only_the_chosen_cases_are_asked_and_counted(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        outcome = await tried(ours, sets=("params.seed=1",), subset=Subset(ids=("c1", "c2")))
        assert server.count == 4
        assert outcome.cases == 2
        assert all(not r.standing.unranked for r in outcome.ranking.rows)
        with pytest.raises(LlmopsError, match="there is no case 'c9'"):
            await tried(ours, sets=("params.seed=1",), subset=Subset(ids=("c9",)))
        ours.engine.close()


async def test_the_price_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        ours = asking(tmp_path, server)
        ours.engine.load()
        request = TryRequest("bench", sweeps=("params.seed=1,2",))
        asks = await try_variants(ours.engine, request, ours.listen)
        assert isinstance(asks, AskFirst)
        assert (asks.request, asks.estimate.requests, server.count) == (request, 3 * CASES, 0)
        assert asks.why == "Try 2 variants and v1?"
        await tried(ours, sweeps=("params.seed=1,2",))
        assert isinstance(await try_variants(ours.engine, request), TryOutcome)  # nothing to ask, no question
        works = [e for e in ours.events if isinstance(e, Working)]
        assert works[0].what == "Try 2 variants and v1"
        assert works[-1].what == ""
        ours.engine.close()


async def test_a_model_that_errs_is_not_ranked(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return error(400, "no such model") if asked.model == "gone" else say(asked, asked.said)

    async with FakeOpenAI(script) as server:
        ours = asking(tmp_path, server)
        outcome = await tried(ours, sweeps=("models=fake/gone,fake/other",))
        ours.engine.close()
    last = outcome.ranking.rows[-1]
    assert (last.standing.label, last.claim) == ("models=fake/gone", "not ranked")
    assert last.standing.unranked == f"{CASES} errors"
    assert outcome.failures
