"""The page of guardrails says what the catalogue says."""

from __future__ import annotations

from pathlib import Path

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.report.guardrail_docs import guardrails_markdown

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_current() -> None:
    assert (DOCS / "guardrails-reference.md").read_text(encoding="utf-8") == guardrails_markdown(), (
        "make it anew: python -m llmops_tui.report.guardrail_docs > docs/guardrails-reference.md"
    )


def test_the_page_has_every_kind_with_every_option() -> None:
    page = guardrails_markdown()
    for kind in GUARDRAILS.values():
        section = page.split(f"\n### {kind.name}\n")[1].split("\n### ")[0]
        for option, field in kind.options.model_fields.items():
            assert f"| `{option}` |" in section
            assert field.description, f"{kind.name}.{option} says nothing"


def test_every_kind_has_an_example_that_fires_and_one_that_does_not() -> None:
    for kind in GUARDRAILS.values():
        assert {example.fires for example in kind.examples} == {True, False}, kind.name


def test_the_hand_written_page_names_every_kind() -> None:
    page = (DOCS / "guardrails.md").read_text(encoding="utf-8")
    for name in GUARDRAILS:
        assert f"guardrails-reference.md#{name}" in page, name
