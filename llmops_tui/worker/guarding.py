"""The guardrails of a version over one job: where they look, and what becomes of what they fired on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import ChatRequest, request_key
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.use import GuardrailUse, Stage
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import Program, PromptStep, RetrievalStep
from llmops_tui.guardrails.guards import Guards
from llmops_tui.guardrails.registry import CannotCheck, TooSlow
from llmops_tui.guardrails.tool_texts import arguments_text
from llmops_tui.guardrails.watch import Decision, Piece
from llmops_tui.providers.base import CallFailed
from llmops_tui.worker.execution import Ended, Execution
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.tracer import LiveSpan

#: `finish_reason` of an output that a guardrail ended.
ENDED = "guardrail"
#: Source of documents that a case plants.
PLANTED = "planted"


class Guarding:
    """All looks of one job. One for each job; steps that run side by side share it."""

    def __init__(self, resources: Resources, execution: Execution, guards: Guards) -> None:
        self._resources = resources
        self._execution = execution
        self._guards = guards

    # -- where they look

    async def case(self) -> None:
        """Look at what the user put in; what is redacted takes its place for the program.

        Raises:
            Ended: the request ends here.
        """
        execution = self._execution
        case = execution.job.case
        given: Any = {"vars": case.vars, "turns": list(case.turns)}
        places = list(_texts(given, ()))
        pieces = [Piece(text, ".".join(map(str, path)).removeprefix("vars.")) for path, text in places]
        decision = await self._check("input", pieces, "", execution.tracer.root)
        if decision is None or decision.texts == tuple(piece.text for piece in pieces):
            return
        for (path, before), text in zip(places, decision.texts, strict=True):
            if text != before:
                given = _with(given, path, text or "")
        changed = msgspec.structs.replace(case, vars=given["vars"], turns=tuple(given["turns"]))
        execution.job = msgspec.structs.replace(execution.job, case=changed)

    async def chunks(self, step: str, found: tuple[Chunk, ...], span: LiveSpan) -> tuple[Chunk, ...]:
        """Those that go on, perhaps redacted.

        Raises:
            Ended: a fallback ends the request.
        """
        pieces = [Piece(chunk.text, f"{chunk.source}#{chunk.position}") for chunk in found]
        decision = await self._check("context", pieces, step, span)
        if decision is None:
            return found
        kept = zip(found, decision.texts, strict=True)
        return tuple(
            chunk if chunk.text == text else msgspec.structs.replace(chunk, text=text)
            for chunk, text in kept
            if text is not None
        )

    async def call(self, step: str, tool: str, arguments: Any, span: LiveSpan) -> tuple[Any, str]:
        """A tool's arguments as they go on, and what the model is told instead of a call; else empty.

        Raises:
            Ended: a fallback ends the request.
        """
        text = arguments_text(arguments)
        decision = await self._check("tool_call", [Piece(text, tool)], step, span, tool)
        if decision is None or decision.texts[0] == text:
            return arguments, ""
        if decision.texts[0] is None:
            return arguments, decision.told
        return decision.texts[0], ""

    async def result(self, step: str, tool: str, value: Any, text: str, span: LiveSpan) -> tuple[Any, str]:
        """What a tool gave as it is handed on: as JSON, and as text.

        Raises:
            Ended: a fallback ends the request.
        """
        decision = await self._check("tool_result", [Piece(text, tool)], step, span, tool)
        if decision is None or decision.texts[0] == text:
            return value, text
        left = decision.texts[0]
        if left is None:
            return decision.told, decision.told
        return _like(value, left), left

    async def answer(self) -> None:
        """Look at the answer; what is redacted is the answer from here on.

        Raises:
            Ended: another one takes its place.
        """
        execution = self._execution
        last = execution.results[execution.job.target.output]
        context = [chunk.text for chunk in execution.all_chunks()]
        pieces = [Piece(last.text, "answer")]
        decision = await self._check("output", pieces, "", execution.tracer.root, context=context)
        if decision is None or decision.texts[0] in (last.text, None):
            return
        last.text = decision.texts[0]
        last.value = _like(last.value, last.text)

    async def _check(
        self,
        stage: Stage,
        pieces: Sequence[Piece],
        step: str,
        span: LiveSpan,
        tool: str = "",
        context: Sequence[str] = (),
    ) -> Decision | None:
        """None where nobody looks.

        Raises:
            Ended: the request ends.
        """
        if not pieces or not self._guards.has(stage):
            return None
        watch = _Watch(self._resources, self._execution, step, span, pieces)
        vars_ = self._execution.job.case.vars
        decision = await self._guards.check(stage, pieces, watch, vars=vars_, context=context, tool=tool)
        self._execution.looks += [(step, look) for look in decision.looks]
        if decision.ends is not None:
            raise Ended(decision.ends, ENDED, refused=decision.refused)
        return decision


def may_change(program: Program) -> bool:
    """Whether a guardrail may put something else in the place of an answer."""
    return any(
        "output" in u.on and (u.action != "flag" or u.on_error == "closed") for u in program.guardrails
    )


def planted(execution: Execution, step: str, best: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    """What the case plants before what the program retrieves first; nothing for any later retrieval."""
    case = execution.job.case
    if not case.planted or execution.has_planted:
        return ()
    steps = execution.job.target.steps
    first = next((s.name for s in steps if _retrieves(s.does)), None)
    if step != first:
        return ()
    execution.has_planted = True
    score = best[0].score if best else 1.0
    return tuple(Chunk(PLANTED, text, score, n) for n, text in enumerate(case.planted))


def _retrieves(does: Any) -> bool:
    return isinstance(does, RetrievalStep) or (isinstance(does, PromptStep) and does.retrieval is not None)


class _Watch:
    """Each look is a span within the one that it is about."""

    def __init__(
        self,
        resources: Resources,
        execution: Execution,
        step: str,
        span: LiveSpan,
        pieces: Sequence[Piece],
    ) -> None:
        self.resources = resources
        self.execution = execution
        self.step = step
        self.pieces = pieces
        self._span = span

    @contextmanager
    def look(self, use: GuardrailUse, stage: Stage) -> Iterator[_Watched]:
        with self._span.span("guardrail", use.name) as span:
            span.attributes |= {
                a.GUARDRAIL: use.name,
                a.GUARDRAIL_KIND: use.kind,
                a.GUARDRAIL_STAGE: stage,
                a.GUARDRAIL_THRESHOLD: use.threshold,
            }
            yield _Watched(self, use, span)


class _Watched:
    def __init__(self, watch: _Watch, use: GuardrailUse, span: LiveSpan) -> None:
        self._watch = watch
        self._use = use
        self._span = span
        self._left_s = use.timeout_s

    async def ask(self, model: Model, request: ChatRequest) -> str:
        """See `guardrails.watch.Watched`. It takes as long as the call took when it was made: waiting for a
        free place at the provider, or an answer from the cache, changes nothing of what is decided.

        Raises:
            CannotCheck: it does not answer.
            TooSlow: it took longer than the guardrail may.
        """
        execution, resources = self._watch.execution, self._watch.resources
        job = execution.job
        model = job.models.get(model.id, model)
        path = f"guardrail/{self._use.name}"
        draw = execution.draw_of(path, execution.occurrence(path, request_key(model, request)))
        with self._span.span("model", f"chat {model.name}", self._span.clock.fork()) as asked:
            try:
                call = await resources.calls.ask(job.job, model, request, draw, job.fresh)
            except CallFailed as failed:
                asked.attributes[a.MODEL] = model.name
                asked.error = failed.failure.message
                raise CannotCheck(f"{model.id} does not answer: {failed.failure.message}") from failed
            asked.asked(call)
            execution.charge(self._watch.step).guarded(call)
        clock = self._span.clock
        clock.set(max(clock.now(), asked.end_s or 0.0))
        self._left_s -= call.latency_s
        if self._left_s < 0:
            raise TooSlow
        return call.text

    def saw(self, look: Look, evidence: str) -> None:
        span, pieces = self._span, self._watch.pieces
        found: dict[str, Any] = {a.TRIGGERED: look.triggered}
        if look.action:
            found[a.ACTION] = look.action
        if look.score is not None:
            found[a.GUARDRAIL_SCORE] = look.score
        if look.reason:
            found[a.GUARDRAIL_REASON] = look.reason
        if look.error:
            found[a.GUARDRAIL_FAILED] = self._use.on_error
            span.error = look.error
        if look.pieces:
            found[a.GUARDRAIL_PIECES] = list(look.pieces)
            found[a.GUARDRAIL_WHERE] = [pieces[n].where for n in look.pieces]
        if evidence:
            found[a.INPUT] = evidence
        span.attributes |= found


# -- values


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Texts within JSON, with where they are."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, (*path, name))
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _texts(each, (*path, n))


def _with(value: Any, path: tuple[str | int, ...], text: str) -> Any:
    """JSON with another text at a path; what is on the way is copied."""
    if not path:
        return text
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _with(value[path[0]], path[1:], text)
    return changed


def _like(before: Any, text: str) -> Any:
    """A changed text as the value that it was before: JSON where it was, and still is."""
    if isinstance(before, str):
        return text
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text)
    return text
