"""Recorded tools: run once for equal arguments, also where several cases ask for them at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from llmops_tui.domain import messages as m
from llmops_tui.domain.case import Case
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import Program, PromptStep, Step, ToolUse
from llmops_tui.domain.redact import Redactor
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.execution import Execution
from llmops_tui.worker.links import Links
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.tooling import ToolCalled, Tooling

TOOLS = """
import itertools, threading

numbers, may_end, failures = itertools.count(1), threading.Event(), ["the first time"]

def number(of: str) -> dict:
    return {"of": of, "number": next(numbers)}

def slow(of: str) -> int:
    n = next(numbers)
    began.set()
    may_end.wait()
    return n

def fails(of: str) -> int:
    if failures:
        raise RuntimeError(failures.pop())
    return next(numbers)

def tells() -> str:
    return "the key is s3cr3t-value"

began = threading.Event()

def has_begun() -> bool:
    return began.wait(5)

def let_go() -> None:
    may_end.set()
"""
RECORDED = ("number", "slow", "fails", "tells")
LIVE = ("has_begun", "let_go")


class Shop:
    """A worker's resources with an engine's record, `kept`; each `call` is of another case."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.links = Links(self.send)
        self.code = WorkspaceCode({}, "/nowhere", 5.0)
        redactor = Redactor(("s3cr3t-value",))
        calls = Calls(_none, self.links, redactor)
        blobs = {"hash": TOOLS}
        self.resources = Resources(blobs, calls, self.code, redactor, self.links, _none, "/nowhere")

    def send(self, message: m.FromWorker) -> None:
        """JSON goes there and back, as on the wire."""
        if isinstance(message, m.FindMade):
            self.links.answer(m.FoundMade(message.lookup, self.kept.get(message.key)))
        elif isinstance(message, m.Made):
            self.kept.setdefault(message.key, msgspec.json.decode(msgspec.json.encode(message.result)))

    async def call(self, name: str, **arguments: Any) -> ToolCalled:
        tools = tuple(ToolUse(n, "recorded") for n in RECORDED) + tuple(ToolUse(n) for n in LIVE)
        program = Program((Step("", PromptStep("", tools=tools)),), code={"tools.py": "hash"})
        execution = Execution(
            m.Evaluate(1, program, Model("echo/echo", "echo", "echo", "echo"), Case("one", {}))
        )
        tooling = Tooling(self.resources, execution, "", tools)
        return await tooling.call("", name, arguments, execution.tracer.root)


def _none(_: Any) -> Any:
    raise AssertionError("no model is asked here")


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    yield made
    await made.resources.close()


async def test_cases_that_ask_at_the_same_time_get_the_same(shop: Shop) -> None:
    called = await asyncio.gather(*(shop.call("number", of="x") for _ in range(5)))
    assert [each.value for each in called] == [{"of": "x", "number": 1}] * 5
    assert (await shop.call("number", of="x")).value == {"of": "x", "number": 1}


async def test_other_arguments_are_another_call(shop: Shop) -> None:
    called = await asyncio.gather(*(shop.call("number", of=of) for of in "xyx"))
    assert sorted({each.value["number"] for each in called}) == [1, 2]
    assert called[0].value == called[2].value


@pytest.mark.parametrize("name", ["number", "tells"])
async def test_the_first_is_told_what_later_ones_are_to_the_letter(shop: Shop, name: str) -> None:
    arguments = {"of": "x"} if name == "number" else {}
    first = await shop.call(name, **arguments)
    again = await shop.call(name, **arguments)
    assert not first.error
    assert (first.text, first.value) == (again.text, again.value)
    assert "s3cr3t" not in first.text


async def test_a_case_that_is_cancelled_leaves_the_call_to_those_that_wait(shop: Shop) -> None:
    first = asyncio.create_task(shop.call("slow", of="x"))
    others = [asyncio.create_task(shop.call("slow", of="x")) for _ in range(2)]
    assert (await shop.call("has_begun")).value is True
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await shop.call("let_go")
    assert [each.value for each in await asyncio.gather(*others)] == [1, 1]


async def test_who_asks_after_all_were_cancelled_has_it_run_anew(shop: Shop) -> None:
    first = asyncio.create_task(shop.call("slow", of="x"))
    assert (await shop.call("has_begun")).value is True
    first.cancel()
    again = asyncio.create_task(shop.call("slow", of="x"))
    with pytest.raises(asyncio.CancelledError):
        await first
    await shop.call("let_go")
    assert (await again).value == 2


async def test_an_error_is_not_kept(shop: Shop) -> None:
    failed = await asyncio.gather(*(shop.call("fails", of="x") for _ in range(2)))
    assert all("RuntimeError: the first time" in each.error for each in failed)
    assert (await shop.call("fails", of="x")).value == 1
