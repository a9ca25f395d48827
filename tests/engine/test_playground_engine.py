"""Made-up inputs, answered by two versions: streamed, kept and counted, and no run or version comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, say

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.playground import NewCase
from llmops_tui.engine import estimate
from llmops_tui.engine.events import AskFirst, Event
from llmops_tui.engine.playground import Playground, keep
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest

FIRST = "system:\nBe brief.\n\nuser:\n{{ question }}\n"
SECOND = "system:\nBe brief.\n\nuser:\n{{ question }} Please.\n"


class Ears:
    """What a screen hears."""

    def __init__(self) -> None:
        self.heard: list[Answering] = []
        self.something = asyncio.Event()

    def __call__(self, event: Event) -> None:
        assert isinstance(event, Answering)
        self.heard.append(event)
        if event.text:
            self.something.set()

    def done(self) -> dict[tuple[int, int], Answering]:
        return {(e.column, e.side): e for e in self.heard if e.done}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "ws")
    yield made
    made.engine.close()


def ask(question: str = "new one", **how: Any) -> PlaygroundRequest:
    return PlaygroundRequest("bench", {"question": question}, **how)


async def answered(bench: Bench, request: PlaygroundRequest) -> tuple[Answered, Ears]:
    bench.engine.load()
    ears = Ears()
    result = await Playground(bench.engine).ask(request, ears)
    assert isinstance(result, Answered), result
    return result, ears


async def test_both_versions_answer_and_nothing_is_recorded(bench: Bench) -> None:
    await bench.evaluate()
    bench.write("prompts/bench.md", SECOND)
    result, ears = await answered(bench, ask(number=7))
    done = ears.done()
    assert {place: (e.version, e.text) for place, e in done.items()} == {
        (0, 0): ("v1", "new one"),
        (0, 1): ("on disk", "new one Please."),
    }
    assert all(e.number == 7 and e.output is not None and not e.cached for e in done.values())
    assert (result.calls, result.cost_usd) == (2, 0.0)
    assert [v.name for v in bench.engine.store.versions.list("bench")] == ["v1"]
    assert len(bench.engine.store.runs.list("bench")) == 1


async def test_what_was_asked_once_is_not_asked_again_nor_when_it_is_kept(bench: Bench) -> None:
    await bench.evaluate()
    await answered(bench, ask())
    again, ears = await answered(bench, ask())
    assert again.calls == 0
    assert all(e.cached for e in ears.done().values())
    further, ears = await answered(bench, ask(trial=1))
    assert further.calls == 1
    assert keep(bench.engine, "bench", NewCase("kept", {"question": "new one"})) == (
        "kept",
        "evals/bench.yaml",
    )
    run = await bench.evaluate()
    assert (run.tally.cases, run.run.provider_calls) == (4, 0)
    assert bench.output("kept") == "new one"


async def test_what_is_on_disk_answers_alone_where_it_is_the_baseline(bench: Bench) -> None:
    bench.engine.load()
    result, ears = await answered(bench, ask())
    assert set(ears.done()) == {(0, 1)}
    assert "no baseline yet" in result.said[0]
    await bench.evaluate()
    result, ears = await answered(bench, ask())
    assert set(ears.done()) == {(0, 1)}
    assert "what is on disk is v1 itself" in result.said[0]


async def test_each_model_has_a_column_and_a_new_one_stands_beside_the_one_it_replaces(bench: Bench) -> None:
    await bench.evaluate()
    bench.configure(models=["echo/other"])
    bench.engine.load()
    sides = Playground(bench.engine).sides("bench")
    assert sides.columns == (("echo/echo", "echo/other"),)
    assert (sides.left, sides.right, sides.files) == ("v1", "on disk", ("evals/bench.yaml",))
    assert [v.name for v in sides.variables] == ["question"]
    bench.configure(models=["echo/echo", "echo/other"])
    bench.engine.load()
    assert Playground(bench.engine).sides("bench").columns == (
        ("echo/echo", "echo/echo"),
        (None, "echo/other"),
    )
    _result, ears = await answered(bench, ask())
    assert set(ears.done()) == {(0, 0), (0, 1), (1, 1)}


async def test_a_recorded_version_can_stand_on_the_left(bench: Bench) -> None:
    await bench.evaluate()
    bench.write("prompts/bench.md", SECOND)
    await bench.evaluate()
    bench.write("prompts/bench.md", "{{ question }} At once.\n")
    _result, ears = await answered(bench, ask(against="v2"))
    assert {e.version: e.text for e in ears.done().values()} == {
        "v2": "new one Please.",
        "on disk": "new one At once.",
    }
    with pytest.raises(UsageError):
        await answered(bench, ask(against="v9"))


async def test_a_case_on_disk_with_these_inputs_judges_them(bench: Bench) -> None:
    result, ears = await answered(bench, ask("gamma"))
    (only,) = ears.done().values()
    assert result.case_id == "two"
    assert [(s.label, s.passed) for s in only.scores] == [("contains", False)]
    result, ears = await answered(bench, ask("gamma ray"))
    assert result.case_id == ""
    assert [e.scores for e in ears.done().values()] == [()]


async def test_the_defaults_of_the_eval_file_judge_what_is_made_up(bench: Bench) -> None:
    body = json.loads((bench.root / "evals/bench.yaml").read_text())
    bench.write("evals/bench.yaml", json.dumps({"defaults": {"scorers": [{"max_words": 1}]}, **body}))
    _result, ears = await answered(bench, ask())
    assert [(s.label, s.passed) for e in ears.done().values() for s in e.scores] == [("max_words", False)]


async def test_an_empty_input_is_told_before_anything_is_asked(bench: Bench) -> None:
    with pytest.raises(UsageError, match="the prompt reads question, which is empty"):
        await answered(bench, ask("  "))


async def test_a_side_that_reads_more_says_what_it_lacks(bench: Bench) -> None:
    bench.write("prompts/bench.md", "{{ question }} {{ tone }}\n")
    body = json.loads((bench.root / "evals/bench.yaml").read_text())
    for case in body["cases"]:
        case["vars"]["tone"] = "kind"
    bench.write("evals/bench.yaml", json.dumps(body))
    await bench.evaluate()
    bench.write("prompts/bench.md", FIRST)
    _result, ears = await answered(bench, ask())
    done = ears.done()
    assert "'tone' is undefined" in done[0, 0].failure
    assert done[0, 1].text == "new one"


PRICES = {"m": {"input": 1.0, "output": 1_000_000.0}}


def priced(url: str, **budget: float) -> dict[str, Any]:
    provider = {"base_url": url, "price": PRICES, "retries": 0}
    return {"providers": {"fake": provider}, "budget": budget}


async def test_a_budget_asks_first_and_what_is_spent_counts_for_the_day(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(tmp_path / "ws", models=["fake/m"], settings=priced(server.url, per_day_usd=5.0))
        bench.engine.load()
        playground = Playground(bench.engine)
        asks = await playground.ask(ask())
        assert isinstance(asks, AskFirst)
        assert "budget.per_day_usd" in asks.why
        assert server.count == 0
        result, _ears = await answered(bench, ask(agreed=True))
        assert result.cost_usd == pytest.approx(2.0, abs=0.01)
        assert bench.engine.store.calls.spent_since(estimate.midnight()) == pytest.approx(2.0, abs=0.01)
        bench.engine.close()


async def test_text_is_heard_while_it_comes_and_a_cancelled_ask_is_dropped(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        reply = say(asked, "one two three")
        if asked.said == "slow":
            reply.then, reply.pieces = "hang", reply.pieces[:3]
        return reply

    async with FakeOpenAI(script) as server:
        bench = Bench(tmp_path / "ws", models=["fake/m"], settings=priced(server.url))
        bench.engine.load()
        ears = Ears()
        task = asyncio.create_task(Playground(bench.engine).ask(ask("slow"), ears))
        await asyncio.wait_for(ears.something.wait(), 20)
        assert not task.done()
        assert "one two three".startswith(ears.heard[-1].text)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The next one is not held up by what was dropped.
        _result, ears = await answered(bench, ask("quick"))
        assert [e.text for e in ears.done().values()] == ["one two three"]
        bench.engine.close()


async def test_it_has_no_part_in_the_run_under_way(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(tmp_path / "ws", models=["fake/m"], settings=priced(server.url))
        cases = [{"id": f"c{n}", "vars": {"question": f"q{n}"}} for n in range(40)]
        bench.cases(*cases)
        bench.engine.load()

        async def beside() -> Answered:
            await bench.something_is_done.wait()
            result = await Playground(bench.engine).ask(ask("beside", agreed=True))
            assert isinstance(result, Answered)
            return result

        task = asyncio.create_task(beside())
        run = await bench.evaluate(agreed=True)
        result = await task
        assert (run.run.provider_calls, result.calls) == (40, 1)
        assert server.count == 41
        assert run.run.cost_usd == pytest.approx(40.0, abs=0.1)
        bench.engine.close()


async def test_what_a_provider_says_is_the_failure_of_that_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "ws", models=["fake/m"], settings=priced("http://127.0.0.1:9/v1"))
    _result, ears = await answered(bench, ask(agreed=True))
    (only,) = ears.done().values()
    assert only.output is None
    assert "127.0.0.1" in only.failure or "fake" in only.failure
    bench.engine.close()


async def test_keeping_refuses_what_is_there_and_names_the_file(bench: Bench) -> None:
    bench.engine.load()
    before = (bench.root / "evals/bench.yaml").read_text()
    with pytest.raises(UsageError, match="the id 'one' is there already"):
        keep(bench.engine, "bench", NewCase("one", {"question": "z"}))
    with pytest.raises(UsageError, match="the case 'two' asks just this already"):
        keep(bench.engine, "bench", NewCase("new", {"question": "gamma"}))
    with pytest.raises(UsageError, match=r"choose evals/bench.yaml"):
        keep(bench.engine, "bench", NewCase("new", {"question": "z"}), "evals/other.yaml")
    assert (bench.root / "evals/bench.yaml").read_text() == before


async def test_an_id_of_another_configuration_that_reads_the_file_too_is_refused(bench: Bench) -> None:
    body = json.loads((bench.root / "configs/bench.yaml").read_text())
    bench.write("evals/more.yaml", json.dumps({"cases": [{"id": "taken", "vars": {"question": "x"}}]}))
    bench.write("configs/other.yaml", json.dumps({**body, "evals": ["evals/bench.yaml", "evals/more.yaml"]}))
    bench.engine.load()
    with pytest.raises(UsageError, match=r"'other', which reads evals/bench.yaml too, has a case 'taken'"):
        keep(bench.engine, "bench", NewCase("taken", {"question": "z"}))


async def test_a_judge_of_the_defaults_is_asked_and_paid_for(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        gateway = {
            "base_url": server.url,
            "retries": 0,
            "price": {"judge-keyword": {"input": 0, "output": 1.0}},
        }
        rubric = {"judge": {"rubric": "Is the answer polite?", "model": "gateway/judge-keyword"}}
        cases = [{"id": "one", "vars": {"question": "x"}}]
        evals = json.dumps({"defaults": {"scorers": [rubric]}, "cases": cases})
        settings = {"providers": {"gateway": gateway}}
        bench = Bench(tmp_path / "ws", settings=settings, files={"evals/bench.yaml": evals})
        result, ears = await answered(bench, ask("be polite"))
        (only,) = ears.done().values()
        assert [s.error for s in only.scores] == [None]
        assert only.scores[0].label.startswith("judge")
        assert result.calls == 2  # the answer, and the judge's word
        assert (result.cost_usd or 0.0) > 0
        bench.engine.close()
