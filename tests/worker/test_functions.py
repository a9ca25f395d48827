"""A team's own function as a step: what it is given, what it may give back, and how it may fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from llmops_tui.domain.call import Call, ChatRequest, Draw, Failure
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Chunk
from llmops_tui.providers.base import CallFailed
from llmops_tui.worker.code import CodeError, WorkspaceCode
from llmops_tui.worker.functions import Ask, Functions
from llmops_tui.worker.modules import ModuleSet
from llmops_tui.worker.results import StepResult

KNOWN: dict[str, Any] = {
    "vars": {"question": "why?"},
    "question": "why?",
    "model": "echo/echo",
    "case_id": "one",
}


class Bench:
    """Calls `app:answer` of a source."""

    def __init__(self, timeout_s: float) -> None:
        self.code = WorkspaceCode({}, "/nowhere", 10.0)
        self.timeout_s = timeout_s
        self.asked: list[tuple[Any, dict[str, Any]]] = []
        self.sets: list[ModuleSet] = []
        self.functions: list[Functions] = []

    async def __call__(self, source: str, given: dict[str, Any] | None = None, **known: Any) -> StepResult:
        self.sets.append(ModuleSet({"app.py": source}, "/nowhere"))
        self.functions.append(Functions(self.sets[-1], self.code))
        return await self.again(given, **known)

    async def again(self, given: dict[str, Any] | None = None, **known: Any) -> StepResult:
        everything = {**KNOWN, "ask": Ask(self.send, asyncio.get_running_loop()), **known}
        return await self.functions[-1].call("app:answer", everything, given or {}, self.timeout_s)

    async def send(self, messages: tuple[dict[str, Any], ...], params: dict[str, Any]) -> Call:
        self.asked.append((messages, params))
        said = messages[-1]["content"]
        if said == "fail":
            raise CallFailed(Failure("auth", "gateway refused the key"))
        if said == "never":
            await asyncio.Event().wait()
        return Call("k", Draw(), "echo/echo", ChatRequest(messages, params), f"you said {said}")


@pytest.fixture
async def answer() -> AsyncIterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(timeout_s: float = 5.0) -> Bench:
        made.append(Bench(timeout_s))
        return made[-1]

    yield make
    for bench in made:
        for functions in bench.functions:
            functions.close()
        for modules in bench.sets:
            modules.close()


Make = Callable[..., Bench]


async def test_it_gets_what_it_asks_for_by_name(answer: Make) -> None:
    made = await answer()("def answer(question, vars, model): return f'{question} {vars} {model}'")
    assert made.text == "why? {'question': 'why?'} echo/echo"


async def test_arguments_of_the_step_go_before_what_is_known(answer: Make) -> None:
    made = await answer()(
        "def answer(question, style='dry'): return f'{question} {style}'", {"style": "kind"}
    )
    assert made.text == "why? kind"
    with pytest.raises(CodeError, match="takes no option 'stlye'"):
        await answer()("def answer(question): return ''", {"stlye": "kind"})


async def test_a_parameter_that_nobody_gives_is_named(answer: Make) -> None:
    with pytest.raises(CodeError, match="asks for 'qestion'; known are ask, case_id"):
        await answer()("def answer(qestion): return ''")


@pytest.mark.parametrize(
    ("returned", "text", "value"),
    [
        ("'plain'", "plain", "plain"),
        ("''", "", ""),
        ("{'a': [1, 2.5, None, True]}", '{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        ("(1, 2)", "[1, 2]", [1, 2]),
        ("0", "0", 0),
        ("{'output': {'label': 'x'}}", '{"label": "x"}', {"label": "x"}),
        ("'half \\ud83d'", "half \ufffd", "half \ufffd"),
    ],
)
async def test_texts_and_json_are_answers(answer: Make, returned: str, text: str, value: Any) -> None:
    made = await answer()(f"def answer(): return {returned}")
    assert (made.text, made.value) == (text, value)


async def test_a_mapping_tells_what_was_retrieved_called_and_used(answer: Make) -> None:
    made = await answer()("""
