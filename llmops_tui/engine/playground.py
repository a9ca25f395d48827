"""Made-up inputs, answered by two versions side by side. Calls are kept and counted; no run is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import playground as pure
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import pair_models
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.model import Model
from llmops_tui.domain.playground import NewCase
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import price, silent
from llmops_tui.engine.events import AskFirst, Estimate, Event, PlaygroundSides, Subset
from llmops_tui.engine.plan import slots
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest
from llmops_tui.engine.prepare import prepare
from llmops_tui.engine.worker_host import Aside

#: The version on disk, where it has no name yet: it gets one when it is evaluated.
ON_DISK = "on disk"


class _Side(msgspec.Struct, frozen=True):
    name: str
    configuration: Configuration


class _Place(msgspec.Struct, frozen=True):
    """Where one answer belongs."""

    column: int
    side: int
    of: _Side
    model: Model


def read_by(configuration: Configuration, cases: Sequence[Case]) -> dict[str, bool]:
    """What a configuration reads of a case: variable → whether it must be given, in the order of its prompts.

    Args:
        cases: a function or a command reads whatever these give.
    """
    from llmops_tui.workspace import variables_of

    target = configuration.target
    queries = "\n".join(each.query for each in target.retrievals)
    found: dict[str, bool] = {}
    for prompt in configuration.manifest.of_kind("prompt"):
        found |= variables_of(prompt.value, queries)
    if not found:
        found = {name: True for case in cases[:1] for name in case.vars}
    steps = {step.name for step in target.steps}
    return {
        name: needed
        for name, needed in found.items()
        if name not in steps and (name != "context" or target.retrieval is None)
    }


class Playground:
    """Asks made-up inputs of one workspace."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._store = engine.store

    def sides(self, config: str, against: str | None = None) -> PlaygroundSides:
        """What would be asked, and what it takes.

        Raises:
            UsageError: there is no such configuration or version.
            WorkspaceError: the files have mistakes.
        """
        left, right, said = self._sides(config, against)
        places = _places(left, right)
        columns: list[tuple[str | None, str | None]] = [(None, None)] * (max(p.column for p in places) + 1)
        for place in places:
            a, b = columns[place.column]
            columns[place.column] = (a, place.model.id) if place.side else (place.model.id, b)
        cases = right.configuration.cases
        return PlaygroundSides(
            left.name if left is not None else "",
            right.name,
            tuple(columns),
            self._variables(left, right),
            tuple(dict.fromkeys(case.file for case in cases)),
            self._estimate(places, Case("", {}), 0),
            said,
        )

    async def ask(
        self, request: PlaygroundRequest, emit: Callable[[Event], None] = silent
    ) -> Answered | AskFirst:
        """Ask both sides, each of its models; their texts arrive as `Answering` while they come.

        Being cancelled drops what is under way.

        Raises:
            UsageError: an input is missing, or there is no such version.
            WorkspaceError: the files have mistakes, or a key is missing.
        """
        left, right, said = self._sides(request.config, request.against)
        for side in (left, right):
            if side is not None:
                self._engine.check_program(side.configuration)
        missing = pure.lacking(self._variables(None, right), request.vars)
        if missing:
            raise UsageError(Problem(f"the prompt reads {_and(missing)}, which is empty", "fill it in"))
        case, same, words = await self._case(right.configuration, request)
        places = _places(left, right)
        if not request.agreed:
            cost = self._estimate(places, case, request.trial)
            why = prices.objection(self._engine.workspace.budget, cost)
            if why is not None:
                return AskFirst(request, cost, why)
        for side in (left, right):
            if side is not None and not self._engine.host.may_connect(side.configuration):
                text = f"a run is under way, and {side.name} asks another provider"
                raise UsageError(Problem(text, "ask again when the run is done, or cancel it"))
        # All of them are connected before the first job: a worker that is replaced drops its jobs.
        self._engine.connect(_judged_by(place.of.configuration, case) for place in places)
        results = await self._answers(request, places, case, emit)
        calls = [call for aside in results for call in aside.calls]
        costs = [cost for aside in results for cost in aside.costs]
        known = None if any(c is None for c in costs) else sum(c for c in costs if c is not None)
        return Answered(request.number, same, "", (*said, *words), known, len(calls))

    async def _answers(
        self,
        request: PlaygroundRequest,
        places: list[_Place],
        case: Case,
        emit: Callable[[Event], None],
    ) -> list[Aside]:
        asides: list[Aside] = []
        try:
            waits = []
            for place in places:
                start = Answering(request.number, place.column, place.side, place.of.name, place.model.id)
                emit(start)
                aside = _listening(start, emit)
                asides.append(aside)
                waits.append(self._answer(request, place, case, aside, start, emit))
            await asyncio.gather(*waits)
        finally:
            for aside in asides:
                self._engine.host.drop(aside)
        return asides

    async def _answer(
        self,
        request: PlaygroundRequest,
        place: _Place,
        case: Case,
        aside: Aside,
        start: Answering,
        emit: Callable[[Event], None],
    ) -> None:
        configuration = _judged_by(place.of.configuration, case)

        def job(number: int) -> m.Evaluate:
            target = configuration.target
            own = {model.id: model for model in configuration.own_models}
            return m.Evaluate(number, target, place.model, case, 0, request.trial, stream=True, models=own)

        evaluated = await self._engine.host.ask_aside(self._engine.workspace, configuration, job, aside)
        output = evaluated.output
        failure = str(evaluated.failure or aside.fault or "")
        if evaluated.failure is not None and evaluated.failure.kind == "cancelled":
            failure = "the worker was started anew meanwhile; ask again"
        emit(
            msgspec.structs.replace(
                start,
                text=output.text if output is not None else aside.text,
                done=True,
                output=output,
                scores=evaluated.scores,
                failure=failure,
                cached=output is not None
                and not any(not call.draw.step.startswith("scorer/") for call in aside.calls),
            )
        )

    # -- what is asked

    def _sides(self, config: str, against: str | None) -> tuple[_Side | None, _Side, tuple[str, ...]]:
        engine = self._engine
        configuration = engine.configuration(config)
        known = self._store.versions.find(config, configuration.manifest.hash)
        right = _Side(known.name if known is not None and not known.is_hidden else ON_DISK, configuration)
        if against is not None:
            before = engine.queries.resolve(config, against)
        else:
            found = self._store.versions.baseline(config)
            if found is None:
                return None, right, (f"'{config}' has no baseline yet: what is on disk answers alone",)
            before = found
        if before.hash == configuration.manifest.hash:
            return None, right, (f"what is on disk is {before.name} itself: it answers alone",)
        subject = subjects.of_version(self._store, engine.root, configuration, before)
        return _Side(before.name, subject.configuration), right, subject.adapted

    def _variables(self, left: _Side | None, right: _Side) -> tuple[pure.Variable, ...]:
        cases = right.configuration.cases
        read: dict[str, bool] = {}
        for side in (right, left):
            found = read_by(side.configuration, cases) if side is not None else {}
            for name, needed in found.items():
                # What the left side alone reads may be left out: that side says so.
                read.setdefault(name, needed and side is right)
        return pure.variables(read, cases)

    async def _case(
        self, configuration: Configuration, request: PlaygroundRequest
    ) -> tuple[Case, str, tuple[str, ...]]:
        """The case to ask, the id of the one on disk that is the same, and sentences about its scorers."""
        from llmops_tui.workspace import made_up

        twin = pure.twin(request.vars, configuration.cases)
        if twin is not None:
            case = twin
        else:
            files = dict.fromkeys(case.file for case in configuration.cases)
            new = NewCase("playground", request.vars)
            case = await asyncio.to_thread(made_up.as_read, self._engine.root, next(iter(files)), new)
        functions = [use.name for use in case.scorers if use.is_function]
        words: tuple[str, ...] = ()
        if functions and not self._engine.workspace.code.trusted:
            kept = tuple(use for use in case.scorers if not use.is_function)
            case = msgspec.structs.replace(case, scorers=kept)
            words = (f"{_and(functions)} may not run yet and judged nothing (llmops-tui trust)",)
        # Inputs decide what is answered, and nothing of `defaults.vars` is added to what was typed.
        case = msgspec.structs.replace(case, vars=request.vars)
        return case, twin.id if twin is not None else "", words

    def _estimate(self, places: list[_Place], case: Case, trial: int) -> Estimate:
        each: list[Estimate] = []
        for place in places:
            configuration = place.of.configuration
            all_ = slots(configuration.manifest, (place.model,), (case,), trial + 1, Subset(), {})
            wanted = [slot for slot in all_ if slot.trial == trial]
            prepared = prepare(self._store, wanted, "", generation=0, fresh=False)
            each.append(price(self._store, configuration, prepared))
        costs = [e.cost_usd for e in each]
        return Estimate(
            outputs=len(each),
            cached=sum(e.cached for e in each),
            to_ask=sum(e.to_ask for e in each),
            to_score=sum(e.to_score for e in each),
            cost_usd=None if any(c is None for c in costs) else sum(c for c in costs if c is not None),
            spent_today_usd=each[0].spent_today_usd,
            judgements=sum(e.judgements for e in each),
        )


