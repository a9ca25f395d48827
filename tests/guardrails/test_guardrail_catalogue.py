"""The catalogue and the checks agree, and its examples are true."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_workspace import write_workspace

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.kind import GuardrailExample
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.guardrails.checks import MODULES, prepare
from llmops_tui.guardrails.evidence import redacted
from llmops_tui.guardrails.registry import CHECKS, About, Deadline
from llmops_tui.workspace import load

EXAMPLES = [(name, example) for name, kind in GUARDRAILS.items() for example in kind.examples]


def use_of(root: Path, example: GuardrailExample) -> GuardrailUse:
    write_workspace(root, config={"guardrails": [example.entry]})
    workspace = load(root)
    assert workspace.errors == (), [str(problem) for problem in workspace.errors]
    [use] = workspace.configurations["bench"].target.guardrails
    return use


def test_every_kind_has_a_module_that_registers_it() -> None:
    assert MODULES.keys() == GUARDRAILS.keys()
    for kind, options in (("max_length", {"value": 1}), ("refusal", {})):
        prepare(kind, options)
        assert kind in CHECKS


@pytest.mark.parametrize("kind", GUARDRAILS)
def test_every_kind_shows_an_example_that_fires_and_one_that_does_not(kind: str) -> None:
    assert {example.fires for example in GUARDRAILS[kind].examples} == {True, False}


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=[f"{k}-{e.text[:30]}" for k, e in EXAMPLES])
def test_an_example_is_true(kind: str, example: GuardrailExample, tmp_path: Path) -> None:
    use = use_of(tmp_path, example)
    assert use.kind == kind
    about = About(use.on[0], context=example.context)
    found = prepare(kind, use.options)(example.text, about, Deadline(10))
    assert (found.score >= use.threshold) is example.fires, found
    if example.redacted is not None:
        assert redacted(example.text, found.matches, use.name) == example.redacted
