"""Templates → messages: sandboxed, strict, and never at random."""

from __future__ import annotations

import json

import pytest

from llmops_tui.domain.output import Chunk
from llmops_tui.retrieval.context import Context
from llmops_tui.worker.render import Renderer, RenderError, render_text


def renderer(
    *messages: tuple[str, str], includes: dict[str, str] | None = None, **defaults: object
) -> Renderer:
    return Renderer(json.dumps({"messages": messages, "includes": includes or {}, "defaults": defaults}))


def test_messages_are_rendered_in_order_and_trimmed() -> None:
    made = renderer(("system", "Be {{ tone }}.\n"), ("user", "\n{{ question }}")).render(
        {"tone": "kind", "question": "Why?"}
    )
    assert made == ({"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"})


def test_an_undefined_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(RenderError, match="'contxt' is undefined"):
        renderer(("user", "{{ contxt }}")).render({"context": "x"})


def test_defaults_give_way_to_the_case() -> None:
    prompt = renderer(("user", "{{ tone }}"), tone="kind")
    assert prompt.render({})[0]["content"] == "kind"
    assert prompt.render({"tone": "curt"})[0]["content"] == "curt"


def test_includes_come_from_the_version_alone() -> None:
    prompt = renderer(("user", "{% include 'rules.md' %}"), includes={"rules.md": "Be {{ tone }}."})
    assert prompt.render({"tone": "kind"})[0]["content"] == "Be kind."
    with pytest.raises(RenderError):
        renderer(("user", "{% include '/etc/hostname' %}")).render({})


@pytest.mark.parametrize(
    "source",
    [
        "{{ [1, 2]|random }}",
        "{{ lipsum() }}",
    ],
)
def test_nothing_draws_at_random(source: str) -> None:
    with pytest.raises(RenderError):
        renderer(("user", source)).render({})


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ x.__init__.__globals__ }}",
        "{{ range(10**9)|list }}",
        "{{ 1 / 0 }}",
        "{{ 'a' + 1 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{{ 'x'.encode('nonsense') }}",
    ],
)
def test_what_a_template_may_not_do_is_an_error_of_that_case(source: str) -> None:
    with pytest.raises(RenderError, match=r"^the user message: \S"):
        renderer(("user", source)).render({"x": 1})
    with pytest.raises(RenderError):
        render_text(source, {"x": 1})


def test_context_prints_as_its_chunks_and_can_be_walked() -> None:
    context = Context((Chunk("a.md", "one", 2.0), Chunk("b.md", "two", 1.0)))
    made = renderer(("user", "{{ context }}|{% for c in context %}{{ c.source }} {% endfor %}")).render(
        {"context": context}
    )
    assert made[0]["content"] == "one\n\ntwo|a.md b.md"


def test_a_query_is_a_template_too() -> None:
    assert render_text("{{ a }} {{ b }}", {"a": "x", "b": "y"}) == "x y"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 'x' * 3000000000 }}", "a product grows beyond"),
        ("{{ 3000000000 * 'x' }}", "a product grows beyond"),
        ("{{ 9 ** 99999999 }}", "a power grows beyond"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}xxxxxxxxxx{% endfor %}{% endfor %}", "it "),
    ],
)
def test_a_template_that_grows_without_end_is_given_up(source: str, said: str) -> None:
    with pytest.raises(RenderError, match=said):
        renderer(("user", source)).render({})
