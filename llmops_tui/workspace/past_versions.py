"""The configuration of each commit, over cases of now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import WorkspaceError
from llmops_tui.workspace import git_history
from llmops_tui.workspace.configurations import read_over
from llmops_tui.workspace.facts import SKIPPED_FOLDERS
from llmops_tui.workspace.git_history import Commit, Copy, File
from llmops_tui.workspace.reader import TEXT_LIMIT, Reader
from llmops_tui.workspace.settings import read_settings


class PastVersion(msgspec.Struct, frozen=True):
    """Commits in a row, oldest first, at which a configuration was one and the same version.

    Attributes:
        configuration: None where it can't be read there; `why_not` says why, as a clause.
    """

    commits: tuple[Commit, ...]
    configuration: Configuration | None
    why_not: str = ""


def read(
    root: Path,
    commits: Sequence[Commit],
    name: str,
    file: str,
    cases: tuple[Case, ...],
    progress: Callable[[int], None] = lambda _n: None,
) -> list[PastVersion]:
    """The versions of a configuration along commits, oldest first; neighbours differ.

    Args:
        name, file: of the configuration now.
        cases: what stands for its eval sets.
        progress: called with the number of commits read.

    Raises:
        UsageError: the workspace is not in git.
        WorkspaceError: the settings on disk have a mistake.
    """
    folder = git_history.folder_in_repository(root)
    places = git_history.places(root, commits, folder, file)
    ids = git_history.folder_ids(root, [(c.sha, places.get(c.sha, ("\n", ""))[0]) for c in commits])
    found: list[PastVersion] = []
    with tempfile.TemporaryDirectory(prefix="llmops-tui-past-") as temporary:
        reading = _Reading(root, Path(temporary), name, cases)
        for n, (commit, tree) in enumerate(zip(commits, ids, strict=True)):
            if n % 20 == 0:
                progress(n)
            place = places.get(commit.sha)
            if tree is None or place is None:
                configuration, why_not = None, "the workspace is not there"
            else:
                configuration, why_not = reading.at(tree, place[1])
            _add(found, commit, configuration, why_not)
    return found


def _add(found: list[PastVersion], commit: Commit, configuration: Configuration | None, why_not: str) -> None:
    """Put a commit to those before it where it changed nothing that matters."""
    if configuration is not None:
        # What can't be read between two equal ones changed nothing for good.
        n = next((i for i in range(len(found) - 1, -1, -1) if found[i].configuration is not None), None)
        last = found[n].configuration if n is not None else None
        if n is not None and last is not None and last.manifest.hash == configuration.manifest.hash:
            same = PastVersion((*found[n].commits, commit), last)
            found[n:] = [same]
            return
    elif found and found[-1].configuration is None and found[-1].why_not == why_not:
        found[-1] = PastVersion((*found[-1].commits, commit), None, why_not)
        return
    found.append(PastVersion((commit,), configuration, why_not))


class _Reading:
    """Reads one tree after another; one that changed no file that was looked at is not read."""

    def __init__(self, root: Path, folder: Path, name: str, cases: tuple[Case, ...]) -> None:
        self._root = root
        self._here = Reader(root)
        self._settings = read_settings(self._here)
        problems = [p for p in self._here.problems if not p.warning]
        if problems:
            raise WorkspaceError(*problems)
        self._copy = Copy(root, folder)
        self._name = name
        self._cases = cases
        self._tree = self._file = ""
        self._facts: tuple[str, ...] = ()
        self._last: tuple[Configuration | None, str] = (None, "")

    def at(self, tree: str, file: str) -> tuple[Configuration | None, str]:
        """The configuration that a tree holds, and why there is none."""
        if (tree, file) == (self._tree, self._file):
            return self._last
        files = git_history.files_of(self._root, tree)
        changed = self._copy.show({p: f for p, f in files.items() if _matters(p)})
        if file != self._file or self._touches(changed):
            self._last = self._read(file, files)
        self._tree, self._file = tree, file
        return self._last

    def _touches(self, changed: frozenset[str]) -> bool:
        """Whether something that the last reading looked at has changed."""
        for fact in self._facts:
            kind, _, what = fact.partition(":")
            if kind == "file" and what in changed:
                return True
            if kind in ("tree", "list") and any(p == what or p.startswith(f"{what}/") for p in changed):
                return True
        return not self._facts and bool(changed)

    def _read(self, file: str, files: dict[str, File]) -> tuple[Configuration | None, str]:
        reader = Reader(self._copy.folder)
        self._here.problems.clear()
        configuration = read_over(*(reader, self._here, self._settings, self._name, file, self._cases))
        self._facts = tuple(reader.facts)
        pointers = sorted(self._copy.pointers.intersection(reader.files))
        if pointers:
            return None, f"{pointers[0]} is a pointer of Git LFS, not the file itself"
        if configuration is not None:
            return configuration, ""
        problem = next((p for p in reader.problems if not p.warning), None)
        too_large = [p for p, f in files.items() if f.size > TEXT_LIMIT and problem and p in str(problem)]
        if too_large:
            return None, f"{too_large[0]} is too large"
        return None, str(msgspec.structs.replace(problem, remedy="")) if problem else "it can't be read"


def _matters(path: str) -> bool:
    """Whether a configuration could read a file: hidden ones, and what tools leave behind, it can't."""
    return not any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.split("/"))
