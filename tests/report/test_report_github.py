"""GitHub Actions: annotations at the cases' lines, and no text that the runner would obey."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gate_outcomes import outcome
from hypothesis import given as examples
from hypothesis import strategies as st

from llmops_tui.domain.gate.settings import GateSettings, MaxDrop
from llmops_tui.domain.safe_text import no_commands
from llmops_tui.report.github import MOST, annotation_lines, command, summary
from llmops_tui.report.json import dumps
from tests.domain import gate_cases


def at_top(file: str) -> str:
    return f"bots/{file}"


def lines_of(given: gate_cases.GateInput, code: int, settings: GateSettings | None = None) -> list[str]:
    places = {case: ("evals/bench.yaml", n + 2) for n, case in enumerate(sorted(given.cases))}
    return annotation_lines(outcome(given, settings), places, at_top, code)


def test_a_failure_is_an_error_at_the_line_of_each_case_that_it_names() -> None:
    first, *others = lines_of(gate_cases.given("ppp", "pff", fact=True), 1)
    assert first.startswith("::error title=bench%3A fail::v2 against v1: the pass rate fell by 66.7 points")
    assert "66.7 points, from 100.0%25 to 33.3%25" in first
    assert others == [
        f"::error file=bots/evals/bench.yaml,line={line},title=bench%3A {case}::{case} on local/m: "
        "passed → failed (pass_rate)"
        for case, line in (("c1", 3), ("c2", 4))
    ]


def test_what_lets_the_job_pass_is_a_warning_and_a_pass_says_nothing() -> None:
    given, rules = gate_cases.given("p" * 8, "p" * 6 + "ff"), GateSettings(max_drop=MaxDrop(pass_rate=0.05))
    verdict, *cases = lines_of(given, 4, rules)
    assert verdict.startswith("::error ")
    # No rule failed: the cases that it could not tell about are no errors.
    assert cases
    assert all(line.startswith("::warning ") for line in cases)
    assert all(line.startswith("::warning ") for line in lines_of(given, 0, rules))
    assert lines_of(gate_cases.given("pp", "pp", fact=True), 0) == []


def test_there_are_no_more_than_github_keeps() -> None:
    assert len(lines_of(gate_cases.given("p" * 30, "f" * 30, fact=True), 1)) == MOST


# -- the runner, as it parses a line of a log (actions/runner, ActionCommand.cs)


def obeyed(line: str) -> bool:
    """Whether the runner takes a line for a command."""
    if line.lstrip().startswith("::"):
        return True
    return "##[" in line


def unescaped(line: str) -> tuple[str, dict[str, str], str]:
    """Name, properties and message of a command, as the runner reads them."""
    head, message = re.fullmatch(r"::(.+?)::(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
    name, _, listed = head.partition(" ")
    properties = dict(each.split("=", 1) for each in listed.split(",") if each)
    escapes = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))

    def plain(text: str) -> str:
        for escaped, char in escapes:
            text = text.replace(escaped, char)
        return text

    return name, {key: plain(value) for key, value in properties.items()}, plain(message)


HOSTILE = ["a::b", "x,line=1", "100% %0A::add-mask::x", "a\r\n::error::b", "##[error]x", "::stop-commands::t"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_case_id_stays_within_its_annotation(hostile: str) -> None:
    given = gate_cases.given({hostile: "p"}, {hostile: "f"}, fact=True)
    lines = annotation_lines(outcome(given), {hostile: (f"{hostile}.yaml", 1)}, at_top, 1)
    assert len(lines) == 2
    for line in lines:
        assert "\n" not in line
        assert "\r" not in line
        name, properties, message = unescaped(line)
        assert name == "error"
        assert properties.keys() <= {"file", "line", "title"}
        assert " ".join(hostile.split()) in message


@examples(st.text(), st.text())
def test_any_text_stays_in_its_place(title: str, message: str) -> None:
    line = command("error", message, {"title": title})
    assert len(line.splitlines()) <= 1 or not any(c in line for c in "\r\n")
    name, properties, _ = unescaped(line)
    assert name == "error"
    assert list(properties) == ["title"]


@examples(st.lists(st.sampled_from(["::", "##[", ":", "#", "[", "\n", " ", "\t", "error", "::error::", "a"])))
def test_nothing_in_a_text_for_the_log_is_obeyed(pieces: list[str]) -> None:
    text = no_commands("".join(pieces))
    assert not any(obeyed(line) for line in text.split("\n"))
    assert no_commands(text) == text


def test_json_in_a_log_is_no_command_and_means_the_same() -> None:
    import json

    text = dumps({"reason": "##[error]x", "other": "a\n::error::b"})
    assert not any(obeyed(line) for line in text.split("\n"))
    assert json.loads(text) == {"reason": "##[error]x", "other": "a\n::error::b"}


def test_a_summary_that_is_too_long_is_told_briefly() -> None:
    gate = (outcome(gate_cases.given("p" * 200, "f" * 200, fact=True)), {})
    whole = summary([gate])
    assert "<details>" in whole
    brief = summary([gate], room=3_000)
    assert "<details>" not in brief
    assert "## Verdict: fail" in brief
    short = summary([gate], room=300)
    assert len(short.encode()) <= 300
    assert "The rest is left out" in short


def test_the_commands_are_the_ones_that_the_docs_name() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
    assert "GITHUB_STEP_SUMMARY" in page
    assert str(MOST) in page
