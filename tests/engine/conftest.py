"""Sessions on a small workspace, closed after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from session_screen import Open, Screen
from small_workspace import write_workspace


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Open]:
    made: list[Screen] = []

    def make(**parts: Any) -> Screen:
        root = tmp_path / "ws"
        if not root.exists():
            write_workspace(root, **parts)
        made.append(Screen(root))
        return made[-1].start()

    yield make
    for each in made:
        each.session.close()
