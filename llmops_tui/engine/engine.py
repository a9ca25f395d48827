"""The engine: everything that the app and the command line do, in one place.

All on one event loop. What takes long (a run) is awaited; the rest answers at once from the
database. `Session` puts it into a thread for the app.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError, did_you_mean
from llmops_tui.domain.run import RunInfo, Snapshot, VersionInfo, tally
from llmops_tui.domain.statistics.sequential import FACTORS
from llmops_tui.engine import estimate
from llmops_tui.engine.evaluation import Emit, Evaluation, prepared_for, price, silent
from llmops_tui.engine.events import AskFirst, Estimate, NothingToDo, Notice, RunEnded, RunRequest, Subset
from llmops_tui.engine.live_exports import LiveExports
from llmops_tui.engine.plan import eval_hash, extra_trials, models_of, narrows, no_case, slots
from llmops_tui.engine.prepare import Prepared, prepare, same_items
from llmops_tui.engine.queries import Queries
from llmops_tui.engine.subjects import scaled
from llmops_tui.engine.worker_client import launch
from llmops_tui.engine.worker_host import WorkerHost
from llmops_tui.store import Store

DATABASE = ".llmops/llmops.db"


class Engine:
    """One workspace, opened.

    Args:
        root: the workspace.
        store: its database.
        clock: Unix seconds: when versions, runs, verdicts and promotions are said to have been.
    """

    def __init__(self, root: Path, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self.clock = clock
        self.store = store
        self.workspace = Workspace(str(root), {})
        self.queries = Queries(root, store)
        self._host = WorkerHost(store)
        self._exports = LiveExports(root / DATABASE)
        self._own_runs: set[int] = set()
        #: How often something was cancelled: work of several runs sees it also between them.
        self.cancels = 0

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        read_only: bool = False,
        evaluating: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> Engine:
        """Open a workspace's database; reads no file of the workspace yet.

        Args:
            evaluating: something will be asked if the database is new: the worker starts beside its making.

        Raises:
            StoreError: it can't be opened, is damaged, or is from a newer release.
        """
        launched = launch() if evaluating and not (root / DATABASE).exists() else None
        try:
            engine = cls(root, Store.open(root / DATABASE, read_only=read_only), clock=clock)
        except BaseException:
            if launched is not None:
                launched.close()
            raise
        if launched is not None:
            engine._host.adopt(launched)
        return engine

    # -- the workspace

    def load(self, on_change: Callable[[], None] | None = None) -> Workspace:
        """Read the files; mistakes are in `problems`.

        Args:
            on_change: called before they are read, where something changed since the last time.
        """
        from llmops_tui.workspace import load_cached

        workspace = load_cached(self.root, on_change or (lambda: None))
        self.workspace = workspace
        return workspace

    async def fetch_weights(self, progress: Callable[[str, int, int], None]) -> bool:
        """Download weights of local models that are not on this machine: once, from the Hugging Face hub.

        Args:
            progress: called with the file's name, bytes that are there, bytes in all (0: not known).

        Returns:
            Whether anything was fetched; then `load` again.

        Raises:
            ModelError: they could not be had.
        """
        from llmops_tui.workspace import local_models

        wanted = local_models.missing(self.root)
        for weights in wanted:
            await asyncio.to_thread(local_models.fetch, weights, partial(progress, weights.hub_file))
        return bool(wanted)

    def launch_worker(self) -> None:
        """Start the worker process now, beside whatever comes next; it is set up when it is needed."""
        self._host.launch()

    def warm_up(self, configuration: Configuration) -> None:
        """Make the worker and the models ready, so that the next save finds them so.

        Raises:
            WorkspaceError: a key is missing.
        """
        self._host.client(self.workspace, configuration).start(configuration.models)

    def connect(self, configurations: Iterable[Configuration]) -> None:
        """Have one worker that is connected to the providers of all of these.

        Raises:
            WorkspaceError: a key is missing.
        """
        for configuration in configurations:
            self._host.client(self.workspace, configuration)

    @property
    def host(self) -> WorkerHost:
        """The worker, for what is asked outside of any run."""
        return self._host

    def concurrency(self, configurations: Iterable[Configuration]) -> int:
        """Requests that their providers take at once, of the slowest of them."""
        limits = {setup.name: setup.concurrency for setup in self.workspace.setups}
        used = {model.provider for c in configurations for model in c.models}
        return min((limits.get(name, 1 if name == "local" else 8) for name in used), default=1)

    def configuration(self, name: str | None) -> Configuration:
        """A configuration by name; the default, or the only one, where none is named.

        Raises:
            WorkspaceError: the files have mistakes.
            UsageError: there is none of that name, or several and none was named.
        """
        workspace = self.workspace
        known = workspace.configurations
        if name is None and workspace.default and (len(known) > 1 or workspace.default in known):
            name = workspace.default
        if name is not None and name in known:
            return known[name]
        errors = workspace.errors
        if errors:
            # A configuration with a mistake is not among the known ones, so the mistake is the answer: the
            # only one that is whole must not become the one that was meant.
            raise WorkspaceError(*errors)
        if name is not None:
            raise UsageError(Problem(f"there is no configuration '{name}'", did_you_mean(name, set(known))))
        if len(known) == 1:
            return next(iter(known.values()))
        if not known:
            raise WorkspaceError(Problem("configs/ holds no configuration", "make one, or llmops-tui init"))
        raise UsageError(
            Problem(f"there are {len(known)} configurations", f"name one with --config: {', '.join(known)}")
        )

    def version(self, configuration: Configuration) -> VersionInfo:
        """The version that is on disk, recorded if it is new."""
        from llmops_tui.workspace import git

        self.queries.sync_baseline(configuration.name)
        known = self.store.versions.find(configuration.name, configuration.manifest.hash)
        state = git.state(self.root) if known is None else None
        info, _created = self.store.versions.ensure(
            configuration.name,
            configuration.manifest,
            configuration.blobs,
            git_commit=state.commit if state else None,
            git_dirty=state.dirty if state else None,
            at=self.clock(),
        )
        return info

    # -- evaluating

    async def evaluate(self, request: RunRequest, emit: Emit = silent) -> RunEnded | NothingToDo | AskFirst:
        """Evaluate the version on disk where something is missing.

        A run that is under way is superseded: what both want goes on, the rest is cancelled.

        Raises:
            WorkspaceError, UsageError: the request can't be met.
        """
        configuration = self.configuration(request.config)
        version = self.version(configuration)
        await self.fall_back(version)
        return await self.evaluate_as(request, configuration, version, emit)

    async def evaluate_as(
        self, request: RunRequest, configuration: Configuration, version: VersionInfo, emit: Emit = silent
    ) -> RunEnded | NothingToDo | AskFirst:
        """Evaluate any version where something is missing.

        Args:
            configuration: the version over the cases on disk (`subjects`).

        Raises:
            WorkspaceError, UsageError: the request can't be met.
        """
        configuration = scaled(configuration, self.store.versions.factor(version.id))
        generation = self.store.runs.next_generation() if request.fresh else 0
        newest = self.store.runs.snapshot(version.id)
        prepared = prepared_for(self.store, configuration, request, newest, generation)
        cost = price(self.store, configuration, prepared)
        if narrows(request.subset) and not any(s.chosen for s in prepared.slots):
            raise UsageError(no_case(configuration.cases, request.subset))
        if newest is not None and self.is_repeat(newest, prepared):
            self._host.supersede(set())
            return NothingToDo(version, tally(newest.rows))
        self.check_trust(configuration)
        if not request.agreed:
            why = estimate.objection(self.workspace.budget, cost)
            if why is not None:
                return AskFirst(request, cost, why)
        evaluation = self.evaluation(request, configuration, version, prepared, generation, emit)
        return await self._carry_out(evaluation, cost, emit)

    def evaluation(
        self,
        request: RunRequest,
        configuration: Configuration,
        version: VersionInfo,
        prepared: Prepared,
        generation: int,
        emit: Emit,
    ) -> Evaluation:
        """A run of this workspace, not begun."""
        limit = None if request.agreed else self.workspace.budget.per_run_usd
        return Evaluation(
            *(self.store, self._host, self.workspace, request, configuration, version),
            *(prepared, generation, self._exports.beside(self.workspace, version, emit)),
            spend_limit_usd=limit,
            clock=self.clock,
        )

    def is_repeat(self, newest: Snapshot, prepared: Prepared) -> bool:
        """Whether a run would only repeat the newest one: the same cases, judged the same way."""
        if self.store.runs.eval_hash(newest.run.id) != prepared.eval_hash:
            return False
        return same_items([i for r in newest.rows for i in r.items], prepared)

    def check_trust(self, configuration: Configuration) -> None:
        """Raises:
        WorkspaceError: the cases, or the configuration, use code that may not run yet.
        """
        if self._may_run_code(configuration):
            return
        code = next(iter(configuration.target.code), "")
        what, file = "the cases use Python", "scorers.py"
        if configuration.target.needs_code:
            what, file = f"'{configuration.name}' runs a program", code or configuration.file
        raise WorkspaceError(
            Problem(
                f"{what} of this workspace, which may not run yet",
                f"look at {file}, then allow it: llmops-tui trust",
                file=file,
            )
        )

    def check_program(self, configuration: Configuration) -> None:
        """As `check_trust`, whoever judges: of what is asked and not scored by functions.

        Raises:
            WorkspaceError: the configuration runs code that may not run yet.
        """
        if configuration.target.needs_code:
            self.check_trust(configuration)

    def _may_run_code(self, configuration: Configuration) -> bool:
        used = any(use.is_function for case in configuration.cases for use in case.scorers)
        return self.workspace.code.trusted or not (used or configuration.target.needs_code)

    def price_of(self, request: RunRequest) -> Estimate:
        """What a request would take, without doing it."""
        configuration = self.configuration(request.config)
        return self.price_as(request, configuration, self.version(configuration))

    def price_as(
        self, request: RunRequest, configuration: Configuration, version: VersionInfo | None
    ) -> Estimate:
        """The same of any version; None: one that was never recorded."""
        factor = self.store.versions.factor(version.id) if version is not None else 1
        configuration = scaled(configuration, factor)
        newest = self.store.runs.snapshot(version.id) if version is not None else None
        prepared = prepared_for(self.store, configuration, request, newest, 0)
        return price(self.store, configuration, prepared)

    async def _carry_out(self, evaluation: Evaluation, cost: Estimate, emit: Emit) -> RunEnded:
        version = evaluation.version
        run = evaluation.begin(cost, self.queries.changed_since_baseline(version))
        if self._others_run(run):
            said = "Another process evaluates this workspace too: what both lack is asked twice."
            emit(Notice("warning", said))
        try:
            await evaluation.carry_out()
        finally:
            run = evaluation.finish()
        self._fill_in_newer(run, evaluation.prepared)
        self._first_baseline(evaluation)
        evaluation.tell_of_budget()
        return evaluation.ended()

    def _first_baseline(self, evaluation: Evaluation) -> None:
        """The first complete run of a configuration makes its first baseline."""
        version = evaluation.version
        if version.is_hidden or self.store.versions.baseline(version.config) is not None:
            return
        snapshot = self.store.runs.snapshot(version.id, evaluation.run.id)
        if snapshot is None or not snapshot.is_complete or not snapshot.rows or evaluation.prepared.left_out:
            return
        evaluation.version = self.store.versions.set_baseline(version.id)

    def _others_run(self, run: RunInfo) -> bool:
        config = self.store.versions.by_id(run.version_id).config
        self._own_runs.add(run.id)
        newest = self.store.runs.list(config)[:20]
        return any(r.state == "running" and r.id not in self._own_runs for r in newest)

    def _fill_in_newer(self, run: RunInfo, prepared: Prepared) -> None:
        """A run that began later and ended sooner did not see what this one did: give it that."""
        newest = self.store.runs.newest(run.version_id, rescored=True)
        if newest is None or newest == run.id or self.store.runs.eval_hash(newest) != prepared.eval_hash:
            return
        there = {
            (i.case_id, i.model, i.trial) for i in self.store.runs.items(newest) if i.status != "missing"
        }
        now = prepare(
            self.store, prepared.slots, prepared.eval_hash, generation=0, fresh=False, retry=frozenset()
        )
        lacking = [r for r in now.ready if (r.item.case_id, r.item.model, r.item.trial) not in there]
        self.store.record(newest, calls=(), results=lacking, at=self.clock())

    async def fall_back(self, version: VersionInfo) -> None:
        """Where a gate was cut short, show again what is whole: what it answered is kept.

        Fresh draws and further trials that are not all there would hide the results that were: the newest
        run then is of as many trials as every case has. Asks no model.
        """
        configuration = self.workspace.configurations.get(version.config)
        run_id = self.store.runs.newest(version.id, rescored=True)
        run = self.store.runs.get(run_id) if run_id is not None else None
        if configuration is None or run is None or run.state not in ("cancelled", "interrupted"):
            return
        if run.reason not in ("gate", "adjudication") or self._host.runner is not None:
            return
        newest = self.store.runs.snapshot(version.id)
        if newest is None:
            return
        manifest, now = self.store.versions.manifest(version.id), self.store.versions.factor(version.id)
        same = manifest.hash == configuration.manifest.hash
        models = configuration.models if same else models_of(manifest)
        known = sum(i.status != "missing" for row in newest.rows for i in row.items)
        for factor in sorted({1, *(f for f in FACTORS if f <= now)}, reverse=True):
            cut = scaled(configuration, factor)
            places = slots(manifest, models, cut.cases, cut.trials, Subset(), extra_trials(newest, ()))
            hash_ = eval_hash(places)
            prepared = prepare(self.store, places, hash_, generation=0, fresh=False, retry=frozenset())
            if not prepared.waiting or (factor == 1 and len(prepared.ready) > known):
                break
        else:
            return
        self.store.versions.set_factor(version.id, factor)
        request = RunRequest(version.config, "gate", agreed=True)
        cost = Estimate(len(places), len(prepared.ready), 0, len(prepared.to_score), 0.0, 0.0)
        evaluation = self.evaluation(request, configuration, version, prepared, 0, silent)
        await self._carry_out(evaluation, cost, silent)

    async def rescore(self, version: VersionInfo, *, first: bool = False) -> None:
        """Bring a recorded version up to the cases on disk, as far as that asks no model.

        So that a comparison holds both sides against the same references. Does nothing where the
        newest run of the version has been judged by the same cases and scorers.

        Args:
            first: also where no run says anything of the version, and other work has asked some of its cases.
        """
        await self.fall_back(version)
        configuration = self.workspace.configurations.get(version.config)
        newest = self.store.runs.snapshot(version.id)
        if configuration is None or (newest is None and not first):
            return
        if newest is not None and newest.run.state == "running":
            return
        if not self._may_run_code(configuration):
            return
        manifest = self.store.versions.manifest(version.id)
        same = manifest.hash == configuration.manifest.hash
        configuration = scaled(configuration, self.store.versions.factor(version.id))
        models = configuration.models if same else models_of(manifest)
        extra = extra_trials(newest, ())
        places = slots(manifest, models, configuration.cases, configuration.trials, Subset(), extra)
        hash_ = eval_hash(places)
        if newest is not None and self.store.runs.eval_hash(newest.run.id) == hash_:
            return
        prepared = prepare(self.store, places, hash_, generation=0, fresh=False, retry=frozenset())
        if not prepared.ready and not prepared.to_score:
            return  # nothing of it is known under these keys: what was shown before says more
        if newest is not None:
            prepared.keep_judged(newest)
        if newest is not None and not same:
            prepared.keep(newest, {c.id for c in configuration.cases})
        request = RunRequest(version.config, "rescored", agreed=True)
        cost = Estimate(len(places), len(prepared.ready), 0, len(prepared.to_score), 0.0, 0.0)
        if self._host.runner is not None:
            return  # it would supersede the run that the person waits for; done after it
        evaluation = self.evaluation(request, configuration, version, prepared, 0, silent)
        await self._carry_out(evaluation, cost, silent)

    def cancel(self) -> None:
        """Stop the run under way, and work that is between two runs; what is done stays."""
        self.cancels += 1
        if self._host.runner is not None:
            self._host.runner.cancel()

    def close(self) -> None:
        """Cancel what is under way, end the worker, close the database."""
        self.cancel()
        self._host.close()
        self._exports.close()
        self.store.close()
