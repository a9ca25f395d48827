"""A retrieval as a configuration writes it: pinned, checked, and its mistakes with file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.program import Retrieval, program_of
from llmops_tui.workspace import load

Build = Callable[..., Path]

DOCS = {"docs/refunds.md": "Refunds take 30 days.", "docs/policies/vat.md": "VAT is 20 percent."}
PROMPT = "user:\n{{ context }}\n{{ question }}\n"


def build(workspace: Build, retrieval: dict[str, Any], **parts: Any) -> Path:
    return workspace(
        **{
            "prompt": PROMPT,
            "files": DOCS,
            "config": {"retrieval": {"source": "docs", **retrieval}},
            **parts,
        }
    )


def loaded(root: Path) -> Configuration:
    found = load(root)
    assert found.errors == ()
    return found.configurations["bench"]


def said(root: Path, *, warnings: bool = False) -> list[str]:
    found = load(root)
    return [str(problem) for problem in (found.problems if warnings else found.errors)]


def test_the_model_that_embeds_is_pinned_in_the_version(workspace: Build) -> None:
    found = loaded(build(workspace, {"method": "hybrid", "embedding": "echo/words", "rank_constant": 10}))
    assert [model.id for model in found.own_models] == ["echo/words"]
    (part,) = found.manifest.of_kind("own_models")
    assert (part.name, part.value) == ("echo/words", found.own_models[0].identity())
    retrieval = program_of(found.manifest).retrieval
    assert retrieval == Retrieval("docs", method="hybrid", embedding="echo/words", rank_constant=10)
    assert "echo" in found.providers


def test_a_plain_retrieval_is_versioned_as_it_was_before(workspace: Build) -> None:
    part = loaded(build(workspace, {})).manifest.part("retrieval")
    assert part is not None
    assert set(part.value) == {"source", "method", "chunk_words", "overlap_words", "top_k", "query"}


def test_what_the_method_does_not_read_makes_no_version(workspace: Build, tmp_path: Path) -> None:
    plain = loaded(build(workspace, {}))
    root = build(workspace, {"rank_constant": 7, "embedding": "echo/words"})
    assert loaded(root).manifest.hash == plain.manifest.hash
    assert (
        "configs/bench.yaml:1 retrieval.embedding is not read: method is 'bm25'"
        in said(root, warnings=True)[0]
    )


@pytest.mark.parametrize(
    ("retrieval", "says"),
    [
        (
            {"method": "embeddings"},
            "configs/bench.yaml:1 retrieval by 'embeddings' needs a model that embeds; name it: "
            "'embedding: provider/name', such as openai/text-embedding-3-small",
        ),
        (
            {"method": "hybrid", "embedding": "nowhere/x"},
            "configs/bench.yaml:1 there is no provider 'nowhere'",
        ),
        (
            {"chunk_words": 5, "overlap_words": 5},
            "configs/bench.yaml:1 overlap_words must be less than chunk_words (5)",
        ),
        (
            {"method": "vectors"},
            "'retrieval.method' must be",
        ),
        (
            {"filters": {"team": {"a": 1}}},
            "bench.yaml:1 the filter 'team' must be a value, or a list of values; write {team: [one, other]}",
        ),
        ({"filters": {"path": [7]}}, "the filter 'path' must be a glob, or a list of globs"),
        ({"filters": {"team": []}}, "the filter 'team' must be a value"),
    ],
)
def test_mistakes_name_their_line_and_what_would_be_right(
    workspace: Build, retrieval: dict[str, Any], says: str
) -> None:
    assert any(says in each for each in said(build(workspace, retrieval)))


CASE = {"id": "one", "vars": {"question": "How long?"}, "scorers": ["recall_at_k", {"ndcg": 3}]}


def test_cases_carry_what_should_be_retrieved(workspace: Build) -> None:
    case = {**CASE, "expected_sources": ["docs/refunds.md", "docs/policies/vat.md#0", "docs/refunds.md"]}
    (found,) = loaded(build(workspace, {}, cases=[case])).cases
    assert found.expected_sources == ("docs/refunds.md", "docs/policies/vat.md#0")
    assert [use.options for use in found.scorers] == [{"k": None}, {"k": 3}]


def test_a_table_carries_them_too(workspace: Build) -> None:
    table = "id,question,expected_sources,scorers\none,How long?,docs/refunds.md; docs/policies/vat.md,mrr\n"
    root = build(workspace, {}, files={**DOCS, "evals/table.csv": table})
    config = (root / "configs/bench.yaml").read_text("utf-8").replace("bench.yaml", "table.csv")
    (root / "configs/bench.yaml").write_text(config, "utf-8")
    assert loaded(root).cases[0].expected_sources == ("docs/refunds.md", "docs/policies/vat.md")


def test_a_scorer_of_what_was_retrieved_needs_them(workspace: Build) -> None:
    first, second = said(build(workspace, {}, cases=[CASE]))
    assert "case 'one' has no 'expected_sources', and recall_at_k is held against it" in first
    assert "add 'expected_sources: [path/of/a/document.md]' to the case" in second


def test_a_document_that_is_not_there_is_a_warning_with_what_was_meant(workspace: Build) -> None:
    sources = ["docs/refund.md", "vat.md#Rates", "docs/refunds.md"]
    root = build(workspace, {}, cases=[{**CASE, "expected_sources": sources}])
    assert said(root) == []
    assert [each.split("expects ")[1] for each in said(root, warnings=True)] == [
        "'docs/refund.md', which is no document of the retrieval; did you mean 'docs/refunds.md'?",
        "'vat.md', which is no document of the retrieval; did you mean 'docs/policies/vat.md'?",
    ]
