"""What an editor is told of `guardrails:` is what the reader takes."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.schema import ConfigFile
from llmops_tui.workspace import json_schema
from llmops_tui.workspace.guardrail_schema import _COMMON
from llmops_tui.workspace.guardrail_uses import COMMON


def fits(*entries: Any) -> bool:
    schema = json_schema("config")["properties"]["guardrails"]
    return bool(Draft202012Validator(schema).is_valid(list(entries)))


EXAMPLES = [example.entry for kind in GUARDRAILS.values() for example in kind.examples]


@pytest.mark.parametrize("entry", [*EXAMPLES, *GUARDRAILS], ids=str)
def test_every_example_fits(entry: Any) -> None:
    assert fits(entry)


@pytest.mark.parametrize(
    "entry",
    [
        "discount",
        {"discount": {"most": 15, "on": "output"}},
        {"injection": {"on": ["input", "context"], "action": "block", "threshold": 0.6}},
        {"pii": ["email"], "on": "input"},
        {"refusal": {"on_error": "open", "timeout_s": 0.1, "message": "No.", "name": "refused"}},
        {"grounded": "judge", "judge": "strict"},
    ],
    ids=str,
)
def test_functions_and_common_keys_fit(entry: Any) -> None:
    assert fits(entry)


@pytest.mark.parametrize(
    "entry",
    [
        3,
        {},
        {"pii": {"vaule": ["email"]}},
        {"pii": ["emial"]},
        {"injection": {"on": "inputs"}},
        {"injection": {"action": "stop"}},
        {"injection": "guess"},
        {"max_length": "many"},
        {"regex": {}},
        {"language": {"value": "en", "threshold": 2}},
    ],
    ids=str,
)
def test_a_mistake_does_not_fit(entry: Any) -> None:
    assert not fits(entry)


def test_the_common_keys_are_those_of_the_reader() -> None:
    assert set(_COMMON) == set(COMMON)
    assert "guardrails" in ConfigFile.model_fields
