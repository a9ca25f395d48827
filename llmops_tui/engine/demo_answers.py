"""Answers of the embedded model to what customers ask in the demo, with their traces. Nothing is made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.engine.demo_questions import Question
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.subjects import of_version
from llmops_tui.engine.traces import Traces
from llmops_tui.engine.worker_host import Aside


class Answered(msgspec.Struct, frozen=True):
    """One question and what a version answered to it.

    Attributes:
        trace: as it came about, with the times that it took.
        right: the answer says what it should.
    """

    question: Question
    version: VersionInfo
    output: Output
    trace: Trace
    right: bool


async def ask(
    engine: Engine,
    version: VersionInfo,
    questions: Sequence[Question],
    tell: Callable[[int], None] = lambda _done: None,
) -> list[Answered]:
    """Ask a version all of the questions. What was asked before comes from the database.

    Args:
        tell: told how many are done.

    Raises:
        LlmopsError: the model can't be had, or one of the answers.
    """
    on_disk = engine.configuration(version.config)
    configuration = of_version(engine.store, engine.root, on_disk, version).configuration
    (model, *_others) = configuration.models
    traces = Traces(engine.store)
    found: list[Answered] = []
    for question in questions:
        case = Case(question.id, {"question": question.text})
        aside = Aside(lambda _text: None, lambda _said: None)

        def job(number: int, case: Case = case) -> m.Evaluate:
            return m.Evaluate(number, configuration.target, model, case)

        evaluated = await engine.host.ask_aside(engine.workspace, configuration, job, aside)
        if evaluated.output is None:
            raise UsageError(Problem(f"the model did not answer: {evaluated.failure}", "try the demo again"))
        about = {
            a.CONFIG: version.config,
            a.VERSION: version.name,
            a.VERSION_HASH: version.hash,
            a.CASE_ID: question.id,
            a.EVALUATED_MODEL: model.id,
            a.TRIAL: 0,
        }
        like = Trace(
            "0" * 32, question.id, (Span("0" * 16, "", "request", "request", 0.0, 0.0, attributes=about),)
        )
        trace = traces.of_evaluated(evaluated, like, question.id)
        right = question.is_answered_by(evaluated.output.text)
        found.append(Answered(question, version, evaluated.output, trace, right))
        tell(len(found))
    return found
