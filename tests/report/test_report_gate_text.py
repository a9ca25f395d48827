"""The verdict as text: the word first, sentences within the width, every number in its table."""

from __future__ import annotations

import msgspec
from gate_outcomes import outcome

from llmops_tui.domain.format import cell_width
from llmops_tui.domain.gate.result import LookResult
from llmops_tui.domain.gate.settings import GateSettings, MaxDrop
from llmops_tui.report.gate_text import MOST, gate_lines
from llmops_tui.report.text import plain
from tests.domain import gate_cases

TIGHT = GateSettings(max_drop=MaxDrop(pass_rate=0.05))


def told(given: gate_cases.GateInput, settings: GateSettings | None = None, **more: object) -> list[str]:
    return plain(gate_lines(outcome(given, settings, **more), width=80)).splitlines()


def test_a_pass_says_what_is_ruled_out() -> None:
    lines = told(gate_cases.given("p" * 400, "p" * 400), TIGHT)
    assert lines[0] == "pass  bench v2 against v1"
    said = " ".join(line.strip() for line in lines)
    assert "a drop of 0.8 points or more is ruled out" in said
    assert "What would decide" not in lines


def test_what_is_open_says_its_interval_and_what_would_decide() -> None:
    lines = told(gate_cases.given("p" * 10, "p" * 8 + "ff"), TIGHT)
    assert lines[0].startswith("inconclusive  bench v2 against v1: about ")
    (rule,) = [line for line in lines if line.startswith("pass_rate")]
    assert rule.split()[1] == "open"
    assert " to drop of " in rule
    assert rule.split()[-2:] == ["0.2500", "0.0325"]
    assert lines[lines.index("What would decide") + 1].startswith("- pass_rate: ")


def test_sentences_are_wrapped_and_nothing_of_them_is_lost() -> None:
    given = gate_cases.given("p" * 10, "p" * 8 + "ff")
    lines = told(given, TIGHT, failures=("the provider said " + "no " * 60,), adapted=("v1 was adapted",))
    start, end = lines.index("Why"), lines.index("Failures")
    assert all(cell_width(line) <= 80 for line in lines[start:end])
    assert "- v1 was adapted" in lines
    assert " ".join(lines).count("no ") >= 59


def test_flaky_cases_and_looks_have_their_numbers() -> None:
    given = gate_cases.given({"a": "pf", "b": "pp"}, {"a": "pp", "b": "pp"})
    gated = outcome(given)
    look = LookResult(2, 2, "inconclusive", 0.1, (-0.05, 0.25), 0.2, 0.0179, 12, None)
    gated = msgspec.structs.replace(gated, result=msgspec.structs.replace(gated.result, looks=(look,)))
    lines = plain(gate_lines(gated)).splitlines()
    flaky = lines[lines.index("Flaky cases, counted as they are") + 2]
    assert flaky.split() == ["a", "1", "of", "2", "passed", "2", "of", "2", "passed"]
    told_of_it = lines[lines.index("Adjudication") + 2].split()
    assert told_of_it[:5] == ["2", "2", "inconclusive", "10.0", "points"]
    assert told_of_it[-3:] == ["0.0179", "12", "–"]


def test_many_flips_are_counted_beyond_a_screen() -> None:
    lines = told(gate_cases.given("p" * 60, "f" * 60, fact=True))
    assert sum(line.startswith("▼ ") for line in lines) == MOST
    assert "and 20 more; --json has them all" in lines


def test_no_text_of_a_case_reaches_the_terminal_raw() -> None:
    hostile = "a\x1b[31m\nb\u202e"
    gated = outcome(gate_cases.given({hostile: "p"}, {hostile: "f"}, fact=True), failures=(hostile,))
    text = plain(gate_lines(gated))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "▼ a b<U+202E>" in text
