"""Copying: the machine's own tool where the app runs on it, else the terminal (OSC 52)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_TOOLS = (
    ("pbcopy", ("pbcopy",), None),
    ("wl-copy", ("wl-copy",), "WAYLAND_DISPLAY"),
    ("xclip", ("xclip", "-selection", "clipboard"), "DISPLAY"),
    ("xsel", ("xsel", "--clipboard", "--input"), "DISPLAY"),
)


def tool(environ: Mapping[str, str], path: str | None = None) -> tuple[str, ...] | None:
    """The command that takes text for the clipboard; None over ssh or where there is none."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return None
    for name, command, needs in _TOOLS:
        if (needs is None or environ.get(needs)) and shutil.which(name, path=path):
            return command
    return None


def copy_locally(text: str) -> str | None:
    """Copy by the machine's tool; its name, or None where that did not work. Takes up to 2 s."""
    command = tool(os.environ)
    if command is None:
        return None
    try:
        subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            check=True,
            timeout=2,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return command[0]


def write_file(text: str, name: str) -> Path:
    """The text in a new file of the temporary folder, readable by its owner alone."""
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[:60] or "copy"
    handle, path = tempfile.mkstemp(prefix=f"llmops-{safe}-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(path)
