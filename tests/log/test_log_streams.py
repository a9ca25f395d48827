"""Generators and streams behave as if nobody watched, and their spans hold what they said."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from log_collector import LogCollector, attributes

from llmops_tui import log
from llmops_tui.domain import semconv as a
from llmops_tui.log.context import CURRENT


def _echo() -> Any:
    """Gives back what is sent, survives a KeyError, returns at None."""
    heard: list[Any] = []
    said: Any = "ready"
    while True:
        try:
            got = yield said
        except KeyError as error:
            said = f"caught {error.args[0]}"
            continue
        if got is None:
            return heard
        heard.append(got)
        said = got


def _conversation(generator: Any) -> list[Any]:
    steps = [next(generator), generator.send(1), generator.throw(KeyError("k")), generator.send(2)]
    try:
        generator.send(None)
    except StopIteration as stop:
        steps.append(stop.value)
    return steps


def test_a_generator_takes_what_is_sent_and_thrown_and_gives_its_value(collector: LogCollector) -> None:
    watched = log.request("echo")(_echo)
    assert inspect.isgeneratorfunction(watched)
    assert _conversation(watched()) == _conversation(_echo())
    other = watched()
    next(other)
    with pytest.raises(OSError, match="mine"):
        other.throw(OSError("mine"))
    assert log.flush()
    assert [s.get("status", {}).get("code") for s in collector.spans] == [None, 2]


def test_an_abandoned_generator_is_closed_and_its_span_ends_without_an_error(collector: LogCollector) -> None:
    closed = []

    @log.request("tokens")
    def tokens() -> Iterator[str]:
        try:
            yield from ("one ", "two ", "three")
        finally:
            closed.append(True)

    generator = tokens()
    assert [next(generator), next(generator)] == ["one ", "two "]
    assert CURRENT.get() is None  # between two items its caller is not inside of it
    generator.close()
    assert closed == [True]
    assert log.flush()
    (span,) = collector.spans
    assert "status" not in span
    assert attributes(span)[a.OUTPUT] == "one two "
    assert attributes(span)[a.TIME_TO_FIRST_CHUNK] >= 0


def test_steps_made_in_a_generator_are_its_own(collector: LogCollector) -> None:
    @log.request("tokens")
    def tokens() -> Iterator[int]:
        for n in range(2):
            log.current().tool(f"t{n}", {}, n)
            yield n

    with log.request("outer") as outer:
        for n in tokens():
            log.current().tool(f"reader {n}", {}, n)
    assert log.flush()
    inner = collector.span("tokens")
    parents = {s["name"]: s["parentSpanId"] for s in collector.spans}
    assert parents["execute_tool t0"] == parents["execute_tool t1"] == inner["spanId"]
    assert parents["execute_tool reader 0"] == parents["execute_tool reader 1"] == outer.id


async def test_an_async_generator_is_passed_on_faithfully(collector: LogCollector) -> None:
    async def echo() -> Any:
        said: Any = "ready"
        while True:
            try:
                said = yield said
            except KeyError:
                said = "caught"
            if said == "stop":
                return

    watched = log.request("echo")(echo)
    assert inspect.isasyncgenfunction(watched)
    generator = watched()
    said = [await anext(generator), await generator.asend(1), await generator.athrow(KeyError("k"))]
    assert said == ["ready", 1, "caught"]
    with pytest.raises(StopAsyncIteration):
        await generator.asend("stop")

    left = watched()
    await anext(left)
    await left.aclose()
    assert await asyncio.to_thread(log.flush)
    assert [attributes(span)[a.OUTPUT] for span in collector.spans] == [["ready", 1, "caught"], "ready"]
    assert not any("status" in span for span in collector.spans)


def _chunks() -> list[dict[str, Any]]:
    calls = [
        {"index": 0, "id": "c1", "function": {"name": "look", "arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ": 1}"}},
    ]
    return [
        {"id": "x", "model": "served", "choices": [{"delta": {"role": "assistant", "content": "Hel"}}]},
        {"id": "x", "choices": [{"delta": {"content": "lo"}}]},
        *({"id": "x", "choices": [{"delta": {"tool_calls": [call]}}]} for call in calls),
        {"id": "x", "choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"id": "x", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    ]


def _said(collector: LogCollector) -> dict[str, Any]:
    said = attributes(collector.span("chat m"))
    assert said[a.TIME_TO_FIRST_CHUNK] >= 0
    (message,) = said[a.OUTPUT_MESSAGES]
    assert message["parts"] == [
        {"type": "text", "content": "Hello"},
        {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"a": 1}},
    ]
    assert (said[a.INPUT_TOKENS], said[a.OUTPUT_TOKENS], said[a.RESPONSE_MODEL]) == (3, 2, "served")
    return said


def test_a_stream_of_a_client_is_put_together(collector: LogCollector) -> None:
    class Stream:
        def __init__(self) -> None:
            self.closed = False

        def __iter__(self) -> Iterator[Any]:
            return iter(_chunks())

        def close(self) -> None:
            self.closed = True

    stream = Stream()
    with log.request("ask") as r, r.model("m", "hi") as call:
        watched = call.stream(stream)
        assert list(watched) == _chunks()
        watched.close()
    assert stream.closed
    assert log.flush()
    _said(collector)


async def test_an_async_stream_of_a_client_is_put_together(collector: LogCollector) -> None:
    async def stream() -> AsyncIterator[Any]:
        for chunk in _chunks():
            yield chunk

    async with log.request("ask") as r, r.model("m", "hi") as call:
        assert [chunk async for chunk in call.stream(stream())] == _chunks()
    assert await asyncio.to_thread(log.flush)
    _said(collector)
