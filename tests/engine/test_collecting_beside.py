"""Work beside the receiver that has an engine: what breaks is told as it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from small_workspace import write_workspace

from llmops_tui.domain.errors import LlmopsError
from llmops_tui.engine.collecting_beside import EngineTask
from llmops_tui.engine.engine import Engine


async def _nothing(_engine: Engine, _stop: asyncio.Event) -> None:
    return None


async def test_a_database_that_cannot_be_had_is_told_as_such(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    (root / ".llmops").mkdir(exist_ok=True)
    (root / ".llmops" / "llmops.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(LlmopsError) as found:
        await EngineTask("online evals", root, _nothing).run(asyncio.Event())
    assert "llmops.db" in str(found.value)
