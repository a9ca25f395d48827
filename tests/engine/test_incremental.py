"""Evaluate exactly what a save touched. Requests are counted where they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench

from llmops_tui.engine.promotion import promote

Make = Callable[..., Bench]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Bench] = []

    def make(**parts: Any) -> Bench:
        made.append(Bench(tmp_path / f"ws{len(made)}", **parts))
        return made[-1]

    yield make
    for each in made:
        each.engine.close()


DOCS = {
    "docs/refunds.md": "Refunds: you have thirty days to ask for your money back.",
    "docs/shipping.md": "Shipping: parcels leave our warehouse on weekdays and arrive soon.",
}
RETRIEVAL = {"source": "docs", "top_k": 1}
ASKING = "system:\nUse this: {{ context }}\n\nuser:\n{{ question }}\n"
QUESTIONS = [
    {"id": "refund", "vars": {"question": "How do refunds work, days and money?"}},
    {"id": "ship", "vars": {"question": "When do parcels leave the warehouse?"}},
]


async def test_the_first_complete_run_makes_the_first_baseline(bench: Make) -> None:
    ours = bench()
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 3
    assert (ended.tally.passed, ended.tally.failed, ended.tally.unscored) == (1, 1, 1)
    assert ours.engine.queries.resolve("bench", "baseline").number == 1


async def test_nothing_changed_asks_nothing_and_records_no_run(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    again = await ours.nothing()
    assert again.version.number == 1
    assert len(ours.engine.store.runs.list("bench")) == 1


async def test_comments_order_and_white_space_make_no_version(bench: Make) -> None:
    ours = bench(config={"params": {"temperature": 0, "seed": 7}})
    await ours.evaluate()
    ours.write(
        "configs/bench.yaml",
        "# tuned in May\nparams: {seed: 7, temperature: 0.0}\n\nevals:  [evals/bench.yaml]\n"
        "models:\n  - echo/echo   # the only one\nprompt: prompts/bench.md\n",
    )
    assert (await ours.nothing()).version.number == 1


async def test_the_same_content_edited_back_is_the_same_version(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    ours.replace("prompts/bench.md", "brief", "verbose")
    assert (await ours.evaluate()).version.number == 2
    ours.replace("prompts/bench.md", "verbose", "brief")
    back = await ours.nothing()
    assert back.version.number == 1
    assert ours.engine.queries.resolve("bench", "latest").number == 1
    assert ours.engine.queries.resolve("bench", "previous").number == 2


async def test_a_prompt_edit_that_renders_the_same_asks_nothing(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    ours.replace("prompts/bench.md", "Be brief.", "{# a note to ourselves #}Be brief.")
    ended = await ours.evaluate()
    assert ended.version.number == 2
    assert ended.run.provider_calls == 0


async def test_a_changed_document_asks_only_the_cases_that_it_reached(bench: Make) -> None:
    ours = bench(prompt=ASKING, cases=QUESTIONS, config={"retrieval": RETRIEVAL}, files=DOCS)
    await ours.evaluate()
    ours.replace("docs/refunds.md", "thirty", "sixty")
    ended = await ours.evaluate()
    assert ended.version.number == 2
    assert ended.run.provider_calls == 1


async def test_a_second_model_is_asked_alone(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    ours.configure(models=["echo/echo", "echo/other"])
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 3
    assert ended.run.total == 6


async def test_editing_expected_threshold_or_weight_asks_no_model(bench: Make) -> None:
    case = {"id": "a", "vars": {"question": "thirty days"}, "expected": "thirty", "scorers": ["token_f1"]}
    ours = bench(cases=[case])
    await ours.evaluate()
    before = ours.rows()["a"]
    ours.cases({**case, "expected": "sixty"})
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 0
    after = ours.rows()["a"]
    assert after.score != before.score
    assert after.first.output_id == before.first.output_id
    ours.cases({**case, "scorers": [{"token_f1": {"threshold": 1.0}}]})
    assert (await ours.evaluate()).run.provider_calls == 0
    assert ours.rows()["a"].status == "failed"


async def test_one_edited_case_asks_once(bench: Make) -> None:
    cases = [{"id": f"c{i}", "vars": {"question": f"q{i}"}} for i in range(20)]
    ours = bench(cases=cases)
    await ours.evaluate()
    cases[7]["vars"] = {"question": "another"}
    ours.cases(*cases)
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 1
    assert ended.run.cached_outputs == 19
    assert ours.output("c7").endswith("another")


async def test_equal_requests_of_two_cases_are_one_call(bench: Make) -> None:
    same = {"question": "twice"}
    ours = bench(cases=[{"id": "a", "vars": same}, {"id": "b", "vars": same}])
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 1
    assert ours.output("a") == ours.output("b")


async def test_trials_are_asked_each(bench: Make) -> None:
    ours = bench(config={"trials": 3})
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 9
    assert len(ours.rows()["one"].planned) == 3


async def test_fresh_opens_a_new_generation_and_overwrites_nothing(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    first = ours.rows()["one"].first.output_id
    ended = await ours.evaluate(fresh=True, reason="fresh")
    assert ended.run.provider_calls == 3
    assert ended.run.generation > 0
    second = ours.rows()["one"].first.output_id
    assert second != first
    assert first is not None
    assert ours.engine.store.outputs.get(first).text == ours.output("one")
    # What was drawn last is what is shown, and nothing is drawn for it again.
    await ours.nothing()
    assert ours.rows()["one"].first.output_id == second


async def test_asking_again_adds_a_trial_and_leaves_the_score_alone(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    before = ours.rows()["two"]
    ended = await ours.evaluate(extra_trial=("two",), reason="ask again")
    assert ended.run.provider_calls == 1
    after = ours.rows()["two"]
    assert (after.status, after.score) == (before.status, before.score)
    assert [i.extra for i in after.items] == [False, True]
    await ours.nothing()
    assert len(ours.rows()["two"].items) == 2


@pytest.mark.parametrize(
    ("subset", "asked"),
    [
        ({"ids": ("two",)}, 1),
        ({"tags": ("greek",)}, 1),
        ({"limit": 2}, 2),
        ({"ids": ("one", "three"), "limit": 1}, 1),
    ],
)
async def test_a_subset_asks_only_what_it_names(bench: Make, subset: dict[str, Any], asked: int) -> None:
    from llmops_tui.engine.events import Subset

    ours = bench()
    ended = await ours.evaluate(subset=Subset(**subset))
    assert ended.run.provider_calls == asked
    assert ended.tally.cases == asked
    assert (ended.run.asked_total, ended.run.total) == (asked, 3)
    # A run with cases missing is no baseline and can't be promoted.
    assert ours.engine.store.versions.baseline("bench") is None
    whole = await ours.evaluate()
    assert whole.run.provider_calls == 3 - asked
    assert ours.engine.store.versions.baseline("bench") is not None


async def test_the_baseline_is_held_against_the_cases_on_disk_without_asking(bench: Make) -> None:
    case = {"id": "a", "vars": {"question": "thirty days"}, "scorers": [{"contains": "thirty"}]}
    ours = bench(cases=[case])
    await ours.evaluate()
    ours.replace("prompts/bench.md", "brief", "verbose")
    ours.cases({**case, "scorers": [{"contains": "sixty"}]})
    await ours.evaluate()
    await ours.engine.rescore(ours.engine.queries.resolve("bench", "v1"))
    comparison, _ = ours.engine.queries.compare("bench", None, None)
    (pair,) = comparison.pairs
    assert pair.change == "same"
    assert pair.baseline is not None
    assert pair.baseline.status == "failed"


async def test_the_python_of_a_workspace_does_not_run_before_it_is_trusted(bench: Make) -> None:
    from llmops_tui.domain.errors import WorkspaceError
    from llmops_tui.workspace import trust

    case = {"id": "a", "vars": {"question": "x"}, "scorers": ["mine"]}
    code = "from pathlib import Path\nPath('ran').touch()\ndef mine(output):\n    return True\n"
    ours = bench(cases=[case], files={"scorers.py": code})
    with pytest.raises(WorkspaceError, match="llmops-tui trust"):
        await ours.evaluate()
    assert not (ours.root / "ran").exists()
    trust.trust(ours.root)
    assert (await ours.evaluate()).tally.passed == 1
    # Editing the function rescores and asks nothing.
    ours.replace("scorers.py", "True", "False")
    ended = await ours.evaluate()
    assert ended.run.provider_calls == 0
    assert ended.tally.failed == 1


async def test_a_case_that_is_gone_is_told_as_removed_and_a_new_one_as_new(bench: Make) -> None:
    one, two, three = (
        {"id": n, "vars": {"question": n}, "scorers": [{"contains": n}]} for n in ("a", "b", "c")
    )
    ours = bench(cases=[one, two])
    await ours.evaluate()
    ours.replace("prompts/bench.md", "brief", "verbose")
    ours.cases(two, three)
    await ours.evaluate()
    await ours.engine.rescore(ours.engine.queries.resolve("bench", "v1"))
    comparison, _ = ours.engine.queries.compare("bench", None, None)
    assert {p.case_id: p.change for p in comparison.pairs} == {"a": "removed", "b": "same", "c": "new"}
    assert comparison.pass_rate.n == 1


async def test_a_fresh_clone_takes_the_promoted_baseline_not_its_own_first_run(bench: Make) -> None:
    ours = bench()
    await ours.evaluate()
    promote(ours.engine, ours.engine.queries.resolve("bench", "v1"))
    promoted = ours.engine.queries.resolve("bench", "v1").hash
    # A colleague's clone: the same files, no database, and an edit of the prompt.
    theirs = bench()
    theirs.write("baselines.yaml", (ours.root / "baselines.yaml").read_text())
    theirs.replace("prompts/bench.md", "brief", "verbose")
    ended = await theirs.evaluate()
    baseline = theirs.engine.queries.resolve("bench", "baseline")
    assert baseline.hash == promoted
    assert not ended.version.is_baseline
    assert theirs.engine.queries.resolve("bench", "latest").id == ended.version.id
    comparison, changes = theirs.engine.queries.compare("bench", None, None)
    assert {p.change for p in comparison.pairs} == {"new"}
    assert [c.label for c in changes] == ["prompt"]
