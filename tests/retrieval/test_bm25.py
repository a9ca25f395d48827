"""Which chunks a query finds, and what the prompt sees of them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.output import Chunk
from llmops_tui.retrieval import Bm25Index, Context, index_of
from llmops_tui.retrieval.bm25 import KEPT
from llmops_tui.retrieval.tokens import tokens

DOCS = {
    "docs/refunds.md": "You can ask for a refund within 30 days of delivery. Refunds take a week.",
    "docs/shipping.md": "Shipping costs 5 euros. Orders above 50 euros ship free.",
    "docs/hours.md": "We are open from Monday to Friday, 9 to 17.",
}


def test_the_document_about_the_question_comes_first() -> None:
    index = Bm25Index(DOCS, 120)
    assert index.search("How many days do I have to ask for a refund?", 2)[0].source == "docs/refunds.md"
    assert index.search("What does shipping cost?", 1)[0].source == "docs/shipping.md"
    assert index.search("When are you open?", 1)[0].source == "docs/hours.md"


def test_words_that_questions_are_made_of_do_not_decide() -> None:
    docs = {"a.md": "You must wait until you can.", "b.md": "Express parcels leave at 14:00."}
    found = Bm25Index(docs, 120).search("Until when must I order express?", 2)
    assert [chunk.source for chunk in found] == ["b.md"]


def test_chunks_that_share_no_word_with_the_query_are_left_out() -> None:
    index = Bm25Index(DOCS, 120)
    found = index.search("refund", 3)
    assert [chunk.source for chunk in found] == ["docs/refunds.md"]
    assert found[0].score > 0


@pytest.mark.parametrize("query", ["", "   ", "zebra", "How do I?", "¿?", "\udcff"])
def test_a_query_without_a_known_word_finds_nothing(query: str) -> None:
    assert Bm25Index(DOCS, 120).search(query, 3) == []


@pytest.mark.parametrize("corpus", [{}, {"a.md": ""}, {"a.md": "— … —", "b.md": "the of and"}])
def test_a_corpus_without_words_finds_nothing(corpus: dict[str, str]) -> None:
    assert Bm25Index(corpus, 120).search("refund", 3) == []


def test_equal_chunks_come_by_path_and_place() -> None:
    index = Bm25Index({"b.md": "same words", "a.md": "same words same words"}, 2)
    found = [(c.source, c.position) for c in index.search("same", 9)]
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
    found = Bm25Index(corpus, 7, 2).search(query, top_k)
    again = Bm25Index(dict(reversed(corpus.items())), 7, 2).search(query, top_k)
    assert found == again
    assert len(found) <= top_k
    assert found == sorted(found, key=lambda c: (-c.score, c.source, c.position))
    assert all(set(tokens(c.text)) & set(tokens(query)) for c in found)


def test_results_are_the_same_in_another_process() -> None:
    code = (
        "from llmops_tui.retrieval import Bm25Index\n"
        f"print(Bm25Index({DOCS!r}, 6, 2).search('days of delivery, costs, open orders', 9))"
    )
    out = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
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


def test_an_index_is_built_once_for_each_content() -> None:
    blobs = {text_digest(text): text for text in DOCS.values()}
    corpus = {path: text_digest(text) for path, text in DOCS.items()}
    first = index_of(corpus, blobs, 50, 3)
    assert index_of(dict(reversed(corpus.items())), blobs, 50, 3) is first
    assert index_of(corpus, blobs, 51, 3) is not first
    changed = {**corpus, "docs/hours.md": corpus["docs/refunds.md"]}
    assert index_of(changed, blobs, 50, 3) is not first
    for words in range(100, 100 + KEPT):
        index_of(corpus, blobs, words)
    assert index_of(corpus, blobs, 50, 3) is not first


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
