"""Commits and what a workspace held at each, read from git's objects. Nothing of a checkout is touched.

The history of a branch is what its first parents say: a merge is one step, which brought in all of its side.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from os import fsdecode
from pathlib import Path

import msgspec

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.workspace.git_texts import contents, git_output
from llmops_tui.workspace.reader import TEXT_LIMIT

#: Commits that are looked back over where nobody named a good one.
MOST_COMMITS = 2_000
#: Links that lead to links.
MOST_LINKS = 8
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_FIELDS = "%H%x00%P%x00%at%x00%an%x00%s"


class Commit(msgspec.Struct, frozen=True):
    """A commit. `at` is when its author wrote it (Unix seconds); text is as git has it, untrusted."""

    sha: str
    parents: tuple[str, ...]
    at: float
    author: str
    subject: str

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1


class File(msgspec.Struct, frozen=True):
    """A file of a tree: its blob and its size in bytes."""

    blob: str
    size: int


def folder_in_repository(root: Path) -> str:
    """The workspace's folder within its repository; empty where it is the whole.

    Raises:
        UsageError: it is in none.
    """
    prefix = git_output(root, ["rev-parse", "--show-prefix"])
    if prefix is None:
        raise UsageError(
            Problem(
                "this workspace is not in a git repository", "leave --git away: versions are recorded too"
            )
        )
    return fsdecode(prefix).rstrip("\n").rstrip("/")


def commit_of(root: Path, revision: str) -> Commit:
    """The commit that a revision names.

    Raises:
        UsageError: git knows no such commit.
    """
    name = revision.strip()
    told = git_output(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    found = _listed(root, ["-n", "1", told.decode().strip()]) if told else []
    if not found:
        if name == "HEAD":
            raise UsageError(Problem("nothing is committed here yet", "leave --git away"))
        raise UsageError(
            Problem(
                f"git knows no commit '{revision}'", "name a commit, a branch or a tag (git log --oneline)"
            )
        )
    return found[0]


def since(root: Path, good: str, bad: str) -> tuple[list[Commit], str]:
    """Commits from `good` to `bad`, oldest first, along first parents; and what must be said, as a sentence.

    Where `good` is no ancestor of `bad`, the commit at which both parted stands for it, as in `git bisect`.

    Raises:
        UsageError: `good` comes after `bad`, or they have nothing in common.
    """
    first, last = commit_of(root, good), commit_of(root, bad)
    base = (git_output(root, ["merge-base", first.sha, last.sha]) or b"").decode().strip()
    said = ""
    if not base:
        raise UsageError(
            Problem(f"{good} and {bad} have no commit in common", "name two commits of one history")
        )
    if base == last.sha:
        raise UsageError(Problem(f"{good} does not come before {bad}", "name an older commit with --good"))
    if base != first.sha:
        said = f"{good} is on another branch; the commit at which it parted ({base[:10]}) stands for it"
        first = commit_of(root, base)
    return [first, *reversed(_listed(root, [f"{first.sha}..{last.sha}"]))], said


def before(root: Path, bad: str) -> list[Commit]:
    """The last `MOST_COMMITS` commits up to `bad`, oldest first, along first parents."""
    return list(reversed(_listed(root, ["-n", str(MOST_COMMITS), commit_of(root, bad).sha])))


def newest(root: Path, most: int) -> list[Commit]:
    """The last so many commits, oldest first, along first parents; none outside git."""
    return list(reversed(_listed(root, ["-n", str(most), "HEAD"])))


def _listed(root: Path, what: Sequence[str]) -> list[Commit]:
    command = [
        "log",
        "--first-parent",
        "-z",
        f"--format={_FIELDS}",
        "--encoding=UTF-8",
        "--no-show-signature",
    ]
    fields = (git_output(root, [*command, *what, "--"]) or b"").split(b"\0")
    commits = []
    for n in range(0, len(fields) - 4, 5):
        sha, parents, at, author, subject = (f.decode("utf-8", "replace") for f in fields[n : n + 5])
        commits.append(Commit(sha, tuple(parents.split()), float(at or 0), author, subject))
    return commits


# -- where a configuration was


def places(root: Path, commits: Sequence[Commit], folder: str, file: str) -> dict[str, tuple[str, str]]:
    """Commit → (the workspace's folder in the repository, the configuration's file in it), renames followed.

    Args:
        commits: oldest first.
        folder: of the workspace now.
        file: of the configuration now, within the workspace.
    """
    now = posixpath.join(folder, file)
    moved = _renames(root, commits[-1].sha, file)
    found = {}
    for commit in reversed(commits):
        place = _split(now)
        if place is not None:
            found[commit.sha] = place
        now = moved.get((commit.sha, now), now)
    return found


def _split(path: str) -> tuple[str, str] | None:
    """A configuration's path → (workspace, path in it); None where it is in no `configs` folder."""
    head, name = posixpath.split(path)
    folder, configs = posixpath.split(head)
    return (folder, f"{configs}/{name}") if configs == "configs" else None


