"""A recorded output run again from one of its steps: what came before is handed over as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.case import Case
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.message_text import chat_of
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Output
from llmops_tui.domain.program import Program, PromptStep, RetrievalStep
from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import Span, Trace, text_of
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import Estimate, Subset
from llmops_tui.engine.plan import slots
from llmops_tui.engine.traces import Traces
from llmops_tui.engine.worker_host import Aside

#: Parts of a prompt's step that a replay may begin at.
RETRIEVAL, PROMPT, MODEL = "retrieval", "prompt", "model"


class Replayed(msgspec.Struct, frozen=True):
    """A replay, done.

    Attributes:
        before: the trace that was recorded.
        after: of the replay.
        output: None where it failed; then `failure` says why.
        started_from: the step it began at.
        said: sentences about what had to be adapted.
    """

    before: Trace
    after: Trace
    output: Output | None
    scores: tuple[Score, ...]
    failure: str
    started_from: str
    calls: int
    cost_usd: float | None
    said: tuple[str, ...] = ()


class ReplayRequest(msgspec.Struct, frozen=True):
    """What to run again.

    Attributes:
        version: whose recorded output is replayed.
        start: a step, or a part of one (`retrieval`, `prompt`, `model`; `STEP/model` in a chain).
        run_with: name of another configuration, or a version; None: the version itself.
        messages: what is sent at `start`, instead of what was (chat messages).
        agreed: the person has seen what it costs.
    """

    config: str
    version: VersionInfo
    case_id: str
    start: str
    model: str | None = None
    trial: int | None = None
    run_with: str | None = None
    messages: tuple[dict[str, Any], ...] | None = None
    agreed: bool = False


class Replay:
    """Replays recorded outputs of one workspace. Calls are kept and counted; no run is recorded."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._traces = Traces(engine.store)

    async def run(
        self, request: ReplayRequest, heard: Callable[[str], None] = lambda _text: None
    ) -> Replayed:
        """Run it again.

        Args:
            heard: called with the answer's text so far.

        Raises:
            UsageError: there is no such output, step or version; or it would cost more than the budget.
            WorkspaceError: the files have mistakes, a key is missing, or code may not run.
        """
        engine = self._engine
        before = self._traces.of(request.version, request.case_id, request.model, request.trial)
        configuration, said = self._subject(request)
        engine.check_trust(configuration)
        case = _case(configuration, request.case_id)
        model = _model(configuration, str(before.root.attributes.get(a.EVALUATED_MODEL, "")))
        given = handed_over(before, configuration.target, request.start)
        if request.messages is not None:
            step, _ = _place(configuration.target, request.start)
            given[f"{step}/messages"] = list(request.messages)
        if not request.agreed:
            cost = self._estimate(configuration, model, case, given)
            why = prices.objection(engine.workspace.budget, cost)
            if why is not None:
                raise UsageError(Problem(why, "raise budget in llmops.yaml, or replay it with --yes"))
        # What is on disk may never have been evaluated: its prompts are shown with the trace all the same.
        engine.store.blobs.put_many(configuration.blobs[step.prompt] for step in configuration.target.prompts)
        one_case = msgspec.structs.replace(configuration, cases=(case,))
        if not engine.host.may_connect(one_case):
            raise UsageError(
                Problem("a run is under way, and this asks another provider", "try again when it is done")
            )
        aside = Aside(heard, lambda _said: None)
        own = {each.id: each for each in configuration.own_models}
        trial = int(before.root.attributes.get(a.TRIAL, 0))

        def job(number: int) -> m.Evaluate:
            return m.Evaluate(
                *(number, configuration.target, model, case, 0, trial),
                stream=True,
                models=own,
                given=given,
                aside=f"replay/{time.time_ns()}",
            )

        try:
            evaluated = await engine.host.ask_aside(engine.workspace, one_case, job, aside)
        finally:
            engine.host.drop(aside)
        costs = aside.costs
        after = self._traces.of_evaluated(
            evaluated, before, f"{request.case_id} · replay from {request.start}"
        )
        after = with_given(before, after)
        return Replayed(
            *(before, after, evaluated.output, evaluated.scores),
            str(evaluated.failure or aside.fault or ""),
            *(request.start, len(aside.calls)),
            None if None in costs else sum(c for c in costs if c is not None),
            said,
        )

    def _subject(self, request: ReplayRequest) -> tuple[Configuration, tuple[str, ...]]:
        engine = self._engine
        if request.run_with is not None and request.run_with in engine.workspace.configurations:
            return engine.configuration(request.run_with), ()
        on_disk = engine.configuration(request.config)
        version = request.version
        if request.run_with is not None:
            version = engine.queries.resolve(request.config, request.run_with)
        subject = subjects.of_version(engine.store, engine.root, on_disk, version)
        return subject.configuration, subject.adapted

    def _estimate(
        self, configuration: Configuration, model: Model, case: Case, given: Mapping[str, Any]
    ) -> Estimate:
        # A step whose result is handed over asks nothing.
        target = configuration.target
        left = tuple(step for step in target.steps if step.name not in given)
        configuration = msgspec.structs.replace(
            configuration, target=msgspec.structs.replace(target, steps=left)
        )
        places = slots(configuration.manifest, (model,), (case,), 1, Subset(), {})
        store = self._engine.store
        asking = prices.cost_of(store, configuration, places)
        judgements, judging = prices.judging_by(store, case.scorers)
        cost = None if asking is None or judging is None else asking + judging
        spent = store.calls.spent_since(prices.midnight())
        return Estimate(1, 0, 1, 0, cost, spent, judgements)


