"""Judges of a workspace: named, kept, priced, and never asked by a comparison."""

from __future__ import annotations

import asyncio
import json
import queue
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from judge_bench import POLITE, JudgeBench, item, judge, score

from llmops_tui.engine.events import AskFirst, Event, RunRequest, Subset
from llmops_tui.engine.session import Session
from llmops_tui.workspace import load, memo


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
async def bench(tmp_path: Path, server: FakeOpenAI) -> AsyncIterator[JudgeBench]:
    made = JudgeBench(tmp_path, server)
    yield made
    made.close()


async def test_judges_of_the_workspace_are_named_and_rubrics_may_be_files(bench: JudgeBench) -> None:
    ours = bench(
        [{"judge": {"rubric_file": "rubrics/tone.md"}}, {"judge": {"rubric": POLITE, "use": "strict"}}],
        settings={
            "judges": {
                "default": {"model": "gateway/judge-keyword"},
                "strict": {"model": "gateway/judge-fail", "votes": 2},
            }
        },
        files={"rubrics/tone.md": "Be kind.\n"},
    )
    await ours.evaluate()
    first, second = ours.engine.store.runs.item_scores(item(ours))
    assert [first.label.split()[0], second.label.split()[0]] == ["judge", "judge:strict"]
    assert (first.passed, second.passed) == (True, False)
    assert "rubrics/tone.md" in ours.engine.workspace.configurations["bench"].files
    # A rubric is judged by as it is now, also where the workspace is known by heart.
    ours.write("rubrics/tone.md", "Be short.\n")
    await ours.evaluate()
    assert ours.engine.store.runs.item_scores(item(ours))[0].label != first.label


async def test_an_edit_of_the_judges_of_the_workspace_is_seen(bench: JudgeBench, server: FakeOpenAI) -> None:
    ours = bench({"judge": POLITE}, settings={"judges": {"default": {"model": "gateway/judge-pass"}}})
    await ours.evaluate()
    assert score(ours).passed is True
    ours.replace("llmops.yaml", "judge-pass", "judge-fail")
    await ours.evaluate()
    assert score(ours).passed is False
    assert [r.model for r in server.requests] == ["judge-pass", "judge-fail"]


async def test_a_price_is_told_before_a_judge_is_asked(bench: JudgeBench, server: FakeOpenAI) -> None:
    price = {"judge-keyword": {"input": 1000.0, "output": 1000.0}}
    ours = bench(judge(votes=2), price=price)
    ours.engine.load()
    told = ours.engine.price_of(RunRequest("bench"))
    assert told.judgements == 2
    assert told.cost_usd is not None
    assert told.cost_usd > 0
    await ours.evaluate()
    assert server.count == 2
    # Another rubric asks no model for an output, and still costs.
    ours.cases({"id": "c0", "vars": {"question": "be polite"}, "scorers": [judge(rubric="Short?")]})
    ours.engine.load()
    told = ours.engine.price_of(RunRequest("bench"))
    assert (told.to_ask, told.to_score, told.judgements) == (0, 1, 1)
    assert told.cost_usd
    ours.write(
        "llmops.yaml",
        json.dumps({**json.loads((ours.root / "llmops.yaml").read_text()), "budget": {"per_run_usd": 0.001}}),
    )
    assert isinstance(await ours.anything(), AskFirst)
    assert server.count == 2


async def test_comparing_asks_no_judge_and_keeps_what_is_known(bench: JudgeBench, server: FakeOpenAI) -> None:
    ours = bench([{"contains": "polite"}, judge()])
    await ours.evaluate()
    ours.write("prompts/bench.md", "Well, {{ question }}")
    await ours.evaluate()
    count = server.count
    ours.cases(
        {
            "id": "c0",
            "vars": {"question": "be polite"},
            "scorers": [{"contains": "be"}, judge(rubric="Short?")],
        }
    )
    ours.engine.load()
    old = ours.engine.queries.resolve("bench", "v1")
    await ours.engine.rescore(old)
    assert server.count == count
    (known,) = ours.rows("v1")["c0"].items
    assert known.status == "passed"
    assert [s.label.split()[0] for s in ours.engine.store.runs.item_scores(known)] == ["contains", "judge"]


