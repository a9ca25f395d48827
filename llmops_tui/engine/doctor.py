"""Where a workspace stands on the ladder: facts are gathered here, and decided in `domain.ladder`.

Nothing is asked and nothing is written. Each part of the facts is gathered by itself: what one database
can't tell is unknown, and the rest is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from llmops_tui.domain.errors import LlmopsError, Problem, UsageError, WorkspaceError, did_you_mean
from llmops_tui.domain.ladder.facts import Ci, EvalSet, Facts, Files, Learned, Unknown
from llmops_tui.domain.ladder.ladder import Ladder
from llmops_tui.domain.ladder.thresholds import THRESHOLDS, Thresholds
from llmops_tui.engine.doctor_live import LiveFacts
from llmops_tui.engine.doctor_store import StoreFacts, unix

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Configuration, Workspace

T = TypeVar("T")
#: Beside the files of configurations: what is part of how they are judged.
_ALSO = ("llmops.yaml", "baselines.yaml", "reviews.yaml")


def doctor(root: Path, config: str | None, now: float, limits: Thresholds = THRESHOLDS) -> Ladder:
    """Where a workspace stands.

    Args:
        config: the configuration it is about; None: the default one, or all where there is no default.
        now: Unix seconds.

    Raises:
        WorkspaceError: the files have mistakes, so that no configuration can be looked at.
        UsageError: there is no such configuration.
    """
    from llmops_tui.domain.ladder.rules import stand

    return stand(facts_of(root, config, now, limits), limits)


def facts_of(root: Path, config: str | None, now: float, limits: Thresholds = THRESHOLDS) -> Facts:
    """What can be measured of a workspace.

    Raises:
        WorkspaceError, UsageError: as `doctor`.
    """
    from llmops_tui.workspace import load_cached

    workspace = load_cached(root)
    chosen = chosen_of(workspace, config)
    names = tuple(each.name for each in chosen)
    left_out = tuple(name for name in workspace.configurations if name not in names)
    store, live = StoreFacts(root, chosen, now, limits), LiveFacts(root, workspace, chosen, now, limits)
    try:
        return Facts(
            now,
            names,
            left_out,
            files=known(lambda: _files(root, chosen)),
            sets=known(lambda: _sets(chosen, store)),
            ci=known(lambda: _ci(root)),
            gates=known(lambda: store.gates(live.versions())),
            models=known(store.models),
            recorded=known(store.recorded),
            traffic=known(live.traffic),
            watching=known(live.watching),
            guards=known(live.guards),
            attacks=known(store.attacks),
            learned=known(lambda: _learned(root, chosen, now - limits.learned_within_s)),
        )
    finally:
        store.close()
        live.close()


def chosen_of(workspace: Workspace, config: str | None) -> tuple[Configuration, ...]:
    """The configurations that are meant.

    Raises:
        WorkspaceError: the files have mistakes, or there is no configuration.
        UsageError: there is none of that name.
    """
    there = workspace.configurations
    name = config or workspace.default
    if name in there:
        return (there[name],)
    if workspace.errors:
        raise WorkspaceError(*workspace.errors)
    if config is not None:
        raise UsageError(Problem(f"there is no configuration '{config}'", did_you_mean(config, set(there))))
    if not there:
        raise WorkspaceError(Problem("configs/ holds no configuration", "make one, or llmops-tui init"))
    return tuple(there.values())


def known(measure: Callable[[], T]) -> T | Unknown:
    """What was measured, or why it could not be."""
    try:
        return measure()
    except LlmopsError as error:
        (first, *_others) = error.problems
        place = f"{first.file}: " if first.file else ""
        return Unknown(f"{place}{first.message}", first.remedy)
    except OSError as error:
        return Unknown(f"{error.filename or 'a file'} can't be read: {error.strerror or error}")


def _files(root: Path, chosen: tuple[Configuration, ...]) -> Files:
    from llmops_tui.workspace.git_files import tracked

    also = [name for name in _ALSO if (root / name).is_file()]
    files = {file for each in chosen for file in (each.file, *each.files)}.union(also)
    # What a configuration looked for and did not find is among what it was read from.
    there = sorted(file for file in files if (root / file).is_file())
    found = tracked(root, there)
    if found is None:
        _check_git(root)
        return Files(len(there), is_in_git=False)
    return Files(len(there), True, found.committed_at, found.untracked, found.edited, found.edited_since)


def _sets(chosen: tuple[Configuration, ...], store: StoreFacts) -> tuple[EvalSet, ...]:
    # Without a database it is known all the same what there is to be judged.
    runs = known(store.evaluated) if store.exists else {}
    found = []
    for each in chosen:
        unjudged = tuple(case.id for case in each.cases if not case.scorers)
        one = EvalSet(each.name, len(each.cases), unjudged)
        if isinstance(runs, Unknown):
            one = msgspec.structs.replace(one, not_known=runs.why)
        elif (run := runs.get(each.name)) is not None:
            unrun = sum(case.id not in run.cases for case in each.cases)
            one = msgspec.structs.replace(one, evaluated_at=run.at, unrun=unrun)
        found.append(one)
    return tuple(found)


def _check_git(root: Path) -> None:
    """Where git says nothing there should be no repository.

    Raises:
        WorkspaceError: there is one.
    """
    if any((folder / ".git").exists() for folder in (root, *root.parents)):
        raise WorkspaceError(Problem("git can't be asked about this repository", "see what git status says"))


def _ci(root: Path) -> Ci:
    from llmops_tui.workspace.ci import ci_files
    from llmops_tui.workspace.git_files import top_of

    if top_of(root) is None:
        _check_git(root)
    found = ci_files(root)
    return Ci(found.files, found.gate, found.untracked)


def _learned(root: Path, chosen: tuple[Configuration, ...], since: float) -> Learned:
    from llmops_tui.engine.live_cases import from_traffic

    cases = {(case.file, case.id) for each in chosen for case in each.cases}
    found = [unix(each.at) or 0.0 for each in from_traffic(root) if (each.file, each.id) in cases]
    return Learned(len(found), sum(at >= since for at in found), max(found, default=None))
