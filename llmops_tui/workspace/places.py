"""Where data of the user lives outside any workspace."""

from __future__ import annotations

import os
from pathlib import Path


def user_data() -> Path:
    """The data folder of this user; `LLMOPS_TUI_HOME` overrides it. It may not exist yet."""
    if home := os.environ.get("LLMOPS_TUI_HOME"):
        return Path(home)
    from platformdirs import user_data_path

    return user_data_path("llmops-tui", appauthor=False)


def settings_file() -> Path:
    """The settings of this user; `LLMOPS_TUI_CONFIG` overrides it. It may not exist."""
    if path := os.environ.get("LLMOPS_TUI_CONFIG"):
        return Path(path)
    from platformdirs import user_config_path

    return user_config_path("llmops-tui", appauthor=False) / "settings.yaml"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never half of it.

    Raises:
        OSError: it can't be written; the old file is untouched.
    """
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
