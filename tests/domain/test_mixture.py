"""Versions in between two others: their parts, and what can't be told apart."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.guardrails.use import GuardrailUse, guardrails_of
from llmops_tui.domain.judge import Judge
from llmops_tui.domain.manifest import Manifest, make_manifest, make_part
from llmops_tui.domain.mixture import inseparable, mix, parts_between
from llmops_tui.domain.model import Model

NAMES = ("prompt", "params.temperature", "params.seed", "retrieval", "corpus", "tools.search")


def manifest(**values: Any) -> Manifest:
    """`params__temperature=0` is the part `params.temperature`."""
    return make_manifest(
        [make_part(*key.replace("__", " ").partition(" ")[::2], value) for key, value in values.items()]
    )


def labels(before: Manifest, after: Manifest, models: dict[str, str] | None = None, **how: Any) -> list[str]:
    parts, _notes = parts_between(before, after, models or {}, needs_context=how.get("needs_context", False))
    return [part.label for part in parts]


def test_each_changed_part_is_one_the_prompt_first() -> None:
    before = manifest(prompt="a", params__temperature=0, params__seed=1, tools__search="x")
    after = manifest(prompt="b", params__temperature=1, params__seed=1, params__top_p=1, tools__search="y")
    assert labels(before, after) == ["prompt", "params.temperature", "params.top_p", "tools.search"]


def test_a_model_and_the_one_in_its_place_are_one_part() -> None:
    before = manifest(prompt="a", models__x=1, models__same=1)
    after = manifest(prompt="b", models__y=1, models__same=1)
    models = {"same": "same", "x": "y"}
    assert labels(before, after, models) == ["prompt", "models.x → y"]
    parts, _ = parts_between(before, after, models, needs_context=False)
    mixed = mix(before, after, parts, 0b10)
    assert {p.label for p in mixed.parts} == {"prompt", "models.y", "models.same"}
    assert mixed.part("prompt") == before.part("prompt")


def test_a_model_on_one_side_only_is_no_part_and_is_in_no_mixture() -> None:
    before = manifest(prompt="a", params__seed=1, models__same=1)
    after = manifest(prompt="b", params__seed=2, models__same=1, models__new=1)
    parts, notes = parts_between(before, after, {"same": "same"}, needs_context=False)
    assert [p.label for p in parts] == ["prompt", "params.seed"]
    assert notes == ("models.new is on one side only, so there is nothing to hold it against",)
    assert mix(before, after, parts, 0b01).part("models", "new") is None
    assert mix(before, after, parts, 0b11) is after


def test_a_retrieval_is_one_with_its_documents_where_one_side_has_none() -> None:
    assert labels(
        manifest(prompt="a"), manifest(prompt="a", retrieval={"source": "d"}, corpus={"f": "1"})
    ) == ["retrieval + corpus"]


def test_a_retrieval_of_another_folder_is_one_with_its_documents() -> None:
    before = manifest(retrieval={"source": "d"}, corpus={"f": "1"})
    moved = manifest(retrieval={"source": "e"}, corpus={"f": "2"})
    tuned = manifest(retrieval={"source": "d", "top_k": 2}, corpus={"f": "2"})
    assert labels(before, moved) == ["retrieval + corpus"]
    assert labels(before, tuned) == ["retrieval", "corpus"]


def test_a_prompt_that_needs_its_own_retrieval_is_one_with_it() -> None:
    before = manifest(prompt="a", params__seed=1)
    after = manifest(prompt="b", params__seed=2, retrieval={"source": "d"}, corpus={})
    assert labels(before, after, needs_context=True) == ["prompt + retrieval + corpus", "params.seed"]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Manifest, Manifest]:
    def one() -> Manifest:
        names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
        parts = [(*name.partition(".")[::2],) for name in sorted(names)]
        return make_manifest([make_part(kind, name, draw(st.integers(0, 2))) for kind, name in parts])

    return one(), one()


@given(pairs().filter(lambda p: all(not m.part("retrieval") for m in p)), st.data())
def test_a_mixture_has_each_part_from_one_side(two: tuple[Manifest, Manifest], data: st.DataObject) -> None:
    before, after = two
    parts, _ = parts_between(before, after, {}, needs_context=False)
    corner = data.draw(st.integers(0, (1 << len(parts)) - 1))
    mixed = mix(before, after, parts, corner)
    for n, part in enumerate(parts):
        side = after if corner >> n & 1 else before
        for key in part.members:
            assert mixed.part(*key) == side.part(*key)
    for part in before.parts:
        if after.part(part.kind, part.name) == part:
            assert mixed.part(part.kind, part.name) == part


def test_the_parts_whose_mixtures_fail_are_found() -> None:
    # Part 1 from B with part 2 from A can't be had, whatever part 0 is.
    assert inseparable(3, [0b010, 0b011]) == (1, 2)
    assert inseparable(3, []) is None
    # Every mixture fails that has a part of each side: any two, and in the end all, are one.
    assert inseparable(2, [0b01, 0b10]) == (0, 1)


def test_a_step_that_is_new_comes_with_all_that_is_its_own() -> None:
    before = manifest(step__answer={"does": "prompt"}, prompt__answer="a", params__answer_t=0)
    after = manifest(
        step__answer={"does": "prompt", "needs": ["find"]},
        prompt__answer="b",
        step__find={"does": "retrieval"},
        retrieval__find={"source": "docs"},
        corpus__find={"a.md": "x"},
        params__other=1,
    )
    parts, _ = parts_between(before, after, {}, needs_context=False)
    (steps,) = [p for p in parts if p.why == "the steps of the chain changed"]
    assert {kind for kind, _ in steps.members} == {"step", "prompt", "retrieval", "corpus"}
    assert [p.label for p in parts if p is not steps] == ["params.answer_t", "params.other"]
    for corner in range(1 << len(parts)):
        mixed = mix(before, after, parts, corner)
        has_step = any(p.name == "find" for p in mixed.of_kind("step"))
        assert has_step == bool(mixed.part("retrieval", "find"))


def test_a_tool_is_its_code_and_vectors_belong_to_their_retrieval() -> None:
    before = manifest(tools__look="x", code={"tools.py": "1"}, prompt="a")
    after = manifest(tools__look="y", code={"tools.py": "2"}, prompt="b")
    assert labels(before, after) == ["prompt", "code + tools.look"] or labels(before, after) == [
        "prompt",
        "tools.look + code",
    ]
    before = manifest(prompt="a", retrieval={"embedding": "x"}, own_models__x=1, corpus={"a": 1})
    after = manifest(prompt="a", retrieval={"embedding": "y"}, own_models__y=1, corpus={"a": 1})
    assert len(labels(before, after)) == 1


def guardrail(name: str, **more: Any) -> Any:
    return GuardrailUse(name, "pii", ("input",), **more).part()


def guarded(*parts: Any, **values: Any) -> Manifest:
    return make_manifest([*manifest(**values).parts, *parts])


def test_all_guardrails_are_one_part() -> None:
    before = guarded(guardrail("pii"), prompt="a")
    after = guarded(
        guardrail("pii", action="flag"),
        guardrail("secrets"),
        make_part("guardrails", "", ["pii", "secrets"]),
        prompt="b",
    )
    parts, _ = parts_between(before, after, {}, needs_context=False)
    assert [part.label for part in parts] == ["prompt", "guardrails.pii + guardrails.secrets"]
    mixed = mix(before, after, parts, 0b10)
    assert [use.name for use in guardrails_of(mixed)] == ["pii", "secrets"]
    assert [use.name for use in guardrails_of(mix(before, after, parts, 0b01))] == ["pii"]


def test_the_model_that_a_guardrail_asks_goes_with_it_and_with_nothing_else() -> None:
    pin = {"client": "openai", "endpoint": "", "name": "judge", "pin": {}}
    judge = Judge(Model("gateway/judge", "gateway", "judge", "openai"))
    before = manifest(prompt="a", retrieval={"source": "d"}, corpus={"f": "1"})
    after = guarded(
        guardrail("injection", judge=judge),
        make_part("own_models", "gateway/judge", pin),
        prompt="b",
        retrieval={"source": "d", "top_k": 2},
        corpus={"f": "1"},
    )
    parts, _ = parts_between(before, after, {}, needs_context=False)
    assert [part.label for part in parts] == ["prompt", "retrieval", "guardrails.injection"]
    assert ("own_models", "gateway/judge") in parts[2].members
    (use,) = guardrails_of(mix(before, after, parts, 0b100))
    assert use.judge is not None
    assert use.judge.model.name == "judge"


def test_a_guardrail_that_is_a_function_goes_with_its_code() -> None:
    before = guarded(guardrail("own", revision="a" * 64), prompt="a", code={"guardrails.py": "1"})
    after = guarded(guardrail("own", revision="b" * 64), prompt="b", code={"guardrails.py": "2"})
    parts, _ = parts_between(before, after, {}, needs_context=False)
    assert [part.label for part in parts] == ["prompt", "guardrails.own + code"]
