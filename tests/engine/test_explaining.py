"""Which changed part did it: mixtures of two versions on small real workspaces."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import WRONG, Asked, FakeOpenAI, Reply, Script, error, say

from llmops_tui.domain.attribution import Explanation
from llmops_tui.engine import session_work
from llmops_tui.engine.events import AskFirst, Event, ExplainRequest, Working
from llmops_tui.engine.explaining import ExplainOutcome, explain, stored

#: `echo` says the user message, cut to `max_tokens` words.
CASES = [
    {"id": "colour", "vars": {"question": "red"}, "scorers": [{"contains": "please"}]},
    {"id": "tone", "vars": {"question": "blue"}, "scorers": [{"contains": "please"}]},
    {"id": "short", "vars": {"question": "green"}, "scorers": [{"max_words": 4}]},
    {"id": "name", "vars": {"question": "grey"}, "scorers": [{"contains": "grey"}]},
]
POLITE = "user:\n{{ question }} please one two three\n"
RUDE = "user:\n{{ question }} now one two three\n"


async def explained(bench: Bench, *, agreed: bool = True, **versions: Any) -> ExplainOutcome:
    outcome = await explain(bench.engine, ExplainRequest("bench", agreed=agreed, **versions), bench.listen)
    assert isinstance(outcome, ExplainOutcome)
    return outcome


def shares(explanation: Explanation, n: int = 0) -> dict[str, float]:
    return {s.part: round(s.value, 9) for s in explanation.measures[n].shares}


def by_case(explanation: Explanation) -> dict[str, dict[str, float]]:
    return {c.case_id: {part: round(v, 9) for part, v in c.shares} for c in explanation.cases}


async def mixed_edit(root: Path, **parts: Any) -> Bench:
    """A prompt that loses two cases of four, and a parameter that mends one."""
    bench = Bench(root, cases=CASES, prompt=POLITE, config={"params": {"max_tokens": 9}}, **parts)
    await bench.evaluate()
    bench.write("prompts/bench.md", RUDE)
    bench.configure(params={"max_tokens": 4})
    await bench.evaluate()
    return bench


async def test_a_mixed_edit_is_explained_part_by_part(tmp_path: Path) -> None:
    bench = await mixed_edit(tmp_path)

    outcome = await explained(bench)
    explanation = outcome.explanation

    assert explanation.state == "explained"
    assert explanation.by_fact
    assert explanation.measures[0].measure == "pass_rate"
    assert explanation.measures[0].total.delta == pytest.approx(-0.25)
    assert shares(explanation) == {"prompt": -0.5, "params.max_tokens": 0.25}
    assert explanation.measures[0].interactions == ()
    assert by_case(explanation) == {
        "colour": {"prompt": -1.0},
        "tone": {"prompt": -1.0},
        "short": {"params.max_tokens": 1.0},
    }
    assert outcome.provider_calls == 8  # two versions in between, four cases each
    bench.engine.close()


async def test_versions_in_between_have_no_number_and_are_never_the_latest(tmp_path: Path) -> None:
    bench = await mixed_edit(tmp_path)

    await explained(bench)

    assert [v.name for v in bench.engine.store.versions.list("bench")] == ["v2", "v1"]
    assert bench.engine.queries.resolve("bench", "latest").name == "v2"
    reasons = [run.reason for run in bench.engine.store.runs.list("bench")]
    assert reasons.count("explain") == 2  # the ends were known, and are not evaluated again
    bench.engine.close()


async def test_the_price_is_shown_before_anything_is_asked_and_nothing_is_recorded(tmp_path: Path) -> None:
    bench = await mixed_edit(tmp_path)
    runs = len(bench.engine.store.runs.list("bench"))

    # As the app asks for it.
    asks = await session_work.carry_out(bench.engine, ExplainRequest("bench"), bench.listen)

    assert isinstance(asks, AskFirst)
    assert asks.estimate.requests == 8
    assert asks.why == "Explain v1 → v2 by 2 versions in between?"
    assert len(bench.engine.store.runs.list("bench")) == runs
    bench.engine.close()


async def test_explaining_again_asks_nothing(tmp_path: Path) -> None:
    bench = await mixed_edit(tmp_path)
    first = await explained(bench)

    again = await explained(bench, agreed=False)

    assert again.provider_calls == 0
    assert again.explanation == first.explanation
    bench.engine.close()


async def test_what_was_explained_is_told_from_what_is_stored(tmp_path: Path) -> None:
    bench = await mixed_edit(tmp_path)
    ends = [bench.engine.queries.resolve("bench", name) for name in ("v1", "v2")]
    assert stored(bench.engine, *ends) is None

    outcome = await explained(bench)

    assert stored(bench.engine, *ends) == outcome.explanation
    bench.engine.close()


async def test_one_changed_part_is_named_and_nothing_is_asked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cases=CASES, prompt=POLITE)
    await bench.evaluate()
    bench.write("prompts/bench.md", RUDE)
    await bench.evaluate()

    outcome = await explained(bench, agreed=False)

    explanation = outcome.explanation
    assert explanation.state == "one part"
    assert explanation.sentence == (
        "only prompt changed, so the whole difference (pass rate −50.0 pts) is its doing"
    )
    assert outcome.provider_calls == 0
    bench.engine.close()


async def test_a_version_is_explained_by_nothing_against_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cases=CASES, prompt=POLITE)
    await bench.evaluate()

    outcome = await explained(bench, a="v1", b="v1")

    assert outcome.explanation.state == "nothing changed"
    bench.engine.close()


async def test_parts_that_cancel_each_other_are_shared_out_though_the_total_is_nothing(
    tmp_path: Path,
) -> None:
    cases = [CASES[0], CASES[2]]
    bench = Bench(tmp_path, cases=cases, prompt=POLITE, config={"params": {"max_tokens": 9}})
    await bench.evaluate()
    bench.write("prompts/bench.md", RUDE)
    bench.configure(params={"max_tokens": 4})
    await bench.evaluate()

    explanation = (await explained(bench)).explanation

    assert explanation.measures[0].total.delta == 0
    assert shares(explanation) == {"prompt": -0.5, "params.max_tokens": 0.5}
    bench.engine.close()


async def test_two_parts_that_only_do_something_together_are_told_as_such(tmp_path: Path) -> None:
    # The answer holds the word as long as it is either said early or not cut off.
    cases = [{"id": "both", "vars": {"question": "x"}, "scorers": [{"contains": "please"}]}]
    bench = Bench(
        tmp_path,
        cases=cases,
        prompt="user:\nplease {{ question }} one two\n",
        config={"params": {"max_tokens": 9}},
    )
    await bench.evaluate()
    bench.write("prompts/bench.md", "user:\n{{ question }} one two please\n")
    bench.configure(params={"max_tokens": 2})
    await bench.evaluate()

    explanation = (await explained(bench)).explanation

    assert shares(explanation) == {"prompt": -0.5, "params.max_tokens": -0.5}
    (interaction,) = explanation.measures[0].interactions
    assert interaction.parts == ("prompt", "params.max_tokens")
    assert interaction.alone == (0.0, 0.0)
    assert interaction.together == -1.0
    assert interaction.only_together
    bench.engine.close()


RETRIEVAL = {"source": "docs", "method": "bm25", "chunk_words": 50, "top_k": 1}


async def test_a_prompt_that_needs_the_new_retrieval_is_merged_with_it(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        cases=CASES,
        prompt=POLITE,
        config={"params": {"max_tokens": 9}},
        files={"docs/colours.md": "red blue green grey\n"},
    )
    await bench.evaluate()
    bench.write("prompts/bench.md", "user:\n{{ question }} {{ context }}\n")
    bench.configure(params={"max_tokens": 4}, retrieval=RETRIEVAL)
    await bench.evaluate()

    explanation = (await explained(bench)).explanation

    assert [part.label for part in explanation.parts] == ["prompt + retrieval + corpus", "params.max_tokens"]
    assert explanation.notes == (
        "prompt + retrieval + corpus are taken as one: "
        "the prompt uses the context that only its own retrieval gives",
    )
    assert explanation.corners == 2
    bench.engine.close()


async def test_settings_of_a_retrieval_and_its_documents_are_two_parts(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        cases=[{"id": "find", "vars": {"question": "red"}, "scorers": [{"contains": "fire"}]}],
        prompt="user:\n{{ question }} {{ context }}\n",
        config={"retrieval": RETRIEVAL},
        files={"docs/a.md": "red\n", "docs/b.md": "red is like nothing else at all\n"},
    )
    await bench.evaluate()
    bench.write("docs/b.md", "red is like fire that burns in the night\n")
    bench.configure(retrieval={**RETRIEVAL, "top_k": 2})
    await bench.evaluate()

    explanation = (await explained(bench)).explanation

    assert [part.label for part in explanation.parts] == ["retrieval", "corpus"]
    assert shares(explanation) == {"retrieval": 0.5, "corpus": 0.5}
    assert explanation.measures[0].interactions[0].only_together
    bench.engine.close()


async def test_beyond_five_parts_orders_are_drawn_and_the_shares_still_add_up(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        cases=CASES,
        prompt=POLITE,
        config={"params": {"max_tokens": 9, "temperature": 0, "top_p": 1, "seed": 1, "frequency_penalty": 0}},
    )
    await bench.evaluate()
    bench.write("prompts/bench.md", RUDE)
    bench.configure(
        params={
            "max_tokens": 4,
            "temperature": 1,
            "top_p": 0.5,
            "seed": 2,
            "frequency_penalty": 1,
            "presence_penalty": 1,
        }
    )
    await bench.evaluate()

    explanation = (await explained(bench)).explanation

    (measure,) = [m for m in explanation.measures if m.measure == "pass_rate"]
    assert len(explanation.parts) == 7
    assert explanation.orders == 16
    assert explanation.corners < 2**7 - 2
    found = {s.part: s for s in measure.shares}
    assert sum(s.value for s in found.values()) == pytest.approx(-0.25)
    # Effects add up here, so every order gives the same and nothing is left to chance.
    assert found["prompt"].value == pytest.approx(-0.5)
    assert (found["prompt"].low, found["prompt"].high) == pytest.approx((-0.5, -0.5))
    assert not found["params.seed"].is_shown
    ends = [bench.engine.queries.resolve("bench", name) for name in ("v1", "v2")]
    assert stored(bench.engine, *ends) == explanation
    bench.engine.close()


# -- on a runtime that answers at random, and one that says no


def gateway(fake: FakeOpenAI, **settings: Any) -> dict[str, Any]:
    return {"providers": {"gateway": {"base_url": fake.url, "api_key": "k", "retries": 0}}, **settings}


def questions(n: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"q{i}", "vars": {"question": f"what is {i}"}, "scorers": [{"contains": f"is {i}"}], **more}
        for i in range(n)
    ]


def failing_by_prompt_and_temperature(prompt_p: float, temperature_p: float) -> Script:
    """Wrong at random: more often with the new prompt, less with the new temperature."""
    draw = random.Random(7)

    def script(asked: Asked) -> Reply:
        p = 0.3
        p += prompt_p if "now" in str(asked.body["messages"][0]) else 0.0
        p += temperature_p if asked.body["temperature"] == 1 else 0.0
        return say(asked, WRONG if draw.random() < p else asked.said)

    return script


async def noisy_edit(root: Path, fake: FakeOpenAI, n: int, **more: Any) -> Bench:
    bench = Bench(
        root,
        cases=questions(n),
        models=["gateway/m"],
        prompt=POLITE,
        config={"params": {"temperature": 0}, **more},
        settings=gateway(fake),
    )
    await bench.evaluate()
    bench.write("prompts/bench.md", RUDE)
    bench.configure(params={"temperature": 1})
    await bench.evaluate()
    return bench


async def test_on_a_noisy_runtime_every_share_has_an_interval_around_the_truth(tmp_path: Path) -> None:
    async with FakeOpenAI(failing_by_prompt_and_temperature(0.6, -0.2)) as fake:
        bench = await noisy_edit(tmp_path, fake, 40, trials=4)

        explanation = (await explained(bench)).explanation

        (measure,) = explanation.measures
        truth = {"prompt": -0.6, "params.temperature": 0.2}
        assert not explanation.by_fact
        for share in measure.shares:
            assert share.low is not None
            assert share.high is not None
            assert share.low < truth[share.part] < share.high
        assert sum(s.value for s in measure.shares) == pytest.approx(measure.total.delta)
        assert measure.shares[0].is_shown
        bench.engine.close()


async def test_what_may_be_chance_is_not_shared_out_and_no_mixture_is_asked(tmp_path: Path) -> None:
    async with FakeOpenAI(failing_by_prompt_and_temperature(0.1, 0.0)) as fake:
        bench = await noisy_edit(tmp_path, fake, 12)
        asked = fake.count

        outcome = await explained(bench)

        explanation = outcome.explanation
        assert explanation.state == "not proven"
        assert explanation.measures[0].shares == ()
        assert "trials of each case would" in explanation.measures[0].would_prove
        assert fake.count == asked
        bench.engine.close()


async def test_trials_are_equal_at_every_corner(tmp_path: Path) -> None:
    async with FakeOpenAI(failing_by_prompt_and_temperature(0.7, 0.0)) as fake:
        bench = await noisy_edit(tmp_path, fake, 10, trials=2)
        for name in ("v1", "v2"):  # as an adjudication leaves them
            bench.engine.store.versions.set_factor(bench.engine.queries.resolve("bench", name).id, 2)

        explanation = (await explained(bench)).explanation

        assert explanation.measures[0].total.trials == 4
        hidden = [r for r in bench.engine.store.runs.list("bench") if r.total == 40]
        assert len(hidden) == 4
        bench.engine.close()


async def test_parts_that_a_provider_refuses_apart_are_merged(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        if asked.body["model"] == "new" and asked.body.get("temperature") == 0:
            return error(400, "temperature 0 is not supported by this model")
        return say(asked, WRONG if asked.body["model"] == "new" else asked.said)

    async with FakeOpenAI(script) as fake:
        bench = Bench(
            tmp_path,
            cases=questions(8),
            models=["gateway/old"],
            prompt=POLITE,
            config={"params": {"temperature": 0}},
            settings=gateway(fake),
        )
        await bench.evaluate()
        bench.write("prompts/bench.md", RUDE)
        bench.configure(models=["gateway/new"], params={"temperature": 1})
        await bench.evaluate()

        explanation = (await explained(bench)).explanation

        labels = ["prompt", "models.gateway/old → gateway/new + params.temperature"]
        assert [part.label for part in explanation.parts] == labels
        assert "temperature 0 is not supported" in explanation.notes[0]
        assert shares(explanation) == dict(zip(labels, (0.0, -1.0), strict=True))
        bench.engine.close()


async def test_a_provider_that_is_down_merges_nothing(tmp_path: Path) -> None:
    down = False

    def script(asked: Asked) -> Reply:
        if down:
            return error(503, "overloaded")
        return say(asked, WRONG if "now" in asked.said else asked.said)

    async with FakeOpenAI(script) as fake:
        bench = await noisy_edit(tmp_path, fake, 8)
        down = True

        outcome = await explained(bench)

        assert outcome.explanation.state == "incomplete"
        assert [part.label for part in outcome.explanation.parts] == ["prompt", "params.temperature"]
        assert "overloaded" in outcome.failures[0]
        down = False
        assert (await explained(bench)).explanation.state == "explained"
        bench.engine.close()


async def test_one_that_is_cancelled_keeps_what_was_answered(tmp_path: Path) -> None:
    async with FakeOpenAI(failing_by_prompt_and_temperature(0.7, 0.0), latency_ms=10) as fake:
        bench = await noisy_edit(tmp_path, fake, 20)
        asked = fake.count

        def listen(event: Event) -> None:
            if isinstance(event, Working) and event.calls:
                bench.engine.cancel()

        cut = await explain(bench.engine, ExplainRequest("bench", agreed=True), listen)

        assert isinstance(cut, ExplainOutcome)
        assert cut.cancelled
        assert cut.explanation.state == "incomplete"
        assert cut.explanation.sentence == "it was cut short; what was answered is kept"
        done = fake.count - asked
        assert 0 < done < 40
        assert (await explained(bench)).provider_calls <= 40 - done + 8
        bench.engine.close()


async def test_a_price_over_the_budget_is_said(tmp_path: Path) -> None:
    async with FakeOpenAI(failing_by_prompt_and_temperature(0.7, 0.0)) as fake:
        bench = await noisy_edit(tmp_path, fake, 10)
        price = {"input": 1000.0, "output": 1000.0}
        providers = {"gateway": {"base_url": fake.url, "api_key": "k", "price": {"m": price}}}
        bench.write("llmops.yaml", json.dumps({"providers": providers, "budget": {"per_run_usd": 0.001}}))
        bench.engine.load()

        asks = await explain(bench.engine, ExplainRequest("bench"))

        assert isinstance(asks, AskFirst)
        assert "more than budget.per_run_usd" in asks.why
        assert asks.why.endswith("explain v1 → v2 by 2 versions in between?")
        bench.engine.close()


async def test_fewer_orders_are_drawn_where_the_budget_allows_no_more(tmp_path: Path) -> None:
    names = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "max_tokens")
    price = {"m": {"input": 1000.0, "output": 1000.0}}

    def script(asked: Asked) -> Reply:
        return say(asked, WRONG if asked.body["seed"] else asked.said)

    async with FakeOpenAI(script) as fake:
        provider = {"base_url": fake.url, "api_key": "k", "price": price}
        bench = Bench(
            tmp_path,
            cases=questions(6),
            models=["gateway/m"],
            prompt=POLITE,
            config={"params": dict.fromkeys(names, 0) | {"max_tokens": 50}},
            settings={"providers": {"gateway": provider}},
        )
        await bench.evaluate()
        bench.write("prompts/bench.md", RUDE)
        bench.configure(params=dict.fromkeys(names, 1) | {"max_tokens": 60})
        await bench.evaluate()
        free = await explain(bench.engine, ExplainRequest("bench"))
        assert isinstance(free, AskFirst)
        assert free.estimate.cost_usd
        budget = {"per_run_usd": 0.7 * free.estimate.cost_usd}
        bench.write("llmops.yaml", json.dumps({"providers": {"gateway": provider}, "budget": budget}))
        bench.engine.load()

        asks = await explain(bench.engine, ExplainRequest("bench"))
        explanation = (await explained(bench)).explanation

        assert isinstance(asks, AskFirst)
        assert "budget" not in asks.why
        assert asks.estimate.requests < free.estimate.requests
        assert 6 <= explanation.orders < 16
        assert round(sum(s.value for s in explanation.measures[0].shares), 9) == -1.0
        bench.engine.close()
