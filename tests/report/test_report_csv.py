"""A comparison as CSV: a reader gets back what was told, and a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_comparison import Sample

from llmops_tui.domain.review import Decision
from llmops_tui.report.csv import COLUMNS, comparison_csv
from tests.domain import gate_cases


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_tells_both_sides_of_a_case_and_what_was_decided() -> None:
    comparison = gate_cases.between({"a": "pf", "b": "p"}, {"a": "ff", "b": "p"})
    decision = Decision("bench", "a", gate_cases.MODEL, "rejected", (), (), "no, never")
    text = comparison_csv(comparison, {"a": ("x", "y")}, {("a", gate_cases.MODEL): decision})
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert text.endswith("\r\n")
    a, b = rows(text)
    assert (a["case"], a["model"], a["tags"], a["change"]) == ("a", "local/m", "x y", "regressed")
    assert (a["baseline_pass_share"], a["candidate_pass_share"], a["delta"]) == ("0.5", "0.0", "-0.5")
    assert (a["baseline_trials"], a["decision"], a["note"]) == ("2", "rejected", "no, never")
    assert (b["flip"], b["decision"], b["candidate_latency_s"]) == ("", "", "1.0")


def test_the_outputs_come_where_they_are_asked_for() -> None:
    sample = Sample({"refund-window": 'One, "two"\nthree'})
    ids = {
        row.first.output_id: sample.new_texts[row.case_id]
        for p in sample.comparison.pairs
        if (row := p.candidate) is not None and row.first.output_id is not None
    }
    found = {r["case"]: r for r in rows(comparison_csv(sample.comparison, {}, {}, ids))}
    assert found["refund-window"]["candidate_output"] == 'One, "two"\nthree'
    assert "candidate_output" not in rows(comparison_csv(sample.comparison, {}, {}))[0]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "＝"])
def test_text_is_no_formula(start: str) -> None:
    (row,) = rows(comparison_csv(gate_cases.between({f"{start}1+1": "p"}, {f"{start}1+1": "p"}), {}, {}))
    assert row["case"].startswith("'")


@given(
    st.text(min_size=1, max_size=30, alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cf"]))
)
def test_any_note_is_one_cell(note: str) -> None:
    decision = Decision("bench", "a", gate_cases.MODEL, "accepted", (), (), note)
    comparison = gate_cases.between({"a": "p"}, {"a": "p"})
    (row,) = rows(comparison_csv(comparison, {}, {("a", gate_cases.MODEL): decision}))
    assert row["note"].removeprefix("'") == note.removeprefix("'")
