"""Replays: what came before a step is handed over as it was recorded, the rest is run again."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, say
from test_chains import three_steps

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import UsageError
from llmops_tui.engine.replaying import Replay, Replayed, ReplayRequest, starts_of
from llmops_tui.workspace.trust import trust


async def replay(bench: Bench, case: str, start: str, **more: object) -> Replayed:
    bench.engine.load()
    version = bench.engine.queries.resolve("bench", "latest")
    return await Replay(bench.engine).run(ReplayRequest("bench", version, case, start, **more))  # type: ignore[arg-type]


async def test_steps_before_the_start_are_not_asked_again(tmp_path: Path) -> None:
    nth = 0

    def script(asked: Asked) -> Reply:
        nonlocal nth
        nth += 1
        return say(asked, f"{asked.said}/{nth}")

    async with FakeOpenAI(script) as server:
        bench = Bench(tmp_path, **three_steps(server.url, 1))
        await bench.evaluate()
        assert bench.output("c0") == "answer judge rewrite q0/1/2 for q0/3"
        server.forget()
        found = await replay(bench, "c0", "answer")
        assert found.output is not None
        assert found.output.text == "answer judge rewrite q0/1/2 for q0/4"
        assert (server.count, found.calls) == (1, 1)
        assert found.before.root.attributes[a.OUTPUT] == "answer judge rewrite q0/1/2 for q0/3"
        steps = [s for s in found.after.spans if s.kind == "step"]
        assert [s.attributes.get(a.GIVEN, False) for s in steps] == [True, True, False]
        server.forget()
        await replay(bench, "c0", "judge")
        assert server.count == 2
        # What a replay asked is no answer of the version: a run finds what was there before.
        await bench.nothing()
        assert bench.output("c0") == "answer judge rewrite q0/1/2 for q0/3"
        bench.engine.close()


async def test_a_prompt_is_put_together_anew_from_the_chunks_that_were_recorded(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(
            tmp_path,
            prompt="user:\n{{ context }} {{ question }}\n",
            models=["gate/fake"],
            config={"retrieval": {"source": "docs", "top_k": 1}},
            cases=[{"id": "one", "vars": {"question": "when do apples ripen"}}],
            settings={"providers": {"gate": {"base_url": server.url}}},
            files={"docs/apples.md": "Apples ripen in autumn.", "docs/plums.md": "Plums ripen in summer."},
        )
        await bench.evaluate()
        bench.write("docs/apples.md", "Apples ripen in winter.")
        bench.write("prompts/bench.md", "user:\nSay: {{ context }}\n")
        await bench.evaluate()
        version = bench.engine.queries.resolve("bench", "v1")
        recorded = ReplayRequest("bench", version, "one", "prompt", run_with="v2")
        found = await Replay(bench.engine).run(recorded)
        assert found.output is not None
        assert found.output.text == "Say: Apples ripen in autumn."
        anew = await Replay(bench.engine).run(
            ReplayRequest("bench", version, "one", "retrieval", run_with="v2")
        )
        assert anew.output is not None
        assert anew.output.text == "Say: Apples ripen in winter."
        sent = await Replay(bench.engine).run(
            ReplayRequest(
                "bench", version, "one", "model", messages=({"role": "user", "content": "in other words"},)
            )
        )
        assert sent.output is not None
        assert sent.output.text == "in other words"
        bench.engine.close()


async def test_a_function_of_another_step_is_handed_over_and_not_run(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        parts = three_steps(server.url, 1)
        parts["config"]["chain"] = [
            {"name": "order", "tool": "look", "arguments": {"order": "{{ question }}"}},
            {"name": "answer", "prompt": "prompts/answer.md"},
        ]
        parts["files"] = {
            "prompts/answer.md": "user:\n{{ order.status }}\n",
            "tools.py": (
                "def look(order: str) -> dict:\n"
                "    open('log', 'a').write('.')\n"
                "    return {'status': f'{order} is there'}\n"
            ),
        }
        bench = Bench(tmp_path, **parts)
        trust(tmp_path)
        await bench.evaluate()
        assert bench.output("c0") == "q0 is there"
        await replay(bench, "c0", "answer")
        assert (tmp_path / "log").read_text() == "."
        await replay(bench, "c0", "order")
        assert (tmp_path / "log").read_text() == ".."
        bench.engine.close()


async def test_a_step_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(tmp_path, **three_steps(server.url, 1))
        await bench.evaluate()
        (found,) = bench.engine.workspace.configurations.values()
        parts = ["", "/model"]
        assert starts_of(found.target) == [f"{s}{p}" for s in ("rewrite", "judge", "answer") for p in parts]
        with pytest.raises(UsageError, match="there is no step 'anser'; did you mean 'answer'"):
            await replay(bench, "c0", "anser")
        with pytest.raises(UsageError, match="not evaluated on a case 'c9'"):
            await replay(bench, "c9", "answer")
        bench.engine.close()
