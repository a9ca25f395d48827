"""Attacks tried on the version on disk, held against another by the gate.

What is asked goes through the same cache as any evaluation. The runs are kept apart (`reason` attack): they
are never a version's results in History, Matrix or the ordinary gate, and make no baseline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from llmops_tui.domain.attack import ATTACK, FAMILIES, HARMLESS, WAYS
from llmops_tui.domain.attack_figures import figures, moved
from llmops_tui.domain.attack_outcome import AttackOutcome
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, compare
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.run import Row, RunInfo, Snapshot, VersionInfo
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import pairing
from llmops_tui.engine.evaluation import silent
from llmops_tui.engine.events import AskFirst, AttackRequest, Event, Subset
from llmops_tui.engine.gating import Gate
from llmops_tui.engine.looks import over_budget
from llmops_tui.engine.pairing import Side, Spent
from llmops_tui.engine.verdicts import facts_of
from llmops_tui.store import Store, WorkspaceLock

#: As a gate advises more trials.
_TRIALS = re.compile(r"\(trials: (\d+)\)")


class Attacking(Gate):
    """Attacks on the versions of one workspace."""

    async def attack(
        self, request: AttackRequest, emit: Callable[[Event], None] = silent
    ) -> AttackOutcome | AskFirst:
        """Ask what is missing of the version on disk and of its baseline, and judge.

        Raises:
            UsageError: there are no attacks, none is left, or there is no such version.
            WorkspaceError: a file has a mistake, or a side can't be evaluated here.
        """
        from llmops_tui.workspace.attack_sets import read_attack_set

        engine = self._engine
        on_disk = engine.configuration(request.config)
        configuration = read_attack_set(engine.root, on_disk)
        chosen = _chosen(configuration.cases, request)
        candidate = engine.version(on_disk)
        baseline = self._held_against(request, candidate)
        versions = [candidate] if baseline is None else [baseline, candidate]
        sides, adapted = self._both(configuration, versions)
        subset = Subset() if len(chosen) == len(configuration.cases) else Subset(ids=tuple(chosen))
        asks = None if request.agreed else self._price_objects(request, sides, subset)
        if asks is not None:
            return asks
        lock = WorkspaceLock(engine.root, "gate")
        owner = lock.acquire()
        if owner is not None:
            message = f"a gate is under way in this workspace ({owner})"
            raise UsageError(Problem(message, "wait until it ends, then run this one again"))
        try:
            generation = self._store.runs.next_generation() if request.fresh else 0
            spent = await pairing.evaluate_sides(
                *(engine, sides, f"Attack: {' and '.join(v.name for v in versions)}", emit),
                reason="attack",
                generation=generation,
                fresh=request.fresh,
                subset=subset,
                spend_limit_usd=None if request.agreed else self._spend_limit(0.0),
            )
        finally:
            lock.release()
        return self._told(configuration, chosen, versions, sides, spent, adapted)

    def _held_against(self, request: AttackRequest, candidate: VersionInfo) -> VersionInfo | None:
        """The other version; None where there is none yet, or it is the candidate itself."""
        if request.baseline is not None:
            found = self._engine.queries.resolve(request.config, request.baseline)
        else:
            first = self._store.versions.baseline(request.config)
            if first is None:
                return None
            found = first
        return None if found.id == candidate.id else found

    def _both(
        self, configuration: Configuration, versions: Sequence[VersionInfo]
    ) -> tuple[list[Side], tuple[str, ...]]:
        if len(versions) == 1:
            return [Side(configuration, versions[0])], ()
        return self._sides(configuration, versions[0], versions[1], stored=False)

    def _price_objects(
        self, request: AttackRequest, sides: Sequence[Side], subset: Subset
    ) -> AskFirst | None:
        workspace = self._engine.workspace
        price = pairing.estimate(self._engine, sides, fresh=request.fresh, subset=subset, attacks=True)
        over = over_budget(workspace.gate, price)
        why = (
            f"gate.budget in llmops.yaml does not allow this: {over}"
            if over
            else prices.objection(workspace.budget, price)
        )
        return AskFirst(request, price, why) if why is not None else None

    # -- what came of it

    def _told(
        self,
        configuration: Configuration,
        chosen: Sequence[str],
        versions: Sequence[VersionInfo],
        sides: Sequence[Side],
        spent: Spent,
        adapted: tuple[str, ...],
    ) -> AttackOutcome:
        wanted = set(chosen)
        cases = {case.id: case for case in configuration.cases if case.id in wanted}
        snapshots = [self._snapshot(side.version, cases) for side in sides]
        tag = self._engine.workspace.gate.critical
        told = [figures(each.rows, cases, looks_of(self._store, each.rows), tag) for each in snapshots]
        attacks = sum(case.attack is not None for case in cases.values())
        outcome = AttackOutcome(
            *(versions[-1], told[-1], attacks, len(cases) - attacks),
            adapted=adapted,
            provider_calls=spent.calls,
            cost_usd=spent.cost_usd,
            failures=spent.failures,
            cancelled=spent.cancelled,
            over_budget=spent.over_budget,
        )
        if len(sides) == 1 or sides[0].version.id == sides[1].version.id:
            return outcome
        comparison = compare(*snapshots)
        return msgspec.structs.replace(
            outcome,
            baseline=versions[0],
            before=told[0],
            comparison=comparison,
            result=self._judged_over(comparison, configuration, cases, spent),
            moved=moved(snapshots[0].rows, snapshots[1].rows, cases),
        )

    def _snapshot(self, version: VersionInfo, cases: Mapping[str, Case]) -> Snapshot:
        """The newest run over attacks, of the cases that were chosen alone."""
        found = self._store.runs.snapshot(version.id, attacks=True)
        if found is None:
            never = RunInfo(0, version.id, "attack", "interrupted", version.created_at, 0, 0)
            return Snapshot(version, never, ())
        rows = tuple(row for row in found.rows if row.case_id in cases)
        return msgspec.structs.replace(found, rows=rows)

    def _judged_over(
        self, comparison: Comparison, configuration: Configuration, cases: Mapping[str, Case], spent: Spent
    ) -> GateResult:
        """The gate's verdict, with a rule for the attacks and one for the harmless cases."""
        given = msgspec.structs.replace(
            self.given(comparison),
            cases=facts_of(cases.values()),
            base_trials=configuration.trials,
            provider_calls=spent.calls,
            cut_short=spent.cancelled,
        )
        judged = judge(given, rules_for(self._engine.workspace.gate, cases.values()))
        return advised(judged, configuration.file)