def answer():
    return {
        "output": "yes",
        "context": ["bare", {"text": "t", "source": "docs/a.md", "score": 2}],
        "tool_calls": [{"name": "search", "arguments": {"q": "x"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        "cost_usd": 0.5,
    }
""")
    assert made.text == "yes"
    assert made.chunks == (Chunk("", "bare", 0.0, 0), Chunk("docs/a.md", "t", 2.0, 1))
    assert made.tool_calls[0]["function"] == {"name": "search", "arguments": '{"q": "x"}'}
    assert made.usage == Usage(3, 4)
    assert made.cost_usd == 0.5


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "app:answer gave None; return a text"),
        ("b'abc'", "gave 3 bytes of binary data, which JSON does not have; decode it to a text"),
        (
            "{'a': [1, {2, 3}]}",
            "gave a value of the type set at a[1], which JSON does not have; give a sorted list",
        ),
        ("object()", "gave a value of the type object"),
        ("answer", "gave a value of the type function"),
        ("float('nan')", "gave nan; JSON has no such number"),
        ("{1: 2}", "gave a mapping with the key 1; keys must be texts"),
        ("'x' * 11_000_000", "gave 11.0 MB; at most 10 MB are kept"),
        ("(lambda a: (a.append(a), a)[1])([])", "nested more than 200 deep"),
        ("{'output': 'x', 'contxt': []}", "gave 'contxt' beside 'output'; did you mean 'context'?"),
        ("{'output': None}", "gave None as 'output'"),
        ("{'output': 'x', 'context': 'y'}", "gave \"y\" as 'context'; give a list"),
        ("{'output': 'x', 'context': [{'txt': 1}]}", "as context[0]; give a text"),
        ("{'output': 'x', 'usage': {'input_tokens': -1}}", "gave -1 as usage.input_tokens"),
        ("{'output': 'x', 'tool_calls': [1]}", "gave 1 as tool_calls[0]; give {name, arguments}"),
        ("(x for x in 'ab')", "is a generator"),
    ],
)
async def test_what_is_no_answer_is_said_with_its_type(answer: Make, returned: str, said: str) -> None:
    with pytest.raises(CodeError) as caught:
        await answer()(f"def answer(): return {returned}")
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no')", "app.py:3 ValueError: no"),
        ("sys.exit(3)", "app.py:3 SystemExit: 3"),
        ("raise TimeoutError('mine')", "app.py:3 TimeoutError: mine"),
        ("raise KeyboardInterrupt", "app.py:3 KeyboardInterrupt"),
    ],
)
async def test_whatever_it_raises_is_its_error_with_the_line(
    answer: Make, kind: str, body: str, said: str
) -> None:
    with pytest.raises(CodeError) as caught:
        await answer()(f"import sys\n{kind} answer():\n    {body}\n")
    assert str(caught.value) == said


async def test_the_next_call_is_well_after_one_that_ended_the_interpreter(answer: Make) -> None:
    bench = answer()
    with pytest.raises(CodeError):
        await bench(
            "import sys\nasync def answer(case_id):\n    if case_id == 'one': sys.exit(1)\n    return 'fine'"
        )
    assert (await bench.again(case_id="two")).text == "fine"


async def test_one_that_hangs_is_an_error_and_the_worker_has_to_start_anew(answer: Make) -> None:
    bench = answer(0.05)
    with pytest.raises(CodeError, match=r"took longer than 0\.05 s; raise timeout_s of the step"):
        await bench("import threading\ndef answer(): threading.Event().wait()")
    assert bench.code.has_stuck


async def test_an_async_one_that_waits_for_ever_is_cancelled_and_leaves_nothing_behind(answer: Make) -> None:
    bench = answer(0.05)
    source = """
import asyncio
state = []
async def answer(case_id):
    if case_id == "two":
        return state
    try:
        await asyncio.Event().wait()
    finally:
        state.append("cleaned up")
"""
    with pytest.raises(CodeError, match="took longer"):
        await bench(source)
    assert not bench.code.has_stuck
    assert (await bench.again(case_id="two")).value == ["cleaned up"]


async def test_an_async_one_that_never_gives_up_its_loop_costs_the_worker(answer: Make) -> None:
    bench = answer(0.05)
    with pytest.raises(CodeError, match="took longer"):
        await bench("import threading\nasync def answer(): threading.Event().wait()")
    assert bench.code.has_stuck


async def test_async_functions_of_a_version_share_a_loop_so_a_client_can_be_shared(answer: Make) -> None:
    bench = answer()
    source = "import asyncio\nasync def answer(): return id(asyncio.get_running_loop())"
    first = await bench(source)
    results = await asyncio.gather(*(bench.again() for _ in range(3)))
    assert {r.value for r in results} == {first.value}


async def test_ask_gives_the_answers_text(answer: Make) -> None:
    bench = answer()
    made = await bench("def answer(ask, question): return ask(question, temperature=0)")
    assert made.text == "you said why?"
    assert bench.asked == [(({"role": "user", "content": "why?"},), {"temperature": 0})]


async def test_ask_is_awaited_in_an_async_function(answer: Make) -> None:
    made = await answer()("""
import asyncio
async def answer(ask):
    both = await asyncio.gather(ask("a"), ask([{"role": "user", "content": "b"}]))
    return both + [ask.wait("c")]
""")
    assert made.value == ["you said a", "you said b", "you said c"]


async def test_a_model_that_does_not_answer_is_the_functions_error_with_its_cause(answer: Make) -> None:
    with pytest.raises(CodeError) as caught:
        await answer()("def answer(ask): return ask('fail')")
    assert isinstance(caught.value.__cause__, CallFailed)
    assert "gateway refused the key" in str(caught.value)
    made = await answer()("def answer(ask):\n    try: ask('fail')\n    except Exception: return 'plan b'")
    assert made.text == "plan b"


async def test_one_that_waits_for_a_model_too_long_is_freed(answer: Make) -> None:
    bench = answer(0.05)
    with pytest.raises(CodeError, match="took longer"):
        await bench("def answer(ask): return ask('never')")
    assert not bench.code.has_stuck


async def test_ask_with_something_else_than_messages_says_what_it_takes(answer: Make) -> None:
    with pytest.raises(CodeError, match="ask takes messages of the form"):
        await answer()("def answer(ask): return ask([{'rolle': 'user'}])")


async def test_a_job_that_is_cancelled_cancels_its_async_function(answer: Make) -> None:
    bench = answer()
    running, loop = asyncio.Event(), asyncio.get_running_loop()
    source = """
import asyncio
state = []
async def answer(case_id, tell):
    if case_id == "two":
        return state
    tell()
    try:
        await asyncio.Event().wait()
    finally:
        state.append("over")
"""
    known = {"tell": lambda: loop.call_soon_threadsafe(running.set)}
    job = asyncio.create_task(bench(source, **known))
    await running.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert (await bench.again(case_id="two", **known)).value == ["over"]


async def test_results_that_are_kept_are_json(answer: Make) -> None:
    made = await answer()(
        "import enum\nclass Kind(str, enum.Enum):\n    A = 'a'\ndef answer(): return [Kind.A, True]"
    )
    assert json.dumps(made.value) == '["a", true]'


async def test_one_that_cancels_itself_is_an_error_and_not_a_cancelled_job(answer: Make) -> None:
    with pytest.raises(CodeError, match="cancelled itself"):
        await answer()("import asyncio\nasync def answer(): raise asyncio.CancelledError")
