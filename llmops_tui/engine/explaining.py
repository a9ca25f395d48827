"""Which changed part did how much: versions in between are evaluated, and the difference is shared out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from llmops_tui.domain.attribution import (
    MEASURES,
    Attribution,
    Explanation,
    MixedRow,
    State,
    case_shares,
    measures_of,
    mixed_rows,
    moved,
    share_out,
    total_of,
)
from llmops_tui.domain.comparison import compare
from llmops_tui.domain.format import count, plural
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.rows import clusters, sort_out
from llmops_tui.domain.mixture import inseparable
from llmops_tui.domain.run import Snapshot, VersionInfo
from llmops_tui.domain.statistics.sequential import nominal_alpha
from llmops_tui.domain.statistics.shapley import Design, exact, sampled
from llmops_tui.engine import estimate as prices
from llmops_tui.engine import pairing
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import silent
from llmops_tui.engine.events import AskFirst, Estimate, Event, ExplainRequest
from llmops_tui.engine.gating import Gate
from llmops_tui.engine.mixtures import Mixtures, ends_of
from llmops_tui.engine.pairing import Spent

#: Up to so many parts, all corners are looked at.
EXACT_PARTS = 5
#: Drawn orders beyond that, each with its reverse: at most, and at least (the fewest that have a spread).
PAIRS = (8, 7, 6, 5, 4, 3)
SEED = 1953
#: Failures that lie in what was asked, and not in how it went.
REFUSALS = frozenset(("refused_request", "context_length", "template", "retrieval"))


class ExplainOutcome(msgspec.Struct, frozen=True):
    """An explanation, and what it took.

    Attributes:
        cost_usd: None where a price is not known.
        failures: why outputs could not be had, each once.
        cancelled: it was cut short; what was answered is kept.
        over_budget: it was cut short since it had cost what it may.
    """

    explanation: Explanation
    provider_calls: int = 0
    cost_usd: float | None = 0.0
    failures: tuple[str, ...] = ()
    cancelled: bool = False
    over_budget: bool = False


async def explain(
    engine: Engine, request: ExplainRequest, emit: Callable[[Event], None] = silent
) -> ExplainOutcome | AskFirst:
    """Explain the difference between two versions.

    What is not known is asked for; where that is anything at all, the price is shown first.

    Raises:
        UsageError: a version is not there, or was never evaluated.
        WorkspaceError: the files have mistakes, or a model can't be had here.
    """
    return await _Explaining(engine, *_versions(engine, request.config, request.a, request.b)).carry_out(
        request, emit
    )


def stored(engine: Engine, a: VersionInfo, b: VersionInfo) -> Explanation | None:
    """The explanation of two versions from what was answered before; None where something is missing.

    Asks nothing and records nothing.

    Raises:
        UsageError, WorkspaceError: a version can't be had here.
    """
    if a.id == b.id:
        return None
    explaining = _Explaining(engine, a, b, recording=False)
    if len(explaining.mixtures.parts) < 2:
        return None
    for design in explaining.designs():
        if any(explaining.mixtures.find(corner) is None for corner in design.corners):
            continue
        snapshots = {corner: explaining.mixtures.snapshot(corner) for corner in design.corners}
        there = {corner: snapshot for corner, snapshot in snapshots.items() if snapshot is not None}
        if len(there) == len(snapshots):
            return explaining.explanation(design, there)
    return None


def _versions(engine: Engine, config: str, a: str | None, b: str | None) -> tuple[VersionInfo, VersionInfo]:
    candidate = engine.queries.resolve(config, b or "latest")
    baseline = engine.queries.resolve(config, a or "baseline")
    return baseline, candidate


class _Explaining:
    def __init__(self, engine: Engine, a: VersionInfo, b: VersionInfo, *, recording: bool = True) -> None:
        self._engine = engine
        self._named = a, b
        self._ends = ends_of(engine, b.config, a, b, recording=recording)
        self.mixtures = Mixtures(engine, self._ends)
        self._left: tuple[str, ...] = ()
        self._limit_usd: float | None = None

    # -- the way

    async def carry_out(
        self, request: ExplainRequest, emit: Callable[[Event], None]
    ) -> ExplainOutcome | AskFirst:
        engine = self._engine
        if len(self.mixtures.parts) < 2:
            return ExplainOutcome(self._plain())
        ends = self._known_ends()
        if ends is not None and (said := self._not_to_be_shared(ends)) is not None:
            return ExplainOutcome(said)
        design, price = self._affordable()
        if not request.agreed and price.requests:
            return AskFirst(request, price, self._question(design, price))
        over = prices.objection(engine.workspace.budget, price) is not None
        self._limit_usd = None if over else engine.workspace.budget.per_run_usd
        spent = await self._evaluate([0, self.mixtures.last], f"Explain {self._between}", emit, Spent())
        while not spent.cancelled:
            snapshots = self._snapshots([0, self.mixtures.last])
            said = self._not_to_be_shared(snapshots)
            if said is not None:
                return _outcome(said, spent)
            spent = await self._evaluate(design.corners, self._title(design), emit, spent)
            snapshots = self._snapshots(design.corners)
            if spent.cancelled or not self._merge_what_failed(snapshots):
                break
            if len(self.mixtures.parts) < 2:
                return _outcome(self._plain(), spent)
            design, _price = self._affordable()
        if spent.cancelled:
            why = (
                "it has cost what the budget in llmops.yaml allows"
                if spent.over_budget
                else "it was cut short"
            )
            return _outcome(self._said("incomplete", f"{why}; what was answered is kept"), spent)
        return _outcome(self.explanation(design, snapshots), spent)

    def designs(self) -> list[Design]:
        """Which corners to look at: as many as is wanted first, fewer where that is too dear."""
        k = len(self.mixtures.parts)
        return [exact(k)] if k <= EXACT_PARTS else [sampled(k, pairs, SEED) for pairs in PAIRS]

    def _affordable(self) -> tuple[Design, Estimate]:
        """The largest design that the budget allows, else the smallest."""
        for design in self.designs():
            price = self.mixtures.price(design.corners)
            if prices.objection(self._engine.workspace.budget, price) is None:
                break
        return design, price

    def _question(self, design: Design, price: Estimate) -> str:
        over = prices.objection(self._engine.workspace.budget, price)
        between = plural(len(design.corners) - 2, "version")
        what = f"explain {self._between} by {between} in between?"
        return f"{over}; {what}" if over is not None else what[:1].upper() + what[1:]

    @property
    def _between(self) -> str:
        return " → ".join(version.name for version in self._named)

    def _title(self, design: Design) -> str:
        return f"Explain {self._between}: {plural(len(design.corners), 'version')}"

    async def _evaluate(
        self, corners: Sequence[int], what: str, emit: Callable[[Event], None], spent: Spent
    ) -> Spent:
        """Fill in what these corners lack; what was spent before counts against the limit."""
        sides = [self.mixtures.side(corner) for corner in corners]
        limit = None if self._limit_usd is None else self._limit_usd - (spent.cost_usd or 0.0)
        more = await pairing.evaluate_sides(
            self._engine, sides, what, emit, reason="explain", spend_limit_usd=limit
        )
        return _both(spent, more)

    def _known_ends(self) -> dict[int, Snapshot] | None:
        """Both ends, where nothing of them has to be asked."""
        found = {corner: self.mixtures.snapshot(corner) for corner in (0, self.mixtures.last)}
        there = {corner: snapshot for corner, snapshot in found.items() if snapshot is not None}
        return there if len(there) == len(found) else None

    def _snapshots(self, corners: Sequence[int]) -> dict[int, Snapshot]:
        return {c: self._engine.queries.snapshot(self.mixtures.side(c).version) for c in corners}

    def _merge_what_failed(self, snapshots: Mapping[int, Snapshot]) -> bool:
        """Take as one two parts that are refused apart: no case at all could be answered with them.

        A provider that is down, or a key that is wrong, says nothing about parts.
        """
        refused: dict[int, str] = {}
        for corner, snapshot in snapshots.items():
            if any(row.status != "error" for row in snapshot.rows):
                continue
            found = [a.failure for a in self._engine.store.attempts.for_run(snapshot.run.id)]
            if found and all(failure.kind in REFUSALS for failure in found):
                refused[corner] = found[0].message
        pair = inseparable(len(self.mixtures.parts), refused)
        if pair is None:
            return False
        self.mixtures.merge(*pair, f"one without the other is refused: {next(iter(refused.values()))}")
        return True

    # -- what is said

    def _said(self, state: State, sentence: str, **more: object) -> Explanation:
        settings = self._engine.workspace.gate
        return Explanation(
            *self._named,
            state,
            sentence,
            self.mixtures.parts,
            notes=(*self._ends.adapted, *self._merged(), *self.mixtures.notes, *self._left),
            estimand=settings.estimand,
            level=1 - settings.alpha,
            **more,  # type: ignore[arg-type]
        )

    def _merged(self) -> list[str]:
        return [f"{part.label} are taken as one: {part.why}" for part in self.mixtures.parts if part.why]

    def _plain(self) -> Explanation:
        """Fewer than two parts: nothing is to be shared out."""
        parts = self.mixtures.parts
        if not parts:
            same = self._named[0].id == self._named[1].id
            what = "they are one version" if same else "no part that can be compared differs"
            return self._said("nothing changed", f"{self._between}: {what}, so there is nothing to explain")
        ends = self._known_ends()
        found = self._totals(ends) if ends is not None else ()
        said = [f"{MEASURES[m.measure]} {moved(m.measure, m.total.delta)}" for m in found]
        told = f" ({', '.join(said)})" if said else ""
        sentence = f"only {parts[0].label} changed, so the whole difference{told} is its doing"
        return self._said("one part", sentence, measures=found)

    def _not_to_be_shared(self, ends: Mapping[int, Snapshot]) -> Explanation | None:
        """What is said where the whole is not proven; None where it is."""
        found = self._totals(ends)
        if not found:
            return self._said(
                "incomplete", "no case is judged on both sides, so there is nothing to share out"
            )
        if any(m.proven for m in found):
            return None
        return self._said("not proven", _unproven(found[0].total.by_fact), measures=found)

    def _totals(self, ends: Mapping[int, Snapshot]) -> tuple[Attribution, ...]:
        rows, _left, alpha, (fact, _) = self._rows((0, self.mixtures.last), ends)
        estimand = self._engine.workspace.gate.estimand
        return tuple(
            total_of(rows, measure, estimand=estimand, alpha=alpha, by_fact=fact)
            for measure in measures_of(rows)
        )

    def explanation(self, design: Design, snapshots: Mapping[int, Snapshot]) -> Explanation:
        """The difference shared out, from what every corner answered."""
        rows, left, alpha, facts = self._rows(design.corners, snapshots)
        settings = self._engine.workspace.gate
        parts = self.mixtures.parts
        measures = tuple(
            share_out(
                rows, parts, design, measure,
                estimand=settings.estimand, alpha=alpha, level=1 - settings.alpha, facts=facts,
            )
            for measure in measures_of(rows)
        )  # fmt: skip
        if left:
            are = "is" if len(left) == 1 else "are"
            said = f"{plural(len(left), 'case')} could not be had from every version and {are} left out"
            self._left = (f"{said}: {words.names(left)}",)
        if not any(m.proven for m in measures):
            if not measures:
                return self._said("incomplete", "no case could be had from every version in between")
            return self._said("not proven", _unproven(False), measures=measures)
        between = len(design.corners) - 2
        sentence = (
            f"{plural(len(parts), 'part')} changed; the difference is shared out over them "
            f"by {plural(between, 'version')} in between"
        )
        if design.orders:
            sentence += f" ({count(design.orders)} drawn orders of {1 << len(parts):,} mixtures)"
        return self._said(
            "explained",
            sentence,
            measures=measures,
            cases=case_shares(rows, parts, design),
            corners=between,
            orders=design.orders,
        )

    def _rows(
        self, corners: Sequence[int], snapshots: Mapping[int, Snapshot]
    ) -> tuple[list[MixedRow], list[tuple[str, str]], float, tuple[bool, bool]]:
        """(rows at these corners, those that one lacks, alpha of the whole, facts).

        Facts: whether both ends repeat themselves exactly, and whether all corners do.
        """
        gate = Gate(self._engine)
        ends = [snapshots[0], snapshots[self.mixtures.last]]
        whole = compare(*ends)
        given = gate.given(whole, decisions=())
        # Cases that come to one request at any corner rise and fall together.
        pairs = [pair for c in corners for pair in compare(ends[0], snapshots[c]).pairs]
        runs = {snapshot.run.id for snapshot in snapshots.values()}
        same = self._engine.store.outputs.same_requests(runs)
        linked = msgspec.structs.replace(
            given, comparison=msgspec.structs.replace(whole, pairs=tuple(pairs)), same_request=same
        )
        cluster_of = clusters(linked)
        judged = [
            msgspec.structs.replace(row, cluster=cluster_of(row.pair, row.facts))
            for row in sort_out(given).judged
        ]
        rows, lacking = mixed_rows(judged, [self.mixtures.rows(c, snapshots[c]) for c in corners])
        alpha = nominal_alpha(self._engine.workspace.gate.alpha, given.look)
        alike = all(row.facts.judged_alike for row in judged)
        ends_repeat, all_repeat = (
            alike and all(map(self.mixtures.repeats, some)) for some in ((0, self.mixtures.last), corners)
        )
        return rows, [row.key for row in lacking], alpha, (ends_repeat, all_repeat)


def _unproven(by_fact: bool) -> str:
    if by_fact:
        return "no case passes or scores otherwise, so there is nothing to share out"
    return "the difference is not proven: what may be chance is not shared out"


def _outcome(explanation: Explanation, spent: Spent) -> ExplainOutcome:
    return ExplainOutcome(
        *(explanation, spent.calls, spent.cost_usd, spent.failures, spent.cancelled, spent.over_budget)
    )


def _both(a: Spent, b: Spent) -> Spent:
    known = a.cost_usd is not None and b.cost_usd is not None
    return Spent(
        a.calls + b.calls,
        (a.cost_usd or 0.0) + (b.cost_usd or 0.0) if known else None,
        tuple(dict.fromkeys((*a.failures, *b.failures))),
        a.cancelled or b.cancelled,
        a.over_budget or b.over_budget,
    )
