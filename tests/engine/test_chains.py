"""Chains: steps in the order of what they need, unchanged ones from the cache, faults that name the step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, say

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Trace
from llmops_tui.engine.traces import Traces

REWRITE = "user:\nrewrite {{ question }}\n"
JUDGE = "user:\njudge {{ rewrite }}\n"
ANSWER = "user:\nanswer {{ judge }} for {{ question }}\n"


def three_steps(url: str, cases: int = 3) -> dict[str, Any]:
    chain = [
        {"name": "rewrite", "prompt": "prompts/rewrite.md"},
        {"name": "judge", "prompt": "prompts/judge.md"},
        {"name": "answer", "prompt": "prompts/answer.md"},
    ]
    return {
        "config": {"prompt": None, "chain": chain},
        "models": ["gate/fake"],
        "cases": [{"id": f"c{n}", "vars": {"question": f"q{n}"}} for n in range(cases)],
        "settings": {"providers": {"gate": {"base_url": url, "concurrency": 20}}},
        "files": {"prompts/rewrite.md": REWRITE, "prompts/judge.md": JUDGE, "prompts/answer.md": ANSWER},
    }


def trace_of(bench: Bench, case: str, version: str = "latest") -> Trace:
    return Traces(bench.engine.store).of(bench.engine.queries.resolve("bench", version), case)


async def test_an_edit_of_the_last_of_three_steps_asks_that_step_alone(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(tmp_path, **three_steps(server.url, cases=200))
        ended = await bench.evaluate()
        assert (ended.run.provider_calls, server.count) == (600, 600)
        assert bench.output("c7") == "answer judge rewrite q7 for q7"
        server.forget()
        bench.write("prompts/answer.md", "user:\nreply {{ judge }} for {{ question }}\n")
        await bench.evaluate()
        assert server.count == 200
        assert bench.output("c7") == "reply judge rewrite q7 for q7"
        server.forget()
        bench.write("prompts/judge.md", "user:\nweigh {{ rewrite }}\n")
        await bench.evaluate()
        assert server.count == 400
        bench.engine.close()


async def test_a_step_waits_for_what_it_needs_and_for_nothing_else(tmp_path: Path) -> None:
    """`left` and `right` need nothing, so they are asked at the same time; `both` sees both."""

    def script(asked: Asked) -> Reply:
        return say(asked, asked.said.upper())

    async with FakeOpenAI(script, latency_ms=100) as server:
        chain = [
            {"name": "left", "prompt": "prompts/left.md", "needs": []},
            {"name": "right", "prompt": "prompts/right.md", "needs": []},
            {"name": "both", "prompt": "prompts/both.md", "needs": ["left", "right"]},
        ]
        parts = three_steps(server.url, 1)
        parts["config"]["chain"] = chain
        parts["files"] = {
            "prompts/left.md": "user:\nl {{ question }}\n",
            "prompts/right.md": "user:\nr {{ question }}\n",
            "prompts/both.md": "user:\n{{ left }} and {{ right }}\n",
        }
        bench = Bench(tmp_path, **parts)
        await bench.evaluate()
        assert bench.output("c0") == "L Q0 AND R Q0"
        assert server.most_in_flight == 2
        steps = {s.attributes[a.STEP]: s for s in trace_of(bench, "c0").spans if s.kind == "step"}
        assert steps["right"].start < steps["left"].end
        assert steps["both"].start >= max(steps["left"].end, steps["right"].end)
        bench.engine.close()


async def test_a_trace_has_every_step_with_its_call_and_what_the_prompt_read(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(tmp_path, **three_steps(server.url, 1))
        await bench.evaluate()
        trace = trace_of(bench, "c0")
        assert [(d, s.kind, s.name) for d, s in trace.walk()] == [
            (0, "request", "c0"),
            (1, "step", "rewrite"),
            (2, "prompt", "assemble prompt"),
            (2, "model", "chat fake"),
            (1, "step", "judge"),
            (2, "prompt", "assemble prompt"),
            (2, "model", "chat fake"),
            (1, "step", "answer"),
            (2, "prompt", "assemble prompt"),
            (2, "model", "chat fake"),
        ]
        prompts = [s for s in trace.spans if s.kind == "prompt"]
        assert prompts[2].attributes[a.VARIABLES] == {"judge": "judge rewrite q0", "question": "q0"}
        assert prompts[2].attributes[a.TEMPLATE].startswith("user:\nanswer {{ judge }}")
        sent = prompts[1].attributes[a.INPUT_MESSAGES]
        assert sent == [{"role": "user", "parts": [{"type": "text", "content": "judge rewrite q0"}]}]
        bench.engine.close()


async def test_a_fault_names_the_step_and_costs_that_case_alone(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        if asked.said == "judge rewrite q1":
            return Reply(400, {}, [b'{"error": {"message": "no such thing"}}'])
        return say(asked, asked.said)

    async with FakeOpenAI(script) as server:
        bench = Bench(tmp_path, **three_steps(server.url))
        await bench.evaluate()
        rows = bench.rows()
        assert [r.status for r in rows.values()] == ["unscored", "error", "unscored"]
        assert rows["c1"].items[0].failure is not None
        assert "step 'judge':" in rows["c1"].items[0].failure
        assert "no such thing" in rows["c1"].items[0].failure
        trace = trace_of(bench, "c1")
        failed = [s.name for s in trace.spans if s.status == "error"]
        assert failed == ["c1", "judge", "chat fake"]
        assert [s.name for s in trace.spans if s.kind == "step"] == ["rewrite", "judge"]
        bench.engine.close()


async def test_a_chain_that_only_retrieves_answers_with_what_it_found(tmp_path: Path) -> None:
    chain = [{"name": "find", "retrieval": {"source": "docs", "top_k": 1}}]
    bench = Bench(
        tmp_path,
        config={"prompt": None, "models": None, "chain": chain},
        cases=[
            {"id": "one", "vars": {"question": "when do apples ripen"}, "scorers": [{"contains": "autumn"}]}
        ],
        files={"docs/apples.md": "Apples ripen in autumn.", "docs/plums.md": "Plums ripen in summer."},
    )
    ended = await bench.evaluate()
    assert ended.run.provider_calls == 0
    assert bench.output("one") == "Apples ripen in autumn."
    assert [r.status for r in bench.rows().values()] == ["passed"]
    bench.engine.close()


async def test_a_tool_that_a_step_calls_and_that_goes_wrong_fails_its_case_alone(tmp_path: Path) -> None:
    from llmops_tui.workspace.trust import trust

    async with FakeOpenAI() as server:
        parts = three_steps(server.url)
        parts["config"]["chain"] = [
            {"name": "look", "tool": "look", "arguments": {"order": "{{ question }}"}},
            {"name": "answer", "prompt": "prompts/answer.md"},
        ]
        parts["files"] = {
            "prompts/answer.md": "user:\n{{ look }}\n",
            "tools.py": (
                "def look(order: str) -> str:\n"
                "    if order == 'q1':\n"
                "        raise LookupError('no such order')\n"
                "    return 'x' * 11_000_000 if order == 'q2' else order\n"
            ),
        }
        bench = Bench(tmp_path, **parts)
        trust(tmp_path)
        await bench.evaluate()
        assert bench.output("c0") == "q0"
        failures = {case: row.items[0].failure or "" for case, row in bench.rows().items()}
        assert failures["c1"] == "step 'look': look failed: tools.py:3 LookupError: no such order"
        assert "11.0 MB" in failures["c2"]
        assert server.count == 1
        bench.engine.close()
