"""One job, start to end: run the program, score what it answers."""

from __future__ import annotations

import time

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, ChatRequest, Draw
from llmops_tui.domain.case import Case
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.providers.base import CallFailed
from llmops_tui.scorers import BUILT_INS, judge
from llmops_tui.scorers.judges import Ask, Grader, JudgeFailed
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.execution import Ended, Execution, JobFailed
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.steps import run_program


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
    """Runs programs and scorers. One for a worker's life."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._calls = resources.calls
        self._grader = Grader()

    async def evaluate(self, job: m.Evaluate) -> m.Evaluated:
        """The output, its scores, and how it came about.

        Raises:
            JobFailed: there is no output.
        """
        execution = Execution(job)
        ended: Ended | None = None
        try:
            await self._run(execution)
        except JobFailed as failed:
            execution.tracer.root.error = str(failed)
            raise JobFailed(failed.failure, self._spans(execution, {}), execution.tracer.began_at) from failed
        except Ended as early:
            ended = early
        output, places = execution.output(ended)
        spans = self._spans(execution, places)
        if not job.target.is_plain or output.guardrails:
            # What programs gave by themselves; an answer of a model was redacted as it came.
            output = self._resources.redactor.redact_struct(output)
        ask = _JudgeAsker(self._calls, job.job, execution.draw, job.fresh)
        scores = await self._score(output, job.case, ask)
        return m.Evaluated(job.job, output, scores, None, spans, execution.tracer.began_at)

    async def _run(self, execution: Execution) -> None:
        """The program, with its guardrails before, within and after it."""
        program = execution.job.target
        if not program.guardrails:
            await run_program(self._resources, execution)
            return
        from llmops_tui.worker.guarding import Guarding

        with self._resources.loaded(program.code).held() as loaded:
            execution.guarding = guarding = Guarding(
                self._resources, execution, loaded.guards(program.guardrails)
            )
            await guarding.case()
            await run_program(self._resources, execution)
            await guarding.answer()

    def _spans(self, execution: Execution, places: dict[int, int]) -> tuple[SpanRecord, ...]:
        redactor = self._resources.redactor
        return tuple([redactor.redact_struct(record) for record in execution.tracer.records(places)])

    async def score_only(self, job: m.ScoreOnly) -> tuple[Score, ...]:
        """The scores of an output that is there."""
        ask = _JudgeAsker(self._calls, job.job, Draw(trial=job.trial), fresh=False)
        return await self._score(job.output, job.case, ask)

    async def _score(self, output: Output, case: Case, ask: Ask) -> tuple[Score, ...]:
        """One score for each scorer of the case, in order; never raises for a scorer's fault."""
        scores = []
        for use in case.scorers:
            began_at, started = time.time(), time.perf_counter()
            if use.is_model_graded:
                score = await self._grader.grade(use, output, case, ask)
            elif use.name in BUILT_INS:
                score = judge(use, output, case)
            else:
                score = await self._resources.code.score(use, output, case)
            score = msgspec.structs.replace(score, began_at=began_at, elapsed_s=time.perf_counter() - started)
            scores.append(self._resources.redactor.redact_struct(score))
        return tuple(scores)