# -- what is handed over (pure)


def starts_of(program: Program) -> list[str]:
    """Where a replay may begin, in order."""
    found: list[str] = []
    for step in program.steps:
        is_prompt = isinstance(step.does, PromptStep)
        if step.name:
            found += [step.name, f"{step.name}/{MODEL}"] if is_prompt else [step.name]
        elif isinstance(step.does, PromptStep):
            found += [RETRIEVAL] if step.does.retrieval is not None else []
            found += [PROMPT, MODEL]
    return found


def _place(program: Program, start: str) -> tuple[str, str]:
    """(step, part of it) of a start.

    Raises:
        UsageError: there is no such place.
    """
    known = starts_of(program)
    if start not in known:
        remedy = did_you_mean(start, set(known))
        listed = f"begin at {', '.join(known)}" if known else "this program has no steps to begin at"
        raise UsageError(
            Problem(f"there is no step '{start}'", remedy if remedy.startswith("did you mean") else listed)
        )
    step, _, part = start.rpartition("/")
    if program.is_plain:
        return "", start
    return (step, part) if step else (start, "")


def handed_over(trace: Trace, program: Program, start: str) -> dict[str, Any]:
    """What a replay is given: every result that does not come of the step it begins at.

    Raises:
        UsageError: there is no such step, or the trace does not hold what is needed.
    """
    first, part = _place(program, start)
    given: dict[str, Any] = {}
    if program.is_plain:
        if any(s.kind == "turn" for s in trace.spans) and part != starts_of(program)[0]:
            raise UsageError(
                Problem(
                    f"a conversation can't be replayed from '{part}': each turn has its own",
                    f"begin at '{starts_of(program)[0]}', or edit one call in the Trace screen (e)",
                )
            )
        if part in (PROMPT, MODEL) and program.steps[0].does.retrieval is not None:  # type: ignore[union-attr]
            given["/retrieval"] = _chunks(trace.spans)
        if part == MODEL:
            given["/messages"] = _sent(trace.spans, start)
        return given
    steps = {str(s.attributes.get(a.STEP)): s for s in trace.spans if s.kind == "step"}
    children = trace.children()
    after = _after(program, first)
    for step in program.steps:
        if step.name in after or (step.name not in steps and steps):
            continue  # a step that was not there then is run
        span = steps.get(step.name)
        if span is None or (a.OUTPUT not in span.attributes and not isinstance(step.does, RetrievalStep)):
            raise UsageError(
                Problem(
                    f"the trace does not hold what '{step.name}' gave: cleaned up, or from a bundle",
                    "begin the replay at that step, or evaluate the version again",
                )
            )
        within = _within(children, span)
        given[step.name] = {"chunks": _chunks(within), "tool_calls": _tool_calls(within)}
        if not isinstance(step.does, RetrievalStep):
            given[step.name]["value"] = _value(step.does, span.attributes[a.OUTPUT])
    if part == MODEL and first in steps:
        given[f"{first}/messages"] = _sent(children.get(steps[first].id, []), start)
    return given


