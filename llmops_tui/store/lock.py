"""Which app has a workspace: the second one views."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from llmops_tui.store import faults
from llmops_tui.store.processes import parse_owner, this_process


class WorkspaceLock:
    """A lock on a file of `.llmops`. It goes with its process, however that ends.

    Args:
        root: the workspace.
        name: what is locked; by default the workspace for an app.
    """

    def __init__(self, root: Path, name: str = "app") -> None:
        self.path = root / ".llmops" / f"{name}.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> str | None:
        """Take it. Returns None, or who has it (`process 4711`).

        Raises:
            StoreError: the folder can't be written.
        """
        if self._file is not None:
            return None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Not truncated: it may be another's, with its name in it.
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644), "r+")
        except OSError as error:
            raise faults.system_error(error, self.path) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with file:
                return _described(file.read())
        file.truncate(0)
        file.write(this_process().text())
        file.flush()
        self._file = file
        return None

    def release(self) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def _described(text: str) -> str:
    owner = parse_owner(text)
    if owner is None:
        return "another process"
    here = this_process().host
    return f"process {owner.pid}" + ("" if owner.host == here else f" on {owner.host}")
