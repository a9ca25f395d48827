"""A small workspace on `echo` whose answers are judged by a model of the fake server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine_bench import Bench
from fake_openai import FakeOpenAI

from llmops_tui.domain.run import Item
from llmops_tui.domain.score import Score

POLITE = "Is the answer polite?"


def judge(model: str = "keyword", **options: Any) -> dict[str, Any]:
    return {"judge": {"rubric": POLITE, "model": f"gateway/judge-{model}", **options}}


class JudgeBench:
    """Makes workspaces: `make(entry, questions)` has a case for each question, judged by the entry."""

    def __init__(self, root: Path, server: FakeOpenAI) -> None:
        self._root = root
        self._server = server
        self._made: list[Bench] = []

    def __call__(self, entry: Any, questions: tuple[str, ...] = ("be polite",), **parts: Any) -> Bench:
        scorers = [entry] if isinstance(entry, dict) else entry
        cases = [
            {"id": f"c{n}", "vars": {"question": q}, "scorers": scorers} for n, q in enumerate(questions)
        ]
        gateway = {"base_url": self._server.url, "retries": 0, "price": parts.pop("price", {})}
        settings = {"providers": {"gateway": gateway}, **parts.pop("settings", {})}
        body = {"cases": cases, "settings": settings, "prompt": "{{ question }}", **parts}
        self._made.append(Bench(self._root / f"ws{len(self._made)}", **body))
        return self._made[-1]

    def close(self) -> None:
        for each in self._made:
            each.engine.close()


def item(bench: Bench, case: str = "c0") -> Item:
    (found,) = bench.rows()[case].items
    return found


def score(bench: Bench, case: str = "c0") -> Score:
    (found,) = bench.engine.store.runs.item_scores(item(bench, case))
    return found
