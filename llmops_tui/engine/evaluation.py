"""One version being evaluated: what is missing is looked up, asked, and recorded as a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.run import RunInfo, RunState, Snapshot, VersionInfo, tally
from llmops_tui.engine import estimate
from llmops_tui.engine.events import Estimate, Event, Notice, RunEnded, RunRequest, RunStarted
from llmops_tui.engine.plan import eval_hash, extra_trials, slots
from llmops_tui.engine.prepare import Prepared, prepare
from llmops_tui.engine.runner import Runner, Todo
from llmops_tui.engine.worker_client import Ticket
from llmops_tui.engine.worker_host import WorkerHost
from llmops_tui.store import Store

Emit = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Listens to nothing."""


def prepared_for(
    store: Store,
    configuration: Configuration,
    request: RunRequest,
    newest: Snapshot | None,
    generation: int,
    *,
    remake: bool = True,
) -> Prepared:
    """What a request has to do for a configuration.

    Args:
        newest: the newest run of its version.
        remake: as for `prepare`.
    """
    places = slots(
        configuration.manifest,
        configuration.models,
        configuration.cases,
        configuration.trials,
        request.subset,
        extra_trials(newest, request.extra_trial),
    )
    retry = None
    if request.extra_trial:
        asked = set(request.extra_trial)
        retry = frozenset((s.case.id, s.model.id, s.trial) for s in places if s.extra and s.case.id in asked)
    elif request.only_failed and newest is not None:
        there = {(i.case_id, i.model, i.trial): i for r in newest.rows for i in r.items}
        retry = frozenset(
            key
            for s in places
            if (key := (s.case.id, s.model.id, s.trial)) not in there
            or there[key].status in ("error", "missing")
        )
    return prepare(
        *(store, places, eval_hash(places)),
        generation=generation,
        fresh=request.fresh,
        retry=retry,
        remake=remake and not request.extra_trial,
    )


def price(store: Store, configuration: Configuration, prepared: Prepared) -> Estimate:
    """What the missing part of a run would take.

    An output that is made anew since a guardrail failed itself is made of answers that are there.
    """
    missing = [t.slot for t in prepared.to_ask if t.remade is None]
    asking = estimate.cost_of(store, configuration, missing)
    judgements, judging = estimate.judging(store, prepared)
    looks, looking = estimate.guarding(store, configuration, len(prepared.to_ask))
    return Estimate(
        outputs=len(prepared.slots),
        cached=len(prepared.slots) - len(missing) - prepared.left_out,
        to_ask=len(missing),
        to_score=len(prepared.to_score),
        cost_usd=None if asking is None or judging is None or looking is None else asking + judging + looking,
        spent_today_usd=store.calls.spent_since(estimate.midnight()),
        judgements=judgements + looks,
    )


