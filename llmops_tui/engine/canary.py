"""The canary: the baseline of a configuration asked its eval set anew, and held against the first time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.live.canary import CanaryResult, CanaryRun, compared
from llmops_tui.domain.live.settings import Canary
from llmops_tui.domain.run import RunInfo, Snapshot, VersionInfo
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import Emit, silent
from llmops_tui.engine.events import AskFirst, NothingToDo, RunRequest
from llmops_tui.engine.subjects import of_version
from llmops_tui.monitoring.pausing import pause
from llmops_tui.store.live import LiveStore

#: Looked again after a fault.
AGAIN_S = 300.0


async def run_canary(
    engine: Engine,
    live: LiveStore,
    config: str | None = None,
    emit: Emit = silent,
    *,
    now: Callable[[], float] = time.time,
) -> CanaryResult:
    """Ask all cases of the baseline (or, where there is none, of what is on disk) anew, on its pinned models.

    Raises:
        UsageError: it would cost more than the budget allows, or was cancelled.
        WorkspaceError: the files have mistakes, or a model can't be had.
    """
    configuration = engine.configuration(config)
    version = engine.version(configuration)
    baseline = engine.store.versions.baseline(configuration.name)
    if baseline is not None:
        version = baseline
        configuration = of_version(engine.store, engine.root, configuration, version).configuration
    request = RunRequest(version.config, "canary", fresh=True)
    ended = await engine.evaluate_as(request, configuration, version, emit)
    if isinstance(ended, AskFirst):
        raise UsageError(Problem(ended.why, "raise the budget in llmops.yaml"))
    assert not isinstance(ended, NothingToDo)  # fresh draws are never there already
    if ended.run.state == "cancelled":
        raise UsageError(Problem("the canary was cancelled", "run it again"))
    snapshot = engine.store.runs.snapshot(version.id, ended.run.id)
    assert snapshot is not None
    repeats = all(configuration.repeats(model) for model in configuration.models)
    run = _record(engine, version, ended.run, snapshot, now(), repeats)
    first, count = live.canaries.first(run.config, run.hash, run.eval_hash)
    result = compared(first, run, count)
    live.canaries.add(result)
    return result


def _record(
    engine: Engine, version: VersionInfo, run: RunInfo, snapshot: Snapshot, at: float, repeats: bool
) -> CanaryRun:
    scores: dict[str, list[float]] = {}
    texts: dict[str, list[str]] = {}
    missing = 0
    for row in snapshot.rows:
        key = f"{row.case_id}\0{row.model}"
        items = [item for item in row.planned if item.status not in ("missing", "error")]
        missing += len(items) < len(row.planned)
        found = [item.score for item in items if item.score is not None]
        if found:
            scores[key] = found
            texts[key] = [item.text_hash for item in items]
    served = {
        model: sorted(" ".join(part for part in pair if part) for pair in pairs if any(pair))
        for model, pairs in engine.store.runs.served(run.id).items()
    }
    return CanaryRun(
        version.config,
        version.name,
        version.hash,
        engine.store.runs.eval_hash(run.id),
        at,
        scores,
        texts,
        {model: names for model, names in served.items() if names},
        missing,
        run.cost_usd,
        repeats,
    )


class CanaryTask:
    """Runs the canary on its schedule, beside the collector.

    Args:
        say: told what came of it, and of faults.
        clock: Unix seconds.
    """

    def __init__(
        self,
        engine: Engine,
        live: LiveStore,
        settings: Canary,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._live = live
        self._settings = settings
        self._say = say
        self._clock = clock

    def due_in_s(self) -> float:
        """Seconds until the next one; 0 or less: now."""
        newest = self._live.canaries.newest(self._settings.config, 1)
        return newest[0].run.at + self._settings.every_s - self._clock() if newest else 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until it is told to stop."""
        while not stop.is_set():
            wait_s = self.due_in_s()
            if wait_s <= 0:
                wait_s = await self.step()
            await pause(min(wait_s, AGAIN_S), stop)

    async def step(self) -> float:
        """Run one now; gives the seconds to wait before anything is looked at again."""
        try:
            self._engine.load()
            result = await run_canary(self._engine, self._live, self._settings.config, now=self._clock)
        except LlmopsError as error:
            self._say(f"The canary of {self._settings.config} could not be run: {error}")
            return AGAIN_S
        self._say(f"canary {result.run.config} {result.run.version}: {result.sentence}")
        return self._settings.every_s
