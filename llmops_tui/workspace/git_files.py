"""Which files git knows, and which differ from the newest commit. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from os import fsdecode
from pathlib import Path

import msgspec

from llmops_tui.workspace.git_texts import git_output


class Tracked(msgspec.Struct, frozen=True):
    """Files of a workspace as git sees them; paths are relative to it, sorted.

    Attributes:
        committed_at: when the newest commit was made, Unix seconds; None before the first.
        untracked: of those asked about, the ones that git does not know.
        edited: of those asked about, the ones that differ from the newest commit.
        edited_since: when the one of these that was left alone longest was written.
    """

    committed_at: float | None
    untracked: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    edited_since: float | None = None


def tracked(root: Path, files: Iterable[str]) -> Tracked | None:
    """How git sees these files; None outside git. Never raises, asks a remote, takes a lock, or runs a hook.

    Args:
        files: relative to the workspace; what lies outside of it is left out.
    """
    inside = sorted({file for file in files if not file.startswith("../") and not file.startswith("/")})
    known = _names(root, ["ls-files", "-z"])
    if known is None:
        return None
    told = git_output(root, ["log", "-1", "--format=%ct", "--no-show-signature"])
    untracked = tuple(file for file in inside if file not in known)
    if not told or not told.strip().isdigit():
        return Tracked(None, untracked)
    # No text conversion and no outside program: what a repository's settings name is not run.
    differs = ["diff", "--name-only", "-z", "--relative", "--no-ext-diff", "--no-textconv", "HEAD"]
    changed = _names(root, differs) or set()
    edited = tuple(file for file in inside if file in changed and file not in untracked)
    written = [at for file in edited if (at := _written_at(root / file)) is not None]
    return Tracked(float(told), untracked, edited, min(written, default=None))


def top_of(root: Path) -> Path | None:
    """The folder of the repository that a workspace is in; None outside git."""
    told = git_output(root, ["rev-parse", "--show-toplevel"])
    return Path(fsdecode(told).rstrip("\n")) if told else None


def is_shallow(root: Path) -> bool:
    """Whether the clone has only the newest commits of its history."""
    return (git_output(root, ["rev-parse", "--is-shallow-repository"]) or b"").strip() == b"true"


def text_at_head(root: Path, file: str) -> str | None:
    """A file as the newest commit has it; None where it has none."""
    told = git_output(root, ["show", "--no-textconv", f"HEAD:./{file}"])
    return None if told is None else told.decode("utf-8", "replace")


def _names(root: Path, arguments: list[str]) -> set[str] | None:
    told = git_output(root, arguments)
    return None if told is None else {fsdecode(name) for name in told.split(b"\0") if name}


def _written_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
