"""Which folder is the workspace."""

from __future__ import annotations

from pathlib import Path

from llmops_tui.domain.errors import Problem, WorkspaceError

SETTINGS_FILE = "llmops.yaml"
CONFIGS = "configs"


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds `llmops.yaml` or `configs/`.

    Raises:
        WorkspaceError: there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if is_workspace(folder):
            return folder
    raise WorkspaceError(
        Problem(
            f"there is no workspace at {start} or above it (no {SETTINGS_FILE}, no {CONFIGS}/)",
            "make one with: llmops-tui init",
        )
    )


def is_workspace(folder: Path) -> bool:
    try:
        return (folder / SETTINGS_FILE).is_file() or (folder / CONFIGS).is_dir()
    except OSError:
        return False
