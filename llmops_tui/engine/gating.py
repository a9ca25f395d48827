"""The gate over recorded results: gathers what it is decided on, fills in what is missing, adjudicates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, compare, pair_models
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.gate.rows import CaseFacts, GateInput, Values
from llmops_tui.domain.review import Decision, PairKey, decisions_of
from llmops_tui.domain.run import Row, VersionInfo
from llmops_tui.domain.score import score_key
from llmops_tui.domain.statistics.sequential import FACTORS
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import pairing, subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import silent
from llmops_tui.engine.events import AskFirst, Estimate, Event, GateRequest
from llmops_tui.engine.looks import look_at, look_of, over_budget, pointless
from llmops_tui.engine.pairing import Side, Spent


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


class Gate:
    """Gates of one workspace."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._store = engine.store

    # -- on what is there

    def judged(
        self,
        comparison: Comparison,
        *,
        decisions: Iterable[Decision] | None = None,
        spent: Spent | None = None,
    ) -> GateResult:
        """The verdict on a comparison as it is stored. Asks nothing.

        Args:
            decisions: by default what `reviews.yaml` says.
            spent: what it took to have it.

        Raises:
            WorkspaceError: `reviews.yaml` has a mistake.
        """
        settings = self._engine.workspace.gate
        given = self.given(comparison, decisions=decisions)
        if spent is not None:
            given = msgspec.structs.replace(given, provider_calls=spent.calls, cut_short=spent.cancelled)
        return judge(given, settings)

    def decisions(self) -> tuple[Decision, ...]:
        """What `reviews.yaml` says.

        Raises:
            WorkspaceError: it has a mistake.
        """
        from llmops_tui.workspace import reviews

        return reviews.read(self._engine.root)

    def given(self, comparison: Comparison, *, decisions: Iterable[Decision] | None = None) -> GateInput:
        """Everything that the verdict on a comparison is decided on."""
        baseline, candidate = comparison.baseline, comparison.candidate
        config = candidate.version.config
        configuration = self._engine.workspace.configurations.get(config)
        cases = configuration.cases if configuration is not None else ()
        all_decisions = self.decisions() if decisions is None else decisions
        factor = min(self._store.versions.factor(v.id) for v in (baseline.version, candidate.version))
        runs = (baseline.run, candidate.run)
        side_by_side = (
            all(r.reason in ("gate", "adjudication") and r.generation > 0 for r in runs)
            and len({r.generation for r in runs}) == 1
        )
        base = [c.trials or (configuration.trials if configuration else 1) for c in cases]
        return GateInput(
            comparison=comparison,
            cases=_facts(cases),
            decisions=decisions_of(all_decisions, comparison),
            same_request=self._store.outputs.same_requests(r.id for r in runs),
            same_requests=self._asks_the_same(comparison),
            deterministic=self.deterministic(comparison),
            scorer_values=self._scorer_values(comparison, cases),
            fresh_pairs=side_by_side,
            look=look_of(factor),
            base_trials=sum(base) / len(base) if base else 1.0,
            trials_spent=_trials_beyond(comparison, factor),
        )

    def _asks_the_same(self, comparison: Comparison) -> bool:
        """Whether nothing that is asked differs, as after an edit of a comment in the prompt."""
        pairs = [p for p in comparison.pairs if p.baseline is not None and p.candidate is not None]
        if not pairs or any(p.output_changed is not False for p in pairs):
            return False
        asked = self._store.outputs.requests((comparison.baseline.run.id, comparison.candidate.run.id))

        def of(row: Row | None) -> list[bytes]:
            return [asked.get(i.output_id or 0, b"") for i in (row.planned if row is not None else ())]

        return all(of(p.baseline) == of(p.candidate) and all(of(p.baseline)) for p in pairs)

    def deterministic(self, comparison: Comparison) -> frozenset[str]:
        """The candidate's models that answer alike every time, and whose counterpart does too."""
        before = self._repeating(comparison.baseline.version)
        after = self._repeating(comparison.candidate.version)
        partner = {new: old for old, new in pair_models(tuple(before), tuple(after)).items()}
        return frozenset(m for m, same in after.items() if same and before.get(partner.get(m, m), False))

    def _repeating(self, version: VersionInfo) -> dict[str, bool]:
        from llmops_tui.engine.plan import models_of

        manifest = self._store.versions.manifest(version.id)
        params = {part.name: part.value for part in manifest.of_kind("params")}
        models = [m for m in models_of(manifest) if version.model in ("", m.id)]
        return {model.id: model.is_deterministic(params) for model in models}

    def _scorer_values(
        self, comparison: Comparison, cases: Iterable[Case]
    ) -> Mapping[str, Mapping[PairKey, Values]]:
        """Values of the scorers that a rule names, trial by trial."""
        names = set(self._engine.workspace.gate.max_drop.scorers)
        if not names:
            return {}
        keys = {c.id: {u.label: score_key(u, c) for u in c.scorers if u.label in names} for c in cases}
        ids = {
            i.output_id
            for p in comparison.pairs
            for row in (p.baseline, p.candidate)
            if row is not None
            for i in row.planned
            if i.output_id is not None
        }
        scores = self._store.scores.find_many(list(ids))

        def values(row: Row | None, key: str) -> tuple[float, ...]:
            found = [scores.get(i.output_id or 0, {}).get(key) for i in (row.planned if row else ())]
            return tuple(s.value for s in found if s is not None and s.value is not None)

        result: dict[str, dict[PairKey, Values]] = {name: {} for name in names}
        for pair in comparison.pairs:
            for label, key in keys.get(pair.case_id, {}).items():
                result[label][pair.case_id, pair.model] = (
                    values(pair.baseline, key),
                    values(pair.candidate, key),
                )
        return result

    # -- filling in

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
        if not outcome.cancelled:
            self._store.verdicts.add(
                baseline.id, candidate.id, outcome.result, cost_usd=outcome.cost_usd, at=time.time()
            )
        return outcome

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
            configuration.name, configuration.manifest, configuration.blobs, at=time.time(), hidden=True
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


def _trials_beyond(comparison: Comparison, factor: int) -> int:
    """Trials of both sides that adjudication added, in all."""
    if factor == 1:
        return 0
    # A side may have more from another adjudication; what the other lacks does not count here.
    counted = [
        min(len(p.baseline.planned), len(p.candidate.planned))
        for p in comparison.pairs
        if p.baseline is not None and p.candidate is not None
    ]
    return 2 * sum(n - n // factor for n in counted)


def _facts(cases: Iterable[Case]) -> dict[str, CaseFacts]:
    """What a gate reads of cases. Many cases share one tuple of scorers."""
    alike: dict[int, bool] = {}
    facts = {}
    for case in cases:
        mark = id(case.scorers)
        if mark not in alike:
            judges = [use.judge for use in case.scorers if use.judge is not None]
            alike[mark] = all(judge.model.is_deterministic(judge.params) for judge in judges)
        facts[case.id] = CaseFacts(case.tags, case.group, case.known_failing, alike[mark])
    return facts
