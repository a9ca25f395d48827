"""Variants of the configuration on disk, evaluated side by side with it, and ranked. No file is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec

from llmops_tui.domain.comparison import compare
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.format import plural
from llmops_tui.domain.gate.rows import sort_out
from llmops_tui.domain.ranking import Held, Metric, PairedRow, Ranking, Standing, rank
from llmops_tui.domain.ranking_words import conclusion
from llmops_tui.domain.run import Row, Snapshot, VersionInfo, passes, tally
from llmops_tui.domain.variants import Variant, variants
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import pairing
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import silent
from llmops_tui.engine.events import AskFirst, Estimate, Event, TryRequest
from llmops_tui.engine.gating import Gate
from llmops_tui.engine.pairing import Side, Spent
from llmops_tui.engine.plan import choose, narrows, no_case


class TryOutcome(msgspec.Struct, frozen=True):
    """Variants that were tried.

    Attributes:
        conclusion: what can be concluded, and what would settle the rest.
        cases: that were counted.
        side_by_side: all were asked anew together: latencies can be compared.
        warnings: about what was tried, as sentences.
        cost_usd: of what was asked for it; None where a price is not known.
        failures: why outputs could not be had, each once.
        cancelled: it was cut short; what was answered is kept.
    """

    config: str
    ranking: Ranking
    conclusion: tuple[str, ...]
    cases: int
    side_by_side: bool = False
    warnings: tuple[str, ...] = ()
    provider_calls: int = 0
    cost_usd: float | None = 0.0
    failures: tuple[str, ...] = ()
    cancelled: bool = False


class Trying:
    """Variants that are read and priced, and not asked yet.

    Attributes:
        price: what is missing of them and of the version on disk.
        objection: why the budget does not allow it, or None.

    Raises:
        UsageError: a variant is wrong.
        WorkspaceError: the files have mistakes.
    """

    def __init__(self, engine: Engine, request: TryRequest) -> None:
        from llmops_tui.workspace import read_variants

        self._engine = engine
        self._request = request
        on_disk = engine.configuration(request.config)
        wanted = variants(request.sets, request.sweeps)
        if narrows(request.subset) and not choose(on_disk.cases, request.subset):
            raise UsageError(no_case(on_disk.cases, request.subset))
        as_it_is, *found = read_variants(engine.root, on_disk.name, (Variant(()), *wanted))
        if as_it_is.manifest.hash != on_disk.manifest.hash:
            raise UsageError(Problem("the files were changed a moment ago", "try again"))
        self.warnings = tuple(dict.fromkeys(str(w) for c in found for w in c.warnings))
        self._labels = _labels(on_disk, wanted, found)
        self._sides = self._record(on_disk, found)
        self.price: Estimate = pairing.estimate(
            engine, self._sides, fresh=request.fresh, subset=request.subset
        )
        self.objection = prices.objection(engine.workspace.budget, self.price)

    @property
    def what(self) -> str:
        """`Try 6 variants and v12`."""
        return f"Try {plural(len(self._sides) - 1, 'variant')} and {self._sides[0].version.name}"

    def _record(self, on_disk: Configuration, found: Sequence[Configuration]) -> list[Side]:
        gate = Gate(self._engine)
        sides = [Side(on_disk, self._engine.version(on_disk))]
        known = {on_disk.manifest.hash}
        for read in found:
            if read.manifest.hash not in known:
                known.add(read.manifest.hash)
                # All are judged by the cases on disk.
                configuration = msgspec.structs.replace(
                    read, cases=on_disk.cases, trials=on_disk.trials, name=on_disk.name
                )
                sides.append(Side(configuration, gate.hidden(configuration)))
        return sides

    async def carry_out(self, emit: Callable[[Event], None] = silent) -> TryOutcome:
        """Ask what is missing, and rank what is there then.

        Without a yes from the person, a run ends where it has spent what the budget allows.

        Raises:
            WorkspaceError: a key is missing, or Python of the workspace may not run.
        """
        engine, request = self._engine, self._request
        generation = engine.store.runs.next_generation() if request.fresh else 0
        spent = await pairing.evaluate_sides(
            *(engine, self._sides, self.what, emit),
            reason="what-if",
            generation=generation,
            fresh=request.fresh,
            subset=request.subset,
            spend_limit_usd=None if request.agreed else engine.workspace.budget.per_run_usd,
        )
        return self._outcome(spent)

    def _outcome(self, spent: Spent) -> TryOutcome:
        snapshots = [self._snapshot(side.version) for side in self._sides]
        ranked = _Ranked(self._engine, self._sides, snapshots, self._labels)
        generations = {s.run.generation for s in snapshots}
        side_by_side = self._request.fresh and generations != {0} and len(generations) == 1
        return TryOutcome(
            config=self._request.config,
            ranking=ranked.ranking,
            conclusion=conclusion(ranked.ranking, side_by_side=side_by_side),
            cases=len({row.case_id for row in snapshots[0].rows}),
            side_by_side=side_by_side,
            warnings=self.warnings,
            provider_calls=spent.calls,
            cost_usd=spent.cost_usd,
            failures=spent.failures,
            cancelled=spent.cancelled,
        )

    def _snapshot(self, version: VersionInfo) -> Snapshot:
        """Of the cases that are tried, and no others."""
        snapshot = self._engine.queries.snapshot(version)
        chosen = choose(self._sides[0].configuration.cases, self._request.subset)
        rows = tuple(row for row in snapshot.rows if row.case_id in chosen)
        return msgspec.structs.replace(snapshot, rows=rows)


async def try_variants(
    engine: Engine, request: TryRequest, emit: Callable[[Event], None] = silent
) -> TryOutcome | AskFirst:
    """Read, price, ask and rank. Where anything is to be asked, the price is shown first.

    Raises:
        LlmopsError: as `Trying`.
    """
    trying = Trying(engine, request)
    if not request.agreed and trying.price.requests:
        return AskFirst(request, trying.price, trying.objection or f"{trying.what}?")
    return await trying.carry_out(emit)


def _labels(
    on_disk: Configuration, wanted: Sequence[Variant], found: Sequence[Configuration]
) -> dict[str, tuple[str, ...]]:
    """Hash of a manifest → the variants that come to it; the first names it."""
    labels: dict[str, tuple[str, ...]] = {on_disk.manifest.hash: ()}
    for variant, configuration in zip(wanted, found, strict=True):
        hash_ = configuration.manifest.hash
        labels[hash_] = (*labels.get(hash_, ()), variant.label)
    if len(labels) == 1:
        raise UsageError(
            Problem(
                f"{wanted[0].label} is what is on disk already",
                "set a key to another value than the file has",
            )
        )
    return labels


class _Ranked:
    """Snapshots of all sides, held against each other."""

    def __init__(
        self,
        engine: Engine,
        sides: Sequence[Side],
        snapshots: Sequence[Snapshot],
        labels: dict[str, tuple[str, ...]],
    ) -> None:
        self._gate = Gate(engine)
        self._settings = engine.workspace.gate
        self._cases = {c.id: c for c in sides[0].configuration.cases}
        self._snapshots = snapshots
        self._labels = [labels[side.configuration.manifest.hash] for side in sides]

    @cached_property
    def metric(self) -> Metric:
        """The pass rate, where any case is judged by passing."""
        return "pass_rate" if any(passes(row) for s in self._snapshots for row in s.rows) else "score"

    @cached_property
    def ranking(self) -> Ranking:
        standings = [self._standing(n) for n in range(len(self._snapshots))]
        return rank(
            standings,
            self._held,
            metric=self.metric,
            estimand=self._settings.estimand,
            alpha=self._settings.alpha,
        )

    def _standing(self, n: int) -> Standing:
        snapshot, labels = self._snapshots[n], self._labels[n]
        counted = tally(snapshot.rows)
        items = [i for row in snapshot.rows for i in row.planned if i.output_id is not None]
        costs = [i.cost_usd for i in items]
        known = [c for c in costs if c is not None]
        latencies = sorted(i.latency_s for i in items if i.latency_s is not None)
        unranked = ""
        if counted.missing:
            unranked = f"{plural(counted.missing, 'case')} without an answer"
        elif counted.errors > self._settings.max_errors:
            unranked = f"{plural(counted.errors, 'error')}"
        return Standing(
            label=labels[0] if n else "",
            version=snapshot.version,
            value=counted.pass_rate if self.metric == "pass_rate" else counted.mean_score,
            same_as=labels[1:] if n else labels,
            unranked=unranked,
            errors=counted.errors,
            missing=counted.missing,
            cost_usd=sum(known) / len(known) if known and len(known) == len(costs) else None,
            p50_s=_quantile(latencies, 50),
            p95_s=_quantile(latencies, 95),
            critical=self._critical(n),
        )

    def _critical(self, n: int) -> tuple[str, ...]:
        tag = self._settings.critical
        pairs = compare(self._snapshots[0], self._snapshots[n]).pairs
        broken = [p.case_id for p in pairs if p.flip == "pass→fail"]
        return tuple(
            dict.fromkeys(id_ for id_ in broken if id_ in self._cases and tag in self._cases[id_].tags)
        )

    def _held(self, left: int, right: int) -> Held:
        before, after = self._snapshots[left], self._snapshots[right]
        comparison = compare(before, after)
        given = self._gate.given(comparison, decisions=())
        binary = self.metric == "pass_rate"
        if len(before.models) != len(after.models):
            alike = all(facts.judged_alike for facts in given.cases.values())
            repeats = alike and given.deterministic >= {*before.models, *after.models}
            return Held(self._by_case(before, after), repeats, binary=False)
        judged = [(r, r.passes if binary else r.scores) for r in sort_out(given).judged]
        judged = [(r, values) for r, values in judged if values[0] and values[1]]
        rows = tuple((r.cluster, *values) for r, values in judged)
        by_fact = bool(judged) and all(r.repeats for r, _ in judged)
        return Held(rows, by_fact, binary)

    def _by_case(self, before: Snapshot, after: Snapshot) -> tuple[PairedRow, ...]:
        """Where the sides have different numbers of models: each case by the mean of its models."""
        sides = [self._case_values(snapshot) for snapshot in (before, after)]
        rows: list[PairedRow] = []
        for id_, left in sides[0].items():
            case, right = self._cases.get(id_), sides[1].get(id_)
            if case is not None and not case.known_failing and left and right:
                rows.append((f"group {case.group}" if case.group else f"case {id_}", left, right))
        return tuple(rows)

    def _case_values(self, snapshot: Snapshot) -> dict[str, list[float]]:
        """Case → its trials, each the mean over models; empty where a model has no value."""
        models: dict[str, list[tuple[float, ...]]] = {}
        for row in snapshot.rows:
            models.setdefault(row.case_id, []).append(self._values(row))
        return {
            id_: [sum(trial) / len(trial) for trial in zip(*values, strict=False)]
            for id_, values in models.items()
        }

    def _values(self, row: Row) -> tuple[float, ...]:
        if self.metric == "pass_rate":
            return passes(row)
        return tuple(i.score for i in row.planned if i.score is not None)


def _quantile(values: Sequence[float], percent: int) -> float | None:
    """Nearest rank, of sorted values."""
    return values[-(-len(values) * percent // 100) - 1] if values else None
