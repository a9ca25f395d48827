"""One way to write a value down: what means the same hashes the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.canonical import canonical_json, digest, normalise, text_digest

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_zero_is_zero_however_it_is_written() -> None:
    assert digest({"temperature": 0}) == digest({"temperature": 0.0})
    assert digest({"temperature": 0.5}) != digest({"temperature": 0})


def test_a_bool_is_not_a_number() -> None:
    assert digest(True) != digest(1)
    assert digest(False) != digest(0)


def test_line_ends_do_not_count() -> None:
    assert digest("a\r\nb\rc") == digest("a\nb\nc")


def test_key_order_does_not_count_and_list_order_does() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])


def test_lone_surrogates_are_kept_apart() -> None:
    assert digest("\ud800") != digest("\ud801")
    assert text_digest("\ud800") != text_digest("\ud801")


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no canonical form"):
        digest({"a": {1, 2}})


@given(values)
def test_normalising_twice_changes_nothing_more(value: object) -> None:
    once = normalise(value)
    assert normalise(once) == once
    assert canonical_json(once) == canonical_json(value)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_insertion_order_never_counts(value: dict[str, object]) -> None:
    assert digest(dict(reversed(list(value.items())))) == digest(value)


def test_what_json_can_not_write_is_kept_apart_too() -> None:
    infinite = float("inf")
    assert len({digest(v) for v in (None, infinite, -infinite, float("nan"), "inf", 2**70, -(2**70))}) == 7