def advised(result: GateResult, file: str) -> GateResult:
    """With the advice of a gate in the words of this command: it adjudicates nothing, and asks again itself.

    Args:
        file: of the configuration, which says how many trials there are.
    """

    def said(text: str) -> str:
        text = text.replace(", or --adjudicate", "").replace("llmops-tui run --failed", "llmops-tui attack")
        return _TRIALS.sub(rf"(trials: \1 in {file})", text.replace("run the gate again", "run it again"))

    rules = tuple(msgspec.structs.replace(r, would_decide=said(r.would_decide)) for r in result.rules)
    return msgspec.structs.replace(
        result, rules=rules, headline=said(result.headline), reasons=tuple(map(said, result.reasons))
    )


def rules_for(settings: GateSettings, cases: Iterable[Case]) -> GateSettings:
    """The rules of a gate as they hold for attacks: the limit of the pass rate is that of attacks and of
    harmless cases, each for itself. Rules about tags that no case has, and about scorers, are left out."""
    tags = {tag for case in cases for tag in case.tags}
    drop = settings.max_drop
    limits = {tag: drop.tags.get(tag, drop.pass_rate) for tag in (ATTACK, HARMLESS) if tag in tags}
    own = {tag: limit for tag, limit in drop.tags.items() if tag in tags}
    return msgspec.structs.replace(
        settings, max_drop=msgspec.structs.replace(drop, tags={**limits, **own}, scorers={})
    )


def looks_of(store: Store, rows: Iterable[Row]) -> dict[int, tuple[Look, ...]]:
    """What guardrails saw of the outputs of these rows, in their order; outputs on which none looked are left
    out."""
    ids = [item.output_id for row in rows for item in row.planned if item.output_id is not None]
    found = store.outputs.looks(ids)
    return {id_: found[id_] for id_ in ids if id_ in found}


def _chosen(cases: Sequence[Case], request: AttackRequest) -> list[str]:
    """Ids of the attacks that were asked for, and of all harmless cases.

    Raises:
        UsageError: no attack is left, or there is no such family, way or mutation.
    """
    mutations = {case.attack.mutation for case in cases if case.attack is not None}
    known_of: tuple[tuple[str, tuple[str, ...], set[str]], ...] = (
        ("family", request.families, set(FAMILIES)),
        ("way", request.ways, set(WAYS)),
        ("mutation", request.mutations, mutations),
    )
    for what, given, known in known_of:
        for name in given:
            if name not in known:
                raise UsageError(
                    Problem(f"no attack here has the {what} '{name}'", did_you_mean(name, known))
                )
    attacks = [case.id for case in cases if case.attack is not None and _is_wanted(case, request)]
    if not attacks:
        raise UsageError(Problem("no attack is left", "widen --family, --way or --mutation"))
    wanted = set(attacks)
    return [case.id for case in cases if case.attack is None or case.id in wanted]


def _is_wanted(case: Case, request: AttackRequest) -> bool:
    attack = case.attack
    assert attack is not None
    return (
        (not request.families or attack.family in request.families)
        and (not request.ways or attack.way in request.ways)
        and (not request.mutations or attack.mutation in request.mutations)
    )
