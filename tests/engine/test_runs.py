"""A run under way: cancelled, superseded, over budget, with a provider that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, completion, error, say

from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.engine.events import AskFirst, ItemsDone, NothingToDo, Notice, Progress, RunEnded, RunRequest
from llmops_tui.engine.promotion import promote

Make = Callable[..., Bench]
Script = Callable[[Asked], Reply]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Bench] = []

    def make(
        server: FakeOpenAI, cases: int = 10, provider: dict[str, Any] | None = None, **parts: Any
    ) -> Bench:
        settings = {"base_url": server.url, "concurrency": 2, "retries": 0, **(provider or {})}
        body: dict[str, Any] = {
            "models": ["gateway/m"],
            "cases": [{"id": f"c{i}", "vars": {"question": f"question {i}"}} for i in range(cases)],
            "settings": {"providers": {"gateway": settings}, **parts.pop("settings", {})},
            **parts,
        }
        made.append(Bench(tmp_path / f"ws{len(made)}", **body))
        return made[-1]

    yield make
    for each in made:
        each.engine.close()


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


async def test_cancelling_keeps_what_is_done(bench: Make) -> None:
    async with FakeOpenAI(latency_ms=20) as slow:
        ours = bench(slow, cases=30)
        run = asyncio.create_task(ours.anything())
        await ours.something_is_done.wait()
        ours.engine.cancel()
        ended = await run
        assert isinstance(ended, RunEnded)
        assert ended.run.state == "cancelled"
        assert 0 < ended.tally.cases < 30
        done = slow.count
        # The next run goes on from there.
        rest = await ours.evaluate()
        assert rest.run.state == "complete"
        assert rest.tally.cases == 30
        assert rest.run.provider_calls <= 30 - ended.tally.cases
        assert slow.count >= done


async def test_a_new_save_cancels_what_it_made_pointless_and_keeps_what_is_still_true(bench: Make) -> None:
    async with FakeOpenAI(latency_ms=20) as slow:
        ours = bench(slow, cases=30)
        ours.engine.load()
        first = asyncio.create_task(ours.engine.evaluate(RunRequest("bench"), ours.listen))
        await ours.something_is_done.wait()
        # The second half of the eval set goes; the first half is still wanted.
        ours.cases(*({"id": f"c{i}", "vars": {"question": f"question {i}"}} for i in range(15)))
        second = await ours.evaluate()
        cut = await first
        assert isinstance(cut, RunEnded)
        assert cut.run.state == "cancelled"
        assert second.run.state == "complete"
        assert second.tally.cases == 15
        # No question was asked twice, and most of the second half was never asked.
        asked = [a.said for a in slow.requests]
        assert len(asked) == len(set(asked))
        assert len(asked) < 30


async def test_progress_counts_and_every_item_is_told_once(bench: Make, server: FakeOpenAI) -> None:
    ours = bench(server, cases=25)
    await ours.evaluate()
    told = [i.case_id for e in ours.events if isinstance(e, ItemsDone) for i in e.items]
    assert sorted(told) == sorted(f"c{i}" for i in range(25))
    last = [e for e in ours.events if isinstance(e, Progress)][-1]
    assert (last.done, last.total, last.in_flight) == (25, 25, 0)


def failing_once() -> Script:
    """The first three requests fail; the rest answer."""

    def script(asked: Asked) -> Reply:
        number = int(asked.said.rsplit(" ", 1)[1])
        return (
            error(500, "the engine room is on fire")
            if number < 3 and asked.nth == 1
            else say(asked, asked.said)
        )

    return script


async def test_failures_are_errors_not_regressions_and_are_never_cache_hits(bench: Make) -> None:
    async with FakeOpenAI(failing_once()) as flaky:
        ours = bench(flaky)
        ended = await ours.evaluate()
        assert ended.tally.errors == 3
        assert "the engine room is on fire" in ended.failures[0]
        assert ours.engine.store.versions.baseline("bench") is None
        assert ours.rows()["c0"].first.failure is not None
        again = await ours.evaluate(only_failed=True, reason="retry")
        assert again.run.provider_calls == 3
        assert again.tally.errors == 0
        assert ours.engine.store.versions.baseline("bench") is not None


async def test_a_version_that_is_not_finished_is_not_promoted(bench: Make) -> None:
    async with FakeOpenAI(lambda asked: error(500, "down")) as down:
        ours = bench(down, cases=2)
        await ours.evaluate()
        version = ours.engine.queries.resolve("bench", "latest")
        with pytest.raises(UsageError, match="2 of its 2 outputs could not be had"):
            promote(ours.engine, version)


async def test_what_the_provider_served_is_recorded_and_a_change_is_drift(bench: Make) -> None:
    served = iter(["m-2026-01"] * 2 + ["m-2026-02"] * 2 + ["m-2026-03"] * 2)

    def script(asked: Asked) -> Reply:
        return completion(
            asked, {"role": "assistant", "content": "x"}, model=next(served), system_fingerprint="fp"
        )

    async with FakeOpenAI(script) as fake:
        ours = bench(fake, cases=2)
        await ours.evaluate()
        ours.replace("prompts/bench.md", "brief", "kind")
        await ours.evaluate()
        comparison, _ = ours.engine.queries.compare("bench", "v1", "v2")
        (said,) = ours.engine.queries.drift(comparison)
        assert "answered v1 as m-2026-01 (fp) and v2 as m-2026-02 (fp)" in said
        newer, older = ours.engine.queries.history("bench")
        assert older.warnings == ()
        assert "until" in newer.warnings[0]
        assert "m-2026-01" in newer.warnings[0]
        # The same version asked anew: the provider has changed under it.
        await ours.evaluate(fresh=True)
        alone, _ = ours.engine.queries.compare("bench", "v2", "v2")
        assert len(ours.engine.queries.drift(alone)) == 1


PRICED = {"price": {"m": {"input": 1_000_000, "output": 1_000_000}}}  # one dollar a token


async def test_a_run_over_budget_asks_first(bench: Make, server: FakeOpenAI) -> None:
    ours = bench(server, provider=PRICED, settings={"budget": {"per_run_usd": 1.0}})
    asked = await ours.anything()
    assert isinstance(asked, AskFirst)
    assert asked.estimate.to_ask == 10
    assert asked.estimate.cost_usd is not None
    assert asked.estimate.cost_usd > 1.0
    assert "budget.per_run_usd" in asked.why
    assert server.count == 0
    agreed = await ours.evaluate(agreed=True)
    assert agreed.run.provider_calls == 10
    assert agreed.run.cost_usd is not None
    assert agreed.run.cost_usd > 1.0


async def test_what_was_spent_today_counts(bench: Make, server: FakeOpenAI) -> None:
    ours = bench(server, cases=1, provider=PRICED, settings={"budget": {"per_day_usd": 500.0}})
    await ours.evaluate(agreed=True)
    ours.replace("prompts/bench.md", "brief", "verbose " * 600)
    ours.configure(params={"max_tokens": 10_000})
    asked = await ours.anything()
    # One average call costs less than the day allows: earlier calls are the better guess.
    assert isinstance(asked, RunEnded)
    spent = ours.engine.store.calls.spent_since(0)
    assert spent > 500
    ours.replace("prompts/bench.md", "verbose", "long")
    over = await ours.anything()
    assert isinstance(over, AskFirst)
    assert "budget.per_day_usd" in over.why


async def test_a_budget_is_held_during_the_run_too(bench: Make, server: FakeOpenAI) -> None:
    """The estimate was too low: the run stops when the limit is reached."""
    ours = bench(server, cases=1, provider=PRICED, settings={"budget": {"per_run_usd": 100.0}})
    await ours.evaluate(agreed=True)
    ours.cases(*({"id": f"c{i}", "vars": {"question": f"question {i} " + "word " * 30}} for i in range(8)))
    stopped = await ours.evaluate()
    assert stopped.run.state == "cancelled"
    assert server.count < 9
    assert any(isinstance(e, Notice) and "budget.per_run_usd" in e.text for e in ours.events)


async def test_a_missing_key_is_said_before_anything_is_asked(
    bench: Make, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    ours = bench(server, provider={"api_key": "${NO_SUCH_KEY}"})
    with pytest.raises(WorkspaceError, match="NO_SUCH_KEY"):
        await ours.anything()
    assert server.count == 0


async def test_a_key_of_dot_env_is_used_and_never_stored(bench: Make) -> None:
    def leaking(asked: Asked) -> Reply:
        return say(asked, f"your key is {asked.headers['authorization'].split()[1]}")

    async with FakeOpenAI(leaking) as fake:
        ours = bench(
            fake, cases=1, provider={"api_key": "${OUR_KEY}"}, files={".env": "OUR_KEY=sk-very-secret-1234\n"}
        )
        await ours.evaluate()
        assert fake.requests[0].headers["authorization"] == "Bearer sk-very-secret-1234"
        assert "[redacted]" in ours.output("c0")
        rows = ours.engine.store.bundles.give([ours.engine.queries.resolve("bench", "v1").id])
        assert "your key is [redacted]" in str(rows)
        assert "sk-very-secret" not in str(rows)
        ours.engine.close()
        for file in (ours.root / ".llmops").rglob("*"):
            assert not file.is_file() or b"sk-very-secret" not in file.read_bytes(), file


async def test_several_models_are_each_evaluated(bench: Make, server: FakeOpenAI) -> None:
    ours = bench(server, cases=3, models=["gateway/a", "gateway/b"])
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 6
    assert ended.tally.cases == 6
    assert server.stats()["by_model"] == {"a": 3, "b": 3}


async def test_the_same_request_to_another_endpoint_is_another_call(bench: Make, server: FakeOpenAI) -> None:
    async with FakeOpenAI() as other:
        ours = bench(server, cases=2)
        await ours.evaluate()
        ours.replace("llmops.yaml", server.url, other.url)
        ended = await ours.evaluate()
        assert ended.version.number == 2
        assert other.count == 2
        ours.replace("llmops.yaml", other.url, server.url)
        assert isinstance(await ours.anything(), NothingToDo)


async def test_a_short_run_beside_a_long_one_hides_nothing_of_it(bench: Make) -> None:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import Subset

    async with FakeOpenAI(latency_ms=20) as slow:
        ours = bench(slow, cases=20)
        long = asyncio.create_task(ours.anything())
        await ours.something_is_done.wait()
        beside = Engine.open(ours.root)
        beside.load()
        notices: list[object] = []
        short = await beside.evaluate(RunRequest("bench", subset=Subset(ids=("c19",))), notices.append)
        beside.close()
        assert isinstance(short, NothingToDo | RunEnded)
        ended = await long
        assert isinstance(ended, RunEnded)
        assert ended.tally.cases == 20
        snapshot = ours.engine.queries.snapshot(ours.engine.queries.resolve("bench", "latest"))
        assert all(row.status != "missing" for row in snapshot.rows)
        assert any(isinstance(n, Notice) and "Another process" in n.text for n in notices)
