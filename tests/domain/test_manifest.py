"""A version is named by what it is made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.manifest import Part, changed_parts, make_manifest, make_part
from llmops_tui.domain.output import output_key, target_hash


def parts(prompt: str = "p", temperature: float = 0, model: str = "local/m") -> list[Part]:
    return [
        make_part("prompt", "", {"messages": [["user", prompt]], "includes": {}, "defaults": {}}),
        make_part("models", model, {"name": model}),
        make_part("params", "temperature", temperature),
    ]


@given(st.permutations(parts()))
def test_the_order_of_parts_does_not_count(shuffled: list[Part]) -> None:
    assert make_manifest(shuffled) == make_manifest(parts())


def test_every_part_counts() -> None:
    names = {
        make_manifest(p).hash
        for p in (parts(), parts(prompt="q"), parts(temperature=0.7), parts(model="x/y"))
    }
    assert len(names) == 4


def test_what_changed_is_named_part_by_part() -> None:
    changes = changed_parts(make_manifest(parts()), make_manifest(parts(prompt="q", temperature=0.7)))
    assert [c.label for c in changes] == ["prompt", "params.temperature"]
    assert changes[1].before is not None
    assert changes[1].before.value == 0


def test_a_part_that_comes_or_goes_is_a_change() -> None:
    less = make_manifest(parts()[:2])
    more = make_manifest(parts())
    (gone,) = changed_parts(more, less)
    assert gone.label == "params.temperature"
    assert gone.after is None
    (come,) = changed_parts(less, more)
    assert come.before is None


def test_a_second_model_leaves_the_outputs_of_the_first_alone() -> None:
    one = make_manifest(parts())
    two = make_manifest([*parts(), make_part("models", "local/n", {"name": "local/n"})])
    assert one.hash != two.hash
    assert target_hash(one) == target_hash(two)
    first = one.part("models", "local/m")
    assert first is not None
    assert output_key(target_hash(one), first.hash, "i") == output_key(target_hash(two), first.hash, "i")
