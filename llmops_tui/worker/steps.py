"""The steps of a program: each as soon as those it needs are done; unchanged ones were made before."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.canonical import KEY_SCHEMA, digest
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.guardrails.wording import wording_hash
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import (
    CommandStep,
    FunctionStep,
    PromptStep,
    RetrievalStep,
    Step,
    ToolStep,
)
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.retrieval.context import Context
from llmops_tui.worker.execution import Ended, Execution, StepResult, as_text, read_by, read_files, seen_by
from llmops_tui.worker.prompting import run_prompt
from llmops_tui.worker.render import RenderError, render_text
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.searching import retrieve
from llmops_tui.worker.tooling import Tooling
from llmops_tui.worker.tracer import Clock, LiveSpan


class Kept(msgspec.Struct):
    """A step's result as the store keeps it, with the spans of how it came about."""

    result: StepResult
    spans: tuple[SpanRecord, ...] = ()
    elapsed_s: float = 0.0
    looks: tuple[Look, ...] = ()


async def run_program(resources: Resources, execution: Execution) -> None:
    """Run every step; their results are then in `execution.results`.

    Raises:
        JobFailed: a step failed; the others were stopped.
        Ended: a guardrail ended the request; the others were stopped.
    """
    program, root = execution.job.target, execution.tracer.root
    if len(program.steps) == 1 and not program.steps[0].name:
        step = program.steps[0]
        execution.results[step.name] = await _run(resources, execution, step, root)
        return
    tasks: dict[str, asyncio.Task[float]] = {}
    for step in program.steps:
        needed = [tasks[name] for name in step.needs]
        work = _in_turn(resources, execution, step, needed, root.clock.fork())
        tasks[step.name] = asyncio.create_task(work)
    try:
        ends = await asyncio.gather(*tasks.values())
    except Ended:
        root.clock.set(max((span.end_s or 0.0 for span in execution.tracer.spans), default=0.0))
        raise
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    root.clock.set(max(ends))


async def _in_turn(
    resources: Resources, execution: Execution, step: Step, needed: list[asyncio.Task[float]], clock: Clock
) -> float:
    """Wait for what a step needs, run it; returns when it ended, on the trace's clock."""
    if needed:
        ends = await asyncio.gather(*(asyncio.shield(task) for task in needed))
        clock.set(max(ends))
    with execution.tracer.root.span("step", step.name, clock) as span:
        span.attributes[a.STEP] = step.name
        if execution.is_given(step.name):
            result = _given(execution, step, execution.given(step.name), span)
        else:
            result = await _run(resources, execution, step, span)
        if not isinstance(step.does, PromptStep | RetrievalStep):
            span.attributes[a.OUTPUT] = result.value
        execution.results[step.name] = result
    return span.end_s or clock.now()


async def _run(resources: Resources, execution: Execution, step: Step, span: LiveSpan) -> StepResult:
    seen = seen_by(execution, step.needs)
    match step.does:
        case PromptStep() as does:
            return await run_prompt(resources, execution, step, does, seen, span)
        case RetrievalStep() as does:
            chunks = await retrieve(resources, execution, step.name, does.retrieval, does.corpus, seen, span)
            return _of_chunks(chunks)
        case ToolStep() as does:
            return await _once(
                resources, execution, step, _arguments(execution, step, does.arguments, seen), span
            )
        case FunctionStep() | CommandStep() as does:
            given = does.arguments if isinstance(does, FunctionStep) else {}
            arguments = _arguments(execution, step, given, seen)
            if not step.name:
                return await _work(resources, execution, step, arguments, span)
            return await _once(resources, execution, step, arguments, span)


