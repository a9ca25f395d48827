"""Traces of outputs: what a plain case keeps, what is stored once, and what never is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import Bench
from fake_collector import Collector, collecting
from fake_openai import Asked, FakeOpenAI, Reply, completion, say, stream

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace, totals
from llmops_tui.engine.traces import Traces
from llmops_tui.workspace.trust import trust

DOCUMENT = "Apples ripen in autumn. " * 25


def of(bench: Bench, case: str = "one", version: str = "latest") -> Trace:
    return Traces(bench.engine.store).of(bench.engine.queries.resolve("bench", version), case)


def span(trace: Trace, kind: str) -> Span:
    (found,) = [s for s in trace.spans if s.kind == kind]
    return found


def with_retrieval(root: Path, url: str, **parts: object) -> Bench:
    return Bench(
        root,
        prompt="user:\n{{ context }}\n\n{{ question }}\n",
        models=["gate/fake"],
        config={"retrieval": {"source": "docs", "top_k": 1}, "params": {"temperature": 0, "stop": "END"}},
        cases=[
            {"id": "one", "vars": {"question": "when do apples ripen"}, "scorers": [{"contains": "autumn"}]},
            {"id": "two", "vars": {"question": "do apples ripen"}, "scorers": [{"contains": "summer"}]},
        ],
        settings={"providers": {"gate": {"base_url": url, "retries": 0}}, **parts},
        files={"docs/apples.md": DOCUMENT},
    )


async def test_a_plain_output_has_each_step_with_what_went_in_and_came_out(tmp_path: Path) -> None:
    usage = {
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }

    def script(asked: Asked) -> Reply:
        return stream(asked, [{"reasoning_content": "hm"}, {"content": "in autumn"}], usage=usage)

    async with FakeOpenAI(script) as server:
        bench = with_retrieval(tmp_path, server.url)
        await bench.evaluate()
        trace = of(bench)
        assert [s.kind for s in trace.spans] == ["request", "retrieval", "prompt", "model", "scorer"]
        retrieval = span(trace, "retrieval").attributes
        assert retrieval[a.QUERY] == "when do apples ripen"
        (chunk,) = retrieval[a.DOCUMENTS]
        assert (chunk["source"], chunk["position"], chunk["content"]) == (
            "docs/apples.md",
            0,
            DOCUMENT.strip(),
        )
        assert chunk["score"] > 0
        prompt = span(trace, "prompt").attributes
        assert prompt[a.TEMPLATE] == "user:\n{{ context }}\n\n{{ question }}\n"
        assert prompt[a.VARIABLES] == {"question": "when do apples ripen"}
        assert "Apples ripen" in prompt[a.INPUT_MESSAGES][0]["parts"][0]["content"]
        model = span(trace, "model").attributes
        assert model[a.INPUT_MESSAGES] == prompt[a.INPUT_MESSAGES]
        assert model[a.OUTPUT_MESSAGES][0]["parts"] == [
            {"type": "reasoning", "content": "hm"},
            {"type": "text", "content": "in autumn"},
        ]
        assert (model[a.REQUEST + "temperature"], model[a.REQUEST + "stop_sequences"]) == (0, ["END"])
        tokens = [model[n] for n in (a.INPUT_TOKENS, a.OUTPUT_TOKENS, a.CACHED_TOKENS, a.REASONING_TOKENS)]
        assert tokens == [20, 5, 8, 3]
        assert model[a.FINISH_REASONS] == ["stop"]
        assert model[a.TIME_TO_FIRST_CHUNK] > 0
        assert model[a.RAW_RESPONSE]["id"] == "chatcmpl-1"
        assert model[a.RAW_RESPONSE]["usage"] == usage
        scorer = span(trace, "scorer").attributes
        assert (scorer[a.EVALUATION], scorer[a.SCORE], scorer[a.SCORE_LABEL]) == ("contains", 1.0, "pass")
        assert trace.root.attributes[a.OUTPUT] == "in autumn"
        assert trace.root.end >= span(trace, "model").end
        assert totals(trace)[trace.root.id].input_tokens == 20
        bench.engine.close()


async def test_large_texts_are_stored_once(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = with_retrieval(tmp_path, server.url)
        await bench.evaluate()
        bench.engine.close()
    connection = sqlite3.connect(tmp_path / ".llmops/llmops.db")
    ((copies,),) = connection.execute(
        "SELECT count(*) FROM blobs WHERE text = ?", (DOCUMENT.strip(),)
    ).fetchall()
    traces = connection.execute("SELECT spans FROM traces").fetchall()
    assert copies == 1
    assert len(traces) == 2
    assert all(len(spans) < 1200 and "Apples" not in spans for (spans,) in traces)


async def test_secrets_are_taken_out_before_anything_is_stored(tmp_path: Path) -> None:
    secret = "sk-very-secret-9876"

    def script(asked: Asked) -> Reply:
        results = [m["content"] for m in asked.body["messages"] if m["role"] == "tool"]
        if results:
            return say(asked, f"it is {results[0]}")
        call = {
            "id": "c",
            "type": "function",
            "function": {"name": "look", "arguments": f'{{"key": "{secret}"}}'},
        }
        return completion(asked, {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")

    async with FakeOpenAI(script) as server:
        bench = Bench(
            tmp_path,
            models=["gate/fake"],
            config={"tools": ["look"]},
            cases=[{"id": "one", "vars": {"question": f"use {secret}"}}],
            settings={"providers": {"gate": {"base_url": server.url, "api_key": "${OUR_KEY}"}}},
            files={
                ".env": f"OUR_KEY={secret}\n",
                "tools.py": "def look(key: str) -> dict:\n    return {'was': key, 'again': [key]}\n",
            },
        )
        trust(tmp_path)
        await bench.evaluate()
        trace = of(bench)
        assert span(trace, "tool").attributes[a.TOOL_RESULT] == {"was": "[redacted]", "again": ["[redacted]"]}
        assert span(trace, "tool").attributes[a.TOOL_ARGUMENTS] == {"key": "[redacted]"}
        bench.engine.close()
    for file in (tmp_path / ".llmops").glob("llmops.db*"):
        assert secret.encode() not in file.read_bytes(), file


async def test_a_case_that_errs_has_the_trace_of_how_far_it_came(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return Reply(500, {}, [b'{"error": {"message": "the disk is full"}}'])

    async with FakeOpenAI(script) as server:
        bench = with_retrieval(tmp_path, server.url)
        await bench.evaluate()
        trace = of(bench)
        assert [s.kind for s in trace.spans] == ["request", "retrieval", "prompt", "model"]
        assert [s.status for s in trace.spans] == ["error", "ok", "ok", "error"]
        assert "the disk is full" in trace.root.error
        bench.engine.close()


async def test_a_call_from_the_cache_takes_as_long_as_it_did(tmp_path: Path) -> None:
    async with FakeOpenAI(latency_ms=200) as server:
        bench = with_retrieval(tmp_path, server.url)
        await bench.evaluate()
        first = span(of(bench), "model").length_s
        # Another name of the folder is another version, which asks the very same.
        (tmp_path / "docs").rename(tmp_path / "texts")
        bench.configure(retrieval={"source": "texts", "top_k": 1})
        server.forget()
        await bench.evaluate()
        assert server.count == 0
        again = of(bench)
        assert span(again, "model").length_s == pytest.approx(first, abs=1e-4)
        assert again.root.length_s >= first
        bench.engine.close()


async def test_an_output_of_an_older_release_has_as_much_of_a_trace_as_is_known(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = with_retrieval(tmp_path, server.url)
        await bench.evaluate()
        whole = of(bench)
        bench.engine.close()
        connection = sqlite3.connect(tmp_path / ".llmops/llmops.db")
        connection.execute("DELETE FROM traces")
        connection.commit()
        connection.close()
        bench = Bench.__new__(Bench)
        from llmops_tui.engine.engine import Engine

        bench.engine = Engine.open(tmp_path)
        trace = of(bench)
        assert [s.kind for s in trace.spans] == ["request", "retrieval", "prompt", "model", "scorer"]
        for kind, name in (("retrieval", a.DOCUMENTS), ("model", a.OUTPUT_MESSAGES)):
            assert span(trace, kind).attributes[name] == span(whole, kind).attributes[name]
        bench.engine.close()


async def test_what_a_judge_asked_is_within_its_scorer(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = Bench(
            tmp_path,
            models=["gate/fake"],
            cases=[{"id": "one", "vars": {"question": "be polite"}, "scorers": [{"judge": "is it polite?"}]}],
            settings={
                "providers": {"gate": {"base_url": server.url}},
                "judges": {"default": {"model": "gate/judge-keyword"}},
            },
        )
        await bench.evaluate()
        trace = of(bench)
        scorer = span(trace, "scorer")
        inside = [s for s in trace.spans if s.parent_id == scorer.id]
        assert [s.kind for s in inside] == ["model"]
        assert inside[0].attributes[a.MODEL] == "judge-keyword"
        bench.engine.close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("NO_PROXY", "*")
    with collecting() as found:
        yield found


async def test_traces_are_sent_while_a_run_is_under_way(tmp_path: Path, collector: Collector) -> None:
    async with FakeOpenAI() as server:
        bench = with_retrieval(
            tmp_path, server.url, tracing={"otlp": {"endpoint": collector.url, "live": True}}
        )
        await bench.evaluate()
        bench.engine.close()
    names = collector.names
    assert names.count("chat fake") == 2
    assert names.count("retrieval docs") == 2


async def test_a_retrieval_by_vectors_embeds_and_says_so(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        bench = with_retrieval(tmp_path, server.url)
        bench.configure(
            retrieval={"source": "docs", "top_k": 1, "method": "hybrid", "embedding": "gate/embed-fake"}
        )
        await bench.evaluate()
        embeddings = [s for s in of(bench).spans if s.kind == "embedding"]
        assert embeddings
        assert embeddings[0].attributes[a.MODEL] == "embed-fake"
        assert span(of(bench), "retrieval").attributes[a.METHOD] == "hybrid"
        bench.engine.close()


def test_a_secret_is_found_in_every_form_in_which_it_may_stand() -> None:
    import json
    from urllib.parse import quote, quote_plus

    from llmops_tui.domain.redact import MARK, Redactor

    secret = 'pä"ss\\wörd/1 2'
    redactor = Redactor([secret, "918273645"])
    forms = [
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        json.dumps(json.dumps(secret)),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    ]
    for form in forms:
        assert "rd" not in redactor.redact(form), form
    told = redactor.redact_json({"pin": 918273645, "other": 5, "is": True, secret: [secret]})
    assert told == {"pin": MARK, "other": 5, "is": True, MARK: [MARK]}