def keep(engine: Engine, config: str, new: NewCase, file: str | None = None) -> tuple[str, str]:
    """Write a case into an eval file of the configuration.

    Args:
        file: of the workspace; None: the first one of the configuration.

    Returns:
        Its id, and the file.

    Raises:
        UsageError: its id is taken, a case asks the same, or the file can't take it.
        WorkspaceError: the files have mistakes, or can't be written.
    """
    from llmops_tui.workspace.new_case import add_case

    configuration = engine.configuration(config)
    files = list(dict.fromkeys(case.file for case in configuration.cases))
    if file is not None and file not in files:
        raise UsageError(Problem(f"{file} is no eval file of '{config}'", f"choose {_or(files)}"))
    chosen = file or files[0]
    new = pure.checked(new, configuration.cases)
    for other in engine.workspace.configurations.values():
        if any(case.file == chosen for case in other.cases) and any(c.id == new.id for c in other.cases):
            raise UsageError(
                Problem(
                    f"'{other.name}', which reads {chosen} too, has a case '{new.id}'", "choose another id"
                )
            )
    add_case(engine.root, chosen, new)
    return new.id, chosen


def _places(left: _Side | None, right: _Side) -> list[_Place]:
    """Each model of both sides, partners in one column."""
    after = right.configuration.models
    before = left.configuration.models if left is not None else ()
    pairs = pair_models(tuple(b.id for b in before), tuple(a.id for a in after))
    partner = {new: old for old, new in pairs.items()}
    by_id = {model.id: model for model in before}

    def places() -> Iterator[_Place]:
        for n, model in enumerate(after):
            old = by_id.pop(partner.get(model.id, ""), None)
            if left is not None and old is not None:
                yield _Place(n, 0, left, old)
            yield _Place(n, 1, right, model)
        for n, model in enumerate(by_id.values(), len(after)):
            assert left is not None
            yield _Place(n, 0, left, model)

    return list(places())


def _judged_by(configuration: Configuration, case: Case) -> Configuration:
    """The same over this one case: the providers of its judges are connected too."""
    return msgspec.structs.replace(configuration, cases=(case,))


def _listening(start: Answering, emit: Callable[[Event], None]) -> Aside:
    """Tells what an answer comes to while it comes."""
    now = start

    def heard(text: str) -> None:
        nonlocal now
        now = msgspec.structs.replace(now, text=text, waiting="")
        emit(now)

    def waiting(said: str) -> None:
        nonlocal now
        if said != now.waiting:
            now = msgspec.structs.replace(now, waiting=said)
            emit(now)

    return Aside(heard, waiting)


def _and(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _or(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
