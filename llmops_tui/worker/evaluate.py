"""One job, start to end: retrieve, render, ask, score."""

from __future__ import annotations

import time

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, ChatRequest, Draw, Failure
from llmops_tui.domain.case import Case
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.redact import Redactor
from llmops_tui.domain.score import Score
from llmops_tui.providers.base import CallFailed
from llmops_tui.retrieval.context import Context
from llmops_tui.scorers import BUILT_INS, judge
from llmops_tui.scorers.judges import Ask, Grader, JudgeFailed
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.render import Renderer, RenderError, render_text


class JobFailed(Exception):
    """There is no output, and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _JudgeAsker:
    """Asks for a scorer: for one job, in the generation and trial of what is judged."""

    def __init__(self, calls: Calls, job: int, draw: Draw, fresh: bool) -> None:
        self._calls = calls
        self._job = job
        self._draw = draw
        self._fresh = fresh

    async def __call__(self, model: Model, request: ChatRequest, step: str, occurrence: int) -> Call:
        draw = Draw(self._draw.generation, self._draw.trial, step, occurrence)
        try:
            return await self._calls.ask(self._job, model, request, draw, self._fresh)
        except CallFailed as failed:
            raise JudgeFailed(failed.failure) from failed


class Evaluator:
    """Runs targets and scorers. One for a worker's life; caches compiled prompts by hash."""

    def __init__(self, blobs: dict[str, str], calls: Calls, code: WorkspaceCode, redactor: Redactor) -> None:
        self._blobs = blobs
        self._calls = calls
        self._code = code
        self._redactor = redactor
        self._renderers: dict[str, Renderer] = {}
        self._grader = Grader()

    async def evaluate(self, job: m.Evaluate) -> m.Evaluated:
        """The output and its scores.

        Raises:
            JobFailed: there is no output.
        """
        started = time.perf_counter()
        retrieved = await self._retrieve(job)
        request = self._assemble(job, retrieved)
        prepared_s = time.perf_counter() - started
        draw = Draw(job.generation, job.trial)
        try:
            call = await self._calls.ask(job.job, job.model, request, draw, job.fresh, stream=job.stream)
        except CallFailed as failed:
            raise JobFailed(failed.failure) from failed
        output = _output(call, retrieved, prepared_s)
        scores = await self._score(output, job.case, _JudgeAsker(self._calls, job.job, draw, job.fresh))
        return m.Evaluated(job.job, output, scores)

    async def score_only(self, job: m.ScoreOnly) -> tuple[Score, ...]:
        """The scores of an output that is there."""
        ask = _JudgeAsker(self._calls, job.job, Draw(trial=job.trial), fresh=False)
        return await self._score(job.output, job.case, ask)

    async def _score(self, output: Output, case: Case, ask: Ask) -> tuple[Score, ...]:
        """One score for each scorer of the case, in order; never raises for a scorer's fault."""
        scores = []
        for use in case.scorers:
            if use.is_model_graded:
                score = await self._grader.grade(use, output, case, ask)
            elif use.name in BUILT_INS:
                score = judge(use, output, case)
            else:
                score = await self._code.score(use, output, case)
            scores.append(self._redactor.redact_struct(score))
        return tuple(scores)

    async def _retrieve(self, job: m.Evaluate) -> tuple[Chunk, ...] | None:
        step = job.target.prompts[0]
        settings = step.retrieval
        if settings is None:
            return None
        from llmops_tui.retrieval import search

        try:
            if settings.query:
                query = render_text(settings.query, job.case.vars)
            else:
                query = "\n".join(v for v in job.case.vars.values() if isinstance(v, str))
        except RenderError as error:
            raise JobFailed(Failure("retrieval", f"retrieval.query: {error}")) from error
        try:
            return await search(settings, step.corpus, self._blobs, query)
        except ValueError as error:
            raise JobFailed(Failure("retrieval", str(error))) from error

    def _assemble(self, job: m.Evaluate, retrieved: tuple[Chunk, ...] | None) -> ChatRequest:
        step = job.target.prompts[0]
        try:
            renderer = self._renderers.get(step.prompt)
            if renderer is None:
                renderer = self._renderers[step.prompt] = Renderer(self._blobs[step.prompt])
            seen = dict(job.case.vars)
            if retrieved is not None:
                seen["context"] = Context(retrieved)
            messages = renderer.render(seen)
        except RenderError as error:
            raise JobFailed(
                Failure("template", f"the prompt can't be rendered for this case: {error}")
            ) from error
        return ChatRequest(messages, step.params)


def _output(call: Call, retrieved: tuple[Chunk, ...] | None, prepared_s: float) -> Output:
    # Waiting for a free place at the provider is not latency; a call from the cache keeps its figures.
    return Output(
        text=call.text,
        tool_calls=call.tool_calls,
        finish_reason=call.finish_reason,
        refused=call.refused,
        retrieved=retrieved or (),
        calls=(call.key,),
        usage=call.usage,
        latency_s=prepared_s + call.latency_s,
        ttft_s=call.ttft_s,
        cost_usd=call.cost_usd,
    )
