"""Messages that a person edited, asked as they stand: beside all runs, and kept like any call."""

from __future__ import annotations

from llmops_tui.domain import messages as m
from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.manifest import make_manifest, make_part
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Output
from llmops_tui.domain.program import Program, PromptStep, Step
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import Estimate
from llmops_tui.engine.trace_events import MessagesAnswer, MessagesRequest
from llmops_tui.engine.worker_host import Aside


async def ask_messages(engine: Engine, request: MessagesRequest) -> MessagesAnswer:
    """The model's answer. Nothing else of the program is run.

    Raises:
        UsageError: there is no such version or model.
        WorkspaceError: the model can't be had here, or a key is missing.
    """
    import msgspec

    on_disk = engine.configuration(request.config)
    model = _model(engine, request)
    program = Program((Step("", PromptStep("", request.params, response_format=request.response_format)),))
    alone = msgspec.structs.replace(on_disk, target=program, models=(model,), cases=(), own_models=())
    if not request.agreed:
        cost = _estimate(engine, model, request)
        why = prices.objection(engine.workspace.budget, cost)
        if why is not None:
            return MessagesAnswer(request.number, estimate=cost, why=why)
    if not engine.host.may_connect(alone):
        problem = Problem("a run is under way, and this asks another provider", "ask again when it is done")
        raise UsageError(problem)
    given = {"/messages": list(request.messages), "/tools": list(request.tools)}
    aside = Aside(lambda _text: None, lambda _said: None)

    def job(number: int) -> m.Evaluate:
        case = Case("edited messages", {})
        return m.Evaluate(number, program, model, case, 0, request.trial, given=given, aside="edited")

    try:
        evaluated = await engine.host.ask_aside(engine.workspace, alone, job, aside)
    finally:
        engine.host.drop(aside)
    output: Output | None = evaluated.output
    failure = str(evaluated.failure or aside.fault or "")
    return MessagesAnswer(request.number, output, failure, cached=output is not None and not aside.calls)


def _model(engine: Engine, request: MessagesRequest) -> Model:
    """The exact model of the version, as it is here."""
    version = engine.queries.resolve(request.config, request.version)
    manifest = engine.store.versions.manifest(version.id)
    on_disk = engine.configuration(request.config)
    for kind in ("models", "own_models"):
        parts = [part for part in manifest.of_kind(kind) if part.name == request.model]
        if parts:
            named = make_manifest([make_part("models", part.name, part.value) for part in parts])
            return subjects.here(engine.root, on_disk, named)[request.model]
    raise UsageError(Problem(f"{version.name} asks no model '{request.model}'", "look at its trace again"))


def _estimate(engine: Engine, model: Model, request: MessagesRequest) -> Estimate:
    """One call: by the price of the model, a token for four characters."""
    cost = None
    if model.price is not None:
        sent = sum(len(str(message.get("content") or "")) for message in request.messages) / 4
        answer = float(request.params.get("max_tokens") or prices.UNKNOWN_ANSWER_TOKENS)
        cost = sent * model.price.input_usd + answer * model.price.output_usd
    spent = engine.store.calls.spent_since(prices.midnight())
    return Estimate(1, 0, 1, 0, cost, spent)
