"""Which version, or which commit, broke a case: carries out what `domain.bisecting` wants to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from llmops_tui.domain import bisecting as search
from llmops_tui.domain.bisected import Bisected, Seen
from llmops_tui.domain.bisecting import Bisection, Ending, Told
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError, did_you_mean
from llmops_tui.domain.model import Model
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine import bisect_steps
from llmops_tui.engine import estimate as prices
from llmops_tui.engine.bisect_steps import Step, Steps
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import price, silent
from llmops_tui.engine.events import (
    AskFirst,
    BisectRequest,
    Estimate,
    Event,
    Notice,
    RunRequest,
    Subset,
    TextChange,
    Working,
)
from llmops_tui.engine.gating import Gate
from llmops_tui.engine.plan import eval_hash, slots
from llmops_tui.engine.prepare import Prepared, prepare

#: Trials that tell whether a step may be a good end, where answers differ.
PROBE = 3
#: Trials of a step that a price counts with, where answers differ.
USUAL = 7


class BisectOutcome(msgspec.Struct, frozen=True):
    """What was found, and the changed parts as texts."""

    found: Bisected
    texts: tuple[TextChange, ...] = ()


class _Stopped(Exception):
    """Cut short by the person or by the budget; says which."""


async def bisect(
    engine: Engine,
    request: BisectRequest,
    emit: Callable[[Event], None] = silent,
    *,
    confirm: bool = True,
) -> BisectOutcome | AskFirst:
    """Find the change that broke a case. All answers are kept: run again, it goes on where it was.

    Args:
        confirm: ask first whatever it costs; else only where the budget objects.

    Raises:
        UsageError: no such case, version or commit; or the ends are not as a bisect needs them.
        WorkspaceError: what is on disk can't be evaluated.
    """
    cancels = engine.cancels
    configuration = engine.configuration(request.config)
    case = bisect_steps.case_of(configuration, request.case_id)
    try:
        if request.git:
            engine.version(configuration)
            steps = await bisect_steps.committed(
                *(engine, configuration, case, request), lambda what: emit(Working(what))
            )
        else:
            steps = bisect_steps.recorded(engine, configuration, case, request)
        work = _Work(engine, request, steps, emit, cancels)
        if not request.agreed:
            cost = work.price()
            why = prices.objection(engine.workspace.budget, cost)
            if why is not None or (confirm and cost.requests):
                return AskFirst(request, cost, why or f"Bisect {request.case_id} over {work.over}?")
        outcome = await work.carry_out()
        for version in outcome.found.versions or ():
            if not version.is_hidden:
                # So that its answers are seen where it is compared.
                await engine.rescore(version, first=engine.store.runs.snapshot(version.id) is None)
        return outcome
    finally:
        emit(Working(""))


class _Work:
    """One bisect of one case on one model."""

    def __init__(
        self,
        engine: Engine,
        request: BisectRequest,
        steps: Steps,
        emit: Callable[[Event], None],
        cancels: int,
    ) -> None:
        self._engine = engine
        self._request = request
        self._named_good = steps.good
        self._notes = list(steps.notes)
        self._emit = emit
        self._cancels = cancels
        self._calls = 0
        self._cost_usd: float | None = 0.0
        self._versions: dict[int, VersionInfo] = {}
        self._failures: list[str] = []
        last = steps.steps[-1].configuration
        assert last is not None
        self._last = last
        self._steps = steps.steps
        self._model = self._choose_model()
        self._why = [s.why_not or self._no_model(s) for s in self._steps]

    @property
    def over(self) -> str:
        what = "versions of the configuration in git" if self._request.git else "versions"
        return f"{len(self._steps)} {what}"

    def _choose_model(self) -> str:
        """Raises:
        UsageError: there is no such model.
        """
        models = [m.id for m in self._last.models]
        wanted = self._request.model
        if wanted is not None and wanted not in models:
            raise UsageError(Problem(f"no model is called '{wanted}' here", did_you_mean(wanted, models)))
        if wanted is not None or len(models) == 1:
            return wanted or models[0]
        failing = [m.id for m in self._last.models if not all(self._stored(self._last, m) or (True,))]
        chosen = (failing or models)[0]
        self._notes.append(f"Judged on {chosen}; --model names another.")
        return chosen

    def _no_model(self, step: Step) -> str:
        return "" if step.on(self._model, self._last) else f"it has no model in the place of {self._model}"

    # -- what is there

    def _model_of(self, n: int) -> Model:
        model = self._steps[n].on(self._model, self._last)
        assert model is not None
        return model

    def _prepared(
        self, configuration: Configuration, model: Model, trials: int, *, fresh: bool = False
    ) -> Prepared:
        """The case on one model, in so many trials."""
        case = msgspec.structs.replace(configuration.cases[0], trials=trials)
        places = slots(configuration.manifest, (model,), (case,), trials, Subset(), {})
        return prepare(self._engine.store, places, eval_hash(places), generation=0, fresh=fresh)

    def _stored(self, configuration: Configuration, model: Model) -> tuple[bool, ...]:
        """Whether each known trial passed, in order."""
        ready = self._prepared(configuration, model, search.MOST).ready
        items = sorted((r.item for r in ready), key=lambda item: item.trial)
        if any(item.status == "unscored" for item in items):
            raise UsageError(
                Problem(f"no scorer of {self._request.case_id} says pass or fail", "give one a threshold")
            )
        return tuple(i.status == "passed" for i in items if i.status in ("passed", "failed"))

    def _known(self, n: int) -> tuple[bool, ...]:
        step, model = self._steps[n], self._model_of(n)
        assert step.configuration is not None
        here = self._stored(step.configuration, model)
        if here or step.recorded is None or not self._is_fact(n):
            return here
        # What was answered on the model as it was then is what the person saw.
        then = next((m for m in step.recorded.models if m.id == model.id), None)
        return self._stored(step.recorded, then) if then is not None else here

    def _is_fact(self, n: int) -> bool:
        step = self._steps[n]
        if step.configuration is None or self._why[n]:
            return False
        return step.configuration.repeats(self._model_of(n))

    # -- the price

    def price(self) -> Estimate:
        """What it takes about: what is known already is not asked again."""
        candidates = self._open()
        good = 0 if self._named_good else self._known_good()
        candidates = [n for n in candidates if n >= (good or 0)]
        facts = [self._is_fact(n) for n in candidates]
        steps = max(len(candidates) - 2, 0).bit_length()
        if good is None:
            steps *= 2
        each = USUAL if not all(facts) else 1
        end = search.LOOKS[0] if not all(facts) else 1
        known = sum(min(len(self._known(n)), end) for n in (candidates[0], candidates[-1]))
        to_ask = max(2 * end - known, 0) + each * steps
        if all(facts) and self._is_known_by_facts(candidates):
            to_ask = 0
        prepared = self._prepared(
            self._last, self._model_of(len(self._steps) - 1), max(to_ask, 1), fresh=True
        )
        cost = price(self._engine.store, self._last, prepared)
        if not to_ask:
            return msgspec.structs.replace(cost, outputs=0, to_ask=0, to_score=0, cost_usd=0.0, judgements=0)
        return cost

    def _is_known_by_facts(self, candidates: Sequence[int]) -> bool:
        """Whether a search over facts would ask for nothing."""
        good = self._known_good() if not self._named_good else 0
        if good is None:
            return False
        span = [n for n in candidates if n >= good]
        bisection = Bisection([True] * len(span))
        while wants := bisection.wants():
            for want in wants:
                known = self._known(span[want.step])
                if not known:
                    return False
                bisection.saw(want.step, known)
        return True

    def _open(self) -> list[int]:
        return [n for n in range(len(self._steps)) if not self._why[n]]

    # -- the search

    async def carry_out(self) -> BisectOutcome:
        ended: Ending | None = None
        good, bad = 0, len(self._steps) - 1
        try:
            if self._why[bad]:
                raise UsageError(
                    Problem(f"{self._name(bad)} can't be asked: {self._why[bad]}", "name another")
                )
            if not self._named_good:
                good, bad = await self._look_back()
            elif self._why[good]:
                raise UsageError(Problem(f"{self._name(0)} can't be asked: {self._why[0]}", "name another"))
        except _Stopped as stopped:
            self._notes.append(str(stopped))
            return self._outcome(Bisection([False, False]), 0, len(self._steps) - 1, "stopped")
        span = range(good, bad + 1)
        aside = frozenset(n - good for n in span if self._why[n])
        bisection = Bisection([self._is_fact(n) for n in span], aside)
        try:
            await self._search(bisection, good)
        except _Stopped as stopped:
            ended = "stopped"
            self._notes.append(str(stopped))
        if bisection.ended == "not worse":
            raise UsageError(self._not_worse(bisection, good))
        return self._outcome(bisection, good, bad, ended or bisection.ended or "stopped")

    async def _search(self, bisection: Bisection, good: int) -> None:
        while wants := bisection.wants():
            for want in wants:
                n = want.step + good
                known = self._known(n)
                if len(known) < want.trials:
                    known = await self._ask(n, want.trials, self._heading(bisection, n))
                if len(known) >= want.trials:
                    bisection.saw(want.step, known)
                    continue
                why = self._failures[-1] if self._failures else "its answers could not be had"
                if want.step in (0, len(bisection.facts) - 1):
                    raise UsageError(Problem(f"{self._name(n)} can't be asked: {why}", "name another end"))
                self._why[n] = why
                bisection.put_aside(want.step)
                break

    def _heading(self, bisection: Bisection, n: int) -> str:
        what = f"Bisect {self._request.case_id}: {self._name(n)}"
        if bisection.known is None:
            return f"{what}, one end"
        return f"{what}, {bisection.search.steps_left} to go at most"

    # -- a good end

    def _known_good(self) -> int | None:
        """The newest step before the bad one whose stored answers passed; else the baseline."""
        candidates = self._open()[:-1]
        for n in reversed(candidates):
            known = self._known(n)
            if known and sum(known) * 2 > len(known):
                return n
        baseline = self._engine.store.versions.baseline(self._request.config)
        found = [n for n in candidates if baseline and self._steps[n].revision.hash == baseline.hash]
        return found[-1] if found and not self._known(found[-1]) else None

    async def _look_back(self) -> tuple[int, int]:
        """(good end, bad end) where nobody named the good one: as stored, else ever larger steps back.

        Raises:
            UsageError: it passes nowhere.
        """
        candidates = self._open()
        bad = candidates[-1]
        known = self._known_good()
        if known is not None and await self._passes(known):
            return known, bad
        back = 1
        while len(candidates) > 1:
            n = candidates[max(len(candidates) - 1 - back, 0)]
            if await self._passes(n):
                return n, bad
            if self._is_fact(n) and self._is_fact(bad) and self._known(bad)[:1] == (False,):
                bad, candidates = n, candidates[: candidates.index(n) + 1]
            elif n == candidates[0]:
                break
            back *= 2
        first, last = self._name(self._open()[0]), self._name(self._open()[-1])
        raise UsageError(
            Problem(
                f"{self._request.case_id} was seen to pass nowhere from {first} to {last}",
                "name a good one with --good"
                + ("" if self._request.git else ", or read further back in git with --git"),
            )
        )

    async def _passes(self, n: int) -> bool:
        """Whether a step looks like a good end. What makes sure of it is the bisect itself."""
        trials = 1 if self._is_fact(n) else PROBE
        known = self._known(n)
        if len(known) < trials:
            heading = f"Bisect {self._request.case_id}: looking for a good one, {self._name(n)}"
            known = await self._ask(n, trials, heading)
        return sum(known) * 2 > len(known)

    # -- asking

    async def _ask(self, n: int, trials: int, heading: str) -> tuple[bool, ...]:
        """Have so many trials of a step, as far as they can be had.

        Raises:
            _Stopped: the person has cancelled, or the budget is used up.
        """
        engine, step = self._engine, self._steps[n]
        assert step.configuration is not None
        model = self._model_of(n)
        prepared = self._prepared(step.configuration, model, trials)
        self._may_go_on()
        try:
            engine.check_trust(step.configuration)
            engine.connect([step.configuration])
        except LlmopsError as error:
            if n == len(self._steps) - 1:
                raise
            self._failures.append(error.problems[0].message)
            return self._known(n)
        if step.note and step.note not in self._notes:
            self._notes.append(step.note)
        version = Gate(engine).hidden(step.configuration)
        request = RunRequest(self._request.config, "bisect", agreed=self._request.agreed)
        one = msgspec.structs.replace(step.configuration, models=(model,))
        evaluation = engine.evaluation(request, one, version, prepared, 0, self._listen)
        self._emit(Working(heading, len(prepared.ready), trials, self._calls, self._cost_usd))
        evaluation.begin(price(engine.store, one, prepared), ())
        try:
            state = await evaluation.carry_out()
        finally:
            evaluation.finish()
            self._count(evaluation.runner)
        if state != "complete":
            over = evaluation.runner is not None and evaluation.runner.over_budget
            raise _Stopped(_OVER_BUDGET if over else _CANCELLED)
        return self._known(n)

    def _listen(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._emit(event)

    def _count(self, runner: object) -> None:
        from llmops_tui.engine.runner import Runner

        if not isinstance(runner, Runner):
            return
        self._calls += runner.provider_calls
        known = self._cost_usd is not None and runner.cost_usd is not None
        self._cost_usd = (self._cost_usd or 0.0) + (runner.cost_usd or 0.0) if known else None
        self._failures += runner.failures

    def _may_go_on(self) -> None:
        if self._engine.cancels > self._cancels:
            raise _Stopped(_CANCELLED)
        limit = self._engine.workspace.budget.per_run_usd
        if not self._request.agreed and limit is not None and (self._cost_usd or 0.0) >= limit:
            raise _Stopped(_OVER_BUDGET)

    # -- what is said

    def _name(self, n: int) -> str:
        return self._steps[n].revision.name

    def _not_worse(self, bisection: Bisection, good: int) -> Problem:
        """What is seen where the ends are not as they should be."""
        told = {t.step: t for t in bisection.told}
        first, last = told[0], told[len(bisection.facts) - 1]
        names = self._name(good), self._name(good + last.step)
        words = [
            f"passed {t.passed} of {t.trials} at {name}" for t, name in zip((first, last), names, strict=True)
        ]
        seen = f"{self._request.case_id} {' and '.join(words)}"
        if last.passed == last.trials:
            return Problem(f"{seen}: it is not failing at {names[1]}", "name a bad one with --bad")
        if not first.passed:
            return Problem(f"{seen}: it is not passing at {names[0]}", "name a good one with --good")
        return Problem(
            f"{seen}: that it does worse at {names[1]} is not certain, so no step could be told apart",
            "name other ends with --good and --bad",
        )

    def _outcome(self, bisection: Bisection, good: int, bad: int, ended: Ending) -> BisectOutcome:
        engine = self._engine
        found = bisection.search
        whole = ended == "stopped" and bisection.known is None
        last_good, first_bad = (good, bad) if whole else (good + found.good, good + found.bad)
        suspects = range(last_good + 1, first_bad + 1)
        versions = None
        if not whole:
            of = [self._steps[n].configuration for n in (last_good, first_bad)]
            hidden = [Gate(engine).hidden(c) for c in of if c is not None]
            versions = (hidden[0], hidden[1])
        path = tuple(self._seen(t, good) for t in bisection.told)
        path += tuple(
            Seen(self._steps[n].revision, "skipped", 0, 0, why_not=self._why[n])
            for n in suspects
            if self._why[n] and self._steps[n].revision not in {s.revision for s in path}
        )
        result = Bisected(
            config=self._request.config,
            case_id=self._request.case_id,
            model=self._model,
            git=self._request.git,
            ended=ended,
            good=self._steps[good].revision,
            bad=self._steps[bad].revision,
            path=path,
            before=self._steps[last_good].revision,
            first_bad=self._steps[first_bad].revision,
            suspects=tuple(self._steps[n].revision for n in suspects),
            versions=versions,
            changed=engine.queries.changes(*versions) if versions else (),
            steps=bad - good + 1,
            notes=tuple(dict.fromkeys(self._notes)),
            calls=self._calls,
            cost_usd=self._cost_usd,
        )
        return BisectOutcome(result, engine.queries.texts(*versions) if versions else ())

    def _seen(self, told: Told, good: int) -> Seen:
        n = told.step + good
        return Seen(
            *(self._steps[n].revision, told.verdict, told.passed, told.trials, told.by_fact), self._why[n]
        )


_CANCELLED = "It was cut short; what was answered is kept, and running it again goes on from there."
_OVER_BUDGET = "It reached budget.per_run_usd and was stopped; --yes goes on from there."
