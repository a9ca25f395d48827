"""A prompt: retrieve, render, ask, and call the tools that the model wants, turn by turn."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Call, ChatRequest
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import PromptStep, Step
from llmops_tui.providers.base import CallFailed
from llmops_tui.retrieval.context import Context
from llmops_tui.worker.execution import Execution, JobFailed, StepResult, ref_to
from llmops_tui.worker.guarding import may_change
from llmops_tui.worker.render import Renderer, RenderError
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.searching import retrieve
from llmops_tui.worker.tooling import ToolCalled, Tooling
from llmops_tui.worker.tracer import LiveSpan

#: `finish_reason` of an answer whose model still wanted tools when its steps were used up.
STEP_LIMIT = "max_steps"

Message = dict[str, Any]


async def run_prompt(
    resources: Resources,
    execution: Execution,
    step: Step,
    does: PromptStep,
    seen: dict[str, Any],
    span: LiveSpan,
) -> StepResult:
    """The model's answer.

    Raises:
        JobFailed: there is none.
    """
    return await _Prompting(resources, execution, step, does).run(seen, span)


class _Prompting:
    def __init__(self, resources: Resources, execution: Execution, step: Step, does: PromptStep) -> None:
        self._resources = resources
        self._execution = execution
        self._name = step.name
        self._does = does
        self._tooling = Tooling(resources, execution, step.name, does.tools) if does.tools else None
        self._result = execution.begun[step.name] = StepResult("", "")

    async def run(self, seen: dict[str, Any], span: LiveSpan) -> StepResult:
        execution, result = self._execution, self._result
        turns = execution.job.case.turns if execution.job.target.is_plain else ()
        talk: list[Message] = []
        for n, turn in enumerate(turns or ({},)):
            with span.span("turn", f"turn {n + 1}") if len(turns) > 1 else nullcontext(span) as here:
                messages, prompt = await self._assemble({**seen, **turn}, here)
                # Later turns add what the user says next; what stands before that was said already.
                talk = messages if n == 0 else [*talk, *messages[-1:]]
                talk = await self._converse(talk, prompt, here)
        result.value = _value(result.text, self._does)
        return result

    # -- what is sent

    async def _assemble(self, seen: dict[str, Any], span: LiveSpan) -> tuple[list[Message], LiveSpan]:
        recorded = self._execution.given(self._name, "messages")
        if recorded is not None:
            if (
                self._does.retrieval is not None
                and self._execution.given(self._name, "retrieval") is not None
            ):
                await self._retrieve(seen, span)
            with span.span("prompt", "assemble prompt") as prompt:
                prompt.attributes[a.GIVEN] = True
            return [dict(message) for message in recorded], prompt
        does = self._does
        if does.retrieval is not None:
            chunks = await self._retrieve(seen, span)
            seen = {**seen, "context": Context(chunks)}
        with span.span("prompt", "assemble prompt") as prompt:
            try:
                renderer = self._resources.renderer(does.prompt)
                prompt.attributes[a.PROMPT_HASH] = does.prompt
                prompt.attributes |= self._variables(renderer, seen)
                messages = renderer.render(seen)
            except RenderError as error:
                raise self._execution.failed(
                    self._name, "template", f"the prompt can't be rendered for this case: {error}"
                ) from error
        return list(messages), prompt

    async def _retrieve(self, seen: dict[str, Any], span: LiveSpan) -> tuple[Chunk, ...]:
        does = self._does
        assert does.retrieval is not None
        known = self._execution.given(self._name, "retrieval")
        return await retrieve(
            self._resources, self._execution, self._name, does.retrieval, does.corpus, seen, span, known
        )

    def _variables(self, renderer: Renderer, seen: dict[str, Any]) -> dict[str, Any]:
        """Those of the case that the prompt reads, and which steps: their results are with them."""
        steps = self._execution.results
        read = {name: seen[name] for name in sorted(renderer.variables) if name in seen}
        own = {name: v for name, v in read.items() if name not in steps and not isinstance(v, Context)}
        attributes: dict[str, Any] = {a.VARIABLES: own}
        if from_steps := [name for name in read if name in steps]:
            attributes[a.STEPS_READ] = from_steps
        return attributes

    # -- asking

    async def _converse(self, talk: list[Message], prompt: LiveSpan, span: LiveSpan) -> list[Message]:
        """Ask until the model wants no more tools; returns the talk with its answer."""
        for n in range(self._does.max_steps):
            call = await self._ask(talk, prompt if n == 0 else None, span)
            if self._tooling is None or not call.tool_calls:
                return [*talk, {"role": "assistant", "content": call.text}]
            if n == self._does.max_steps - 1:
                break  # nobody would be told what they gave
            wanted = [_whole_call(each, i) for i, each in enumerate(call.tool_calls)]
            before = self._result.tool_calls
            try:
                called = await self._tooling.call_all(wanted, span)
            finally:
                # A guardrail that ends the request does so behind calls that were made.
                self._result.tool_calls = (*before, *self._tooling.those_made(wanted))
            talk = [*talk, {"role": "assistant", "content": call.text or None, "tool_calls": wanted}]
            talk += [_told(each) for each in called]
        self._result.finish_reason = STEP_LIMIT
        return talk

    async def _ask(self, talk: list[Message], prompt: LiveSpan | None, span: LiveSpan) -> Call:
        execution, does = self._execution, self._does
        model = self._model()
        try:
            tools = await self._tooling.schemas() if self._tooling is not None else self._shown_tools()
        except ValueError as error:
            raise execution.failed(self._name, "user_code", str(error)) from error
        request = ChatRequest(tuple(talk), does.params, tools, does.response_format)
        draw = execution.draw_of(self._name)
        is_answer = self._name == execution.job.target.output and not does.tools
        stream = execution.job.stream and is_answer and not may_change(execution.job.target)
        with span.span("model", f"chat {model.name}") as asked:
            try:
                call = await self._resources.calls.ask(
                    execution.job.job, model, request, draw, execution.job.fresh, stream=stream
                )
            except CallFailed as failed:
                asked.attributes[a.MODEL] = model.name
                raise JobFailed(_named(self._name, failed)) from failed
            asked.asked(call)
            self._result.called(call, asked.start_s)
        if prompt is not None:
            prompt.call = ref_to(call)
        return call

    def _shown_tools(self) -> tuple[dict[str, Any], ...]:
        """Tools that the model is told of, and that nobody runs: of messages that a person edited."""
        return tuple(self._execution.given(self._name, "tools") or ())

    def _model(self) -> Model:
        job, wanted = self._execution.job, self._does.model
        return job.models[wanted] if wanted else job.model


def _named(step: str, failed: CallFailed) -> Any:
    failure = failed.failure
    if not step:
        return failure
    return msgspec.structs.replace(failure, message=f"step '{step}': {failure.message}")


def _value(text: str, does: PromptStep) -> Any:
    """What later steps see: JSON where JSON was asked for and given, else the text."""
    if does.response_format is None:
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _whole_call(call: dict[str, Any], n: int) -> dict[str, Any]:
    """A tool call as it can be sent back; some providers give it no id."""
    return call if call.get("id") else {**call, "id": f"call_{n}"}


def _told(called: ToolCalled) -> Message:
    return {"role": "tool", "tool_call_id": called.id, "content": called.text}
