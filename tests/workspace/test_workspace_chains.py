"""Mistakes in chains and programs: each names its line and what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_workspace import write_workspace

from llmops_tui.workspace import load

PROMPTS = {"prompts/a.md": "user:\n{{ question }}\n", "prompts/b.md": "user:\n{{ first }} {{ question }}\n"}


def mistakes(root: Path, **config: Any) -> list[str]:
    write_workspace(root, config={"prompt": None, **config}, files=PROMPTS)
    return [str(problem) for problem in load(root).problems]


def chain(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"chain": list(steps), **more}


A = {"name": "first", "prompt": "prompts/a.md"}
B = {"name": "second", "prompt": "prompts/b.md"}


def test_a_chain_without_a_mistake_has_none(tmp_path: Path) -> None:
    assert mistakes(tmp_path, **chain(A, B)) == []
    (found,) = load(tmp_path).configurations.values()
    assert [(s.name, s.needs) for s in found.target.steps] == [("first", ()), ("second", ("first",))]
    assert found.target.output == "second"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "names nothing that could be evaluated; write one of prompt, chain, python, command"),
        (
            {"prompt": "prompts/a.md", "chain": [A]},
            "names prompt and chain; write one of prompt, chain, python, command",
        ),
        (
            chain({**A, "needs": ["second"]}, {**B, "needs": ["first"]}),
            "steps need each other in a circle: first → second → first; break it",
        ),
        (chain({**A, "needs": ["first"]}), "the step 'first' needs itself"),
        (chain(A, {**B, "needs": ["frist"]}), "'frist', which is no step; did you mean 'first'?"),
        (chain(A, {**B, "needs": []}), "reads the step 'first', which it does not need"),
        (chain(A, A), "the step 'first' is there twice; rename one"),
        (chain({"name": "first"}), "the step 'first' does nothing; give it one of"),
        (chain({**A, "retrieval": {"source": "docs"}}), "is prompt and retrieval at once"),
        (chain({"name": "first step", "prompt": "prompts/a.md"}), "name"),
        (chain(A, B, output="thrid"), "there is no step 'thrid'"),
        (chain(A, retrieval={"source": "docs"}), "'retrieval' has no meaning beside 'chain'"),
        (chain({**A, "tools": ["look"]}), "'look' is a tool, and there is no tools.py"),
        (chain({"name": "first", "tool": "look"}), "'look' is a tool, and there is no tools.py"),
        (chain({**A, "model": "nowhere"}), "nowhere"),
        (chain({"name": "first", "python": "app:run"}), "app"),
        ({"chain": []}, "chain"),
        ({"chain": [{**A, "promt": "x"}]}, "did you mean 'prompt'?"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    found = mistakes(tmp_path, **config)
    assert any(said in each for each in found), found
    assert all(each.startswith(("configs/bench.yaml:", "prompts/")) for each in found), found


def test_a_tool_that_is_misspelt_is_named_with_what_there_is(tmp_path: Path) -> None:
    write_workspace(
        tmp_path,
        config={"tools": ["order_staus", {"refund": {"eval": "live", "result": 1}}]},
        files={"tools.py": "def order_status(order: int): ...\ndef refund(): ...\n"},
    )
    found = [str(p) for p in load(tmp_path).problems]
    assert any("no function 'order_staus' in tools.py; did you mean 'order_status'?" in f for f in found)
    assert any("'refund' has a result and is not canned; add 'eval: canned'" in f for f in found)


def test_a_prompt_without_a_model_is_told_so(tmp_path: Path) -> None:
    write_workspace(tmp_path, config={"models": None})
    assert any("no model is named" in str(p) for p in load(tmp_path).problems)


def test_a_step_may_have_a_model_and_parameters_of_its_own(tmp_path: Path) -> None:
    own = {**A, "model": "echo/small", "params": {"temperature": 0.5}}
    assert mistakes(tmp_path, **chain(own, B, params={"temperature": 0, "seed": 1})) == []
    (found,) = load(tmp_path).configurations.values()
    parts = {part.label: part.value for part in found.manifest.parts}
    assert parts["params.first.temperature"] == 0.5
    assert parts["params.first.seed"] == 1
    assert parts["params.second.temperature"] == 0
    assert "own_models.echo/small" in parts
    assert [m.id for m in found.own_models] == ["echo/small"]


def test_turns_of_a_chain_and_tools_that_are_not_used_are_said(tmp_path: Path) -> None:
    case = {"id": "one", "vars": {"question": "q"}, "turns": [{"question": "r"}], "tools": {"look": 1}}
    write_workspace(tmp_path, config={"prompt": None, **chain(A, B)}, files=PROMPTS, cases=[case])
    found = [str(problem) for problem in load(tmp_path).problems]
    assert any("case 'one' has turns, and a chain takes none; evaluate a conversation" in f for f in found)
    assert any("says what the tool 'look' gives, which is not used; remove it" in f for f in found)


def test_tools_of_a_chain_are_set_up_in_one_place(tmp_path: Path) -> None:
    look = {"name": "first", "tool": "look", "arguments": {"order": "{{ question }}"}}
    files = {**PROMPTS, "tools.py": "def look(order: str): ...\n"}
    settings = [{"look": {"eval": "canned", "result": "here"}}]
    write_workspace(tmp_path, config={"prompt": None, **chain(look, B, tools=settings)}, files=files)
    (found,) = load(tmp_path).configurations.values()
    (tool,) = found.manifest.of_kind("tools")
    assert (tool.value["eval"], tool.value["result"]) == ("canned", "here")


def test_keys_of_another_kind_of_step_are_said(tmp_path: Path) -> None:
    step = {"name": "first", "command": "cat", "arguments": {"a": 1}, "response_format": {"type": "text"}}
    found = mistakes(tmp_path, **chain(step))
    assert any("'arguments' has no meaning in a step that is a command" in each for each in found)
    assert any("'response_format' has no meaning in a step that is a command" in each for each in found)
