"""A team's own function or command as the thing under test: what it asks is kept, priced and traced."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import FakeOpenAI

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Trace, totals
from llmops_tui.domain.trace_diff import diff_traces
from llmops_tui.engine.traces import Traces
from llmops_tui.workspace.trust import trust

APP = """
from words import polite


def answer(question, ask):
    draft = ask(f"draft {question}")
    return {"output": polite(ask([{"role": "user", "content": f"mend {draft}"}])), "context": ["a source"]}


async def later(question, ask):
    return await ask(question)


def plainly(question, ask):
    return ask(question)


def by_client(question, openai, model):
    import json
    import urllib.request

    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(
        openai["base_url"] + "/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": "Bearer " + openai["api_key"], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


def elsewhere(question):
    import json
    import os
    import urllib.request

    body = {"model": "fake", "messages": [{"role": "user", "content": question}]}
    url = os.environ["FAKE_URL"] + "/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


def leaves(question):
    import sys

    sys.exit(4) if question == "bad" else None
    return question


def dies(question):
    import os

    os._exit(7) if question == "bad" else None
    return question


def raises(question):
    return question if question != "bad" else {}["nothing"]


def hangs(question):
    import time

    time.sleep(60) if question == "bad" else None
    return question


def gives_bytes(question):
    return question if question != "bad" else b"\\x00\\x01"


def gives_much(question):
    return question if question != "bad" else "x" * 11_000_000
"""
WORDS = "def polite(text):\n    return f'Dear customer, {text}'\n"


def bench_of(
    root: Path, server: FakeOpenAI, cases: list[dict[str, Any]] | None = None, **config: Any
) -> Bench:
    bench = Bench(
        root,
        models=["gate/fake"],
        config={"prompt": None, **config},
        cases=cases or [{"id": "one", "vars": {"question": "q"}}],
        settings={"providers": {"gate": {"base_url": server.url, "retries": 0}}},
        files={"app.py": APP, "words.py": WORDS},
    )
    trust(root)
    return bench


def trace_of(bench: Bench, case: str = "one") -> Trace:
    return Traces(bench.engine.store).of(bench.engine.queries.resolve("bench", "latest"), case)


async def test_what_a_function_asks_is_kept_and_a_span(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, python="app:answer", params={"temperature": 0})
        ended = await bench.evaluate()
        assert bench.output("one") == "Dear customer, mend draft q"
        assert ended.run.provider_calls == 2
        assert server.requests[0].body["temperature"] == 0
        spans = [(d, s.kind, s.name) for d, s in trace_of(bench).walk()]
        assert spans[:4] == [
            (0, "request", "one"),
            (1, "function", "app:answer"),
            (2, "model", "chat fake"),
            (2, "model", "chat fake"),
        ]
        (item,) = bench.rows()["one"].items
        output = bench.engine.store.outputs.get(item.output_id or 0)
        assert [c.text for c in output.retrieved] == ["a source"]
        assert output.usage.input_tokens is not None
        server.forget()
        bench.write("words.py", WORDS.replace("Dear customer", "Hello"))
        await bench.evaluate()
        # The function is another one now; what it asks is the same and comes from the cache.
        assert bench.output("one") == "Hello, mend draft q"
        assert server.count == 0
        bench.engine.close()


async def test_a_module_that_is_imported_is_a_part_of_the_version(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, python="app:answer")
        await bench.evaluate()
        bench.write("words.py", WORDS.replace("Dear customer", "Hello"))
        await bench.evaluate()
        queries = bench.engine.queries
        before, after = queries.resolve("bench", "v1"), queries.resolve("bench", "v2")
        assert [c.label for c in queries.changes(before, after)] == ["code"]
        assert [t.title for t in queries.texts(before, after)] == ["words.py"]
        bench.write("notes.py", "# nothing imports this")
        await bench.nothing()
        bench.engine.close()


@pytest.mark.parametrize("name", ["later", "by_client"])
async def test_async_functions_and_clients_of_the_gateway_are_traced(tmp_path: Path, name: str) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, python=f"app:{name}")
        ended = await bench.evaluate()
        assert bench.output("one") == "q"
        assert ended.run.provider_calls == 1
        models = [s for s in trace_of(bench).spans if s.kind == "model"]
        assert [s.attributes[a.INPUT_MESSAGES][0]["parts"][0]["content"] for s in models] == ["q"]
        assert models[0].attributes[a.PROVIDER] == "gate"
        bench.engine.close()


async def test_what_a_function_asks_by_its_own_means_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeOpenAI() as server:
        monkeypatch.setenv("FAKE_URL", server.url)
        bench = bench_of(tmp_path, server, python="app:elsewhere", models=None)
        await bench.evaluate()
        assert bench.output("one") == "q"
        (model,) = [s for s in trace_of(bench).spans if s.kind == "model"]
        assert model.attributes[a.MODEL] == "fake"
        assert model.attributes[a.INPUT_TOKENS] == 1
        (item,) = bench.rows()["one"].items
        assert item.model == "python/app:elsewhere"
        output = bench.engine.store.outputs.get(item.output_id or 0)
        assert (output.usage.input_tokens, output.cost_usd) == (1, None)
        bench.engine.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leaves", "SystemExit"),
        ("raises", "KeyError"),
        ("hangs", "took longer than 1 s"),
        ("gives_bytes", "binary data"),
        ("gives_much", "MB"),
        ("dies", "worker"),
    ],
)
async def test_a_function_that_goes_wrong_costs_its_case_alone(tmp_path: Path, name: str, said: str) -> None:
    cases = [{"id": i, "vars": {"question": q}} for i, q in (("one", "q"), ("two", "bad"), ("three", "r"))]
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, cases, python=f"app:{name}", timeout_s=1.0)
        await bench.evaluate()
        rows = bench.rows()
        assert [r.status for r in rows.values()] == ["unscored", "error", "unscored"]
        failure = rows["two"].items[0].failure or ""
        assert said in failure, failure
        assert "Traceback" not in failure
        bench.engine.close()


COMMAND = """
import json, sys
given = json.load(sys.stdin)
question = given["vars"]["question"]
if question == "bad":
    print("not json at all")
elif question == "silent":
    pass
elif question == "fails":
    print("the log says: no disk", file=sys.stderr)
    sys.exit(3)
elif question == "slow":
    import time
    time.sleep(60)
elif question == "ask":
    import os, urllib.request
    body = {"model": given["model"], "messages": [{"role": "user", "content": "from a command"}]}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps(body).encode(), {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
    answer = json.load(urllib.request.urlopen(request))
    print(json.dumps({"output": answer["choices"][0]["message"]["content"]}))
else:
    print(json.dumps({"output": f"{question}!", "context": [{"text": "c", "source": "s"}]}))
"""


async def test_a_command_takes_json_and_gives_json_and_its_faults_are_sentences(tmp_path: Path) -> None:
    questions = ["fine", "bad", "silent", "fails", "slow", "ask"]
    cases = [{"id": q, "vars": {"question": q}} for q in questions]
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, cases, command=[sys.executable, "answer.py"], timeout_s=3.0)
        bench.write("answer.py", COMMAND)
        await bench.evaluate()
        assert bench.output("fine") == "fine!"
        assert bench.output("ask") == "from a command"
        failures = {case: row.items[0].failure or "" for case, row in bench.rows().items()}
        assert "not one JSON value" in failures["bad"]
        assert "not json at all" in failures["bad"]
        assert "printed nothing" in failures["silent"]
        assert "no disk" in failures["fails"]
        assert "3 s" in failures["slow"]
        spans = [(s.kind, s.name) for s in trace_of(bench, "ask").spans]
        assert ("model", "chat fake") in spans
        server.forget()
        bench.replace("answer.py", "{question}!", "{question}?")
        await bench.evaluate()
        assert bench.output("fine") == "fine?"
        bench.engine.close()


ASKS = """
import json, os, sys, urllib.request
given = json.load(sys.stdin)
body = {"model": given["model"], "messages": [{"role": "user", "content": given["vars"]["question"]}]}
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions",
    json.dumps(body).encode(), {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
print(json.dumps(json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]))
"""


@pytest.mark.parametrize(
    "program",
    [
        {"python": "app:by_client"},
        {"python": "app:plainly"},
        {"python": "app:later"},
        {"command": [sys.executable, "asks.py"]},
    ],
)
async def test_waiting_for_its_own_calls_does_not_count_against_its_time(
    tmp_path: Path, program: dict[str, Any]
) -> None:
    """There is one place at the provider: the second waits for it longer than a step may take."""
    cases = [{"id": q, "vars": {"question": q}} for q in ("a", "b")]
    provider = {"retries": 0, "concurrency": 1}
    async with FakeOpenAI(latency_ms=900) as server:
        bench = bench_of(tmp_path, server, cases, **program, timeout_s=1.5)
        bench.write("asks.py", ASKS)
        bench.write("llmops.yaml", json.dumps({"providers": {"gate": {"base_url": server.url, **provider}}}))
        await bench.evaluate()
        assert [row.items[0].failure for row in bench.rows().values()] == [None, None]
        assert [bench.output(q) for q in ("a", "b")] == ["a", "b"]
        bench.engine.close()


async def test_a_function_of_a_chain_runs_once_for_equal_inputs(tmp_path: Path) -> None:
    """An edit of a later step leaves an earlier function alone, also one that costs money."""
    async with FakeOpenAI() as server:
        chain = [
            {"name": "draft", "python": "steps:draft", "arguments": {"topic": "about {{ question }}"}},
            {"name": "answer", "prompt": "prompts/bench.md"},
        ]
        bench = bench_of(tmp_path, server, chain=chain)
        bench.write(
            "steps.py", "def draft(topic, ask):\n    open('log', 'a').write('.')\n    return ask(topic)\n"
        )
        bench.write("prompts/bench.md", "user:\nsay {{ draft }}\n")
        await bench.evaluate()
        assert bench.output("one") == "say about q"
        assert server.count == 2
        bench.write("prompts/bench.md", "user:\ntell {{ draft }}\n")
        await bench.evaluate()
        assert bench.output("one") == "tell about q"
        assert (tmp_path / "log").read_text() == "."
        assert server.count == 3
        step = next(s for s in trace_of(bench).spans if s.name == "draft")
        assert step.attributes[a.CACHED] is True
        inside = [s.kind for s in trace_of(bench).spans if s.parent_id == step.id]
        assert inside == ["function"]
        assert [s.name for s in trace_of(bench).spans if s.kind == "model"] == ["chat fake", "chat fake"]
        await bench.evaluate(fresh=True)
        assert (tmp_path / "log").read_text() == ".."
        bench.engine.close()


async def test_an_edit_of_code_is_told_as_such_where_it_does_something_else(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, python="app:answer")
        await bench.evaluate()
        bench.write("words.py", WORDS.replace("Dear customer", "Hello"))
        await bench.evaluate()
        queries, traces = bench.engine.queries, Traces(bench.engine.store)
        before, after = (traces.of(queries.resolve("bench", v), "one") for v in ("v1", "v2"))
        parting = diff_traces(before, after).parting
        assert parting is not None
        assert parting.span.kind == "function"
        assert [field.name for field in parting.fields] == ["code", "result"]
        bench.engine.close()


async def test_what_a_function_tells_of_its_own_calls_is_in_the_trace(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = bench_of(tmp_path, server, python="told:answer")
        bench.write(
            "told.py",
            "def answer(question):\n"
            "    usage = {'input_tokens': 120, 'output_tokens': 9}\n"
            "    return {'output': question, 'usage': usage, 'cost_usd': 0.0004}\n",
        )
        ended = await bench.evaluate()
        assert ended.run.cost_usd == pytest.approx(0.0004)
        trace = trace_of(bench)
        whole = totals(trace)[trace.root.id]
        assert (whole.input_tokens, whole.output_tokens, whole.cost_usd) == (120, 9, 0.0004)
        bench.engine.close()