def with_given(before: Trace, after: Trace) -> Trace:
    """The replay, with the steps that were handed over as they came about when they were recorded."""
    recorded = {str(s.attributes.get(a.STEP)): s for s in before.spans if s.kind == "step"}
    prompts = {_sent_text(s): s for s in before.spans if s.kind == "prompt"}
    within = before.children()
    spans: list[Span] = []
    replaced: set[str] = set()
    for span in after.spans:
        if span.parent_id in replaced:
            replaced.add(span.id)
            continue
        if span.kind == "prompt" and span.attributes.get(a.GIVEN):
            # The very messages of then were put together as they were then; edited ones were by a person.
            found = prompts.get(_sent_text(span))
            attributes = found.attributes if found is not None else span.attributes
            span = msgspec.structs.replace(span, attributes=attributes)
        spans.append(span)
        origin = recorded.get(str(span.attributes.get(a.STEP)))
        if span.kind == "step" and span.attributes.get(a.GIVEN) and origin is not None:
            replaced.add(span.id)
            left = [(span.id, child) for child in reversed(within.get(origin.id, []))]
            while left:
                parent_id, child = left.pop()
                spans.append(
                    msgspec.structs.replace(child, parent_id=parent_id, start=span.start, end=span.start)
                )
                left += [(child.id, each) for each in reversed(within.get(child.id, []))]
    return Trace(after.id, after.title, tuple(spans))


def _sent_text(span: Span) -> str:
    return text_of(span.attributes.get(a.INPUT_MESSAGES))


def _after(program: Program, first: str) -> set[str]:
    """A step, and all that need it, however far."""
    found = {first}
    for step in program.steps:  # each comes after those it needs
        if found & set(step.needs):
            found.add(step.name)
    return found


def _value(does: Any, output: Any) -> Any:
    if isinstance(does, PromptStep) and does.response_format is not None and isinstance(output, str):
        try:
            return msgspec.json.decode(output)
        except msgspec.DecodeError:
            return output
    return output


def _chunks(spans: Sequence[Span]) -> list[dict[str, Any]]:
    retrievals = [s for s in spans if s.kind == "retrieval"]
    return [
        {"source": d["source"], "text": d["content"], "score": d["score"], "position": d["position"]}
        for span in retrievals
        for d in span.attributes.get(a.DOCUMENTS, ())
    ]


def _within(children: dict[str, list[Span]], span: Span) -> list[Span]:
    """All spans below one, as a tree is read."""
    found: list[Span] = []
    left = list(reversed(children.get(span.id, [])))
    while left:
        each = left.pop()
        found.append(each)
        left += reversed(children.get(each.id, []))
    return found


def _tool_calls(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Calls of tools in the provider's form."""
    found: list[dict[str, Any]] = []
    for span in spans:
        if span.kind == "tool":
            arguments = span.attributes.get(a.TOOL_ARGUMENTS, {})
            text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
            function = {"name": span.attributes.get(a.TOOL_NAME, ""), "arguments": text}
            found.append(
                {"id": span.attributes.get(a.TOOL_CALL_ID, ""), "type": "function", "function": function}
            )
    return found


def _sent(spans: Sequence[Span], start: str) -> list[dict[str, Any]]:
    """The chat messages of the first call."""
    first = next((s for s in spans if s.kind == "model" and a.INPUT_MESSAGES in s.attributes), None)
    if first is None:
        raise UsageError(
            Problem(f"the messages of '{start}' were cleaned up", "begin the replay at an earlier step")
        )
    return list(chat_of(first.attributes[a.INPUT_MESSAGES]))


def _case(configuration: Configuration, case_id: str) -> Case:
    found = next((case for case in configuration.cases if case.id == case_id), None)
    if found is None:
        known = {case.id for case in configuration.cases}
        raise UsageError(
            Problem(f"'{configuration.name}' has no case '{case_id}' on disk", did_you_mean(case_id, known))
        )
    return found


def _model(configuration: Configuration, wanted: str) -> Model:
    """The same model, or else the first."""
    models = configuration.models
    return next((model for model in models if model.id == wanted), models[0])
