"""The programs of docs/guard.md do what the page says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from guarded_workspace import guarded

PAGE = Path(__file__).parents[2] / "docs" / "guard.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
GUARDRAILS = [
    {"topic": {"denied": ["forbidden"], "on": ["input", "context", "tool_call"], "message": "No."}},
    {"pii": {"on": ["input", "context", "tool_result", "output"]}},
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded(tmp_path, *GUARDRAILS)
    os.rename(tmp_path / "configs/bench.yaml", tmp_path / "configs/helpdesk.yaml")  # noqa: PTH104
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("here")
def test_the_first_program_answers() -> None:
    found = ["a forbidden text", {"content": "write to ann@example.org"}]
    asked: list[Any] = []

    def ask_model(question: str, documents: list[Any]) -> str:
        asked.append((question, list(documents)))
        return "Ask bob@example.org."

    program: dict[str, Any] = {"search": lambda _question: found, "ask_model": ask_model}
    exec(BLOCKS[0], program)
    answer: Callable[[str], str] = program["answer"]
    assert answer("I am cid@example.org") == "Ask [email]."
    assert asked == [("I am [email]", [{"content": "write to [email]"}])]
    assert answer("a forbidden question") == "No."
    assert len(asked) == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("note", "calls"), [("fine", 1), ("forbidden", 0)])
def test_the_second_program_calls_a_tool(note: str, calls: int) -> None:
    from llmops_tui import guard

    called: list[dict[str, Any]] = []

    def refund(**arguments: Any) -> dict[str, str]:
        called.append(arguments)
        return {"told": "ann@example.org"}

    program = {"guards": guard.load("helpdesk"), "refund": refund, "note": note}
    exec(f"def run():\n{indent(BLOCKS[1], '    ')}    return result\n", program)
    result = program["run"]()  # type: ignore[operator]
    assert len(called) == calls
    assert result == {"told": "[email]"} if calls else "'topic'" in result
