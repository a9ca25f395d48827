"""Small real workspaces on disk, and a home of its own for every test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from small_workspace import write_workspace

# No test asserts a time; on CI the same examples are tried each time, elsewhere new ones.
settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")

Build = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """User data and settings of a test stay in its own folder."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LLMOPS_TUI_HOME", str(home / "data"))
    monkeypatch.setenv("LLMOPS_TUI_CONFIG", str(home / "config"))
    return home


@pytest.fixture
def workspace(tmp_path: Path) -> Build:
    """Build a workspace in a fresh folder: `workspace(prompt=…, cases=[…])`."""

    def build(**parts: Any) -> Path:
        return write_workspace(tmp_path / "ws", **parts)

    return build