def _renames(root: Path, last: str, file: str) -> dict[tuple[str, str], str]:
    """(commit, path after it) → path before it."""
    command = ["log", "--first-parent", "--diff-merges=first-parent", "--follow", "-M", "--name-status", "-z"]
    listed = git_output(root, [*command, "--format=%x01%H", "--no-show-signature", last, "--", file]) or b""
    moved, sha = {}, ""
    fields = iter(listed.split(b"\0"))
    for field in fields:
        word = field.strip()
        if word.startswith(b"\1"):
            sha = word[1:].decode()
        elif word[:1] in (b"R", b"C") and word[1:].isdigit():
            old, new = fsdecode(next(fields, b"")), fsdecode(next(fields, b""))
            moved[sha, new] = old
    return moved


# -- what it held


def folder_ids(root: Path, asked: Sequence[tuple[str, str]]) -> list[str | None]:
    """The tree of each (commit, folder): equal ids hold the same files. None: there is no such folder."""
    given = "".join(f"{sha}:{folder}\n" if "\n" not in folder else "none\n" for sha, folder in asked)
    told = git_output(root, ["cat-file", "--batch-check"], given.encode("utf-8", "surrogateescape")) or b""
    lines = [line.split(b" ") for line in told.splitlines()]
    ids = [line[0].decode() if len(line) == 3 and line[1] == b"tree" else None for line in lines]
    return ids if len(ids) == len(asked) else [None] * len(asked)


def files_of(root: Path, tree: str) -> dict[str, File]:
    """Path → file of a tree. A link is what it leads to; links outside and submodules are left out."""
    listed = git_output(root, ["ls-tree", "-r", "-l", "-z", "--full-tree", tree]) or b""
    files: dict[str, File] = {}
    links: dict[str, str] = {}
    for line in listed.split(b"\0"):
        head, _, name = line.partition(b"\t")
        fields, path = head.split(), fsdecode(name)
        if len(fields) != 4 or fields[1] != b"blob" or not _is_plain(path):
            continue
        if fields[0] == b"120000":
            links[path] = fields[2].decode()
        else:
            files[path] = File(fields[2].decode(), int(fields[3]))
    if links:
        targets = contents(root, list(links.values()))
        _follow(files, {path: fsdecode(targets.get(blob, b"")) for path, blob in links.items()})
    return files


def _is_plain(path: str) -> bool:
    return all(part not in ("", ".", "..") and part.lower() != ".git" for part in path.split("/"))


def _follow(files: dict[str, File], links: Mapping[str, str]) -> None:
    """Put what links lead to in their places."""
    for path, target in links.items():
        for _ in range(MOST_LINKS):
            lead = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if posixpath.isabs(target) or lead.startswith("..") or lead not in links:
                break
            path_, target = lead, links[lead]
            target = posixpath.relpath(
                posixpath.join(posixpath.dirname(path_), target), posixpath.dirname(path)
            )
        if posixpath.isabs(target) or lead.startswith("..") or lead == ".":
            continue
        below = [(name, file) for name, file in files.items() if name.startswith(f"{lead}/")]
        if lead in files:
            files[path] = files[lead]
        elif not path.startswith(f"{lead}/"):
            files.update({path + name[len(lead) :]: file for name, file in below})


class Copy:
    """A folder outside the workspace that shows one tree after another; only what differs is written.

    Args:
        folder: empty, and nobody else's.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        self.pointers: set[str] = set()
        self._root = root
        self._files: dict[str, File] = {}

    def show(self, files: Mapping[str, File]) -> frozenset[str]:
        """Hold these files from now on; gives the paths that differ from before. Files that are too large,
        or not in this clone, are left out.
        """
        gone = [path for path in self._files if path not in files]
        come = [path for path, file in files.items() if self._files.get(path) != file]
        changed = frozenset([*gone, *come])
        for path in [*gone, *(p for p in come if p in self._files)]:
            (self.folder / path).unlink(missing_ok=True)
            self._prune((self.folder / path).parent)
        self.pointers -= changed
        small = {files[path].blob for path in come if files[path].size <= TEXT_LIMIT}
        texts = contents(self._root, sorted(small))
        for path in come:
            data = texts.get(files[path].blob)
            if data is None:
                continue
            if data.startswith(LFS_POINTER):
                self.pointers.add(path)
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(data)
        self._files = dict(files)
        return changed

    def _prune(self, folder: Path) -> None:
        while folder != self.folder and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
