"""What a program writes down with decorators and `with` blocks is what the collector gets."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from log_collector import LogCollector, attributes

from llmops_tui import log
from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import SIGNAL_KINDS
from llmops_tui.domain.live.request import begin, fold
from llmops_tui.log.signals import KINDS
from llmops_tui.monitoring.collector import read_signals
from llmops_tui.tracing.incoming import read_otlp


def test_a_decorated_function_is_a_request_with_what_went_in_and_out(collector: LogCollector) -> None:
    @log.request(feature="refunds")
    def answer(question: str, language: str = "en") -> str:
        """Answers."""
        log.current().about(user="u-1", session="s-1", version="v12", plan="pro")
        return f"{question}?"

    assert answer("how", language="de") == "how?"
    assert (answer.__name__, answer.__doc__) == ("answer", "Answers.")
    assert log.flush()

    (span,) = collector.spans
    said = attributes(span)
    assert said[a.INPUT] == {"question": "how", "language": "de"}
    assert said[a.OUTPUT] == "how?"
    assert [said[n] for n in (a.FEATURE, a.USER, a.SESSION, a.VERSION)] == ["refunds", "u-1", "s-1", "v12"]
    assert said[a.METADATA] == {"plan": "pro"}
    assert span["parentSpanId"] == ""
    assert len(span["traceId"]) == 32
    assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"])


def test_steps_are_nested_by_where_they_are_made(collector: LogCollector) -> None:
    @log.step
    def rewrite(text: str) -> str:
        with log.current().model("small", text) as call:
            call.output("better").usage(3, 4, 0.01)
        return "better"

    with log.request("answer", feature="refunds", user="u") as r:
        r.input("q")
        with r.step("prepare") as step:
            rewrite("q")
            r.tool("clock", {"zone": "UTC"}, "12:00")
        with r.retrieval("q", source="handbook") as found:
            found.output(["one", {"id": "c2", "content": "two", "score": 0.5}])
        r.guardrail("pii", triggered=True, action="redact")
        r.output("a")
    assert log.flush()

    spans = {s["name"]: s for s in collector.spans}
    rewritten = next(s for name, s in spans.items() if name.endswith("rewrite"))
    parents = {name: s["parentSpanId"] for name, s in spans.items()}
    assert parents["answer"] == ""
    assert parents["prepare"] == parents["retrieval handbook"] == parents["pii"] == spans["answer"]["spanId"]
    assert rewritten["parentSpanId"] == parents["execute_tool clock"] == step.id
    assert parents["chat small"] == rewritten["spanId"]
    assert len({s["traceId"] for s in collector.spans}) == 1
    call = attributes(spans["chat small"])
    assert call[a.INPUT_MESSAGES] == [{"role": "user", "parts": [{"type": "text", "content": "q"}]}]
    assert (call[a.INPUT_TOKENS], call[a.OUTPUT_TOKENS], call[a.COST]) == (3, 4, 0.01)
    documents = attributes(spans["retrieval handbook"])[a.DOCUMENTS]
    assert [d["content"] for d in documents] == ["one", "two"]
    assert attributes(spans["pii"])[a.ACTION] == "redact"


def test_an_answer_of_a_provider_is_read_for_model_tokens_and_calls(collector: LogCollector) -> None:
    @dataclass
    class Answer:  # as a client's class is
        id: str
        model: str
        choices: list[Any]
        usage: dict[str, Any]

    call = {"id": "c1", "function": {"name": "look", "arguments": '{"at": "moon"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = Answer(
        "id1", "served", [{"message": message, "finish_reason": "tool_calls"}], {"prompt_tokens": 7}
    )
    with log.request("ask") as r:
        r.model("asked", [{"role": "user", "content": "hi"}], answer, temperature=0.5)
    assert log.flush()
    said = attributes(collector.span("chat asked"))
    part = {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": "moon"}}
    assert said[a.OUTPUT_MESSAGES] == [{"role": "assistant", "parts": [part]}]
    assert (said[a.RESPONSE_MODEL], said[a.INPUT_TOKENS]) == ("served", 7)
    assert (said[a.FINISH_REASONS], said["gen_ai.request.temperature"]) == (["tool_calls"], 0.5)


def test_an_error_is_recorded_and_the_very_same_is_raised(collector: LogCollector) -> None:
    error = ValueError("no such order")

    @log.request
    def fails() -> None:
        raise error

    with pytest.raises(ValueError, match="no such order") as caught:
        fails()
    assert caught.value is error
    assert log.flush()
    (span,) = collector.spans
    assert span["status"] == {"code": 2, "message": "no such order"}
    assert attributes(span)[a.ERROR_TYPE] == "ValueError"


async def test_requests_of_tasks_at_the_same_time_stay_apart(collector: LogCollector) -> None:
    gate = asyncio.Barrier(3)

    @log.request
    async def answer(n: int) -> int:
        await gate.wait()
        with log.current().step(f"inner {n}"):
            await gate.wait()
        return n

    assert await asyncio.gather(*(answer(n) for n in range(3))) == [0, 1, 2]
    assert await asyncio.to_thread(log.flush)
    roots = {s["spanId"]: s for s in collector.spans if not s["parentSpanId"]}
    inner = [s for s in collector.spans if s["parentSpanId"]]
    assert len(roots) == len(inner) == 3
    for span in inner:
        assert attributes(roots[span["parentSpanId"]])[a.INPUT] == int(span["name"][-1])


async def test_a_recipe_that_tasks_share_ends_each_ones_own(collector: LogCollector) -> None:
    shared = log.request("answer")
    first_is_in, second_is_in = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        with shared as r:
            first_is_in.set()
            await second_is_in.wait()
            r.output("first")

    async def second() -> None:
        await first_is_in.wait()
        with shared as r:
            second_is_in.set()
            await asking
            r.output("second")

    asking = asyncio.create_task(first())
    await asyncio.gather(asking, second())
    assert log.flush(20)
    assert [attributes(span).get(a.OUTPUT) for span in collector.spans] == ["first", "second"]


def test_a_thread_goes_on_with_the_request_that_it_was_started_for(collector: LogCollector) -> None:
    @log.step
    def look(n: int) -> int:
        return n

    with log.request("answer") as r, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(log.carry(look), range(3))) == [0, 1, 2]
        thread = threading.Thread(
            target=lambda: r.tool("by hand", {}, "x")
        )  # the span itself knows its parent
        thread.start()
        thread.join()
    assert log.flush()
    assert [s["parentSpanId"] for s in collector.spans] == [r.id] * 4 + [""]


def test_what_was_left_open_ends_with_its_request(collector: LogCollector) -> None:
    with log.request("answer") as r:
        r.model("m", "q")
    assert log.flush()
    assert {s["name"] for s in collector.spans} == {"answer", "chat m"}


def test_what_is_said_after_the_end_changes_nothing(collector: LogCollector) -> None:
    with log.request("answer") as r:
        r.output("said")
    r.output("late").about(user="late").error("late").first_token()
    r.end()
    assert log.flush()
    (span,) = collector.spans
    assert attributes(span)[a.OUTPUT] == "said"
    assert not {a.USER, a.TIME_TO_FIRST_CHUNK} & attributes(span).keys()
    assert "status" not in span


def test_signals_name_the_request_they_are_about(collector: LogCollector) -> None:
    with log.request("answer") as r:
        r.signal("thumb", 0, comment="wrong")
        log.signal("copy")
    log.signal("rating", 0.8, trace=r.trace_id)
    log.signal("retry", session="s-1", user="u-1")
    assert log.flush()
    assert [s["kind"] for s in collector.signals] == ["thumb", "copy", "rating", "retry"]
    assert [s.get("trace_id") for s in collector.signals] == [r.trace_id] * 3 + [None]
    assert collector.signals[0]["comment"] == "wrong"
    assert collector.signals[3]["session"] == "s-1"
    assert len({s["id"] for s in collector.signals}) == 4


def test_where_it_comes_from_is_said_once(collector: LogCollector) -> None:
    log.setup(service="shop", environment="staging", token="t0ken")
    with log.request("answer"):
        pass
    assert log.flush()
    assert collector.resources == [{"service.name": "shop", "deployment.environment.name": "staging"}]
    assert collector.requests[0][1]["Authorization"] == "Bearer t0ken"


def test_a_signal_that_the_collector_would_refuse_is_not_sent(collector: LogCollector) -> None:
    trace = "ab" * 16
    log.signal("clap", 1, trace=trace)
    log.signal("rating", 5, trace=trace)
    log.signal("rating", trace=trace)
    log.signal("thumb", 0.5, trace=trace)
    log.signal("copy", trace="not an id")
    log.signal("copy")
    assert log.problems().refused == 6
    log.signal("edit", original="one two", edited="one three", trace=trace)
    assert log.flush()
    (signal,) = collector.signals
    assert (signal["original"], signal["edited"]) == ("one two", "one three")


def test_ids_that_are_no_texts_are_sent_as_texts(collector: LogCollector) -> None:
    class Name(str):
        __slots__ = ()

    log.signal("retry", session=42, user=7)  # type: ignore[arg-type]
    log.signal("copy", session=uuid.UUID(int=5), feature=Name("refunds"))  # type: ignore[arg-type]
    log.signal("thumb", 1, session="s")
    assert log.flush(20)
    assert collector.signals[0].items() >= {"session": "42", "user": "7"}.items()
    assert collector.signals[1].items() >= {"session": str(uuid.UUID(int=5)), "feature": "refunds"}.items()
    assert len(read_signals(json.dumps(collector.signals).encode(), 0.0)) == 3


def test_the_kinds_of_signals_are_those_of_the_collector() -> None:
    assert KINDS == SIGNAL_KINDS


def test_the_collector_understands_what_is_written(collector: LogCollector) -> None:
    with log.request("answer", feature="refunds", user="u", session="s", version="v3", config="qa") as r:
        r.input("how long?")
        r.retrieval("how long", ["14 days"], source="handbook")
        r.model("m", "how long?", "14 days", provider="openai", input_tokens=5, output_tokens=2)
        r.embedding("e", ["how long?"], input_tokens=3).end()
        r.tool("clock", {"zone": "UTC"}, "12:00")
        r.guardrail("pii", triggered=True)
        r.step("format").end()
        r.output("14 days").signal("thumb", 0, comment="too short")
    assert log.flush()
    batch = read_otlp(json.dumps(collector.bodies[0]).encode(), is_json=True)
    assert batch.aside == []
    kinds = {arrived.span.name: arrived.span.kind for arrived in batch.spans}
    assert kinds == {
        "answer": "request",
        "retrieval handbook": "retrieval",
        "chat m": "model",
        "embeddings e": "embedding",
        "execute_tool clock": "tool",
        "pii": "guardrail",
        "format": "step",
    }
    folded = fold(begin(r.trace_id), [arrived.span for arrived in batch.spans])
    assert (folded.feature, folded.user, folded.session, folded.version) == ("refunds", "u", "s", "v3")
    assert (folded.input, folded.output, folded.model) == ("how long?", "14 days", "m")
    assert (folded.input_tokens, folded.output_tokens) == (8, 2)
    assert folded.guardrails == {"pii": (1, 1)}
    (thumb,) = read_signals(json.dumps(collector.signals).encode(), 0.0)
    assert (thumb.trace_id, thumb.value, thumb.comment) == (r.trace_id, 0.0, "too short")
