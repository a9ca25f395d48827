"""What the database of evaluations tells the ladder: what was run, promoted, judged and attacked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.errors import LlmopsError, Problem, StoreError, UsageError
from llmops_tui.domain.ladder.facts import Attacks, Due, Gates, Models, Promoted, Recorded
from llmops_tui.domain.ladder.thresholds import Thresholds
from llmops_tui.engine.engine import DATABASE

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Configuration
    from llmops_tui.domain.model import Model
    from llmops_tui.domain.run import RunInfo, VersionInfo
    from llmops_tui.store import Store
    from llmops_tui.store.verdicts import Promotion

#: Commits that are looked back over; each other one is read from git.
MOST_COMMITS = 200
#: Outputs of a run that are looked at for their traces.
MOST_OUTPUTS = 2_000


class WholeRun(msgspec.Struct, frozen=True):
    """When a run began (Unix seconds), and the ids of its cases."""

    at: float
    cases: frozenset[str]


class StoreFacts:
    """Opened when it is first asked; every question raises `StoreError` where it can't be.

    Args:
        chosen: the configurations that it is about.
        now: Unix seconds.
    """

    def __init__(self, root: Path, chosen: Sequence[Configuration], now: float, limits: Thresholds) -> None:
        self._root = root
        self._chosen = chosen
        self._now = now
        self._limits = limits
        self._opened: Store | None = None

    @property
    def _store(self) -> Store:
        from llmops_tui.store import Store

        if self._opened is None:
            path = self._root / DATABASE
            if not path.exists():
                message = "nothing was evaluated on this machine: there is no database"
                raise StoreError(Problem(message, "llmops-tui run"))
            self._opened = Store.open(path, read_only=True)
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def exists(self) -> bool:
        return (self._root / DATABASE).exists()

    def evaluated(self) -> dict[str, WholeRun]:
        """Configuration → the newest whole run over its cases."""
        found = {}
        for each in self._chosen:
            whole = next((run for run in self._store.runs.list(each.name) if _is_whole(run)), None)
            if whole is not None:
                cases = frozenset(item.case_id for item in self._store.runs.items(whole.id))
                found[each.name] = WholeRun(whole.started_at, cases)
        return found

    # -- gates

    def gates(self, live: Mapping[tuple[str, str], int]) -> Gates:
        """What was promoted and judged.

        Args:
            live: (configuration, version as live traffic names it) → requests of it.
        """
        promoted: list[Promoted] = []
        due: list[Due] = []
        for each in self._chosen:
            promotions = self._store.verdicts.promotions(each.name)
            promoted.append(baseline := self._promoted(each.name, promotions))
            began = min([p.at for p in promotions] or ([baseline.at] if baseline.at is not None else [0.0]))
            if baseline.version:
                due += self._due(each, began, promotions, live)
        return Gates(tuple(promoted), tuple(due), self._is_cut())

    def _is_cut(self) -> bool:
        """Whether commits of the last days may be lacking in a shallow clone."""
        from llmops_tui.workspace import git_files, git_history

        if not git_files.is_shallow(self._root):
            return False
        commits = git_history.newest(self._root, MOST_COMMITS)
        return not commits or commits[0].at >= self._now - self._limits.gated_within_s

    def _promoted(self, config: str, promotions: Sequence[Promotion]) -> Promoted:
        from llmops_tui.workspace import baselines

        entry = baselines.read(self._root).get(config)
        if entry is not None:
            return Promoted(config, f"v{entry.number}", unix(entry.promoted_at), entry.forced)
        version = self._store.versions.baseline(config)
        if version is None:
            return Promoted(config)
        made = next((p for p in promotions if p.version_id == version.id), None)
        if made is None:
            return Promoted(config, stands_in=version.name)
        return Promoted(config, version.name, made.at, made.forced)

    def _due(
        self,
        configuration: Configuration,
        began: float,
        promotions: Sequence[Promotion],
        live: Mapping[tuple[str, str], int],
    ) -> Iterator[Due]:
        """Versions that came after the first baseline: there was something to hold them against."""
        name = configuration.name
        told: set[str] = set()
        for hash_, at, commit in self._committed(configuration):
            version = self._store.versions.find(name, hash_)
            called = version.name if version is not None and not version.is_hidden else f"~{hash_[:8]}"
            if at > began and called not in told and not _is_first(version, promotions):
                told.add(called)
                due = self._judged(name, called, f"committed as {commit}", version, promotions)
                yield msgspec.structs.replace(due, recorded=not called.startswith("~"), commit=commit)
        by_name = {version.name: version for version in self._store.versions.list(name)}
        for (config, called), requests in live.items():
            version = by_name.get(called)
            if config != name or called in told or _is_first(version, promotions):
                continue
            if version is None or version.created_at > began:
                where = f"{requests:,} live request{'' if requests == 1 else 's'}"
                yield self._judged(name, called, where, version, promotions)

    def _judged(
        self,
        config: str,
        called: str,
        where: str,
        version: VersionInfo | None,
        promotions: Sequence[Promotion],
    ) -> Due:
        if version is None:
            return Due(config, called, where, recorded=False)
        verdict = next(iter(self._store.verdicts.of(version.id, limit=1)), None)
        if verdict is not None:
            return Due(config, called, where, verdict.verdict, verdict.at)
        # Promoting judges as well: only what passes is promoted without force.
        made = next((p for p in promotions if p.version_id == version.id and not p.forced), None)
        return Due(config, called, where, "pass" if made else "", made.at if made else None)

    def _committed(self, configuration: Configuration) -> Iterator[tuple[str, float, str]]:
        """(hash of the version, when, commit) of what was committed lately, oldest first."""
        from llmops_tui.workspace import git_history, past_versions

        try:
            since = self._now - self._limits.gated_within_s
            commits = [c for c in git_history.newest(self._root, MOST_COMMITS) if c.at >= since]
            if not commits:
                return
            past = past_versions.read(
                self._root, commits, configuration.name, configuration.file, configuration.cases
            )
        except LlmopsError:
            # Not in git, or nothing is committed: what has live traffic is judged all the same.
            return
        for each in past:
            if each.configuration is not None:
                first = each.commits[0]
                yield each.configuration.manifest.hash, first.at, first.sha[:7]

    # -- models and outputs

    def models(self) -> Models:
        """Pins of the files on disk, and what the newest runs were served."""
        from llmops_tui.engine import drift

        models = {model.id: model for each in self._chosen for model in _models_of(each)}
        drifted: list[str] = []
        checked: set[str] = set()
        for each in self._chosen:
            version = self._present(each)
            run_id = self._store.runs.newest(version.id, rescored=True) if version is not None else None
            if version is None or run_id is None:
                continue
            drifted += drift.of_version(self._store, version)
            served = self._store.runs.served(run_id)
            checked.update(model for model, names in served.items() if any(any(pair) for pair in names))
        floating = tuple(sorted(name for name, model in models.items() if model.floating))
        return Models(tuple(sorted(models)), floating, tuple(drifted), tuple(sorted(checked)))

    def recorded(self) -> Recorded:
        """How much is known of the outputs of the newest whole runs."""
        outputs = traced = priced = timed = 0
        newest: float | None = None
        for each in self._chosen:
            run = next((run for run in self._store.runs.list(each.name) if _is_whole(run)), None)
            if run is None:
                continue
            newest = max(newest or 0.0, run.started_at)
            items = [i for i in self._store.runs.items(run.id) if i.output_id is not None][:MOST_OUTPUTS]
            outputs += len(items)
            traced += self._store.traces.count([i.output_id for i in items if i.output_id is not None])
            priced += sum(item.cost_usd is not None for item in items)
            timed += sum(item.latency_s is not None for item in items)
        return Recorded(outputs, traced, priced, timed, newest)

    def _present(self, configuration: Configuration) -> VersionInfo | None:
        return self._store.versions.find(configuration.name, configuration.manifest.hash)

    # -- attacks

    def attacks(self) -> Attacks:
        """The newest attack run on what is on disk, configuration by configuration."""
        from llmops_tui.engine.doctor_guards import attacked

        store = self._store
        return Attacks(
            tuple(attacked(store, e.name, self._present(e), self._written(e)) for e in self._chosen)
        )

    def _written(self, configuration: Configuration) -> tuple[str, ...]:
        """Ids of the attacks on a configuration, as cases; none where there are none."""
        from llmops_tui.workspace.attack_sets import read_attack_set

        try:
            cases = read_attack_set(self._root, configuration).cases
        except UsageError:
            return ()
        return tuple(case.id for case in cases if case.attack is not None)


def _is_whole(run: RunInfo) -> bool:
    """It could say how a version does over all cases; an attack run has cases of its own."""
    is_eval = run.reason not in ("bisect", "what-if", "attack")
    return run.state == "complete" and run.total > 0 and run.asked_total >= run.total and is_eval


def _is_first(version: VersionInfo | None, promotions: Sequence[Promotion]) -> bool:
    """Whether a version is the first baseline there was: nothing could be held against it."""
    return version is not None and bool(promotions) and promotions[-1].version_id == version.id


def _models_of(configuration: Configuration) -> Iterator[Model]:
    for model in (*configuration.models, *configuration.own_models):
        if model.client != "program":
            yield model
    for uses in {id(case.scorers): case.scorers for case in configuration.cases}.values():
        yield from (use.judge.model for use in uses if use.judge is not None)


def unix(text: str) -> float | None:
    """ISO 8601 as Unix seconds; None where it is no moment."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
