"""JSON by a schema: what does not fit, without fetching anything and without hanging."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.guardrails.json_ import json_schema
from llmops_tui.guardrails.registry import About, CannotCheck, Deadline, Found, TooSlow

DAYS = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


def look(text: str, schema: dict[str, Any], *, limit_s: float = 60.0, **options: Any) -> Found:
    given = GUARDRAILS["json_schema"].options.model_validate({"value": schema, **options}).model_dump()
    return json_schema(given)(text, About("output"), Deadline(limit_s))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"days": 30}', ""),
        ('{"days": "thirty"}', "days: does not fit type integer"),
        ("{}", "does not fit required ['days']"),
        ("30 days", "not JSON: Extra data at line 1, column 4"),
        ("", "the output is empty"),
        ('```json\n{"days": 30}\n```', "not JSON: Expecting value at line 1, column 1"),
        ('{"days": NaN}', "not JSON: NaN is no JSON value"),
    ],
)
def test_what_does_not_fit_fires_and_says_where(text: str, reason: str) -> None:
    found = look(text, DAYS)
    assert (found.score, found.reason) == (float(bool(reason)), reason)


def test_a_fence_may_be_around_it() -> None:
    assert look('Here:\n```json\n{"days": 30}\n```', DAYS, fences=True).score == 0.0


def test_the_reason_repeats_nothing_of_what_was_there() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["x"]}}, "additionalProperties": False}
    for text in ('{"a": "hunter2"}', '{"hunter2": 1}'):
        assert "hunter2" not in look(text, schema).reason


@pytest.mark.parametrize(
    ("schema", "text", "fits"),
    [
        ({"uniqueItems": True}, "[1, true, 0, false, [1], [true]]", True),
        ({"uniqueItems": True}, "[1, 1.0]", False),
        ({"uniqueItems": True}, '[{"a": [1]}, {"a": [1.0]}]', False),
        ({"patternProperties": {"^n": {"type": "number"}}}, '{"n1": 1, "m": "x"}', True),
        ({"patternProperties": {"^n": {"type": "number"}}}, '{"n1": "x"}', False),
        ({"properties": {"a": {}}, "additionalProperties": False}, '{"a": 1}', True),
        ({"properties": {"a": {}}, "additionalProperties": False}, '{"a": 1, "b": 1}', False),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, '{"x": 1}', True),
        ({"additionalProperties": {"type": "null"}}, '{"b": 1}', False),
        ({"items": {"pattern": "^[a-z]+$"}}, '["abc"]', True),
        ({"items": {"pattern": "^[a-z]+$"}}, '["Abc"]', False),
        ({"$defs": {"n": {"type": "null"}}, "items": {"$ref": "#/$defs/n"}}, "[null]", True),
        ({"$defs": {"n": {"type": "null"}}, "items": {"$ref": "#/$defs/n"}}, "[1]", False),
    ],
)  # fmt: skip
def test_a_keyword_means_what_it_says(schema: dict[str, Any], text: str, fits: bool) -> None:
    assert look(text, schema).score == float(not fits)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0])
    | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(st.lists(_JSON, max_size=5))
def test_items_are_as_unique_as_the_library_says(items: list[Any]) -> None:
    from jsonschema import Draft202012Validator

    fits = Draft202012Validator({"uniqueItems": True}).is_valid(items)
    assert look(json.dumps(items), {"uniqueItems": True}).score == float(not fits)


def test_depth_without_end_fires_and_does_not_break() -> None:
    endless = {"items": {"$ref": "#"}}
    assert look("[" * 900 + "]" * 900, endless).score in (0.0, 1.0)
    assert look("[" * 100_000, endless).score == 1.0


def test_a_pattern_or_an_amount_that_takes_too_long_is_too_slow() -> None:
    with pytest.raises(TooSlow):
        look(json.dumps("a" * 5_000 + "!"), {"pattern": "^(a|aa)+$"}, limit_s=0.05)
    with pytest.raises(TooSlow):
        look(json.dumps({"a" * 5_000 + "!": 1}), {"patternProperties": {"^(a|aa)+$": {}}}, limit_s=0.05)
    with pytest.raises(TooSlow):
        look(json.dumps([1] * 300_000), {"items": {"type": "integer"}}, limit_s=0.05)


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "objekt"}, "not a JSON Schema: 'objekt'"),
        ({"$ref": "https://example.org/x.json"}, "nothing is fetched"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "refers to 'other.json'"),
    ],
)
def test_a_schema_that_is_none_is_a_mistake_of_the_configuration(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        look("", schema)


def test_a_reference_into_nothing_is_no_verdict() -> None:
    with pytest.raises(CannotCheck, match="refers to"):
        look("1", {"$ref": "#/$defs/none"})
