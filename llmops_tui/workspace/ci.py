"""Whether CI runs the gate: files of the usual systems are looked through for the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from llmops_tui.workspace.git_files import text_at_head, top_of, tracked
from llmops_tui.workspace.reader import TEXT_LIMIT

#: Where the systems keep their files, within a repository.
PLACES = (
    ".github/workflows/*.yml",
    ".github/workflows/*.yaml",
    ".forgejo/workflows/*.y*ml",
    ".gitea/workflows/*.y*ml",
    ".gitlab-ci.yml",
    ".gitlab/ci/*.yml",
    "Jenkinsfile",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    ".buildkite/*.yml",
    ".woodpecker.yml",
    ".woodpecker/*.y*ml",
    ".drone.yml",
    ".travis.yml",
)
#: A version and options may stand before the verb; what follows the verb is part of no other word.
_GATE = re.compile(
    r"\bllmops[-_]tui\b(?:[@=]\S*)?(?:\s+-\S+(?:\s[^-\s]\S*)?)*\s+gate(?![\w-])(?!.*\s(?:-h|--help)\b)"
)
_COMMENTS = ("#", "//", "*")
#: What only tells of it: the name of a step, and what is printed.
_TOLD = re.compile(r"""^(?:-\s*)?["']?(?:name|display_?name|description|title)["']?\s*:|\becho\b""", re.I)


class CiFiles(msgspec.Struct, frozen=True):
    """What there is of CI; paths are relative to the repository.

    Attributes:
        files: of CI systems. gate: `FILE:LINE` of the first one that runs the gate; empty where none does.
        untracked: the newest commit does not have it.
    """

    files: tuple[str, ...] = ()
    gate: str = ""
    untracked: bool = False


def ci_files(root: Path) -> CiFiles:
    """The CI files of the repository that a workspace is in; of the workspace's folder outside git."""
    top = top_of(root) or root
    files = sorted({path.relative_to(top).as_posix() for path in _found(top)})
    with_gate = [(file, line) for file in files if (line := gate_line(_text(top / file))) is not None]
    if not with_gate:
        return CiFiles(tuple(files))
    known = tracked(top, [file for file, _line in with_gate])
    loose = {file for file, _line in with_gate} if known is None else set(known.untracked)
    if known is not None:
        # What is only edited, or only added, is run by nobody yet.
        loose.update(file for file in known.edited if gate_line(text_at_head(top, file) or "") is None)
    in_git = [(file, line) for file, line in with_gate if file not in loose]
    file, line = (in_git or with_gate)[0]
    return CiFiles(tuple(files), f"{file}:{line}", untracked=not in_git)


def gate_line(text: str) -> int | None:
    """The line on which a CI file runs the gate, from 1 on; comments do not count."""
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words.startswith(_COMMENTS):
            continue
        said = before + words.partition(" #")[0]
        # A command may go on in the next line.
        before = f"{said[:-1].rstrip()} " if said.endswith("\\") else ""
        if not before and (found := _GATE.search(said)) and not _TOLD.search(said[: found.start()]):
            return number
    return None


def _found(top: Path) -> Iterator[Path]:
    for place in PLACES:
        yield from (path for path in top.glob(place) if path.is_file())


def _text(path: Path) -> str:
    """Of a file that can't be read, or is too large for one that a person wrote, nothing."""
    try:
        data = path.read_bytes() if path.stat().st_size <= TEXT_LIMIT else b""
    except OSError:
        return ""
    return data.decode("utf-8", "replace")
