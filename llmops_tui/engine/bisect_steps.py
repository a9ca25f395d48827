"""The steps of a bisect: recorded versions in order of number, or commits, each over the case on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from llmops_tui.domain.bisected import Revision
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import pair_models
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.model import Model
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine import subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import BisectRequest
from llmops_tui.engine.plan import models_of
from llmops_tui.workspace.git_history import Commit
from llmops_tui.workspace.past_versions import PastVersion


class Step(msgspec.Struct, frozen=True):
    """One step.

    Attributes:
        configuration: over the case alone; None where it can't be asked (`why_not`).
        recorded: with the models as they were recorded, where the ones here are others: its stored answers
            are read and nothing is asked.
        note: what had to be adapted to this machine, as a sentence.
    """

    revision: Revision
    configuration: Configuration | None
    why_not: str = ""
    recorded: Configuration | None = None
    note: str = ""

    def on(self, model: str, last: Configuration) -> Model | None:
        """The model that stands for one of the last step: the same, or the one it replaced."""
        if self.configuration is None:
            return None
        models = {m.id: m for m in self.configuration.models}
        partner = pair_models(tuple(models), tuple(m.id for m in last.models))
        return next((models[old] for old, new in partner.items() if new == model), None)


class Steps(msgspec.Struct, frozen=True):
    """Steps, oldest first; the last is the bad end.

    Attributes:
        good: whether the first one was named as the good end.
        notes: sentences.
    """

    steps: tuple[Step, ...]
    good: bool
    notes: tuple[str, ...] = ()


def case_of(configuration: Configuration, case_id: str) -> Case:
    """The case as it is on disk.

    Raises:
        UsageError: there is none, or nothing judges it.
    """
    from llmops_tui.engine.events import Subset
    from llmops_tui.engine.plan import no_case

    case = next((c for c in configuration.cases if c.id == case_id), None)
    if case is None:
        raise UsageError(no_case(configuration.cases, Subset((case_id,))))
    if not case.scorers:
        raise UsageError(
            Problem(f"nothing judges {case_id}, so it can't break", "give it a scorer", case.file, case.line)
        )
    return case


# -- recorded versions


def recorded(engine: Engine, on_disk: Configuration, case: Case, request: BisectRequest) -> Steps:
    """Versions by their numbers.

    Raises:
        UsageError: there is no such version, or the ends are in the wrong order.
    """
    config = request.config
    now = engine.version(on_disk)
    bad = engine.queries.resolve(config, request.bad) if request.bad is not None else now
    good = engine.queries.resolve(config, request.good) if request.good is not None else None
    for version in (bad, good):
        if version is not None and version.is_hidden:
            raise UsageError(Problem(f"{version.name} has no number, so it has no place", "name another"))
    if good is not None and good.number >= bad.number:
        raise UsageError(
            Problem(f"{good.name} does not come before {bad.name}", "name an older version with --good")
        )
    first = good.number if good is not None else 0
    versions = [v for v in engine.store.versions.list(config) if first <= v.number <= bad.number][::-1]
    if len(versions) < 2:
        raise UsageError(Problem(f"there is no version before {bad.name}", "try --git, which reads commits"))
    return Steps(tuple(_recorded(engine, on_disk, case, v) for v in versions), good is not None)


def _recorded(engine: Engine, on_disk: Configuration, case: Case, version: VersionInfo) -> Step:
    revision = Revision(
        version.name, version.hash, version.created_at, version.git_commit, dirty=bool(version.git_dirty)
    )
    try:
        subject = subjects.of_version(engine.store, engine.root, on_disk, version)
    except LlmopsError as error:
        return Step(revision, None, error.problems[0].message)
    now = msgspec.structs.replace(subject.configuration, cases=(case,))
    if not subject.adapted:
        return Step(revision, now)
    manifest = engine.store.versions.manifest(version.id)
    then = msgspec.structs.replace(now, manifest=manifest, models=models_of(manifest))
    return Step(revision, now, recorded=then, note=f"{subject.adapted[0]}.")


# -- commits


async def committed(
    engine: Engine, on_disk: Configuration, case: Case, request: BisectRequest, tell: Callable[[str], None]
) -> Steps:
    """Commits along first parents, those in a row that hold one version as one step.

    Without a named bad end it is the working tree, where that differs from the newest commit.

    Raises:
        UsageError: the workspace is not in git, there is no such commit, or the ends are in the wrong order.
    """
    from llmops_tui.workspace import git_history, past_versions

    root = engine.root
    git_history.folder_in_repository(root)
    bad, said = request.bad or "HEAD", ""
    if request.good is not None:
        commits, said = await asyncio.to_thread(git_history.since, root, request.good, bad)
    else:
        commits = await asyncio.to_thread(git_history.before, root, bad)
    total = len(commits)
    past = await asyncio.to_thread(
        past_versions.read,
        root,
        commits,
        on_disk.name,
        on_disk.file,
        (case,),
        lambda n: tell(f"Reading commits: {n:,} of {total:,}"),
    )
    steps = [_committed(p) for p in past]
    if request.bad is None:
        newest = next((s for s in reversed(steps) if s.configuration is not None), None)
        if newest is None or newest.revision.hash != on_disk.manifest.hash:
            now = msgspec.structs.replace(on_disk, cases=(case,))
            steps.append(Step(Revision("the working tree", on_disk.manifest.hash), now))
    while steps and steps[-1].configuration is None and request.bad is None:
        steps.pop()
    _check(steps, request, total)
    return Steps(tuple(steps), request.good is not None, (f"{said}.",) if said else ())


def _check(steps: list[Step], request: BisectRequest, total: int) -> None:
    """Raises:
    UsageError: there are no two steps, or an end can't be read.
    """
    readable = [s for s in steps if s.configuration is not None]
    if not readable:
        why = f" ({steps[-1].why_not})" if steps else ""
        raise UsageError(
            Problem(
                f"none of {total} commits holds a configuration that can be read{why}", "name other commits"
            )
        )
    if request.bad is not None and steps[-1].configuration is None:
        raise UsageError(
            Problem(f"{request.bad} can't be read: {steps[-1].why_not}", "name another commit with --bad")
        )
    if request.good is not None and steps[0].configuration is None:
        raise UsageError(
            Problem(f"{request.good} can't be read: {steps[0].why_not}", "name another commit with --good")
        )
    if len(readable) < 2:
        raise UsageError(
            Problem(
                f"the configuration is the same in all of {total} commits", "name an older one with --good"
            )
        )


def _committed(past: PastVersion) -> Step:
    first = past.commits[0]
    hash_ = past.configuration.manifest.hash if past.configuration is not None else ""
    return Step(_revision(first, hash_, len(past.commits) - 1), past.configuration, past.why_not)


def _revision(commit: Commit, hash_: str, later: int) -> Revision:
    return Revision(
        *(commit.sha[:10], hash_, commit.at, commit.sha, commit.author, commit.subject, later),
        parents=commit.parents,
    )