class Evaluation:
    """A run, from its start to its end. `carry_out` may be called for parts of its work, one after another.

    Args:
        workspace: whose settings and keys the worker is given.
        spend_limit_usd: what it may cost; past that it is cut short.
        clock: Unix seconds: when the run is said to have begun.
    """

    def __init__(
        self,
        store: Store,
        host: WorkerHost,
        workspace: Workspace,
        request: RunRequest,
        configuration: Configuration,
        version: VersionInfo,
        prepared: Prepared,
        generation: int,
        emit: Emit,
        *,
        spend_limit_usd: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.version = version
        self.prepared = prepared
        self.state: RunState = "complete"
        self.runner: Runner | None = None
        self._store = store
        self._host = host
        self._workspace = workspace
        self._request = request
        self._configuration = configuration
        self._generation = generation
        self._emit = emit
        self._limit = spend_limit_usd
        self._started = time.monotonic()
        self._clock = clock
        self._adopted: dict[str, Ticket] = {}

    def begin(self, estimated: Estimate, changed: tuple[PartChange, ...]) -> RunInfo:
        """Record the run and what is there already, and tell of it. Supersedes what was under way."""
        todos = self.prepared.todos
        client = self._host.client(self._workspace, self._configuration) if todos else None
        self._adopted = self._host.supersede({t.job_key for t in todos})
        prepared = self.prepared
        self.run = self._store.runs.start(
            self.version.id,
            self._request.reason,
            total=prepared.total,
            asked_total=sum(s.chosen for s in prepared.slots),
            generation=self._generation,
            eval_hash=prepared.eval_hash,
            at=self._clock(),
        )
        self._store.record(
            self.run.id, calls=(), results=[*prepared.ready, *prepared.waiting], at=self._clock()
        )
        if client is not None:
            self._load_outputs()
            self.runner = Runner(
                self._store,
                client,
                self.run,
                self._emit,
                self._job_maker(),
                already_done=len(prepared.ready),
                to_do=len(todos),
                spend_limit_usd=self._limit,
            )
        self._emit(RunStarted(self.run, self.version, estimated, changed))
        return self.run

    async def carry_out(self, todos: Sequence[Todo] | None = None) -> RunState:
        """Do the work, or these parts of it. What is done stays, whatever happens."""
        runner = self.runner
        if runner is None:
            return self.state
        self._host.begin(runner, self._emit)
        try:
            self.state = "failed"
            self.state = await runner.carry_out(
                self.prepared.todos if todos is None else todos, self._adopted
            )
        except asyncio.CancelledError:
            runner.cancel()
            self.state = "cancelled"
            raise
        finally:
            self._host.end(runner)
            runner.flush()
        return self.state

    def finish(self) -> RunInfo:
        """Write down how it ended."""
        runner = self.runner
        self.run = self._store.runs.finish(
            self.run.id,
            state=self.state,
            provider_calls=runner.provider_calls if runner else 0,
            cached_outputs=self.prepared.known + (runner.unasked if runner else 0),
            elapsed_s=time.monotonic() - self._started,
            cost_usd=runner.cost_usd if runner else 0.0,
        )
        return self.run

    def ended(self) -> RunEnded:
        """How it went, counted over the rows that were asked for."""
        snapshot = self._store.runs.snapshot(self.version.id, self.run.id)
        rows = snapshot.rows if snapshot is not None else ()
        chosen = {(s.case.id, s.model.id) for s in self.prepared.slots if s.chosen}
        counted = [r for r in rows if (r.case_id, r.model) in chosen]
        failures = tuple(self.runner.failures) if self.runner else ()
        return RunEnded(self.run, self.version, tally(counted), failures)

    def tell_of_budget(self) -> None:
        if self.runner is not None and self.runner.over_budget:
            text = (
                f"The run reached budget.per_run_usd (${self._limit}) and was stopped; what is done is kept."
            )
            self._emit(Notice("error", text, key="budget"))

    def _load_outputs(self) -> None:
        for todo in self.prepared.to_score:
            assert todo.output_id is not None
            todo.output = self._store.outputs.get(todo.output_id)

    def _job_maker(self) -> Callable[[Todo, int], tuple[m.Evaluate | m.ScoreOnly, dict[str, str], str]]:
        configuration, generation, fresh = self._configuration, self._generation, self._request.fresh
        blobs, key = configuration.blobs, configuration.manifest.hash
        own = {model.id: model for model in configuration.own_models}

        def make(todo: Todo, number: int) -> tuple[m.Evaluate | m.ScoreOnly, dict[str, str], str]:
            slot = todo.slot
            if todo.output is not None:
                scorers = tuple(slot.case.scorers[i] for i in todo.missing)
                case = msgspec.structs.replace(slot.case, scorers=scorers)
                return m.ScoreOnly(number, todo.output, case, slot.trial), {}, ""
            drawn = todo.remade.generation if todo.remade is not None else generation
            job = m.Evaluate(
                *(number, configuration.target, slot.model, slot.case, drawn, slot.trial, fresh),
                models=own,
            )
            return job, blobs, key

        return make
