"""Versions evaluated side by side: in alternating blocks, so that all meet the same hour of a provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.run import Reason, VersionInfo
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import Evaluation, prepared_for, price, silent
from llmops_tui.engine.events import (
    Estimate,
    Event,
    Notice,
    Progress,
    RunRequest,
    RunStarted,
    Subset,
    Working,
)
from llmops_tui.engine.plan import models_of
from llmops_tui.engine.runner import Todo
from llmops_tui.engine.subjects import of_manifest, scaled

ALL = Subset()
#: Answers of one side in a row before the other side has its turn: at least so many, and at least so many
#: times what a provider is asked at once.
BLOCK = 8
ROUNDS = 4


class Side(msgspec.Struct, frozen=True):
    """One version to evaluate, over the cases on disk.

    Attributes:
        as_recorded: its models may not be had here; nothing of it is made anew.
    """

    configuration: Configuration
    version: VersionInfo
    as_recorded: bool = False


class Spent(msgspec.Struct):
    """What several runs took together."""

    calls: int = 0
    cost_usd: float | None = 0.0
    failures: tuple[str, ...] = ()
    cancelled: bool = False
    over_budget: bool = False


def as_recorded(engine: Engine, on_disk: Configuration, version: VersionInfo) -> Side | None:
    """A version on the very models that it was recorded with, where every answer of it is there already.

    None where something would have to be asked: those models may not be had here.
    """
    store = engine.store
    newest = store.runs.snapshot(version.id)
    if newest is None:
        return None
    manifest = store.versions.manifest(version.id)
    texts = {**store.versions.texts(version.id), **on_disk.blobs}
    try:
        subject = of_manifest(
            on_disk,
            manifest,
            tuple(models_of(manifest)),
            texts,
            version.name,
            own=models_of(manifest, "own_models"),
        )
    except UsageError:
        return None
    request = RunRequest(version.config, "gate")
    configuration = scaled(subject, store.versions.factor(version.id))
    prepared = prepared_for(store, configuration, request, newest, 0, remake=False)
    if prepared.to_ask or price(store, configuration, prepared).judgements:
        return None
    return Side(subject, version, as_recorded=True)


def estimate(
    engine: Engine,
    sides: Sequence[Side],
    *,
    fresh: bool,
    generation: int = 0,
    factor: int | None = None,
    subset: Subset = ALL,
    attacks: bool = False,
) -> Estimate:
    """What filling in all sides would take.

    Args:
        fresh, generation, subset: as for `evaluate_sides`; a generation that has not begun is 0.
        factor: so many times the planned trials; None: what the looks so far have asked for.
        attacks: the cases are attacks: earlier runs over them count, and no others.
    """
    request = RunRequest(sides[0].version.config, "gate", subset, fresh=fresh)
    each = []
    for side in sides:
        asked = factor or engine.store.versions.factor(side.version.id)
        configuration = scaled(side.configuration, asked)
        newest = engine.store.runs.snapshot(side.version.id, attacks=attacks)
        remake = not side.as_recorded
        prepared = prepared_for(engine.store, configuration, request, newest, generation, remake=remake)
        each.append(price(engine.store, configuration, prepared))
    return added(each)


def added(each: Sequence[Estimate]) -> Estimate:
    """Several estimates as one. There is at least one."""
    costs = [e.cost_usd for e in each]
    return Estimate(
        outputs=sum(e.outputs for e in each),
        cached=sum(e.cached for e in each),
        to_ask=sum(e.to_ask for e in each),
        to_score=sum(e.to_score for e in each),
        cost_usd=None if any(c is None for c in costs) else sum(c for c in costs if c is not None),
        spent_today_usd=each[0].spent_today_usd,
        judgements=sum(e.judgements for e in each),
    )


async def evaluate_sides(
    engine: Engine,
    sides: Sequence[Side],
    what: str,
    emit: Callable[[Event], None] = silent,
    *,
    reason: Reason = "gate",
    generation: int = 0,
    fresh: bool = False,
    subset: Subset = ALL,
    spend_limit_usd: float | None = None,
) -> Spent:
    """Fill in what is missing of every side.

    Args:
        what: said while it is under way (`Working`).
        generation: in which what is missing is asked.
        fresh: only answers of that generation count; what was answered before it is asked anew.
        subset: the cases that may be asked.
        spend_limit_usd: for all sides together; past that, what was not sent is not asked.

    Raises:
        WorkspaceError, UsageError, StoreError: it can't be done.
    """
    evaluations: list[Evaluation] = []
    cancels = engine.cancels
    engine.connect(side.configuration for side in sides)
    meter = _Meter(what, emit, evaluations)
    for side in sides:
        store = engine.store
        configuration = scaled(side.configuration, store.versions.factor(side.version.id))
        request = RunRequest(side.version.config, reason, subset, fresh=fresh, agreed=True)
        newest = store.runs.snapshot(side.version.id, attacks=reason == "attack")
        remake = not side.as_recorded
        prepared = prepared_for(store, configuration, request, newest, generation, remake=remake)
        if not fresh and newest is not None and engine.is_repeat(newest, prepared):
            continue
        engine.check_trust(configuration)
        evaluation = engine.evaluation(
            request, configuration, side.version, prepared, generation, meter.listener()
        )
        evaluation.begin(price(store, configuration, prepared), ())
        evaluations.append(evaluation)
    try:
        size = max(BLOCK, ROUNDS * engine.concurrency(side.configuration for side in sides))
        for n, block in _blocks([e.prepared.todos for e in evaluations], size):
            _allow(evaluations, n, spend_limit_usd)
            if await evaluations[n].carry_out(block) != "complete" or engine.cancels > cancels:
                break
    finally:
        for evaluation in evaluations:
            if evaluation.runner is not None and evaluation.runner.done < evaluation.runner.total:
                evaluation.state = "cancelled"
            evaluation.finish()
        emit(Working(""))
    return _spent(evaluations)


def _allow(evaluations: Sequence[Evaluation], n: int, limit_usd: float | None) -> None:
    """Let one side spend what is left of a limit for all."""
    runner = evaluations[n].runner
    if runner is not None and limit_usd is not None:
        others = sum(e.runner.cost_usd or 0.0 for i, e in enumerate(evaluations) if e.runner and i != n)
        runner.spend_limit_usd = limit_usd - others


def _blocks(work: Sequence[Sequence[Todo]], size: int) -> list[tuple[int, Sequence[Todo]]]:
    """Which side has its turn with what: A B, B A, A B, … so that neither is always first."""
    blocks: list[tuple[int, Sequence[Todo]]] = []
    longest = max((len(todos) for todos in work), default=0)
    for turn, start in enumerate(range(0, longest, size)):
        order = range(len(work)) if turn % 2 == 0 else range(len(work) - 1, -1, -1)
        blocks += [(n, part) for n in order if (part := work[n][start : start + size])]
    return blocks


def _spent(evaluations: Sequence[Evaluation]) -> Spent:
    spent = Spent()
    for evaluation in evaluations:
        runner = evaluation.runner
        spent.cancelled |= evaluation.state != "complete"
        if runner is None:
            continue
        spent.calls += runner.provider_calls
        spent.over_budget |= runner.over_budget
        known = spent.cost_usd is not None and runner.cost_usd is not None
        spent.cost_usd = (spent.cost_usd or 0.0) + (runner.cost_usd or 0.0) if known else None
        spent.failures += tuple(f for f in runner.failures if f not in spent.failures)
    return spent


class _Meter:
    """Adds up the progress of several runs."""

    def __init__(self, what: str, emit: Callable[[Event], None], evaluations: Sequence[Evaluation]) -> None:
        self._what = what
        self._emit = emit
        self._evaluations = evaluations
        self._of: dict[int, Progress] = {}

    def listener(self) -> Callable[[Event], None]:
        def listen(event: Event) -> None:
            if isinstance(event, Progress):
                self._of[event.run_id] = event
                self._tell()
            elif isinstance(event, RunStarted):
                price_ = event.estimate
                done = price_.cached - price_.to_score
                self._of[event.run.id] = Progress(
                    event.run.id, done, price_.outputs, 0, 0, 0.0, None, 0.0, 0.0, 0
                )
                self._tell()
            elif isinstance(event, Notice):
                self._emit(event)

        return listen

    def _tell(self) -> None:
        all_ = self._of.values()
        known = all(p.cost_usd is not None for p in all_)
        self._emit(
            Working(
                self._what,
                sum(p.done for p in all_),
                sum(p.total for p in all_),
                calls=sum(e.runner.provider_calls for e in self._evaluations if e.runner),
                cost_usd=sum(p.cost_usd or 0.0 for p in all_) if known else None,
                errors=sum(p.errors for p in all_),
                waiting_for=next((p.waiting_for for p in all_ if p.waiting_for), ""),
            )
        )
