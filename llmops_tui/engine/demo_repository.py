"""A git repository that the demo makes commits in, at the demo's time and in nobody's name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from llmops_tui.domain.errors import Problem, UsageError

_WHO = "The demo"
#: Nothing of the person's git is used: no hook, signature or template.
_QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "commit.gpgsign=false", "-c", "core.fsmonitor=false")


class Repository:
    """Of the folder `root`, and of nothing above it.

    Args:
        clock: Unix seconds, of commits.
    """

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self._root = root
        self._clock = clock

    def make(self) -> None:
        """Make the repository.

        Raises:
            UsageError: there is no git, or it says no.
        """
        self._git("init", "-q", "--template=", "-b", "main")

    def commit(self, message: str) -> None:
        """Commit everything that there is.

        Raises:
            UsageError: git says no.
        """
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", message)

    def _git(self, *arguments: str) -> None:
        when = f"{int(self._clock())} +0000"
        by = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (
            ("NAME", _WHO), ("EMAIL", "demo@example.org"), ("DATE", when))}  # fmt: skip
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        # A hook that runs the demo names its own repository in the environment.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        try:
            subprocess.run(
                ["git", "-C", str(self._root), *_QUIET, *arguments],
                check=True,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=60.0,
                env={**inherited, **by, **own},
            )
        except FileNotFoundError:
            raise UsageError(Problem("this demo needs git, which is not installed", "install git")) from None
        except subprocess.SubprocessError as error:
            said = (getattr(error, "stderr", b"") or b"").decode("utf-8", "replace").strip()
            message = f"git {arguments[0]} did not work: {said.splitlines()[-1] if said else error}"
            raise UsageError(Problem(message, "try the demo in another folder")) from error
