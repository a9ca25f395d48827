"""What a person types to have variants tried, read back as they meant it."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.variants import MOST_VARIANTS, as_line, read_line, split, variants


def labels(sets: list[str], sweeps: list[str]) -> list[str]:
    return [v.label for v in variants(sets, sweeps)]


def test_what_is_set_is_set_in_every_variant_and_what_is_swept_makes_all_combinations() -> None:
    assert labels(["models=a"], ["params.temperature=0, 0.7", "retrieval.top_k=1,2"]) == [
        "models=a params.temperature=0 retrieval.top_k=1",
        "models=a params.temperature=0 retrieval.top_k=2",
        "models=a params.temperature=0.7 retrieval.top_k=1",
        "models=a params.temperature=0.7 retrieval.top_k=2",
    ]


def test_a_value_may_hold_equals_signs() -> None:
    (variant,) = variants(["params.extra_body.note=a=b"], [])
    assert variant.settings[0].path == ("params", "extra_body", "note")
    assert variant.settings[0].text == "a=b"


def test_commas_in_quotes_and_brackets_belong_to_a_value() -> None:
    assert labels([], ['params.stop="a,b",[c,d],{e: "f,g"}']) == [
        'params.stop="a,b"',
        "params.stop=[c,d]",
        'params.stop={e: "f,g"}',
    ]


def test_an_apostrophe_is_no_quote() -> None:
    assert split("don't,do", ",") == ["don't", "do"]


def test_a_value_named_twice_is_tried_once() -> None:
    assert labels([], ["params.temperature=0,0"]) == ["params.temperature=0"]


def test_a_line_is_read_as_the_options_are_and_commas_sweep() -> None:
    line = "models=[a,b]  params.temperature=0,0.3 prompt='prompts/my other.md'"
    sets, sweeps = read_line(line)
    assert sets == ("models=[a,b]", "prompt='prompts/my other.md'")
    assert sweeps == ("params.temperature=0,0.3",)
    assert read_line(as_line(sets, sweeps)) == (sets, sweeps)


@pytest.mark.parametrize(
    ("sets", "sweeps", "says"),
    [
        ([], [], "nothing is to be tried"),
        (["params.temperature"], [], "--set params.temperature has no value"),
        (["=3"], [], "names no key"),
        (["params..x=3"], [], "names no key"),
        (["params.stop=[a"], ["params.stop=[b"], "] is missing at the end"),
        ([], ['params.stop="a'], '" is missing at the end'),
        (
            ["params.seed=1"],
            ["params.seed=2,3"],
            "'params.seed' is set by --set params.seed=1 and by --sweep params.seed=2",
        ),
        (["params={}", "params.seed=1"], [], "'params' is set by"),
        ([], ["params.seed=" + ",".join(map(str, range(65)))], f"more than the {MOST_VARIANTS}"),
        (
            [],
            ["params.seed=1,2,3,4,5,6,7,8,9", "params.top_k=1,2,3,4,5,6,7,8"],
            "9 × 8 values are 72 variants",
        ),
    ],
)
def test_what_cant_be_tried_is_said_in_a_sentence(sets: list[str], sweeps: list[str], says: str) -> None:
    with pytest.raises(UsageError) as error:
        variants(sets, sweeps)
    assert says in str(error.value)


values = st.recursive(
    st.integers() | st.text(min_size=1, max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@given(st.lists(values, min_size=1, max_size=5))
def test_any_values_written_as_json_are_told_apart(wanted: list[object]) -> None:
    written = [json.dumps(value) for value in wanted]
    assert [part.strip() for part in split(",".join(written), ",")] == [w.strip() for w in written]


@given(st.text(max_size=40))
def test_any_line_is_read_or_refused_in_a_sentence(line: str) -> None:
    with contextlib.suppress(UsageError):
        sets, sweeps = read_line(line)
        assert variants(sets, sweeps)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), values, min_size=1, max_size=3))
def test_a_line_is_the_same_after_reading(wanted: dict[str, object]) -> None:
    line = " ".join(f"{key}={json.dumps(value)}" for key, value in wanted.items())
    assert sorted(sum(read_line(line), ())) == sorted(f"{k}={json.dumps(v)}" for k, v in wanted.items())
