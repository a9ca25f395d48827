"""Which chunks a query finds, and what the prompt sees of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment
from searching import searched

from llmops_tui.domain.output import Chunk
from llmops_tui.retrieval import Context
from llmops_tui.retrieval.search import forget
from llmops_tui.retrieval.tokens import tokens

QUERIES = (
    "How many days do I have to ask for a refund?",
    "express shipping cost",
    "reset my password",
    "when are you open on sundays",
    "refund refund gift card",
)
PINNED = "cc6b5b27a8eac4c35afd24d532dc3da75c842ab59862e205ca2f50109eccd7e4"

DOCS = {
    "docs/refunds.md": "You can ask for a refund within 30 days of delivery. Refunds take a week.",
    "docs/shipping.md": "Shipping costs 5 euros. Orders above 50 euros ship free.",
    "docs/hours.md": "We are open from Monday to Friday, 9 to 17.",
}


def test_the_document_about_the_question_comes_first() -> None:
    assert searched(DOCS, "How many days do I have to ask for a refund?", 2)[0].source == "docs/refunds.md"
    assert searched(DOCS, "What does shipping cost?", 1)[0].source == "docs/shipping.md"
    assert searched(DOCS, "When are you open?", 1)[0].source == "docs/hours.md"


def test_words_that_questions_are_made_of_do_not_decide() -> None:
    docs = {"a.md": "You must wait until you can.", "b.md": "Express parcels leave at 14:00."}
    found = searched(docs, "Until when must I order express?", 2)
    assert [chunk.source for chunk in found] == ["b.md"]


def test_chunks_that_share_no_word_with_the_query_are_left_out() -> None:
    found = searched(DOCS, "refund")
    assert [chunk.source for chunk in found] == ["docs/refunds.md"]
    assert found[0].score > 0


@pytest.mark.parametrize("query", ["", "   ", "zebra", "How do I?", "¿?", "\udcff"])
def test_a_query_without_a_known_word_finds_nothing(query: str) -> None:
    assert searched(DOCS, query) == []


@pytest.mark.parametrize("corpus", [{}, {"a.md": ""}, {"a.md": "— … —", "b.md": "the of and"}])
def test_a_corpus_without_words_finds_nothing(corpus: dict[str, str]) -> None:
    assert searched(corpus, "refund") == []


def test_equal_chunks_come_by_path_and_place() -> None:
    docs = {"b.md": "same words", "a.md": "same words same words"}
    found = [(c.source, c.position) for c in searched(docs, "same", 9, chunk_words=2)]
    assert found == [("a.md", 0), ("a.md", 1), ("b.md", 0)]


WORDS = st.lists(st.sampled_from(["refund", "day", "ship", "cost", "open", "week"]), min_size=1, max_size=30)
CORPORA = st.dictionaries(
    st.sampled_from(["a.md", "b.md", "c/d.md", "e.txt"]), WORDS.map(" ".join), min_size=1
)


@settings(deadline=None)
@given(CORPORA, WORDS.map(" ".join), st.integers(1, 5))
def test_identical_corpora_give_identical_results_best_first(
    corpus: dict[str, str], query: str, top_k: int
) -> None:
    found = searched(corpus, query, top_k, chunk_words=7, overlap_words=2)
    forget()
    again = searched(dict(reversed(corpus.items())), query, top_k, chunk_words=7, overlap_words=2)
    assert found == again
    assert len(found) <= top_k
    assert found == sorted(found, key=lambda c: (-c.score, c.source, c.position))
    assert all(set(tokens(c.text)) & set(tokens(query)) for c in found)


def test_results_are_the_same_in_another_process() -> None:
    code = (
        "from searching import searched\n"
        f"print(searched({DOCS!r}, 'days of delivery, costs, open', 9, chunk_words=6, overlap_words=2))"
    )
    out = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert out[0] == out[1]
    assert "docs/refunds.md" in out[0]


def test_singular_and_plural_are_one_word_and_case_is_none() -> None:
    assert tokens("Refunds, REFUND; policies policy boxes box's") == [
        *["refund"] * 2,
        *["policy"] * 2,
        "boxe",
        "box",
    ]
    assert tokens("glass bus is days'") == ["glass", "bus", "day"]


def test_what_was_found_before_is_found_the_same_by_words() -> None:
    """Pinned: a change asks every team's models anew, and raises `RETRIEVAL_REVISION`."""
    template = Path(__file__).parents[2] / "workspace_template"
    docs = {p.relative_to(template).as_posix(): p.read_text("utf-8") for p in template.glob("docs/*.md")}
    found = [
        [[c.source, c.position, c.score, c.text] for c in searched(docs, query, 5, **cutting)]
        for cutting in (
            {"chunk_words": 120},
            {"chunk_words": 40, "overlap_words": 10},
            {"chunk_words": 15},
        )
        for query in QUERIES
    ]
    assert found[0][0][:3] == ["docs/refunds.md", 0, 2.049855]
    assert hashlib.sha256(json.dumps(found).encode()).hexdigest() == PINNED


def test_what_is_found_does_not_import_numpy_before_it_is_needed() -> None:
    code = (
        "import sys, llmops_tui.retrieval, llmops_tui.scorers\n"
        "heavy = {'numpy', 'bm25s', 'rapidfuzz', 'regex', 'jsonschema', 'pydantic', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_template_prints_the_context_or_walks_it() -> None:
    context = Context([Chunk("a.md", "First.", 2.0), Chunk("b.md", "Second.", 1.0)])
    render = SandboxedEnvironment().from_string
    assert render("{{ context }}").render(context=context) == "First.\n\nSecond."
    walked = "{% for c in context %}{{ c.source }} {{ c.score }} {{ c.text }}|{% endfor %}"
    assert render(walked).render(context=context) == "a.md 2.0 First.|b.md 1.0 Second.|"
    assert render("{{ context | length }} {{ context[0].source }}").render(context=context) == "2 a.md"
    assert render("{% if context %}yes{% else %}no{% endif %}").render(context=Context([])) == "no"
