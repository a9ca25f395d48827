"""Reads the files of a workspace: limits, encoding, and a record of everything consulted."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

from llmops_tui.domain.canonical import lf
from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.workspace.case_memo import CaseMemo
from llmops_tui.workspace.facts import (
    ABSENT,
    content_hash,
    file_fact,
    listing_fact,
    look_up,
    stat_fact,
    tree_fact,
    walk,
)

#: Largest file that is read as text.
TEXT_LIMIT = 10_000_000
#: Largest eval set.
EVALS_LIMIT = 100_000_000


class Reader:
    """One reading of a workspace. Mistakes are collected in `problems`, never raised.

    Attributes:
        facts: name → value of everything that was consulted (`facts.look_up`).
        files: paths that were read, in order, relative to the workspace.
        cases: where cases that were built before are kept; None builds them anew.
        case_keys: configuration → key of its cases in `cases`.
    """

    def __init__(self, root: Path, cases: CaseMemo | None = None) -> None:
        self.root = root.resolve()
        self.cases = cases
        self.case_keys: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.facts: dict[str, str] = {}
        self.files: dict[str, None] = {}

    def fail(self, message: str, remedy: str = "", file: str | None = None, line: int | None = None) -> None:
        self.problems.append(Problem(message, remedy, file, line))

    def warn(self, message: str, remedy: str = "", file: str | None = None, line: int | None = None) -> None:
        self.problems.append(Problem(message, remedy, file, line, warning=True))

    # -- what is there

    def exists(self, path: str) -> bool:
        """Whether a file is there; remembered, so that its coming or going is noticed."""
        if (self.root / path).is_file():
            return True
        self.facts[file_fact(path)] = ABSENT
        return False

    def listing(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted; hidden ones are left out."""
        self.facts[listing_fact(folder)] = look_up(self.root, listing_fact(folder))
        place = self.root / folder
        if not place.is_dir():
            return []
        return sorted(p.name for p in place.iterdir() if p.is_file() and not p.name.startswith("."))

    def tree(self, folder: str) -> list[str]:
        """Paths of the files below a folder, relative to the workspace, sorted."""
        self.facts[tree_fact(folder)] = look_up(self.root, tree_fact(folder))
        return list(walk(self.root, folder))

    def note_stat(self, path: Path) -> None:
        """Remember a large file by size and time (weights, the price table, a package)."""
        self.facts[stat_fact(str(path))] = look_up(self.root, stat_fact(str(path)))

    # -- what is in it

    def locate(self, path: str, *, file: str, line: int | None, folder: bool = False) -> str | None:
        """A path that a person wrote, as a path of the workspace; None with a problem recorded.

        Args:
            path: as written.
            file, line: where it is written.
            folder: a folder is wanted, not a file.
        """
        pure = PurePosixPath(path.replace("\\", "/"))
        what = "folder" if folder else "file"
        if not pure.parts or pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
            self.fail(
                f"'{path}' is not a {what} of the workspace", "give a path below the workspace", file, line
            )
            return None
        clean = str(pure)
        target = self.root / clean
        if not (target.is_dir() if folder else target.is_file()):
            self.facts[file_fact(clean)] = ABSENT
            if target.is_dir() and not folder:
                self.fail(f"'{clean}' is a folder, not a file", "name a file in it", file, line)
            else:
                self.fail(f"there is no {what} '{clean}'", self._nearest(clean, folder), file, line)
            return None
        if not target.resolve().is_relative_to(self.root):
            self.fail(
                f"'{clean}' leads outside the workspace",
                f"copy the {what} into the workspace, or link to one inside it",
                file,
                line,
            )
            return None
        return clean

    def text(self, path: str, limit: int = TEXT_LIMIT) -> str | None:
        """A file's text with LF line ends and no byte order mark; None with a problem recorded."""
        data = self.data(path, limit)
        if data is None:
            return None
        try:
            return lf(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.fail(
                f"is not UTF-8 text: byte {data[error.start]:#04x} at offset {error.start}",
                "save it as UTF-8",
                path,
                line,
            )
            return None

    def data(self, path: str, limit: int = TEXT_LIMIT) -> bytes | None:
        """A file's bytes; None with a problem recorded."""
        target = self.root / path
        self.facts[file_fact(path)] = ABSENT
        try:
            status = target.stat()
            if not stat.S_ISREG(status.st_mode):
                self.fail("is not a file", "give a plain file", path)
                return None
            if status.st_size > limit:
                self.facts.pop(file_fact(path))
                self.note_stat(target)
                self.fail(
                    f"is {status.st_size / 1e6:,.0f} MB; at most {limit / 1e6:,.0f} MB are read",
                    "was another file meant? split it if not",
                    path,
                )
                return None
            data = target.read_bytes()
        except FileNotFoundError:
            self.fail("is not there", "", path)
            return None
        except OSError as error:
            self.fail(f"can't be read: {error.strerror or error}", "check its permissions", path)
            return None
        self.facts[file_fact(path)] = content_hash(data)
        self.files[path] = None
        return data

    def hash_of(self, path: str) -> str:
        """The content hash of a file that was read."""
        return self.facts.get(file_fact(path), ABSENT)

    def _nearest(self, path: str, folder: bool) -> str:
        parent = PurePosixPath(path).parent
        place = self.root / parent
        if not place.is_dir():
            place, parent = self.root, PurePosixPath(".")
        there = {
            str(parent / p.name)
            for p in place.iterdir()
            if not p.name.startswith(".") and p.is_dir() == folder
        }
        near = did_you_mean(path, there)
        return near if near.startswith("did you mean") else "create it, or correct the path"
