"""What decides what a step gives is in its key, and in nobody else's; hybrids of programs are programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, say

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.domain.mixture import mix, parts_between
from llmops_tui.domain.program import program_of
from llmops_tui.engine import bundles, subjects
from llmops_tui.engine.playground import Playground
from llmops_tui.engine.playground_events import PlaygroundRequest
from llmops_tui.engine.replaying import Replay, ReplayRequest
from llmops_tui.engine.traces import Traces
from llmops_tui.workspace.trust import trust

APP = """
def show(params):
    return str(params.get("k"))


def vote(ask):
    return ask("vote")


def reads():
    return open("data.txt").read()


def finds():
    return {"output": "found", "context": ["a passage"], "tool_calls": [{"name": "look", "arguments": {}}]}
"""


def bench_of(root: Path, url: str, trusted: bool = True, **config: Any) -> Bench:
    bench = Bench(
        root,
        models=["gate/fake"],
        config={"prompt": None, **config},
        cases=[{"id": "one", "vars": {"question": "q"}}],
        settings={"providers": {"gate": {"base_url": url}}},
        files={
            "app.py": APP,
            "data.txt": "one",
            "prompts/last.md": "user:\nlast {{ first }}\n",
            "tools.py": "def look() -> str:\n    return open('data.txt').read()\n",
        },
    )
    if trusted:
        trust(root)
    return bench


LAST = {"name": "last", "prompt": "prompts/last.md"}


async def test_parameters_of_a_step_are_in_its_own_key(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        step = {"name": "first", "python": "app:show", "params": {"k": 1}}
        bench = bench_of(tmp_path, server.url, chain=[step, LAST])
        await bench.evaluate()
        bench.configure(chain=[{**step, "params": {"k": 2}}, LAST])
        await bench.evaluate()
        assert bench.output("one") == "last 2"
        bench.engine.close()


async def test_steps_of_one_function_are_draws_of_their_own(tmp_path: Path) -> None:
    nth = 0

    def script(asked: Asked) -> Reply:
        nonlocal nth
        nth += asked.said == "vote"
        return say(asked, f"ans{nth}" if asked.said == "vote" else asked.said)

    async with FakeOpenAI(script) as server:
        votes = [{"name": name, "needs": [], "python": "app:vote"} for name in ("x", "y", "z")]
        all_ = {"name": "all", "prompt": "prompts/all.md", "needs": ["x", "y", "z"]}
        bench = bench_of(tmp_path, server.url, chain=[*votes, all_])
        bench.write("prompts/all.md", "user:\n{{ x }} {{ y }} {{ z }}\n")
        await bench.evaluate()
        assert sorted(bench.output("one").split()) == ["ans1", "ans2", "ans3"]
        bench.write("prompts/all.md", "user:\n{{ x }} {{ y }} {{ z }}.\n")
        await bench.evaluate()
        assert sorted(bench.output("one").strip(".").split()) == ["ans1", "ans2", "ans3"]
        bench.engine.close()


@pytest.mark.parametrize("step", [{"tool": "look"}, {"python": "app:reads"}])
async def test_a_file_that_code_reads_is_a_part_of_the_version(tmp_path: Path, step: dict[str, Any]) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server.url, chain=[{"name": "first", **step}, LAST], inputs=["data.txt"])
        await bench.evaluate()
        bench.write("data.txt", "two")
        await bench.evaluate()
        assert bench.output("one") == "last two"
        before = bench.engine.queries.resolve("bench", "v1")
        configuration = bench.engine.configuration("bench")
        with pytest.raises(UsageError, match=r"reads data.txt, which is another one now"):
            subjects.of_version(bench.engine.store, bench.root, configuration, before)
        bench.engine.close()


async def test_the_playground_runs_no_code_before_it_is_trusted(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server.url, trusted=False, python="app:show")
        bench.write("app.py", "open('ran', 'w')\n" + APP)
        bench.engine.load()
        with pytest.raises(WorkspaceError, match="may not run yet"):
            await Playground(bench.engine).ask(PlaygroundRequest("bench", {"question": "q"}, agreed=True))
        assert not (tmp_path / "ran").exists()
        bench.engine.close()


async def test_what_a_kept_step_retrieved_is_in_the_trace_of_who_takes_it_over(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server.url, chain=[{"name": "first", "python": "app:finds"}, LAST])
        await bench.evaluate()
        bench.write("prompts/last.md", "user:\nnow {{ first }}\n")
        await bench.evaluate()
        version = bench.engine.queries.resolve("bench", "latest")
        trace = Traces(bench.engine.store).of(version, "one")
        (retrieval,) = [s for s in trace.spans if s.kind == "retrieval"]
        assert [d["content"] for d in retrieval.attributes[a.DOCUMENTS]] == ["a passage"]
        found = await Replay(bench.engine).run(ReplayRequest("bench", version, "one", "last"))
        assert found.output is not None
        assert [c.text for c in found.output.retrieved] == ["a passage"]
        bench.engine.close()


async def test_a_conversation_is_replayed_from_its_start_alone(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(
            tmp_path,
            models=["gate/fake"],
            cases=[{"id": "one", "turns": [{"question": "first"}, {"question": "second"}]}],
            settings={"providers": {"gate": {"base_url": server.url}}},
        )
        await bench.evaluate()
        version = bench.engine.queries.resolve("bench", "latest")
        with pytest.raises(UsageError, match="each turn has its own; begin at 'prompt'"):
            await Replay(bench.engine).run(ReplayRequest("bench", version, "one", "model"))
        found = await Replay(bench.engine).run(ReplayRequest("bench", version, "one", "prompt"))
        assert found.output is not None
        assert found.output.text == "second"
        bench.engine.close()


async def test_every_mixture_of_two_programs_is_a_program(tmp_path: Path) -> None:
    """A prompt alone, a chain, one whose step has a tool, and one that embeds with another model."""
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server.url, chain=[{"name": "first", "prompt": "prompts/bench.md"}, LAST])
        find = {"source": "docs", "method": "hybrid", "embedding": "gate/embed-a"}
        bench.root.joinpath("docs").mkdir()
        bench.write("docs/a.md", "text")
        first = {"name": "first", "prompt": "prompts/bench.md"}
        variants: list[dict[str, Any]] = [
            {"chain": None, "prompt": "prompts/bench.md"},
            {"prompt": None, "chain": [first, LAST]},
            {"chain": [{**first, "tools": ["look"], "max_steps": 3}, LAST]},
            {"chain": [{"name": "find", "retrieval": find}, {**LAST, "needs": ["find"]}]},
            {
                "chain": [
                    {"name": "find", "retrieval": {**find, "embedding": "gate/embed-b"}},
                    {**LAST, "needs": ["find"], "max_steps": 2},
                ]
            },
        ]
        manifests = []
        for variant in variants:
            uses = "find" if "find" in str(variant) else "first"
            bench.write("prompts/last.md", f"user:\nlast {{{{ {uses} }}}}\n")
            bench.configure(**variant)
            workspace = bench.engine.load()
            assert not workspace.errors, workspace.errors
            manifests.append(bench.engine.configuration("bench").manifest)
        for before in manifests:
            for after in manifests:
                parts, _ = parts_between(before, after, {"gate/fake": "gate/fake"}, needs_context=False)
                for corner in range(1 << len(parts)):
                    mixed = mix(before, after, parts, corner)
                    program = program_of(mixed)
                    own = {part.name for part in mixed.of_kind("own_models")}
                    assert all(step.prompt for step in program.prompts)
                    assert {r.embedding for r in program.retrievals if r.embedding} <= own
        bench.engine.close()


async def test_code_that_only_a_bundle_has_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    async with FakeOpenAI() as server:
        theirs = bench_of(tmp_path / "theirs", server.url, python="app:show", params={"k": 1})
        theirs.write("app.py", APP.replace("params.get", "open('ran', 'w') and params.get"))
        await theirs.evaluate()
        made = theirs.engine.queries.resolve("bench", "v1")
        bundles.save(theirs.engine.store, [made.id], file)
        ours = bench_of(tmp_path / "ours", server.url, python="app:show", params={"k": 1})
        await ours.evaluate()
        bundles.load(ours.engine.store, file)
        loaded = ours.engine.store.versions.find("bench", made.hash)
        assert loaded is not None
        configuration = ours.engine.configuration("bench")
        with pytest.raises(UsageError, match=r"app.py of .* came in a bundle"):
            subjects.of_version(ours.engine.store, ours.root, configuration, loaded)
        # What somebody put on disk has been seen.
        ours.write("app.py", (theirs.root / "app.py").read_text())
        ours.engine.load()
        configuration = ours.engine.configuration("bench")
        assert subjects.of_version(ours.engine.store, ours.root, configuration, loaded)
        theirs.engine.close()
        ours.engine.close()