async def test_sides_that_were_judged_by_different_judges_say_so(bench: JudgeBench) -> None:
    ours = bench(judge())
    await ours.evaluate()
    ours.write("prompts/bench.md", "Well, {{ question }}")
    await ours.evaluate()
    comparison, _ = ours.engine.queries.compare("bench", "v1", "v2")
    assert ours.engine.queries.drift(comparison) == ()
    ours.cases({"id": "c0", "vars": {"question": "be polite"}, "scorers": [judge(rubric="Short?")]})
    await ours.evaluate()
    await ours.engine.rescore(ours.engine.queries.resolve("bench", "v1"))
    comparison, _ = ours.engine.queries.compare("bench", "v1", "v2")
    (sentence,) = ours.engine.queries.drift(comparison)
    assert sentence.startswith("judge is not the same judge on both sides: ")


async def test_a_subset_asks_judges_about_itself_alone(bench: JudgeBench, server: FakeOpenAI) -> None:
    ours = bench(judge(), ("a", "b", "c"))
    await ours.evaluate(subset=Subset(ids=("c1",)))
    assert server.count == 1
    ours.cases(
        *({"id": f"c{n}", "vars": {"question": q}, "scorers": [judge("pass")]} for n, q in enumerate("abc"))
    )
    await ours.evaluate(subset=Subset(ids=("c2",)))
    assert [r.model for r in server.requests] == ["judge-keyword", "judge-pass"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("judge", "give `rubric`, or `rubric_file`"),
        ({"judge": POLITE}, "judge names no model that judges"),
        ({"judge": {"rubric": POLITE, "use": "strickt"}}, "there is no judge 'strickt' in llmops.yaml"),
        ({"judge": {"rubric": POLITE, "model": "gateway/x", "use": "strict"}}, "names a model and a judge"),
        ({"judge": {"rubric": POLITE, "model": "nowhere/x"}}, "there is no provider 'nowhere'"),
        (
            {"judge": {"rubric_file": "rubrics/none.md", "model": "gateway/x"}},
            "there is no file 'rubrics/none.md'",
        ),
        ({"judge": {"rubric": POLITE, "model": "gateway/x", "scale": "5-1"}}, "such as 1-5 or 0-10"),
        (
            {"judge": {"rubric": POLITE, "model": "gateway/x", "scale": "1-5", "threshold": 0.7}},
            "must be a number from 1 to 5",
        ),
        ({"judge": {"rubric": POLITE, "model": "gateway/x", "params": {"n": 2}}}, "'n' is set by llmops-tui"),
        ({"criteria": {"criteria": ["a", "a"], "model": "gateway/x"}}, "'a' is there twice"),
        ({"judge": {"rubric": POLITE, "model": "gateway/x", "sees": ["expected"]}}, "has no 'expected'"),
    ],
)
async def test_a_mistake_in_a_judge_is_said_where_it_is(bench: JudgeBench, entry: Any, says: str) -> None:
    ours = bench([entry], settings={"judges": {"strict": {"model": "gateway/judge-pass"}}})
    problems = [str(p) for p in ours.engine.load().errors]
    assert any(says in p and p.startswith("evals/bench.yaml:") for p in problems), problems


async def test_cases_that_were_kept_have_the_judges_of_now(bench: JudgeBench) -> None:
    ours = bench({"judge": POLITE}, settings={"judges": {"default": {"model": "gateway/judge-pass"}}})

    def known() -> list[Any]:
        """As a new process reads it."""
        memo._memo_of.clear()
        ours.engine.load()
        loaded = ours.engine.workspace.configurations["bench"]
        assert loaded == load(ours.root).configurations["bench"]
        return [use.judge.model.name for case in loaded.cases for use in case.scorers if use.judge]

    assert known() == known() == ["judge-pass"]
    ours.replace("llmops.yaml", "judge-pass", "judge-fail")
    assert known() == known() == ["judge-fail"]
    ours.replace("llmops.yaml", "judge-fail", "judge-pass")
    assert known() == ["judge-pass"]


@pytest.mark.parametrize("price", [1.0, None])
async def test_the_app_asks_before_a_judge_costs_on_opening(
    bench: JudgeBench, server: FakeOpenAI, price: float | None
) -> None:
    """Every output is there; only the word of a judge is missing, at a price or at none that is known."""
    prices = {} if price is None else {"judge-keyword": {"input": price, "output": price}}
    ours = bench([], price=prices)
    await ours.evaluate()
    ours.cases({"id": "c0", "vars": {"question": "be polite"}, "scorers": [judge()]})
    ours.engine.close()
    events: queue.Queue[Event] = queue.Queue()
    session = Session(ours.root)
    session.start(events.put)
    try:
        while not isinstance(event := await asyncio.to_thread(events.get, timeout=30), AskFirst):
            pass
    finally:
        await asyncio.to_thread(session.close)
    assert (event.estimate.to_ask, event.estimate.requests) == (0, 1)
    assert server.count == 0
