"""Which workspaces' Python may run: this user's word, kept outside the workspaces."""

from __future__ import annotations

import json
from pathlib import Path

from llmops_tui.workspace.places import user_data, write_atomically


def is_trusted(root: Path) -> bool:
    """Whether this user has trusted the workspace at exactly this place."""
    return str(root.resolve()) in _read()


def trust(root: Path) -> None:
    """Remember that the workspace's Python may run.

    Raises:
        LlmopsError: it can't be remembered.
    """
    from llmops_tui.domain.errors import LlmopsError, Problem

    trusted = sorted(_read() | {str(root.resolve())})
    target = file()
    try:
        write_atomically(target, json.dumps({"trusted": trusted}, indent=1).encode())
    except OSError as error:
        raise LlmopsError(
            Problem(
                f"the trust can't be remembered in {target}: {error.strerror or error}",
                "make the folder writable, or set LLMOPS_TUI_HOME",
            )
        ) from error


def file() -> Path:
    """Where this user's word is kept; it may not exist yet."""
    return user_data() / "trusted.json"


def _read() -> set[str]:
    try:
        kept = json.loads(file().read_bytes())
        return {path for path in kept["trusted"] if isinstance(path, str)}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
