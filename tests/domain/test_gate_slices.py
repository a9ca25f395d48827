"""Slices: where a change came from, tag by tag."""

from __future__ import annotations

from hypothesis import given as given_that
from hypothesis import strategies as st

from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.gate.slices import MOST, slices
from tests.domain import gate_cases

ALL = ["everything"]


def test_a_slice_tells_its_tags_cases_alone() -> None:
    given = gate_cases.given(
        "pppppp", "fffppp", tags={f"c{n}": ["refunds"] if n < 3 else ["billing"] for n in range(6)}
    )
    found = {s.tag: s for s in slices(given, GateSettings())}
    assert found["refunds"].rows == found["billing"].rows == 3
    assert (found["refunds"].evidence.baseline, found["refunds"].evidence.candidate) == (1.0, 0.0)
    assert found["billing"].evidence.delta == 0.0
    assert found["billing"].q_value == 1.0


def test_q_values_are_corrected_over_the_slices_shown() -> None:
    # Eight one-way flips: p = 2/256 for the slice; four slices, of which it is the smallest.
    tags = {f"c{n}": [["fell", "a", "b", "c"][n // 8]] for n in range(32)}
    given = gate_cases.given("p" * 32, "f" * 8 + "p" * 24, tags=tags)
    found = {s.tag: s.q_value for s in slices(given, GateSettings())}
    assert found["fell"] is not None
    assert abs(found["fell"] - 4 * 2 / 2**8) < 1e-12
    assert found["a"] == 1.0


def test_a_fact_has_no_q_value() -> None:
    given = gate_cases.given("pp", "pf", fact=True, tags={"c0": ALL, "c1": ALL})
    (found,) = slices(given, GateSettings())
    assert found.q_value is None
    assert found.evidence.low == found.evidence.high == -0.5


def test_the_tags_with_the_most_cases_are_shown() -> None:
    tags = {f"c{n}": [f"tag{i:02}" for i in range(n + 1)] for n in range(MOST + 5)}
    given = gate_cases.given("p" * (MOST + 5), "p" * (MOST + 5), tags=tags)
    found = slices(given, GateSettings())
    assert [s.tag for s in found] == [f"tag{i:02}" for i in range(MOST)]
    assert found[0].rows == MOST + 5


def test_cases_without_a_mark_or_known_to_fail_are_in_no_slice() -> None:
    given = gate_cases.given("upep", "upff", tags={f"c{n}": ALL for n in range(4)}, known_failing=["c3"])
    (found,) = slices(given, GateSettings())
    assert found.rows == 1


@given_that(st.lists(st.tuples(*[st.text("pf", min_size=1, max_size=4)] * 2), min_size=1, max_size=12))
def test_a_slice_of_all_cases_says_what_the_gate_says(results: list[tuple[str, str]]) -> None:
    before = {f"c{n}": b for n, (b, _) in enumerate(results)}
    after = {f"c{n}": a for n, (_, a) in enumerate(results)}
    given = gate_cases.given(before, after, tags=dict.fromkeys(before, ALL))
    (found,) = slices(given, GateSettings())
    (rule,) = [r for r in judge(given, GateSettings()).rules if r.rule == "pass_rate"]
    assert found.evidence == rule.evidence
    assert rule.evidence is not None
    shown = given.comparison.pass_rate
    assert shown.baseline is not None
    assert shown.candidate is not None
    assert abs(shown.baseline - rule.evidence.baseline) < 1e-9
    assert abs(shown.candidate - rule.evidence.candidate) < 1e-9
