"""The gate over recorded results: fills in what is missing on either side, judges, adjudicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from llmops_tui.domain.comparison import Comparison, compare
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.format import plural
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.statistics.sequential import FACTORS
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import pairing, subjects
from llmops_tui.engine.evaluation import silent
from llmops_tui.engine.events import AskFirst, Estimate, Event, GateRequest
from llmops_tui.engine.looks import look_at, look_of, over_budget, pointless
from llmops_tui.engine.pairing import Side, Spent
from llmops_tui.engine.verdicts import Verdicts
from llmops_tui.store import WorkspaceLock


class GateOutcome(msgspec.Struct, frozen=True):
    """A gate that was carried out.

    Attributes:
        adapted: what had to be adapted to this machine, as sentences.
        baseline, candidate: as they were named; what is compared may be the same on this machine's models.
        cost_usd: of what was asked for it; None where a price is not known.
        failures: why outputs could not be had, each once.
        cancelled: it was cut short.
        over_budget: it was cut short since it had cost what it may.
    """

    comparison: Comparison
    result: GateResult
    baseline: VersionInfo
    candidate: VersionInfo
    adapted: tuple[str, ...] = ()
    cost_usd: float | None = 0.0
    failures: tuple[str, ...] = ()
    cancelled: bool = False
    over_budget: bool = False


class Gate(Verdicts):
    """Gates of one workspace."""

    async def gate(
        self, request: GateRequest, emit: Callable[[Event], None] = silent
    ) -> GateOutcome | AskFirst:
        """Fill in what is missing on either side, and judge.

        Raises:
            UsageError: there is no baseline, or no such version.
            WorkspaceError: a side can't be evaluated here.
        """
        engine = self._engine
        configuration = engine.configuration(request.config)
        on_disk = engine.version(configuration)
        candidate = (
            on_disk
            if request.candidate is None
            else engine.queries.resolve(request.config, request.candidate)
        )
        baseline = self._baseline(request)
        if baseline.id == candidate.id:
            return self._itself(baseline, candidate)
        stored = not request.fresh and not request.adjudicate
        sides, adapted = self._sides(configuration, baseline, candidate, stored=stored)
        if sides[0].version.id == sides[1].version.id:
            # Only the machine that promoted it tells them apart.
            return self._itself(baseline, candidate, sides[0].version, adapted)
        asks = None if request.agreed else self._asks_first(request, sides)
        if asks is not None:
            return asks
        lock = WorkspaceLock(engine.root, "gate")
        owner = lock.acquire()
        if owner is not None:
            # Both would add trials to the same versions, and look at each other's half-done runs.
            message = f"another gate is under way in this workspace ({owner})"
            raise UsageError(Problem(message, "wait until it ends, then run this one again"))
        try:
            gone = self._gone(baseline, configuration)
            outcome = await self._carry_out(request, baseline, candidate, sides, adapted, emit)
        finally:
            lock.release()
        if gone:
            names = f"{plural(len(gone), 'case')} of the baseline in no eval file any more"
            reasons = (*outcome.result.reasons, f"{names}, not compared: {words.names(gone)}")
            outcome = msgspec.structs.replace(
                outcome, result=msgspec.structs.replace(outcome.result, reasons=reasons)
            )
        if not outcome.cancelled:
            self._store.verdicts.add(
                baseline.id, candidate.id, outcome.result, cost_usd=outcome.cost_usd, at=engine.clock()
            )
        return outcome

    def _gone(self, baseline: VersionInfo, configuration: Configuration) -> list[tuple[str, str]]:
        """Cases that the baseline was evaluated on and that are not on disk: nothing can be told of them."""
        there = {case.id for case in configuration.cases}
        rows = self._engine.queries.snapshot(baseline).rows
        return [(row.case_id, row.model) for row in rows if row.case_id not in there]

    async def _carry_out(
        self,
        request: GateRequest,
        baseline: VersionInfo,
        candidate: VersionInfo,
        sides: list[Side],
        adapted: tuple[str, ...],
        emit: Callable[[Event], None],
    ) -> GateOutcome:
        engine = self._engine
        if request.fresh:
            # Drawn anew, it begins with look one again.
            for side in sides:
                self._store.versions.set_factor(side.version.id, 1)
        generation = self._store.runs.next_generation() if request.fresh else 0
        names = f"{baseline.name} and {candidate.name}"
        spent = await pairing.evaluate_sides(
            *(engine, sides, f"Gate: {names}", emit),
            generation=generation,
            fresh=request.fresh,
            spend_limit_usd=None if request.agreed else self._spend_limit(0.0),
        )
        outcome = self._outcome(baseline, candidate, sides, spent, adapted)
        if request.adjudicate and not outcome.cancelled:
            outcome = await self._adjudicate(sides, outcome, generation, emit)
        if outcome.cancelled:
            outcome = await self._cut_short(sides, outcome)
        return outcome

    async def _cut_short(self, sides: list[Side], outcome: GateOutcome) -> GateOutcome:
        """What was whole before is shown again, and nothing passes."""
        for side in sides:
            await self._engine.fall_back(side.version)
        spent = Spent(outcome.result.provider_calls, outcome.cost_usd, outcome.failures)
        spent.cancelled, spent.over_budget = True, outcome.over_budget
        again = self._outcome(outcome.baseline, outcome.candidate, sides, spent, outcome.adapted)
        looks = outcome.result.looks
        return msgspec.structs.replace(again, result=msgspec.structs.replace(again.result, looks=looks))

    def _baseline(self, request: GateRequest) -> VersionInfo:
        engine = self._engine
        if request.baseline is not None:
            return engine.queries.resolve(request.config, request.baseline)
        found = self._store.versions.baseline(request.config)
        if found is None:
            raise UsageError(
                Problem(
                    f"'{request.config}' has no baseline to hold the candidate against",
                    "evaluate the version you trust (llmops-tui run) and promote it "
                    "(llmops-tui promote latest); keep baselines.yaml in git",
                )
            )
        return found

    def _sides(
        self, configuration: Configuration, baseline: VersionInfo, candidate: VersionInfo, *, stored: bool
    ) -> tuple[list[Side], tuple[str, ...]]:
        """Both sides, and what had to be adapted; `stored`: a whole one need not be to be had here."""
        sides: list[Side] = []
        adapted: list[str] = []
        for version in (baseline, candidate):
            subject = subjects.of_version(self._store, self._engine.root, configuration, version)
            recorded = None
            if subject.adapted and stored:
                recorded = pairing.as_recorded(self._engine, configuration, version)
            if subject.adapted and recorded is None:
                version = self.hidden(subject.configuration)
                adapted += subject.adapted
            sides.append(recorded or Side(subject.configuration, version))
        return sides, tuple(adapted)

    def hidden(self, configuration: Configuration) -> VersionInfo:
        """A version without a number for a configuration that is not on disk; else the one it is."""
        version, _new = self._store.versions.ensure(
            configuration.name,
            configuration.manifest,
            configuration.blobs,
            at=self._engine.clock(),
            hidden=True,
        )
        return version

    def _itself(
        self,
        baseline: VersionInfo,
        candidate: VersionInfo,
        version: VersionInfo | None = None,
        adapted: tuple[str, ...] = (),
    ) -> GateOutcome:
        snapshot = self._engine.queries.snapshot(version or candidate)
        comparison = compare(snapshot, snapshot)
        result = self.judged(comparison)
        if adapted and result.verdict == "pass":
            result = msgspec.structs.replace(
                result, headline="nothing changed but the models of this machine"
            )
        return GateOutcome(comparison, result, baseline, candidate, adapted)

    def _outcome(
        self,
        baseline: VersionInfo,
        candidate: VersionInfo,
        sides: list[Side],
        spent: Spent,
        adapted: tuple[str, ...],
    ) -> GateOutcome:
        queries = self._engine.queries
        comparison = compare(*(queries.snapshot(side.version) for side in sides))
        result = self.judged(comparison, spent=spent)
        return GateOutcome(
            *(comparison, result, baseline, candidate, adapted, spent.cost_usd, spent.failures),
            cancelled=spent.cancelled,
            over_budget=spent.over_budget,
        )

    # -- prices

    def _spend_limit(self, cost_usd: float | None) -> float | None:
        """What a gate that has cost so much may cost further, at most; None: no limit."""
        gate, run = self._engine.workspace.gate.budget.usd, self._engine.workspace.budget.per_run_usd
        limits = [gate - (cost_usd or 0.0)] if gate is not None else []
        return min(limits + ([run] if run is not None else []), default=None)

    def _asks_first(self, request: GateRequest, sides: Sequence[Side]) -> AskFirst | None:
        """What has to be agreed to before anything is asked."""
        workspace = self._engine.workspace

        def priced(factor: int | None) -> Estimate:
            return pairing.estimate(self._engine, sides, fresh=request.fresh, factor=factor)

        price = priced(1 if request.fresh else None)
        over = over_budget(workspace.gate, price)
        why = (
            f"gate.budget in llmops.yaml does not allow this gate: {over}"
            if over
            else prices.objection(workspace.budget, price)
        )
        if why is not None:
            return AskFirst(request, price, why)
        if not request.ask_first:
            return None
        if request.adjudicate and (price.requests or self._can_help(sides)):
            why = "Adjudicate with more trials of every case, all looks together"
            return AskFirst(request, priced(FACTORS[-1]), why)
        why = "Gate on fresh answers of both sides?" if request.fresh else "Ask what is missing?"
        return AskFirst(request, price, why) if price.requests else None

    def _can_help(self, sides: Sequence[Side]) -> bool:
        """Whether more trials may decide what is there now."""
        now = self.judged(compare(*(self._engine.queries.snapshot(side.version) for side in sides)))
        return now.verdict == "inconclusive" and not pointless(now)

    # -- adjudication

    async def _adjudicate(
        self, sides: list[Side], first: GateOutcome, generation: int, emit: Callable[[Event], None]
    ) -> GateOutcome:
        """More trials of every case, on both sides, in planned looks, until the verdict is clear.

        The first gate was look one; the error that is put up with is spent over all looks as planned.
        """
        engine = self._engine
        store = self._store
        factor = min(store.versions.factor(side.version.id) for side in sides)
        looks = [look_at(first.result, look_of(factor), first.result.provider_calls, first.cost_usd)]
        outcome = first
        calls, cost_usd = first.result.provider_calls, first.cost_usd
        why_not = ""
        while outcome.result.verdict == "inconclusive":
            why_not = pointless(outcome.result)
            if why_not:
                break
            later = [f for f in FACTORS if f > factor]
            if not later:
                why_not = f"adjudication ended undecided after {len(FACTORS)} looks, as planned"
                break
            before = {side.version.id: store.versions.factor(side.version.id) for side in sides}
            for side in sides:
                store.versions.set_factor(side.version.id, max(later[0], before[side.version.id]))
            # The later looks of a fresh gate draw anew too: answers of an earlier gate were looked at then.
            fresh = generation > 0
            price = pairing.estimate(engine, sides, fresh=fresh, generation=generation)
            over = over_budget(engine.workspace.gate, price, calls, cost_usd) or prices.objection(
                engine.workspace.budget, price
            )
            if over is not None:
                for id_, value in before.items():
                    store.versions.set_factor(id_, value)
                why_not = f"adjudication stopped before look {look_of(later[0])}: {over}"
                break
            factor = later[0]
            names = " and ".join(side.version.name for side in sides)
            what = f"Look {look_of(factor)} of {len(FACTORS)}: {names}"
            spent = await pairing.evaluate_sides(
                *(engine, sides, what, emit),
                reason="adjudication",
                generation=generation,
                fresh=fresh,
                spend_limit_usd=self._spend_limit(cost_usd),
            )
            calls += spent.calls
            known = cost_usd is not None and spent.cost_usd is not None
            cost_usd = (cost_usd or 0.0) + (spent.cost_usd or 0.0) if known else None
            outcome = self._outcome(first.baseline, first.candidate, sides, spent, first.adapted)
            looks.append(look_at(outcome.result, look_of(factor), spent.calls, spent.cost_usd))
            if outcome.cancelled:
                break
        reasons = outcome.result.reasons + ((why_not,) if why_not else ())
        result = msgspec.structs.replace(
            outcome.result, reasons=reasons, provider_calls=calls, looks=tuple(looks)
        )
        return msgspec.structs.replace(outcome, result=result, cost_usd=cost_usd)
