"""Guardrails around one job in the worker: what is planted, what may stream, how long a judge took."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.canonical import canonical_json, text_digest
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.judge import Judge
from llmops_tui.domain.model import Model, Usage
from llmops_tui.domain.output import Output
from llmops_tui.domain.program import Program, PromptStep, Retrieval, RetrievalStep, Step, ToolStep, ToolUse
from llmops_tui.domain.redact import Redactor
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.guardrails.apart import Apart
from llmops_tui.providers.base import Answer, Listener
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.evaluate import Evaluator
from llmops_tui.worker.guarding import may_change
from llmops_tui.worker.links import Links
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.steps import _identity

MODEL = Model("fake/m", "fake", "m", "openai")
JUDGE = Model("fake/judge", "fake", "judge", "openai")
DOCUMENT = "Alpha is the first letter."
PROMPT = canonical_json(
    {"messages": [["user", "{{ context }} {{ question }}"]], "defaults": {}, "includes": {}}
).decode()
TOOLS = """
import time

def quick(word: str) -> str:
    return f"drat {word}"

def slow(word: str) -> str:
    time.sleep(5)
    return word
"""


class Fake:
    """Says what it was told last, or wants tools; as a judge what the test says, after as long as it says."""

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []
        self.verdict = '{"answer": "yes", "confidence": 90}'
        self.judged_s = 0.1
        self.wants: tuple[dict[str, Any], ...] = ()

    async def ask(self, model: Model, request: ChatRequest, _listener: Listener) -> Answer:
        self.asked.append(request)
        if self.wants:
            return Answer("", self.wants, usage=Usage(5, 5))
        if model.name == "judge":
            return Answer(self.verdict, usage=Usage(9, 3), latency_s=self.judged_s)
        return Answer(str(request.messages[-1]["content"]), finish_reason="stop", usage=Usage(5, 5))

    async def close(self) -> None:
        pass


class Bench:
    def __init__(self) -> None:
        self.fake = Fake()
        self.links = Links(self.send)
        self.sent: list[m.FromWorker] = []
        redactor = Redactor(("s3cr3t",))
        calls = Calls(lambda _name: self.fake, self.links, redactor)  # type: ignore[arg-type, return-value]
        self.blobs = {text_digest(text): text for text in (DOCUMENT, PROMPT, TOOLS)}
        code = WorkspaceCode({}, "/nowhere", 5.0)
        self.resources = Resources(self.blobs, calls, code, redactor, self.links, _none, "/nowhere")
        self.evaluator = Evaluator(self.resources)

    def send(self, message: m.FromWorker) -> None:
        self.sent.append(message)
        if isinstance(message, m.FindMade):
            self.links.answer(m.FoundMade(message.lookup, None))
        elif isinstance(message, m.Lookup):
            self.links.answer(m.Found(message.lookup, None))

    async def run(self, program: Program, case: Case) -> tuple[Output, tuple[SpanRecord, ...]]:
        job = m.Evaluate(1, program, MODEL, case, models={JUDGE.id: JUDGE})
        evaluated = await self.evaluator.evaluate(job)
        assert evaluated.output is not None
        self.scores = evaluated.scores
        return evaluated.output, evaluated.spans


def _none(_: Any) -> Any:
    raise AssertionError("nothing is embedded here")


@pytest.fixture
async def worker() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.resources.close()


RETRIEVAL = Retrieval("docs", query="{{ question }}")
CORPUS = {"docs/a.md": text_digest(DOCUMENT)}
READS = PromptStep(text_digest(PROMPT), retrieval=RETRIEVAL, corpus=CORPUS)


def plain(*guardrails: GuardrailUse) -> Program:
    return Program((Step("", READS),), guardrails=guardrails)


# -- what is planted


async def test_what_is_planted_comes_first_and_in_the_first_turn_alone(worker: Bench) -> None:
    turns = ({"question": "alpha one"}, {"question": "alpha two"})
    found, _ = await worker.run(plain(), Case("c", {}, turns=turns, planted=("obey", "now")))
    assert [(chunk.source, chunk.position) for chunk in found.retrieved] == [
        *(("planted", 0), ("planted", 1), ("docs/a.md", 0)),
        ("docs/a.md", 0),
    ]


async def test_of_a_chain_the_first_retrieval_has_what_is_planted(worker: Bench) -> None:
    steps = (
        Step("one", RetrievalStep(RETRIEVAL, CORPUS)),
        Step("two", RetrievalStep(RETRIEVAL, CORPUS)),
        Step("say", PromptStep(text_digest(PROMPT)), ("one",)),
    )
    case = Case("c", {"question": "alpha", "context": ""}, planted=("obey",))
    found, spans = await worker.run(Program(steps, "say"), case)
    assert [chunk.source for chunk in found.retrieved] == ["planted", "docs/a.md", "docs/a.md"]
    assert [span.chunks for span in spans if span.kind == "retrieval"] == [(0, 2), (2, 3)]


# -- streaming


@pytest.mark.parametrize(
    ("on", "action", "on_error", "changes"),
    [
        ("output", "block", "closed", True),
        ("output", "flag", "closed", True),
        ("output", "flag", "open", False),
        ("input", "block", "closed", False),
    ],
)
def test_what_may_change_the_answer(on: Any, action: Any, on_error: Any, changes: bool) -> None:
    use = GuardrailUse("g", "max_length", (on,), action, on_error=on_error)
    assert may_change(plain(use)) is changes


# -- what is kept


async def test_scorers_see_the_case_as_it_is(worker: Bench) -> None:
    use = GuardrailUse("g", "secrets", ("input",), "redact", {"allow": []})
    key = "AKIAIOSFODNN7EXAMPLQ"
    case = Case("c", {"question": f"alpha {key}"}, expected=key, scorers=(ScorerUse("contains", CONTAINS),))
    found, _ = await worker.run(plain(use), case)
    assert key not in found.text
    assert [score.passed for score in worker.scores] == [False]
    assert "AKIA" in worker.scores[0].reason
    assert found.fired == ("g",)


CONTAINS = {"value": None, "case_sensitive": True}


async def test_a_redacted_secret_of_the_workspace_is_in_no_look(worker: Bench) -> None:
    use = GuardrailUse("g", "regex", ("input",), "flag", {**PATTERN, "value": "key s3cr3t"})
    found, spans = await worker.run(plain(use), Case("c", {"question": "alpha key s3cr3t"}))
    assert found.guardrails[0].triggered
    assert "s3cr3t" not in str(found.guardrails)
    assert "s3cr3t" not in str([span.attributes for span in spans if span.kind == "guardrail"])


WORD = {"value": "drat", "case_sensitive": False, "require": False}
PATTERN = {"case_sensitive": False, "require": False}


# -- judges


def judged(**more: Any) -> GuardrailUse:
    options = {"method": "judge", "phrases": []}
    on = more.pop("on", ("input",))
    return GuardrailUse("g", "injection", on, options=options, judge=Judge(JUDGE), **more)


async def test_a_judge_takes_as_long_as_its_call_took(worker: Bench) -> None:
    worker.fake.judged_s = 9.0
    found, spans = await worker.run(
        plain(judged(timeout_s=5.0, on_error="open")), Case("c", {"question": "alpha"})
    )
    assert found.guardrails[0].error.startswith("took longer than 5 s")
    assert found.finish_reason == "stop"
    (look,) = [span for span in spans if span.kind == "guardrail"]
    assert look.end_s - look.start_s >= 9.0
    assert found.latency_s >= 9.0
    fine, _ = await worker.run(plain(judged(timeout_s=10.0)), Case("c", {"question": "alpha"}))
    assert (fine.refused, fine.fired) == (True, ("g",))


async def test_a_call_of_a_judge_is_paid_for_and_answers_nothing(worker: Bench) -> None:
    worker.fake.verdict = '{"answer": "no", "confidence": 90}'
    found, spans = await worker.run(plain(judged()), Case("c", {"question": "alpha"}))
    assert (len(found.calls), len(found.guard_calls)) == (1, 1)
    assert found.usage == Usage(14, 8)
    (look,) = [n for n, span in enumerate(spans) if span.kind == "guardrail"]
    inner = [span for span in spans if span.parent == look]
    assert [span.kind for span in inner] == ["model"]
    assert inner[0].call is not None
    assert (inner[0].call.key, inner[0].call.step) == (found.guard_calls[0], "guardrail/g")


# -- tools side by side


async def test_a_request_that_ends_gives_up_the_tools_beside(worker: Bench) -> None:
    def call(name: str) -> dict[str, Any]:
        return {"id": name, "type": "function", "function": {"name": name, "arguments": '{"word": "a"}'}}

    worker.fake.wants = (call("slow"), call("quick"))
    use = GuardrailUse("g", "regex", ("tool_result",), "fallback", WORD, message="No.")
    tools = (ToolUse("slow"), ToolUse("quick"))
    step = Step("", PromptStep(text_digest(PROMPT), tools=tools))
    program = Program((step,), code={"tools.py": text_digest(TOOLS)}, guardrails=(use,))
    found, spans = await worker.run(program, Case("c", {"question": "alpha", "context": ""}))
    assert (found.text, found.finish_reason, found.refused) == ("No.", "guardrail", False)
    assert len(found.calls) == 1
    errors = {span.name: span.error for span in spans}
    assert (errors["execute_tool quick"], errors["execute_tool slow"]) == ("", "CancelledError")
    assert errors["c"] == ""


# -- functions


async def test_a_function_waits_for_a_process_as_long_as_a_run_needs(
    worker: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float | None] = []

    class Told(Apart):
        def __init__(self, *args: Any, **more: Any) -> None:
            asked.append(more["patience_s"])
            super().__init__(*args, **more)

    monkeypatch.setattr("llmops_tui.guardrails.apart.Apart", Told)
    use = GuardrailUse("f", "f", ("input",), on_error="open", revision="a" * 64)
    await worker.run(plain(use), Case("c", {"question": "alpha"}))
    assert asked == [math.inf]


# -- what a step is


def test_what_a_judge_is_told_is_part_of_what_a_tool_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = Step("find", ToolStep(ToolUse("quick")))
    plain, asking = GuardrailUse("p", "pii", ("tool_result",)), judged(on=("tool_result",))
    before = [_identity(step, {}, (use,)) for use in (plain, asking)]
    monkeypatch.setattr("llmops_tui.worker.steps.wording_hash", lambda: "other words")
    after = [_identity(step, {}, (use,)) for use in (plain, asking)]
    assert [was == is_ for was, is_ in zip(before, after, strict=True)] == [True, False]
