"""The commit that a workspace is at."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec


class GitState(msgspec.Struct, frozen=True):
    """Both are None outside git, and `commit` is None before the first commit.

    `dirty` is about the workspace's own folder, untracked files included.
    """

    commit: str | None = None
    dirty: bool | None = None


def state(root: Path) -> GitState:
    """Never raises, prompts, takes a lock, or runs a hook."""
    command = [
        *("git", "-c", "core.fsmonitor=false", "-C", str(root), "status"),
        *("--porcelain=v2", "--branch", "--no-ahead-behind", "--ignore-submodules=all"),
        *("--untracked-files=normal", "--", ".", ":(exclude).llmops"),
    ]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=2.0, env=environment, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return GitState()
    commit, dirty = None, False
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("# branch.oid "):
            oid = line.removeprefix("# branch.oid ").strip()
            commit = None if oid == "(initial)" else oid
        elif not line.startswith("#"):
            dirty = True
    return GitState(commit, dirty)


def user_name(root: Path) -> str:
    """Who works here, as git knows them, else the name of the account; may be empty. Never raises."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "config", "user.name"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=2.0,
            check=True,
        )
        name = done.stdout.decode("utf-8", "replace").strip()
    except (OSError, subprocess.SubprocessError):
        name = ""
    if name:
        return name
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an account without a name
        return ""
