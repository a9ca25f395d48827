"""A git repository around a small workspace, made commit by commit, and what must not change of it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

QUIET = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class Repository:
    """A repository at `top`."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self._minute = 0

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.top), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **QUIET},
        )
        return done.stdout.strip()

    def commit(self, subject: str, **files: str) -> str:
        """Write files (path → text), and commit everything; gives the hash."""
        for path, text in files.items():
            (self.top / path).parent.mkdir(parents=True, exist_ok=True)
            (self.top / path).write_text(text, encoding="utf-8")
        self._minute += 1
        date = f"2026-03-01T10:{self._minute:02}:00+00:00"
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject, f"--date={date}")
        return self.git("rev-parse", "HEAD")

    def state(self) -> tuple[str, str, str, str, str]:
        """Status, HEAD, the index byte for byte, worktrees and stashes."""
        index = hashlib.sha256((self.top / ".git" / "index").read_bytes()).hexdigest()
        # Without locks: looking must not refresh the index that is looked at.
        status = self.git("--no-optional-locks", "status", "--porcelain")
        return (
            status,
            self.git("rev-parse", "HEAD"),
            index,
            self.git("worktree", "list"),
            self.git("stash", "list"),
        )