async def _once(
    resources: Resources, execution: Execution, step: Step, arguments: dict[str, Any], span: LiveSpan
) -> StepResult:
    """What a step gave to the same inputs in this draw before; else it is run, and that is kept."""
    job = execution.job
    if job.aside:
        return await _work(resources, execution, step, arguments, span)
    read = read_by(execution, step.needs)
    key = digest(
        [
            *(KEY_SCHEMA, "step", step.name, _identity(step, job.target.code, job.target.guardrails)),
            *([job.case.vars, list(job.case.turns), job.case.tools], read, arguments),
            job.model.identity(),
            {name: model.identity() for name, model in sorted(execution.own_models.items())},
        ]
    )
    known = await resources.links.find_made(key, execution.draw, job.fresh)
    if known is not None:
        kept = msgspec.convert(known, Kept)
        for live, record in zip(span.add(kept.spans), kept.spans, strict=True):
            if record.chunks is not None:
                first, end = record.chunks
                execution.keep_chunks(step.name, live, kept.result.chunks[first:end])
        execution.looks += [(step.name, look) for look in kept.looks]
        span.attributes[a.CACHED] = True
        span.clock.set(span.start_s + kept.elapsed_s)
        return kept.result
    began_s = span.clock.now()
    result = await _work(resources, execution, step, arguments, span)
    result.add(execution.take_charges(step.name))
    places, first = {}, 0
    for _, live in execution.retrieved_in(step.name):
        places[live.number] = first
        first += len(live.chunks or ())
    kept = Kept(
        result,
        execution.tracer.records(places, since=span),
        span.clock.now() - began_s,
        execution.looks_in(step.name),
    )
    clean = resources.redactor.redact_json(msgspec.to_builtins(kept))
    resources.links.send_made(job.job, key, execution.draw, clean)
    return result


async def _work(
    resources: Resources, execution: Execution, step: Step, arguments: dict[str, Any], span: LiveSpan
) -> StepResult:
    match step.does:
        case ToolStep() as does:
            tooling = Tooling(resources, execution, step.name, (does.tool,))
            called = await tooling.call("", does.tool.name, arguments, span)
            if called.error:
                raise execution.failed(step.name, "user_code", called.error)
            made = [{"name": does.tool.name, "arguments": as_text(given)} for given in tooling.made.values()]
            used = tuple({"id": "", "type": "function", "function": function} for function in made)
            return StepResult(called.value, called.text, tool_calls=used)
        case FunctionStep() as does:
            from llmops_tui.worker.own_code import run_function

            return await run_function(resources, execution, step, does, arguments, span)
        case CommandStep() as does:
            from llmops_tui.worker.own_code import run_command

            return await run_command(resources, execution, step, does, span)
    raise AssertionError(step.does)


def _identity(step: Step, code: dict[str, str], guardrails: tuple[GuardrailUse, ...]) -> Any:
    """What a step is, as far as it decides what it gives."""
    match step.does:
        case ToolStep() as does:
            tool = does.tool
            looking = [use for use in guardrails if {"tool_call", "tool_result"} & {*use.on}]
            guarded = [msgspec.to_builtins(looking)] if looking else []
            guarded += [wording_hash()] if any(use.judge is not None for use in looking) else []
            return ["tool", tool.name, tool.revision, tool.eval, tool.result, read_files(code), *guarded]
        case FunctionStep() as does:
            return ["python", does.function, code, does.params]
        case CommandStep() as does:
            return ["command", list(does.command), code, does.params]
    raise AssertionError(step.does)


def _of_chunks(chunks: tuple[Chunk, ...]) -> StepResult:
    return StepResult(Context(chunks), "\n\n".join(chunk.text for chunk in chunks))


def _given(execution: Execution, step: Step, given: Any, span: LiveSpan) -> StepResult:
    """A result that a replay hands over: nothing is run."""
    span.attributes[a.GIVEN] = True
    chunks = msgspec.convert(given.get("chunks", ()), tuple[Chunk, ...])
    if chunks:
        with span.span("retrieval", "retrieval") as retrieval:
            execution.keep_chunks(step.name, retrieval, chunks)
    if isinstance(step.does, RetrievalStep):
        return _of_chunks(chunks)
    value = span.attributes[a.OUTPUT] = given["value"]
    return StepResult(value, as_text(value), chunks=chunks, tool_calls=tuple(given.get("tool_calls", ())))


def _arguments(
    execution: Execution, step: Step, written: dict[str, Any], seen: dict[str, Any]
) -> dict[str, Any]:
    """Arguments with their templates filled in."""

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return render_text(value, seen) if "{" in value else value
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        return [filled(each) for each in value] if isinstance(value, list) else value

    try:
        return {name: filled(value) for name, value in written.items()}
    except RenderError as error:
        raise execution.failed(step.name, "template", f"its arguments can't be rendered: {error}") from error
