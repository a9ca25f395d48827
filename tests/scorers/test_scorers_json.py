"""JSON outputs: is it, does it fit, is the field right."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.scorers import judge
from llmops_tui.scorers.json_ import steps


def score(name: str, text: str, expected: Any = None, **options: Any) -> Score:
    checked = SCORERS[name].options(**options).model_dump()
    return judge(ScorerUse(name, checked, label=name), Output(text), Case("c", {}, expected=expected))


@pytest.mark.parametrize("text", ["{}", "[1, 2]", '"a"', "1", "null", " \r\n{}\n", '{"a": "\\u00e9"}'])
def test_json_values_of_every_kind_are_json(text: str) -> None:
    assert score("is_json", text).passed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the output is empty"),
        ("NaN", "not JSON: NaN is no JSON value"),
        ('{"a": -Infinity}', "not JSON: -Infinity is no JSON value"),
        ('{\n"a" 1}', "not JSON: Expecting ':' delimiter at line 2, column 5"),
        ('{"a": 1} so', "not JSON: Extra data at line 1, column 10"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply to be read"),
        ("9" * 5_000, "has a number with too many digits"),
    ],
)
def test_what_is_no_json_says_where(text: str, reason: str) -> None:
    result = score("is_json", text)
    assert result.passed is False
    assert result.reason == reason


def test_a_fence_is_read_only_where_that_is_asked_for() -> None:
    fenced = 'Sure:\r\n```json\r\n{"days": 30}\r\n```\r\nAnything else?'
    assert not score("is_json", fenced).passed
    assert score("is_json", fenced, fences=True).passed
    assert score("is_json", '{"days": 30}', fences=True).passed
    assert score("json_field", fenced, path="days", equals=30, fences=True).passed
    assert not score("is_json", '```json\n{"days": 30', fences=True).passed


def test_a_schema_names_the_field_that_does_not_fit() -> None:
    schema = {"type": "object", "properties": {"a": {"items": {"type": "integer"}}}, "required": ["a"]}
    assert score("json_schema", '{"a": [1]}', value=schema).reason == "fits the schema"
    assert score("json_schema", '{"a": [1, "x"]}', value=schema).reason.startswith("a[1]: 'x' is not of type")
    assert score("json_schema", "{}", value=schema).reason == "'a' is a required property"
    assert score("json_schema", "no", value=schema).reason.startswith("not JSON")


def test_references_inside_a_schema_work() -> None:
    inside = {"$defs": {"day": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/day"}}}
    assert score("json_schema", '{"a": 1}', value=inside).passed
    assert score("json_schema", '{"a": "x"}', value=inside).passed is False


def test_references_outside_a_schema_are_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda *args: asked.append(args))
    there = tmp_path / "schema.json"
    there.write_text('{"type": "object"}')
    for remote in ("https://example.com/schema.json", "http://127.0.0.1:9/x", there.as_uri()):
        error = score("json_schema", "{}", value={"$ref": remote}).error
        assert error is not None
        assert "which is not in it; nothing is fetched" in error
    assert asked == []


def test_patterns_in_a_schema_have_a_time_limit_too() -> None:
    error = score("json_schema", '"' + "a" * 100_000 + '"', value={"pattern": "(.*a){12}b"}).error
    assert error is not None
    assert "took longer than 1 s" in error
    assert score("json_schema", '"abc"', value={"pattern": "^a"}).passed
    assert score("json_schema", '"abc"', value={"pattern": "^b"}).reason == '"abc" does not match "^b"'


def test_endless_schemas_and_deep_outputs_are_errors_or_failures_never_crashes() -> None:
    assert "nested too deeply" in (score("json_schema", "1", value={"$ref": "#"}).error or "")
    deep = "[" * 100_000 + "]" * 100_000
    assert score("json_schema", deep, value={}).passed is False
    assert score("equals", deep, expected=[1]).passed is False


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b[1].c", "here"),
        ("$.a.b[1].c", "here"),
        ("/a/b/1/c", "here"),
        ("a.b[-1].c", "here"),
        ("/x.y~1z", 1.0),
        ("t", True),
    ],
)
def test_a_path_leads_to_its_field(path: str, value: Any) -> None:
    text = '{"a": {"b": [0, {"c": "here"}]}, "x.y/z": 1, "t": true}'
    assert score("json_field", text, path=path, equals=value).passed


@pytest.mark.parametrize("path", ["a.x", "a.b[7]", "a.b.c", "a.b[0].c", "/a/b/x"])
def test_a_field_that_is_not_there_fails_and_says_so(path: str) -> None:
    result = score("json_field", '{"a": {"b": [0]}}', path=path, equals=0)
    assert (result.passed, result.reason) == (False, f"there is no {path} in the output")


def test_values_are_compared_as_json_has_them() -> None:
    assert score("json_field", '{"a": 1.0}', path="a", equals=1).passed
    assert not score("json_field", '{"a": true}', path="a", equals=1).passed
    assert not score("json_field", '{"a": "1"}', path="a", equals=1).passed
    assert score("json_field", '{"a": {"x": [1, null]}}', path="a", expected={"x": [1, None]}).passed
    assert score("json_field", '{"a": "no"}', path="a", equals="yes").reason == 'a is "no", not "yes"'


def test_paths_are_taken_apart_as_documented() -> None:
    assert steps("a.b[0][1].c") == ["a", "b", "0", "1", "c"]
    assert steps("/a/b~1c/~0d") == ["a", "b/c", "~d"]
