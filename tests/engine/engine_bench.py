"""An engine on a small workspace, and what it asked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from small_workspace import write_workspace

from llmops_tui.domain.run import Row
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import Event, ItemsDone, NothingToDo, RunEnded, RunRequest


class Bench:
    """One workspace with its engine; `evaluate` loads what is on disk first, as a save does."""

    def __init__(self, root: Path, **parts: Any) -> None:
        self.root = write_workspace(root, **parts)
        self.engine = Engine.open(self.root)
        self.events: list[Event] = []
        self.something_is_done = asyncio.Event()

    def listen(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ItemsDone):
            self.something_is_done.set()

    async def evaluate(self, **request: Any) -> RunEnded:
        result = await self.anything(**request)
        assert isinstance(result, RunEnded), result
        return result

    async def nothing(self, **request: Any) -> NothingToDo:
        result = await self.anything(**request)
        assert isinstance(result, NothingToDo), result
        return result

    async def anything(self, **request: Any) -> Any:
        workspace = self.engine.load()
        assert not workspace.errors, workspace.errors
        return await self.engine.evaluate(RunRequest("bench", **request), self.listen)

    def rows(self, version: str = "latest") -> dict[str, Row]:
        found = self.engine.queries.resolve("bench", version)
        return {r.case_id: r for r in self.engine.queries.snapshot(found).rows}

    def write(self, file: str, text: str) -> None:
        (self.root / file).write_text(text, encoding="utf-8")

    def replace(self, file: str, old: str, new: str) -> None:
        text = (self.root / file).read_text(encoding="utf-8")
        assert old in text
        self.write(file, text.replace(old, new))

    def configure(self, **parts: Any) -> None:
        """Change keys of the configuration; None removes one."""
        file = self.root / "configs/bench.yaml"
        body = {**json.loads(file.read_text()), **parts}
        self.write("configs/bench.yaml", json.dumps({k: v for k, v in body.items() if v is not None}))

    def cases(self, *cases: dict[str, Any]) -> None:
        self.write("evals/bench.yaml", json.dumps({"cases": list(cases)}))

    def output(self, case: str, version: str = "latest") -> str:
        (item,) = self.rows(version)[case].items
        assert item.output_id is not None
        return self.engine.store.outputs.get(item.output_id).text
