"""Prompts with tools: the loop of model and tools, what goes wrong in one, and tools that do not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, completion, say

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import WorkspaceError
from llmops_tui.domain.trace import Span
from llmops_tui.engine.traces import Traces
from llmops_tui.workspace.trust import trust

TOOLS = '''
"""Orders of the shop."""

ORDERS = {"1001": "shipped", "1002": "packed"}


def order_status(order: int, with_date: bool = False) -> dict:
    """Where an order is.

    Args:
        order: number of the order.
    """
    open("calls.log", "a").write(f"{order}\\n")
    return {"order": order, "status": ORDERS[str(order)]}


def broken(order: int) -> str:
    raise RuntimeError(f"no connection for {order}")


def hangs() -> str:
    import time

    time.sleep(60)


def binary() -> bytes:
    return b"\\x00\\xff"


def huge() -> str:
    return "x" * 10_500_000


def leaves() -> str:
    import sys

    sys.exit(3)
'''


def calls(asked: Asked, *wanted: tuple[str, Any]) -> Reply:
    """The model wants tools."""
    made = [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for n, (name, args) in enumerate(wanted)
    ]
    return completion(asked, {"role": "assistant", "content": None, "tool_calls": made}, "tool_calls")


def told(asked: Asked) -> list[str]:
    """What tools gave so far."""
    return [m["content"] for m in asked.body["messages"] if m["role"] == "tool"]


def bench_with_tools(
    root: Path, server: FakeOpenAI, tools: list[Any], cases: list[dict[str, Any]] | None = None, **config: Any
) -> Bench:
    bench = Bench(
        root,
        models=["gate/fake"],
        config={"tools": tools, **config},
        cases=cases or [{"id": "one", "vars": {"question": "where is order 1001"}}],
        settings={
            "providers": {"gate": {"base_url": server.url, "retries": 0}},
            "code": {"timeout_s": 1.0},
        },
        files={"tools.py": TOOLS},
    )
    trust(root)
    return bench


def tool_spans(bench: Bench, case: str = "one") -> list[Span]:
    trace = Traces(bench.engine.store).of(bench.engine.queries.resolve("bench", "latest"), case)
    return [s for s in trace.spans if s.kind == "tool"]


async def test_the_model_calls_a_tool_and_answers_with_what_it_gave(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        results = told(asked)
        return (
            say(asked, f"It is {results[0]}") if results else calls(asked, ("order_status", {"order": 1001}))
        )

    async with FakeOpenAI(script) as server:
        bench = bench_with_tools(tmp_path, server, ["order_status"])
        ended = await bench.evaluate()
        assert ended.run.provider_calls == 2
        assert bench.output("one") == 'It is {"order": 1001, "status": "shipped"}'
        (schema,) = server.requests[0].body["tools"]
        assert schema["function"]["name"] == "order_status"
        assert schema["function"]["description"] == "Where an order is."
        assert schema["function"]["parameters"]["properties"]["order"] == {
            "description": "number of the order.",
            "type": "integer",
        }
        assert schema["function"]["parameters"]["required"] == ["order"]
        (span,) = tool_spans(bench)
        assert span.attributes[a.TOOL_ARGUMENTS] == {"order": 1001}
        assert span.attributes[a.TOOL_RESULT] == {"order": 1001, "status": "shipped"}
        assert span.attributes[a.TOOL_MODE] == "live"
        (item,) = bench.rows()["one"].items
        output = bench.engine.store.outputs.get(item.output_id or 0)
        assert [c["function"]["name"] for c in output.tool_calls] == ["order_status"]
        assert len(output.calls) == 2
        bench.engine.close()


async def test_tools_that_are_wanted_together_are_all_answered_in_order(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        if told(asked):
            return say(asked, " | ".join(told(asked)))
        return calls(asked, ("order_status", {"order": 1001}), ("order_status", {"order": "1002"}))

    async with FakeOpenAI(script) as server:
        bench = bench_with_tools(tmp_path, server, ["order_status"])
        await bench.evaluate()
        assert "shipped" in bench.output("one").split(" | ")[0]
        assert "packed" in bench.output("one").split(" | ")[1]
        bench.engine.close()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("broken", {"order": 1}, "no connection for 1"),
        ("order_status", {"order": 7}, "KeyError"),
        ("order_status", {"number": 7}, "'order' is missing"),
        ("order_status", {"order": "soon"}, "'order'"),
        ("order_status", "{not json", "not JSON"),
        ("refund", {}, "there is no tool 'refund'"),
        ("hangs", {}, "took longer than 1 s"),
        ("binary", {}, "binary data"),
        ("huge", {}, "10.5 MB"),
        ("leaves", {}, "SystemExit"),
    ],
)
async def test_what_goes_wrong_in_a_tool_is_said_to_the_model_and_the_run_goes_on(
    tmp_path: Path, name: str, arguments: Any, said: str
) -> None:
    def script(asked: Asked) -> Reply:
        if asked.said == "fine":
            return say(asked, "fine")
        return say(asked, f"told: {told(asked)[0]}") if told(asked) else calls(asked, (name, arguments))

    cases = [{"id": "one", "vars": {"question": "q"}}, {"id": "two", "vars": {"question": "fine"}}]
    tools = [
        "order_status",
        "broken",
        {"hangs": {"timeout_s": 1.0}},
        "binary",
        "huge",
        "leaves",
    ]
    async with FakeOpenAI(script) as server:
        bench = bench_with_tools(tmp_path, server, tools, cases)
        await bench.evaluate()
        assert said in bench.output("one")
        assert bench.output("two") == "fine"
        (span,) = tool_spans(bench)
        assert span.status == "error"
        assert said in span.error
        assert "Traceback" not in span.error
        bench.engine.close()


async def test_a_model_that_never_stops_calling_is_stopped(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return calls(asked, ("order_status", {"order": 1001}))

    async with FakeOpenAI(script) as server:
        bench = bench_with_tools(tmp_path, server, ["order_status"], max_steps=3)
        ended = await bench.evaluate()
        assert ended.run.provider_calls == 3
        (item,) = bench.rows()["one"].items
        assert bench.engine.store.outputs.get(item.output_id or 0).finish_reason == "max_steps"
        bench.engine.close()


async def test_a_canned_tool_never_runs_and_a_case_has_the_last_word(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return say(asked, told(asked)[0]) if told(asked) else calls(asked, ("order_status", {"order": 1001}))

    cases = [
        {"id": "one", "vars": {"question": "q"}},
        {"id": "two", "vars": {"question": "q"}, "tools": {"order_status": "lost"}},
    ]
    async with FakeOpenAI(script) as server:
        tools = [{"order_status": {"eval": "canned", "result": {"status": "canned"}}}]
        bench = bench_with_tools(tmp_path, server, tools, cases)
        await bench.evaluate()
        assert bench.output("one") == '{"status":"canned"}'
        assert bench.output("two") == "lost"
        assert not (tmp_path / "calls.log").exists()
        assert tool_spans(bench, "two")[0].attributes[a.TOOL_MODE] == "canned"
        bench.engine.close()


async def test_a_recorded_tool_runs_once_for_equal_arguments_across_versions(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return say(asked, told(asked)[0]) if told(asked) else calls(asked, ("order_status", {"order": 1001}))

    async with FakeOpenAI(script) as server:
        bench = bench_with_tools(tmp_path, server, [{"order_status": {"eval": "recorded"}}])
        await bench.evaluate()
        bench.write("prompts/bench.md", "user:\nnow {{ question }}\n")
        await bench.evaluate()
        await bench.evaluate(fresh=True)
        assert (tmp_path / "calls.log").read_text() == "1001\n"
        bench.engine.close()


async def test_an_edit_of_one_tool_is_a_new_version_that_names_it(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return say(asked, told(asked)[0]) if told(asked) else calls(asked, ("order_status", {"order": 1001}))

    async with FakeOpenAI(script) as server:
        bench = bench_with_tools(tmp_path, server, ["order_status", "broken"])
        await bench.evaluate()
        bench.replace("tools.py", '"status": ORDERS[str(order)]', '"state": ORDERS[str(order)]')
        await bench.evaluate()
        queries = bench.engine.queries
        before, after = queries.resolve("bench", "v1"), queries.resolve("bench", "v2")
        assert [c.label for c in queries.changes(before, after)] == ["tools.order_status", "code"]
        texts = {t.label: t for t in queries.texts(before, after)}
        assert '"status": ORDERS' in texts["tools.order_status"].before
        assert '"state": ORDERS' in texts["tools.order_status"].after
        assert '"state"' in bench.output("one")
        bench.engine.close()


async def test_tools_run_only_once_the_workspace_is_trusted(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(
            tmp_path,
            models=["gate/fake"],
            config={"tools": ["order_status"]},
            settings={"providers": {"gate": {"base_url": server.url}}},
            files={"tools.py": TOOLS},
        )
        with pytest.raises(WorkspaceError, match="may not run yet"):
            await bench.evaluate()
        assert server.count == 0
        bench.engine.close()


async def test_turns_are_a_conversation(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(
            tmp_path,
            models=["gate/fake"],
            cases=[{"id": "one", "turns": [{"question": "first"}, {"question": "second"}]}],
            settings={"providers": {"gate": {"base_url": server.url}}},
        )
        await bench.evaluate()
        assert bench.output("one") == "second"
        assert [m["content"] for m in server.requests[1].body["messages"]] == [
            "Be brief.",
            "first",
            "first",
            "second",
        ]
        trace = Traces(bench.engine.store).of(bench.engine.queries.resolve("bench", "latest"), "one")
        assert [s.name for s in trace.spans if s.kind == "turn"] == ["turn 1", "turn 2"]
        bench.engine.close()


async def test_a_response_format_is_sent_and_is_a_part_of_the_version(tmp_path: Path) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    async with FakeOpenAI() as server:
        bench = Bench(
            tmp_path,
            models=["gate/fake"],
            config={"response_format": form},
            settings={"providers": {"gate": {"base_url": server.url}}},
        )
        await bench.evaluate()
        assert server.requests[0].body["response_format"] == form
        version = bench.engine.queries.resolve("bench", "latest")
        part = bench.engine.store.versions.manifest(version.id).part("response_format")
        assert part is not None
        assert part.value == form
        bench.engine.close()
