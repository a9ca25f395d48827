"""The verdict on a comparison as it is stored: gathers what it is decided on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, pair_models
from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.gate.rows import CaseFacts, GateInput, Values
from llmops_tui.domain.manifest import changed_parts
from llmops_tui.domain.program import program_of
from llmops_tui.domain.review import Decision, PairKey, decisions_of
from llmops_tui.domain.run import Row, VersionInfo
from llmops_tui.domain.score import score_key
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.looks import look_of
from llmops_tui.engine.pairing import Spent

#: Parts that decide an answer beside what is asked of a model.
NOT_ASKED = frozenset({"step", "tools", "code", "program"})


class Verdicts:
    """Verdicts on comparisons of one workspace, as they are stored. Asks nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._store = engine.store

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
            all(r.reason in ("gate", "adjudication", "attack") and r.generation > 0 for r in runs)
            and len({r.generation for r in runs}) == 1
        )
        return GateInput(
            comparison=comparison,
            cases=facts_of(cases),
            decisions=decisions_of(all_decisions, comparison),
            same_request=self._same_requests(comparison),
            same_requests=self._asks_the_same(comparison),
            deterministic=self.deterministic(comparison),
            scorer_values=self._scorer_values(comparison, cases),
            fresh_pairs=side_by_side,
            look=look_of(factor),
            base_trials=configuration.trials if configuration is not None else 1,
            trials_spent=_trials_beyond(comparison, factor),
            guard_failures=self._engine.queries.guard_failures(candidate),
            guard_failures_before=self._engine.queries.guard_failures(baseline),
        )

    def _same_requests(self, comparison: Comparison) -> Mapping[int, str]:
        """Outputs of one and the same request are one draw; a program's are more than what it asks."""
        manifests = [
            self._store.versions.manifest(side.version.id)
            for side in (comparison.baseline, comparison.candidate)
        ]
        if any(part.kind in NOT_ASKED for manifest in manifests for part in manifest.parts):
            return {}
        return self._store.outputs.same_requests(
            side.run.id for side in (comparison.baseline, comparison.candidate)
        )

    def _asks_the_same(self, comparison: Comparison) -> bool:
        """Whether nothing that is asked differs, as after an edit of a comment in the prompt."""
        pairs = comparison.pairs
        # A case or a model that one side has alone may do anything.
        if not pairs or any(p.output_changed is not False for p in pairs):
            return False
        versions = self._store.versions
        before, after = (
            versions.manifest(v.id) for v in (comparison.baseline.version, comparison.candidate.version)
        )
        if any(c.kind in NOT_ASKED for c in changed_parts(before, after)):
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
        program = program_of(manifest)
        own = {model.id: model for model in models_of(manifest, "own_models")}
        models = [m for m in models_of(manifest) if version.model in ("", m.id)]
        return {model.id: program.repeats(model, own) for model in models}

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


def facts_of(cases: Iterable[Case]) -> dict[str, CaseFacts]:
    """What a gate reads of cases. Many cases share one tuple of scorers."""
    alike: dict[int, bool] = {}
    facts = {}
    for case in cases:
        mark = id(case.scorers)
        if mark not in alike:
            judges = [use.judge for use in case.scorers if use.judge is not None]
            alike[mark] = all(judge.model.is_deterministic(judge.params) for judge in judges)
        facts[case.id] = CaseFacts(case.tags, case.group, case.known_failing, case.trials, alike[mark])
    return facts
