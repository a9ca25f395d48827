"""A collector for the log of this process, and a workspace with guardrails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guarded_workspace import Load, guarded

from llmops_tui import guard, log
from llmops_tui.log.faults import PROBLEMS
from llmops_tui.log.settings import SETTINGS


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`load({"regex": "bad"}, "pii", ask=…)`: the guardrails of a workspace that has these."""

    def load(*guardrails: Any, ask: Any = None, **parts: Any) -> Any:
        return guard.load("bench", folder=guarded(tmp_path / "ws", *guardrails, **parts), ask=ask)

    return load


@pytest.fixture(autouse=True)
def no_fault_of_the_log() -> Iterator[None]:
    """A test that logs nothing sends nothing, and no fault is swallowed."""
    before, was_off = PROBLEMS.faults, SETTINGS.is_off
    log.off()
    yield
    SETTINGS.is_off = was_off
    assert PROBLEMS.faults == before
