"""What an answer is said to cost, what is counted as spent, and what a budget makes of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, completion, say
from judge_bench import judge

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import Problem, StoreError, UsageError
from llmops_tui.domain.model import Price, Usage, embedding_cost_usd
from llmops_tui.domain.trace import totals
from llmops_tui.engine import subjects
from llmops_tui.engine.events import AskFirst, Event, Notice, RunRequest
from llmops_tui.engine.replaying import Replay, ReplayRequest
from llmops_tui.engine.traces import Traces
from llmops_tui.workspace.trust import trust

DOLLAR = {"input": 1_000_000, "output": 1_000_000}  # for one token
FREE = {"input": 0, "output": 0}
CASES = [{"id": "one", "vars": {"question": "when do apples ripen"}}]


def bench_of(root: Path, server: FakeOpenAI, prices: dict[str, Any], **parts: Any) -> Bench:
    gateway = {"base_url": server.url, "retries": 0, "concurrency": 1, "price": prices}
    settings = {"providers": {"gate": gateway}, **parts.pop("settings", {})}
    bench = Bench(root, **{"models": ["gate/m"], "cases": CASES, "settings": settings, **parts})
    trust(root)
    return bench


def told(bench: Bench) -> float | None:
    bench.engine.load()
    return bench.engine.price_of(RunRequest("bench")).cost_usd


# -- the price before a run


CHAIN = {
    "prompt": None,
    "chain": [
        {"name": "draft", "prompt": "prompts/draft.md", "model": "gate/dear"},
        {"name": "answer", "prompt": "prompts/answer.md"},
    ],
}
PROMPTS = {"prompts/draft.md": "user:\ndraft {{ question }}\n", "prompts/answer.md": "user:\n{{ draft }}\n"}


async def test_each_prompt_is_priced_by_the_model_that_it_asks(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        prices = {"m": FREE, "dear": DOLLAR}
        bench = bench_of(tmp_path, server, prices, config=CHAIN, files=PROMPTS)
        first = told(bench)
        assert first is not None
        assert first > 300  # the tokens of an answer that is not known
        ended = await bench.evaluate()
        bench.cases({"id": "two", "vars": {"question": "and plums"}})
        # Now by the average of the one call to the dear model.
        assert told(bench) == pytest.approx(ended.run.cost_usd)
        bench.engine.close()


async def test_a_model_that_no_step_asks_needs_no_price_and_one_that_is_asked_does(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        steps = [{**step, "model": "gate/dear"} for step in CHAIN["chain"]]  # type: ignore[union-attr, list-item]
        config = {**CHAIN, "chain": steps}
        bench = bench_of(tmp_path / "a", server, {"dear": FREE}, config=config, files=PROMPTS)
        assert told(bench) == 0.0
        bench.engine.close()
        bench = bench_of(tmp_path / "b", server, {"m": FREE}, config=config, files=PROMPTS)
        assert told(bench) is None
        bench.engine.close()


APP = "def answer(question, ask):\n    return ask(question) + ask('and ' + question)\n"


@pytest.mark.parametrize(
    "config",
    [
        {"prompt": None, "python": "app:answer"},
        {"prompt": None, "chain": [{"name": "answer", "python": "app:answer"}]},
        {"prompt": None, "command": ["python", "app.py"]},
        {"prompt": None, "chain": [{"name": "answer", "command": ["python", "app.py"]}]},
    ],
)
async def test_what_a_program_asks_is_not_known_before_its_model_was_asked(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    async with FakeOpenAI() as server:
        budget = {"budget": {"per_run_usd": 1.0}}
        bench = bench_of(
            tmp_path, server, {"m": DOLLAR}, config=config, files={"app.py": APP}, settings=budget
        )
        assert told(bench) is None
        asks = await bench.anything()
        assert isinstance(asks, AskFirst)
        assert "is not known" in asks.why
        assert server.count == 0
        bench.engine.close()


async def test_a_program_is_priced_by_what_a_call_of_its_model_cost(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        config = {"prompt": None, "python": "app:answer"}
        bench = bench_of(tmp_path, server, {"m": DOLLAR}, config=config, files={"app.py": APP})
        ended = await bench.evaluate()
        assert ended.run.provider_calls == 2
        assert ended.run.cost_usd is not None
        bench.cases({"id": "two", "vars": {"question": "and plums"}})
        assert told(bench) == pytest.approx(ended.run.cost_usd / 2)
        bench.engine.close()


async def test_a_program_of_a_free_model_is_free(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        config = {"prompt": None, "python": "app:answer"}
        bench = bench_of(tmp_path, server, {"m": FREE}, config=config, files={"app.py": APP})
        assert told(bench) == 0.0
        bench.engine.close()


@pytest.mark.parametrize(
    "config",
    [
        {"prompt": None, "python": "app:plain"},
        {"prompt": None, "chain": [{"name": "find", "retrieval": {"source": "docs"}}]},
    ],
)
async def test_a_program_without_models_is_free_and_no_budget_stops_it(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    async with FakeOpenAI() as server:
        files = {
            "app.py": "def plain(question):\n    return question\n",
            "docs/a.md": "Apples ripen in autumn.",
        }
        budget = {"budget": {"per_run_usd": 0.01, "per_day_usd": 0.01}}
        bench = bench_of(tmp_path, server, {}, config=config, files=files, settings=budget)
        bench.configure(models=None)
        assert told(bench) == 0.0
        (nobody,) = bench.engine.configuration("bench").models
        assert nobody.price == Price(0.0, 0.0, source="no model is asked")
        ended = await bench.evaluate()
        assert (ended.tally.errors, ended.run.cost_usd) == (0, 0.0)
        # So it is of a version that is not on disk any more.
        version = bench.engine.queries.resolve("bench", "v1")
        bench.write("app.py", "def plain(question):\n    return question + '!'\n")
        bench.write("docs/a.md", "Apples ripen.")
        bench.cases({"id": "two", "vars": {"question": "plums"}})
        bench.engine.load()
        on_disk = bench.engine.configuration("bench")
        old = subjects.of_version(bench.engine.store, bench.root, on_disk, version).configuration
        assert old.manifest.hash != on_disk.manifest.hash
        assert bench.engine.price_as(RunRequest("bench"), old, version).cost_usd == 0.0
        bench.engine.close()


# -- the limit of a run


async def test_one_call_without_a_price_does_not_end_the_limit(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        if "first" in asked.said:
            message = {"role": "assistant", "content": "no tokens are told"}
            return completion(asked, message, usage=None)
        return say(asked, "word " * 40)

    async with FakeOpenAI(script) as server:
        budget = {"budget": {"per_run_usd": 60.0}}
        params = {"config": {"params": {"max_tokens": 1}}, "prompt": "{{ question }}"}
        cases = [{"id": f"c{n}", "vars": {"question": "first" if n == 0 else f"q{n}"}} for n in range(9)]
        prices = {"m": {"input": 0, "output": 1_000_000}}
        bench = bench_of(tmp_path, server, prices, cases=cases, settings=budget, **params)
        ended = await bench.evaluate()
        assert ended.run.state == "cancelled"
        assert ended.run.cost_usd is None
        assert 2 <= server.count < 9
        assert any(isinstance(e, Notice) and "budget.per_run_usd" in e.text for e in bench.events)
        bench.engine.close()


# -- embeddings


RETRIEVAL = {"source": "docs", "top_k": 1, "method": "embeddings", "embedding": "gate/embed-fake"}
DOCS = {"docs/apples.md": "Apples ripen in autumn.", "docs/plums.md": "Plums ripen in summer."}
EMBEDDED = 4 + 4 + 4  # words of both documents and of the question


@pytest.mark.parametrize(
    "config",
    [
        {"retrieval": RETRIEVAL},
        {
            "prompt": None,
            "chain": [
                {"name": "find", "retrieval": RETRIEVAL},
                {"name": "answer", "prompt": "prompts/found.md"},
            ],
        },
    ],
)
async def test_what_was_embedded_is_in_the_output_the_run_the_trace_and_the_day(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    async with FakeOpenAI() as server:
        files = {**DOCS, "prompts/found.md": "user:\n{{ find }}\n"}
        prices = {"m": FREE, "embed-fake": {"input": 1_000_000, "output": 0}}
        bench = bench_of(tmp_path, server, prices, config=config, prompt="{{ context }}", files=files)
        assert told(bench) == 0.0  # left out before
        ended = await bench.evaluate()
        assert ended.run.cost_usd == pytest.approx(EMBEDDED)
        (item,) = bench.rows()["one"].items
        assert item.cost_usd == pytest.approx(EMBEDDED)
        output = bench.engine.store.outputs.get(item.output_id or 0)
        assert output.usage.input_tokens is not None
        assert output.usage.input_tokens > EMBEDDED
        assert bench.engine.store.calls.spent_since(0) == pytest.approx(EMBEDDED)
        trace = Traces(bench.engine.store).of(bench.engine.queries.resolve("bench", "latest"), "one")
        costs = [s.attributes[a.COST] for s in trace.spans if s.kind == "embedding"]
        assert sum(costs) == pytest.approx(EMBEDDED)
        assert totals(trace)[trace.root.id].cost_usd == pytest.approx(EMBEDDED)
        # What is kept costs nothing again.
        again = await bench.evaluate(fresh=True)
        assert again.run.cost_usd == 0.0
        assert bench.engine.store.calls.spent_since(0) == pytest.approx(EMBEDDED)
        bench.engine.close()


async def test_embedding_counts_for_the_limit_of_a_run(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        prices = {"m": FREE, "embed-fake": {"input": 1_000_000, "output": 0}}
        budget = {"budget": {"per_run_usd": 10.0}}
        cases = [{"id": f"c{n}", "vars": {"question": f"question {n}"}} for n in range(40)]
        bench = bench_of(
            tmp_path,
            server,
            prices,
            config={"retrieval": RETRIEVAL},
            prompt="{{ context }}",
            files=DOCS,
            cases=cases,
            settings=budget,
        )
        ended = await bench.evaluate()
        assert ended.run.state == "cancelled"
        assert any(isinstance(e, Notice) and "budget.per_run_usd" in e.text for e in bench.events)
        bench.engine.close()


async def test_embedding_without_a_price_leaves_the_cost_unknown(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(
            tmp_path, server, {"m": FREE}, config={"retrieval": RETRIEVAL}, prompt="{{ context }}", files=DOCS
        )
        ended = await bench.evaluate()
        assert ended.run.cost_usd is None
        bench.engine.close()


async def test_a_replay_that_embeds_costs_that_and_it_counts_for_the_day(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        prices = {"m": FREE, "embed-fake": {"input": 1_000_000, "output": 0}}
        bench = bench_of(
            tmp_path, server, prices, config={"retrieval": RETRIEVAL}, prompt="{{ context }}", files=DOCS
        )
        await bench.evaluate()
        bench.write("docs/plums.md", "Plums ripen in late summer.")
        bench.engine.load()
        version = bench.engine.queries.resolve("bench", "latest")
        request = ReplayRequest("bench", version, "one", "retrieval", run_with="bench")
        found = await Replay(bench.engine).run(request)
        assert found.cost_usd == pytest.approx(5)
        assert bench.engine.store.calls.spent_since(0) == pytest.approx(EMBEDDED + 5)
        bench.engine.close()


async def test_what_is_spent_when_its_run_is_over_counts_for_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, {})
        bench.engine.load()
        host, calls = bench.engine.host, bench.engine.store.calls
        assert host.runner is None
        spent = m.Spent(1, "gate", "gate/embed-fake", Usage(3), 3.0)
        host.spent(spent)
        assert calls.spent_since(0) == pytest.approx(3)
        host.spent(m.Spent(2, "gate", "gate/embed-fake", Usage(), None))
        assert calls.spent_since(0) == pytest.approx(3)

        # What can't be written is said, and ends nothing.
        def full(*_: object) -> None:
            raise StoreError(Problem("the disk is full"))

        told: list[Event] = []
        monkeypatch.setattr(calls, "add_spending", full)
        monkeypatch.setattr(host, "_emit", told.append)
        host.spent(spent)
        assert [e.text for e in told if isinstance(e, Notice)] == ["the disk is full"]
        bench.engine.close()


def test_vectors_have_a_price_without_output_tokens() -> None:
    price = Price(2.0, 9.0)
    assert embedding_cost_usd(Usage(3), price) == 6.0
    assert embedding_cost_usd(Usage(), price) is None
    assert embedding_cost_usd(Usage(3), None) is None
    # A server here that does not count is free all the same.
    assert embedding_cost_usd(Usage(), Price(0.0, 0.0)) == 0.0


# -- replays


async def test_a_replay_is_priced_with_those_who_judge_it(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        gateway = {"base_url": server.url, "retries": 0, "price": {"judge-keyword": DOLLAR}}
        settings: dict[str, Any] = {"providers": {"gateway": gateway}}
        cases = [{"id": "one", "vars": {"question": "be polite"}, "scorers": [judge(votes=2)]}]
        bench = Bench(tmp_path, cases=cases, settings=settings, prompt="{{ question }}")
        await bench.evaluate()
        count = server.count
        assert count == 2
        settings["budget"] = {"per_run_usd": 1.0}
        bench.write("llmops.yaml", json.dumps(settings))
        bench.engine.load()
        version = bench.engine.queries.resolve("bench", "latest")
        request = ReplayRequest("bench", version, "one", "model")
        with pytest.raises(UsageError, match=r"more than budget\.per_run_usd"):
            await Replay(bench.engine).run(request)
        assert server.count == count
        bench.engine.close()


async def test_a_step_that_is_handed_over_costs_a_replay_nothing(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        prices = {"m": FREE, "dear": DOLLAR}
        bench = bench_of(tmp_path, server, prices, config=CHAIN, files=PROMPTS)
        await bench.evaluate()
        settings = json.loads((tmp_path / "llmops.yaml").read_text())
        bench.write("llmops.yaml", json.dumps({**settings, "budget": {"per_run_usd": 1.0}}))
        bench.engine.load()
        version = bench.engine.queries.resolve("bench", "latest")
        with pytest.raises(UsageError, match=r"more than budget\.per_run_usd"):
            await Replay(bench.engine).run(ReplayRequest("bench", version, "one", "draft"))
        found = await Replay(bench.engine).run(ReplayRequest("bench", version, "one", "answer"))
        assert found.cost_usd == 0.0
        bench.engine.close()


async def test_steps_that_are_as_they_were_cost_nothing(tmp_path: Path) -> None:
    """An edit of a function asks nobody: no budget keeps it from running."""
    async with FakeOpenAI() as server:
        price = {"dear": {"input": 1_000_000.0, "output": 1_000_000.0}}
        bench = Bench(
            tmp_path,
            models=["gate/dear"],
            config={
                "prompt": None,
                "chain": [
                    {"name": "first", "prompt": "prompts/bench.md"},
                    {"name": "last", "python": "app:last"},
                ],
            },
            cases=[{"id": "one", "vars": {"question": "q"}}],
            settings={"providers": {"gate": {"base_url": server.url, "price": price}}},
            files={"app.py": "def last(first):\n    return first\n"},
        )
        trust(tmp_path)
        await bench.evaluate(agreed=True)
        settings = {
            "providers": {"gate": {"base_url": server.url, "price": price}},
            "budget": {"per_run_usd": 0.01},
        }
        bench.write("llmops.yaml", json.dumps(settings))
        bench.write("app.py", "def last(first):\n    return first + '!'\n")
        server.forget()
        await bench.evaluate()
        assert server.count == 0
        assert bench.output("one") == "q!"
        bench.engine.close()
