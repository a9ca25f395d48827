"""The catalogue, the functions and the documentation say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.judge import MODEL_GRADED, WITHOUT_MODEL
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.rag_wording import RAG_JUDGES
from llmops_tui.domain.score import Score
from llmops_tui.domain.scorer_kind import Example, ScorerKind
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.report.scorer_docs import scorers_markdown
from llmops_tui.scorers import BUILT_INS, judge
from llmops_tui.scorers.judges.asking import FORMS
from llmops_tui.scorers.judges.grounded import RAG_FORMS

NAMES_OF_THE_RELEASE = {
    "equals", "contains", "contains_any", "contains_all", "not_contains", "regex", "starts_with", "max_words",
    "min_words", "max_chars", "is_json", "json_schema", "json_field", "number", "similarity", "token_f1",
    "rouge_l", "max_latency", "max_cost", "refusal", "called_tool", "tool_args", "tool_order", "no_tool",
    "max_steps", "recall_at_k", "precision_at_k", "mrr", "ndcg", "guardrail_fires", "guardrail_quiet",
}  # fmt: skip
#: Judged by a model, or by words.
EITHER = {"faithfulness", "context_recall", "context_precision"}
PLAIN = [kind for kind in SCORERS.values() if kind.name in NAMES_OF_THE_RELEASE | EITHER]
DOCS = Path(__file__).parents[2] / "docs" / "scorers.md"


def use_of(kind: ScorerKind, entry: Any) -> ScorerUse:
    given = {} if isinstance(entry, str) else entry[kind.name]
    if not isinstance(given, dict):
        assert kind.shorthand is not None
        given = {kind.shorthand: given}
    options = {name: value for name, value in given.items() if name != "threshold"}
    checked = kind.options.model_validate(options).model_dump(mode="json")
    return ScorerUse(
        kind.name,
        checked,
        threshold=given.get("threshold"),
        label=kind.name,
        uses_expected=kind.needs_reference(checked),
    )


def scored(kind: ScorerKind, example: Example) -> Score:
    parts = [source.partition("#") for source in example.found]
    retrieved = tuple(Chunk(path, "Text.", 1.0, int(position or 0)) for path, _, position in parts)
    retrieved += tuple(Chunk(f"docs/{n}.md", text, 1.0) for n, text in enumerate(example.retrieved))
    output = Output(
        example.output,
        tool_calls=tuple(
            {"id": str(n), "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for n, (name, arguments) in enumerate(example.tools)
        ),
        retrieved=retrieved,
        calls=tuple(map(str, range(example.calls))),
        latency_s=example.latency_s,
        cost_usd=example.cost_usd,
        guardrails=tuple(Look(name, "input", True, "flag", 1.0) for name in example.fired),
    )
    case = Case("c", example.vars, expected=example.expected, expected_sources=example.expected_sources)
    return judge(use_of(kind, example.entry), output, case)


def test_catalogue_and_functions_are_the_same() -> None:
    assert {kind.name for kind in PLAIN} == NAMES_OF_THE_RELEASE | EITHER
    assert set(BUILT_INS) == NAMES_OF_THE_RELEASE | EITHER


def test_what_asks_a_model_is_the_same_in_the_catalogue_and_where_it_is_done() -> None:
    assert set(FORMS) | set(RAG_FORMS) == MODEL_GRADED == set(SCORERS) - NAMES_OF_THE_RELEASE
    assert set(RAG_FORMS) == RAG_JUDGES


def test_what_needs_no_model_is_the_same_in_the_catalogue_and_where_it_is_done() -> None:
    assert WITHOUT_MODEL == EITHER == MODEL_GRADED & set(BUILT_INS)


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.name)
def test_the_value_from_which_a_scorer_passes_is_the_documented_one(kind: ScorerKind) -> None:
    assert BUILT_INS[kind.name].passes_from == kind.passes_from


EXAMPLES = [(kind, example) for kind in SCORERS.values() for example in kind.examples]


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=lambda x: str(getattr(x, "entry", "")))
def test_every_documented_example_gives_what_the_page_says(kind: ScorerKind, example: Example) -> None:
    score = scored(kind, example)
    assert score.error is None
    assert score.value == (None if example.value is None else pytest.approx(example.value, abs=1e-6))
    assert score.passed is example.passed
    assert score.reason


def test_the_page_is_current() -> None:
    assert DOCS.read_text(encoding="utf-8") == scorers_markdown(), (
        "make it anew: python -m llmops_tui.report.scorer_docs > docs/scorers.md"
    )


def test_the_page_has_every_scorer_with_every_option_and_an_example() -> None:
    page = scorers_markdown()
    for kind in SCORERS.values():
        section = page.split(f"\n### {kind.name}\n")[1].split("\n### ")[0]
        assert "| entry |" in section
        for option, field in kind.options.model_fields.items():
            assert f"| `{option}` |" in section
            assert field.description, f"{kind.name}.{option} says nothing"


@pytest.mark.parametrize("kind", SCORERS.values(), ids=lambda kind: kind.name)
def test_a_scorer_needs_expected_only_where_its_own_reference_is_missing(kind: ScorerKind) -> None:
    if kind.reference is None:
        assert not kind.needs_reference({})
    else:
        assert kind.needs_reference({kind.reference: None})
        assert not kind.needs_reference({kind.reference: "30 days"})


@pytest.mark.parametrize("kind", [k for k in PLAIN if k.reference], ids=lambda kind: kind.name)
def test_a_scorer_without_its_reference_is_an_error_and_not_a_zero(kind: ScorerKind) -> None:
    needed = {"path": "a"} if kind.name == "json_field" else {}
    use = ScorerUse(kind.name, kind.options(**needed).model_dump(), label=kind.name)
    score = judge(use, Output('{"a": 1}'), Case("c", {}))
    assert score.value is None
    assert score.passed is None
    assert score.error is not None
    assert f"set its `{kind.reference}`, or `expected`" in score.error


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("contains", {"value": "x", "case_sensitve": False}, "Extra inputs"),
        ("contains", {"value": True}, 'put it in quotes, "true"'),
        ("contains", {"value": ""}, "at least 1 character"),
        ("contains_all", {"value": []}, "at least 1 item"),
        ("max_words", {"value": -1}, "greater than or equal to 0"),
        ("max_words", {"value": "many"}, "valid integer"),
        ("max_words", {}, "Field required"),
        ("regex", {"value": "(a"}, "the pattern can't be read: missing )"),
        ("json_schema", {"value": {"type": "objekt"}}, "not a JSON Schema: 'objekt'"),
        ("number", {"value": float("nan")}, "finite number"),
        ("max_latency", {"value": 0}, "greater than 0"),
        ("similarity", {"method": "fuzzy"}, "'ratio', 'partial'"),
    ],
)
def test_wrong_options_are_refused_with_what_would_be_right(
    name: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError) as caught:
        SCORERS[name].options(**options)
    assert says in str(caught.value)


def test_a_bare_number_as_a_text_is_its_digits() -> None:
    assert SCORERS["contains"].options(value=30).model_dump()["value"] == "30"


def test_unknown_scorers_and_defects_are_errors_of_that_score_alone() -> None:
    case = Case("c", {})
    assert judge(ScorerUse("nonesuch"), Output("x"), case).error == "nonesuch raised KeyError: 'nonesuch'"
    broken = ScorerUse("max_words", {"value": "sixty"}, label="max_words")
    assert (judge(broken, Output("x"), case).error or "").startswith("max_words raised TypeError")
