"""Functions and commands of a team, as steps: what they are given, what they ask, what is seen of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Call, ChatRequest, request_key
from llmops_tui.domain.canonical import digest
from llmops_tui.domain.model import Model, Usage
from llmops_tui.domain.program import CommandStep, FunctionStep, Step
from llmops_tui.providers.base import CallFailed
from llmops_tui.worker.code import CodeError, Limit
from llmops_tui.worker.execution import Execution, JobFailed, StepResult, read_by
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.tracer import LiveSpan

if TYPE_CHECKING:
    from llmops_tui.worker.results import StepResult as Given


async def run_function(
    resources: Resources,
    execution: Execution,
    step: Step,
    does: FunctionStep,
    arguments: dict[str, Any],
    span: LiveSpan,
) -> StepResult:
    """What a function of the workspace gives.

    Raises:
        JobFailed: it gave nothing that can be used.
    """
    from llmops_tui.worker import instrument
    from llmops_tui.worker.functions import Ask

    instrument.install()
    loaded = resources.loaded(execution.job.target.code)
    read = read_by(execution, step.needs)
    inputs = {**execution.job.case.vars, **read, **arguments}
    with span.span("function", does.function) as called:
        called.attributes |= {a.FUNCTION: does.function, a.INPUT: inputs}
        called.attributes[a.CODE] = short_code(execution.job.target.code)
        limit = Limit(does.timeout_s)
        desk = Desk(resources, execution, step.name, called, limit, does.params)
        access = None
        if resources.mentions(execution.job.target.code, "openai"):
            access = await resources.gateway.open(desk)
        scope = instrument.Scope(resources.gateway.address)
        ask = Ask(desk.ask, asyncio.get_running_loop())
        known = _known(execution, step)
        known |= {"ask": ask, "openai": _client_settings(access), "params": does.params}
        try:
            with loaded.held():
                given = await loaded.functions.call(does.function, known, arguments, limit, scope)
        except CodeError as error:
            said = str(error)
            said = said if said.startswith(does.function) else f"{does.function}: {said}"
            raise _failed(execution, step, said, error) from error
        finally:
            ask.close()
            if access is not None:
                resources.gateway.shut(access.api_key)
            scope.finish(_Seen(called, desk))
        _tell(resources, execution, does.function, given)
        return _result(execution, step, given, desk, called)


async def run_command(
    resources: Resources, execution: Execution, step: Step, does: CommandStep, span: LiveSpan
) -> StepResult:
    """What a command prints.

    Raises:
        JobFailed: it printed nothing that can be used.
    """
    from llmops_tui.worker import commands

    job = execution.job
    with span.span("command", does.command[0]) as called:
        read = read_by(execution, step.needs)
        called.attributes |= {a.COMMAND: list(does.command), a.INPUT: {**job.case.vars, **read}}
        called.attributes[a.CODE] = short_code(job.target.code)
        limit = Limit(does.timeout_s)
        desk = Desk(resources, execution, step.name, called, limit)
        access = await resources.gateway.open(desk)
        sent = {
            **{"vars": job.case.vars, "model": job.model.id, "params": does.params},
            "turns": list(job.case.turns),
            "steps": read,
        }
        try:
            given = await commands.run_command(
                does.command,
                sent,
                folder=resources.folder,
                timeout_s=limit,
                env={"OPENAI_BASE_URL": access.base_url, "OPENAI_API_KEY": access.api_key},
                files={path: resources.blobs[hash_] for path, hash_ in job.target.code.items()},
                redact=resources.redactor.redact,
            )
        except CodeError as error:
            raise _failed(execution, step, str(error), error) from error
        finally:
            resources.gateway.shut(access.api_key)
        _tell(resources, execution, does.command[0], given)
        return _result(execution, step, given, desk, called)


def short_code(code: dict[str, str]) -> str:
    """Names the code that ran: another one, another name."""
    return digest(code)[:12]


class Desk:
    """Asks for one running step: its calls are kept, priced, and spans of it.

    Args:
        limit: the step's; it does not count the time of these calls.
        params: of the step; what `ask` is given comes over them.
    """

    def __init__(
        self,
        resources: Resources,
        execution: Execution,
        step: str,
        span: LiveSpan,
        limit: Limit,
        params: dict[str, Any] | None = None,
    ) -> None:
        self._limit = limit
        self._calls = resources.calls
        self._execution = execution
        self._step = step
        self._span = span
        self._params = params or {}
        job = execution.job
        self._models = {job.model.id: job.model, **execution.own_models}
        self.result = execution.begun[step] = StepResult("", "")
        #: Models were asked by other ways than ours, so what it cost is not known.
        self.asked_elsewhere = False
        self.seen_usage = Usage()

    @property
    def models(self) -> tuple[str, ...]:
        """Ids that may be asked, the one that is evaluated first."""
        return tuple(name for name, model in self._models.items() if model.client != "program")

    async def ask(self, messages: tuple[dict[str, Any], ...], params: dict[str, Any]) -> Call:
        """Of `ask(…)`: the model of the step, with the step's parameters unless others are given."""
        wanted = params.pop("model", None)
        name = wanted or next(iter(self.models), "")
        if name not in self._models:
            raise LookupError(f"there is no model '{name}'; there are {', '.join(self.models) or 'none'}")
        tools, form = params.pop("tools", ()), params.pop("response_format", None)
        request = ChatRequest(messages, {**self._params, **params}, tuple(tools), form)
        return await self.ask_model(name, request)

    async def ask_model(self, model_id: str, request: ChatRequest) -> Call:
        """
        Raises:
            CallFailed: the provider did not answer.
        """
        model: Model = self._models[model_id]
        execution, job = self._execution, self._execution.job
        occurrence = execution.occurrence(self._step, request_key(model, request))
        draw = execution.draw_of(self._step, occurrence)
        with self._span.span("model", f"chat {model.name}", self._span.clock.fork()) as asked:
            asked.attributes[a.MODEL] = model.name
            with self._limit.paused():
                call = await self._calls.ask(job.job, model, request, draw, job.fresh)
            asked.asked(call)
        # A program may ask several at a time: its own clock goes on to the last of them.
        clock = self._span.clock
        clock.set(max(clock.now(), asked.end_s or 0.0))
        self.result.called(call, asked.start_s)
        return call


