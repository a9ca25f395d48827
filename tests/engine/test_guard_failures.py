"""Guardrails that fail themselves in evaluations: told, counted by the gate, and looking again next time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import FakeOpenAI

from llmops_tui.domain.guardrails.failures import GuardFailures
from llmops_tui.domain.output import Output
from llmops_tui.engine.evaluation import prepared_for
from llmops_tui.engine.events import AskFirst, GateRequest, RunRequest
from llmops_tui.engine.export import report_text
from llmops_tui.engine.gating import Gate, GateOutcome
from llmops_tui.workspace.trust import trust

#: It fails while there is a file, and else fires on a word: as one that is too slow on a loaded machine.
CODE = """
import os

def shaky(text):
    if os.path.exists({path!r}):
        raise KeyError(text)
    return "it swears" if "drat" in text else None

def calm(text):
    return False
"""
TOOLS = """
def look_up(word: str) -> dict:
    return {"found": f"{word} means drat"}
"""
CHAIN: dict[str, Any] = {
    "prompt": None,
    "tools": ["look_up"],
    "chain": [
        {"name": "search", "tool": "look_up", "arguments": {"word": "{{ question }}"}},
        {"name": "last", "prompt": "prompts/last.md", "needs": ["search"]},
    ],
}


class Shaky(Bench):
    """A workspace whose guardrail fails for as long as `ill`."""

    def __init__(self, root: Path, fake: FakeOpenAI, entry: Any, **parts: Any) -> None:
        self._mark = root / "ill"
        files = {"guardrails.py": CODE.format(path=str(self._mark)), "tools.py": TOOLS}
        cases = [{"id": id_, "vars": {"question": id_}} for id_ in ("one", "two")]
        for case in cases:
            case["scorers"] = [{"contains": case["id"]}]
        settings = {"providers": {"gateway": {"base_url": fake.url}}, **parts.pop("settings", {})}
        config = {"guardrails": [entry], **parts.pop("config", {})}
        super().__init__(
            root / "ws",
            models=["gateway/m"],
            cases=cases,
            config=config,
            settings=settings,
            files=files,
            **parts,
        )
        trust(self.root)
        self.ill = True

    @property
    def ill(self) -> bool:
        return self._mark.exists()

    @ill.setter
    def ill(self, is_ill: bool) -> None:
        if is_ill:
            self._mark.touch()
        else:
            self._mark.unlink()

    def kept(self, case: str = "one") -> Output:
        return self.engine.store.outputs.get(self.output_id(case))

    def output_id(self, case: str = "one") -> int:
        (item,) = self.rows()[case].items
        assert item.output_id is not None
        return item.output_id

    def failures(self) -> GuardFailures:
        version = self.engine.queries.resolve("bench", "latest")
        return self.engine.queries.guard_failures(self.engine.queries.snapshot(version))


async def test_an_output_is_made_anew_until_no_guardrail_failed_and_asks_no_model(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = Shaky(tmp_path, fake, {"shaky": {"on": "output"}})
        await made.evaluate()
        first = made.output_id()
        assert made.kept().refused
        assert made.failures().how == {"shaky": made.kept().guardrails[0].error}
        again = await made.evaluate()
        assert (again.run.provider_calls, again.run.state) == (0, "complete")
        # It failed in the same way: that is no other output.
        assert made.output_id() == first
        made.ill = False
        mended = await made.evaluate()
        assert (made.kept().text, made.kept().refused, made.rows()["one"].status) == ("one", False, "passed")
        assert made.failures() == GuardFailures()
        assert mended.run.provider_calls == 0
        # Runs of before have what they had.
        assert made.engine.store.outputs.get(first).refused
        await made.nothing()
        assert fake.count == 2
        made.engine.close()


async def test_one_that_was_drawn_anew_is_made_anew_in_its_place(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = Shaky(tmp_path, fake, {"shaky": {"on": "output", "on_error": "open"}})
        made.ill = False
        await made.evaluate()
        made.ill = True
        await made.evaluate(fresh=True)
        assert len(made.failures().cases) == 2
        made.ill = False
        await made.evaluate()
        assert made.failures() == GuardFailures()
        await made.nothing()
        ended = await made.evaluate(fresh=True)
        assert ended.run.provider_calls == 2
        assert fake.count == 6
        made.engine.close()


async def test_until_there_is_another_the_output_counts(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = Shaky(tmp_path, fake, {"shaky": {"on": "output"}})
        await made.evaluate()
        version = made.engine.queries.resolve("bench", "latest")
        newest = made.engine.store.runs.snapshot(version.id)
        configuration = made.engine.configuration("bench")
        prepared = prepared_for(made.engine.store, configuration, RunRequest("bench"), newest, 0)
        there = [item for row in made.rows().values() for item in row.items]
        assert [r.item for r in prepared.waiting] == there
        assert [todo.known for todo in prepared.to_ask] == there
        price = made.engine.price_of(RunRequest("bench"))
        assert (price.to_ask, price.requests, price.cached) == (0, 0, 2)
        # Bringing a version up to the cases on disk makes nothing anew.
        runs = len(made.engine.store.runs.list("bench"))
        await made.engine.rescore(version)
        assert len(made.engine.store.runs.list("bench")) == runs
        made.engine.close()


async def test_asking_again_what_could_not_be_had_is_about_these_too(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = Shaky(tmp_path, fake, {"shaky": {"on": "output"}})
        await made.evaluate()
        made.ill = False
        await made.evaluate(only_failed=True)
        assert made.failures() == GuardFailures()
        assert fake.count == 2
        made.engine.close()


async def test_a_step_at_whose_tool_one_failed_is_run_anew(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        entry = {"shaky": {"on": "tool_result", "on_error": "open", "action": "flag"}}
        made = Shaky(tmp_path, fake, entry, config=CHAIN)
        made.write("prompts/last.md", "user:\n{{ search.found }}\n")
        await made.evaluate()
        assert made.kept().guardrails[0].error
        made.ill = False
        await made.evaluate()
        (look,) = made.kept().guardrails
        assert (look.error, look.triggered) == ("", True)
        assert fake.count == 2
        made.engine.close()


# -- the gate


async def gate(made: Bench, **how: Any) -> GateOutcome:
    made.engine.load()
    outcome = await Gate(made.engine).gate(GateRequest("bench", agreed=True, **how))
    assert not isinstance(outcome, AskFirst)
    return outcome


async def test_the_gate_counts_them_as_errors_of_the_candidate(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = Shaky(tmp_path, fake, {"shaky": {"on": "output"}})
        made.ill = False
        await made.evaluate()
        made.ill = True
        made.configure(guardrails=[{"shaky": {"on": "output", "message": "No."}}])
        result = (await gate(made)).result
        said = f"a guardrail failed itself in 2 cases: shaky ({made.kept().guardrails[0].error})"
        assert (result.verdict, result.decided_by, result.exit_code) == ("inconclusive", "errors", 3)
        assert result.reasons[0].startswith(f"{said}; max_errors is 0")
        assert {key[0] for key in result.rules[0].cases} == {"one", "two"}
        made.write(
            "llmops.yaml",
            made.root.joinpath("llmops.yaml").read_text().rstrip()[:-1] + ', "gate": {"max_errors": 2}}',
        )
        let_pass = (await gate(made)).result
        assert let_pass.rows == 0  # what would have come of them is not known
        assert f"{said}; left out" in let_pass.reasons
        assert not let_pass.errors_decided
        made.ill = False
        assert (await gate(made)).result.rows == 2
        assert fake.count == 2
        made.engine.close()


async def test_what_failed_in_the_baseline_is_told_and_is_no_error(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = Shaky(tmp_path, fake, {"shaky": {"on": "output"}})
        await made.evaluate()
        made.configure(guardrails=[{"calm": {"on": "output"}}])
        result = (await gate(made)).result
        assert not result.errors_decided
        assert any(
            r.startswith("of the baseline a guardrail failed itself in 2 cases") for r in result.reasons
        )
        made.engine.load()
        text = report_text(made.engine, "bench", "v1", "v2")
        assert "**v1: a guardrail failed itself in 2 cases: shaky" in text
        made.engine.close()


@pytest.mark.parametrize("guardrails", [[], [{"calm": {"on": "output"}}]])
async def test_a_function_among_the_guardrails_leaves_what_is_seen_a_fact(
    tmp_path: Path, guardrails: list[Any]
) -> None:
    cases = [{"id": "one", "vars": {"question": "one"}, "scorers": [{"contains": "one"}]}]
    files = {"guardrails.py": CODE.format(path=str(tmp_path / "none"))}
    made = Bench(tmp_path, cases=cases, files=files, config={"guardrails": guardrails}, models=["echo/echo"])
    trust(made.root)
    await made.evaluate()
    made.replace("prompts/bench.md", "Be brief.", "Be short.")
    result = (await gate(made)).result
    assert (result.verdict, result.by_fact, result.exploratory) == ("pass", True, False)
    made.engine.close()
