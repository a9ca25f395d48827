"""What is looked at of a tool: the same text in evaluations and in a program."""

from __future__ import annotations

from typing import Any

import pytest

from llmops_tui.guardrails.tool_texts import arguments_text, result_text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"amount": 1000, "of": ["é"]}, '{"amount":1000,"of":["é"]}'),
        ('{"to": "jane\\u0040example.org"}', '{"to":"jane@example.org"}'),
        ('{"to": "\\ud800 jane\\u0040example.org"}', '{"to":"\ud800 jane@example.org"}'),
        ('{"to": NaN, "of": "\\u0061"}', '{"to":null,"of":"a"}'),
        ("{not json", "{not json"),
        ("", ""),
        ("[" * 100_000, "[" * 100_000),
        ({("a", 1): "\ud800"}, "{('a', 1): '\\ud800'}"),
        ({"a": 1 << 80}, f'{{"a":{1 << 80}}}'),
    ],
)
def test_arguments_are_looked_at_as_json_with_letters_as_they_are(given: Any, text: str) -> None:
    assert arguments_text(given) == text


def test_a_text_that_a_tool_gave_is_looked_at_as_it_is() -> None:
    assert result_text('{"to": "\\u0061"}') == '{"to": "\\u0061"}'
    assert result_text({"a": [1, None]}) == '{"a":[1,null]}'
