"""Which documents are searched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import searched

from llmops_tui.retrieval.filters import front_matter, matches

DOCS = {
    "docs/policies/refund.md": "---\nteam: billing\nyear: 2024\ntags: [money, eu]\n---\nRefund in 30 days.",
    "docs/policies/eu/vat.md": "---\nteam: tax\ndate: 2024-05-01\nlive: true\n---\nRefund of VAT.",
    "docs/notes.md": "Refund notes.",
}


def sources(**filters: Any) -> list[str]:
    found = searched(DOCS, "refund", 9, filters=filters)
    return sorted(chunk.source.removeprefix("docs/") for chunk in found)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"path": "policies/*.md"}, ["policies/refund.md"]),
        ({"path": "docs/policies/*.md"}, ["policies/refund.md"]),
        ({"path": "policies/**"}, ["policies/eu/vat.md", "policies/refund.md"]),
        ({"path": "**/vat.md"}, ["policies/eu/vat.md"]),
        ({"path": "**/notes.md"}, ["notes.md"]),
        ({"path": "note?.md"}, ["notes.md"]),
        ({"path": ["notes.md", "policies/*"]}, ["notes.md", "policies/refund.md"]),
        ({"team": "billing"}, ["policies/refund.md"]),
        ({"team": ["billing", "tax"]}, ["policies/eu/vat.md", "policies/refund.md"]),
        ({"tags": "eu"}, ["policies/refund.md"]),
        ({"tags": ["eu", "us"]}, ["policies/refund.md"]),
        ({"year": "2024"}, ["policies/refund.md"]),
        ({"year": 2024.0}, ["policies/refund.md"]),
        ({"date": "2024-05-01"}, ["policies/eu/vat.md"]),
        ({"live": True}, ["policies/eu/vat.md"]),
        ({"team": "tax", "path": "policies/**"}, ["policies/eu/vat.md"]),
    ],
)
def test_a_document_is_searched_where_every_filter_holds(filters: dict[str, Any], found: list[str]) -> None:
    assert sources(**filters) == found


@pytest.mark.parametrize("filters", [{"team": "sales"}, {"path": "policy/*"}, {"team": "tax", "year": 2024}])
def test_filters_that_no_document_fits_are_said_and_not_an_empty_answer(filters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no document of docs fits retrieval.filters") as caught:
        sources(**filters)
    assert all(f"{name}: {value}" in str(caught.value) for name, value in filters.items())


def test_front_matter_is_text_unless_there_are_filters() -> None:
    assert searched(DOCS, "billing", 9)[0].text.startswith("---\nteam: billing")
    assert searched(DOCS, "billing", 9, filters={"path": "**"}) == []
    assert searched(DOCS, "days", 9, filters={"path": "**"})[0].text == "Refund in 30 days."


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA line across.\n\n---\nText.",
        "---\nteam: [a\n---\nText.",
        "---\n- a: list\n---\nText.",
        "---\ndate: 2024-99-99\n---\nText.",
        "---\nteam: a\nno end",
        "--- team: a\n---\n",
        "# Title\n---\n",
        "---\na: !!python/object/apply:os.getcwd []\n---\n",
        "",
    ],
)
def test_what_is_no_front_matter_is_left_in_the_text(text: str) -> None:
    assert front_matter(text) == ({}, text)


def test_values_that_are_nested_fit_nothing() -> None:
    keys, text = front_matter("---\na: {b: c}\n1: one\nnothing:\n...\nText.")
    assert text == "Text."
    assert not matches({"a": "c"}, "docs", "docs/x.md", keys)
    assert matches({"1": "one"}, "docs", "docs/x.md", keys)
    assert not matches({"nothing": ""}, "docs", "docs/x.md", keys)


@given(st.text("-:#a \n[]{}&*!|", max_size=60))
def test_reading_front_matter_never_raises_and_loses_nothing_behind_it(text: str) -> None:
    _, rest = front_matter(f"---\n{text}\n---\nend")
    assert rest.endswith("end")


@given(st.text("a*?/.[", max_size=12), st.text("a/.[", max_size=12))
def test_a_glob_is_a_glob_and_nothing_else(glob: str, path: str) -> None:
    assert matches({"path": [glob, path]}, "docs", path, {})
    if "*" not in glob and "?" not in glob:
        assert matches({"path": glob}, "docs", path, {}) == (glob == path)
