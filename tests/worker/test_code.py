"""The workspace's Python: given what it asks for, held to its time, never able to end the worker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator

import pytest

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score
from llmops_tui.worker.code import Limit, WorkspaceCode, arguments

CASE = Case("greet", {"name": "Ann"}, expected="Hello Ann", tags=("t",))
OUTPUT = Output("Hello Ann!", latency_s=0.5)
Make = Callable[..., WorkspaceCode]


@pytest.fixture
def code() -> Iterator[Make]:
    made: list[WorkspaceCode] = []

    def make(source: str, timeout_s: float = 5.0, **others: str) -> WorkspaceCode:
        made.append(WorkspaceCode({"scorers": source, **others}, "/nowhere", timeout_s))
        return made[-1]

    yield make
    for finder in made:
        sys.meta_path.remove(finder)
    for name in ("scorers", "wording"):
        sys.modules.pop(name, None)


async def score(code: WorkspaceCode, name: str = "mine", **options: object) -> Score:
    return await code.score(ScorerUse(name, options, label=name), OUTPUT, CASE)


async def test_a_function_gets_what_it_names(code: Make) -> None:
    source = "def mine(output, expected, vars): return output.startswith(expected) and vars['name'] == 'Ann'"
    assert (await score(code(source))).passed is True


async def test_options_are_given_by_name(code: Make) -> None:
    source = "def mine(output, least=1): return len(output) >= least"
    ours = code(source)
    assert (await score(ours, least=5)).passed is True
    assert (await score(ours, least=50)).passed is False


async def test_an_async_function_is_awaited(code: Make) -> None:
    assert (await score(code("async def mine(output): return 0.5"))).value == 0.5


async def test_it_may_import_other_modules_of_the_workspace(code: Make) -> None:
    ours = code(
        "from wording import polite\ndef mine(output): return polite(output)",
        wording="def polite(t): return 'Hello' in t",
    )
    assert (await score(ours)).passed is True


async def test_what_it_raises_is_an_error_with_its_line_not_a_zero(code: Make) -> None:
    made = await score(code("\n\ndef mine(output):\n    return 1 / 0\n"))
    assert made.value is None
    assert made.passed is None
    assert made.error == "scorers.py:4 ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def mine(output): raise SystemExit(3)", "SystemExit: 3"),
        ("import sys\ndef mine(output): sys.exit('bye')", "SystemExit: bye"),
        ("def mine(output): return 'rubbish'", ""),
        ("def mine(output): return 10**400", "must be between 0 and 1"),
        ("def mine(output): raise ValueError('half \\ud83d')", "ValueError: half \ufffd"),
        ("def other(): pass", "mine"),
        ("def mine(outptu): return True", "asks for 'outptu'"),
        ("def mine(:", "scorers.py:1 SyntaxError"),
        ("import no_such_module\ndef mine(output): return 1", "no_such_module"),
    ],
)
async def test_whatever_it_does_is_that_scores_error(code: Make, source: str, said: str) -> None:
    made = await score(code(source))
    assert made.error is not None
    assert said in made.error


async def test_one_that_hangs_is_an_error_after_its_time(code: Make) -> None:
    ours = code("import threading\ndef mine(output): threading.Event().wait()", timeout_s=0.05)
    made = await score(ours)
    assert made.error is not None
    assert "took longer than 0.05 s" in made.error
    assert ours.has_stuck


def test_an_option_that_it_does_not_take_is_said() -> None:
    with pytest.raises(TypeError, match="takes no option 'strict'"):
        arguments(lambda output: True, {"output": "x"}, {"strict": True})


async def run_out(limit_s: float) -> None:
    """Until a limit of its own is over."""
    with pytest.raises(TimeoutError):
        async with Limit(limit_s).running():
            await asyncio.Event().wait()


async def test_a_limits_clock_stands_still_while_calls_are_under_way() -> None:
    limit = Limit(0.05)
    async with limit.running():
        with limit.paused():
            with limit.paused():
                await run_out(0.1)
            await run_out(0.1)  # one of two is still under way


async def test_a_limits_clock_goes_on_after_a_call() -> None:
    async def work() -> None:
        async with limit.running():
            with limit.paused():
                await run_out(0.1)
            await asyncio.Event().wait()

    limit = Limit(0.05)
    with pytest.raises(TimeoutError):
        await work()


async def test_a_call_that_was_under_way_before_the_clock_started_stops_it() -> None:
    limit = Limit(0.05)
    with limit.paused():
        async with limit.running():
            await run_out(0.1)


async def test_a_call_that_ends_after_the_time_is_over_changes_nothing() -> None:
    async def work() -> None:
        async with limit.running():
            try:
                await asyncio.Event().wait()
            finally:
                with limit.paused():
                    pass

    limit = Limit(0.05)
    with pytest.raises(TimeoutError):
        await work()