class _Seen:
    """Takes the spans that hooks and OpenTelemetry saw into the trace (`instrument.Recorder`)."""

    def __init__(self, span: LiveSpan, desk: Desk) -> None:
        self._span = span
        self._desk = desk
        self._began_at = span.tracer.began_at

    def span(
        self,
        kind: str,
        name: str,
        start: float,
        end: float,
        attributes: dict[str, Any],
        error: str,
        parent: int,
    ) -> int:
        number = self._span.number if parent < 0 else parent
        made = LiveSpan(self._span.tracer, number, kind, name, self._span.clock)
        made.start_s = max(start - self._began_at, self._span.start_s)
        made.end_s = max(end - self._began_at, made.start_s)
        made.attributes, made.error = attributes, error
        if kind in ("model", "embedding"):
            desk = self._desk
            desk.asked_elsewhere = True
            tokens = (attributes.get(a.INPUT_TOKENS), attributes.get(a.OUTPUT_TOKENS))
            desk.seen_usage = desk.seen_usage + Usage(*tokens)
        return made.number


def _known(execution: Execution, step: Step) -> dict[str, Any]:
    """What a function may ask for by name."""
    job = execution.job
    known: dict[str, Any] = dict(job.case.vars)
    # Nothing that is not in the key of the output: neither the case's name nor its tags.
    known |= {"vars": job.case.vars, "turns": list(job.case.turns), "model": job.model.id}
    known |= read_by(execution, step.needs)
    return known


def _client_settings(access: Any) -> dict[str, str]:
    return {} if access is None else {"base_url": access.base_url, "api_key": access.api_key}


def _failed(execution: Execution, step: Step, said: str, error: CodeError) -> JobFailed:
    cause = error.__cause__
    if isinstance(cause, CallFailed):
        failure = cause.failure
        message = f"step '{step.name}': {failure.message}" if step.name else failure.message
        return JobFailed(msgspec.structs.replace(failure, message=message))
    others = {each.name for each in execution.job.target.steps} - set(step.needs)
    unmet = next((name for name in sorted(others) if f"asks for '{name}'" in said), "")
    remedy = f"add it to what the step needs: [{', '.join([*step.needs, unmet])}]" if unmet else ""
    return execution.failed(step.name, "user_code", said, remedy)


def _tell(resources: Resources, execution: Execution, name: str, given: Given) -> None:
    """What a program says that it spent counts like what is asked for it."""
    if given.cost_usd:
        usage = given.usage or Usage()
        resources.links.send(m.Spent(execution.job.job, "program", name, usage, given.cost_usd))


def _result(execution: Execution, step: Step, given: Given, desk: Desk, span: LiveSpan) -> StepResult:
    """What it gave, with what was asked for it."""
    result = desk.result
    result.value, result.text = given.value, given.text
    result.tool_calls = given.tool_calls
    result.refused = False
    result.finish_reason = given.finish_reason
    if given.usage is not None:
        told = given.usage
        span.attributes |= {a.INPUT_TOKENS: told.input_tokens, a.OUTPUT_TOKENS: told.output_tokens}
    if given.cost_usd is not None:
        span.attributes[a.COST] = given.cost_usd
    own = given.usage if given.usage is not None else desk.seen_usage
    result.usage = result.usage + own
    if given.cost_usd is not None:
        result.cost_usd = None if result.cost_usd is None else result.cost_usd + given.cost_usd
    elif desk.asked_elsewhere or given.usage is not None:
        result.cost_usd = None
    if given.chunks:
        result.chunks = given.chunks
        with span.span("retrieval", "context of the program") as retrieval:
            execution.keep_chunks(step.name, retrieval, given.chunks)
    span.attributes[a.OUTPUT] = given.value
    return result
