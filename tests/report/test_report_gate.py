"""The verdict in the markdown report: every word of it unfolds to numbers, and hostile text stays text."""

from __future__ import annotations

import html
import re

import msgspec
import pytest
from markdown_it import MarkdownIt

from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.result import LookResult
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.gate.slices import slices
from llmops_tui.domain.review import Decision
from llmops_tui.report.gate_markdown import gate_blocks
from tests.domain import gate_cases

GITHUB = MarkdownIt("gfm-like")


def told(given: gate_cases.GateInput, **more: object) -> str:
    result = judge(given, GateSettings())
    result = msgspec.structs.replace(result, slices=slices(given, GateSettings()), **more)
    return "\n\n".join(gate_blocks(result, given.decisions))


def failing(**more: object) -> gate_cases.GateInput:
    return gate_cases.given("p" * 16, "f" * 8 + "p" * 8, **more)  # type: ignore[arg-type]


def test_a_failure_says_the_rule_its_limit_the_interval_and_the_test() -> None:
    text = told(failing())
    assert text.startswith(
        "## Verdict: fail\n\n**fail: −50.0 points**\n\n- the pass rate fell by 50.0 points"
    )
    (row,) = [line for line in text.splitlines() if line.startswith("| `pass_rate`")]
    assert "**failed**" in row
    assert "drop of 50.0 points" in row
    assert "| 0.0039 | 0.0039 |" in row
    assert "exact McNemar test, Tango score interval" in row
    assert "16 rows in 16 clusters, 1 trials a row and side; 8 went down, 0 went up" in text


def test_flips_come_with_the_decision_and_its_note() -> None:
    given = failing(decisions={"c0": "rejected"})
    key = ("c0", gate_cases.MODEL)
    decided = msgspec.structs.replace(given.decisions[key], note="wrong amount", by="Ada", at="2026-01-02")
    text = told(msgspec.structs.replace(given, decisions={key: decided}))
    assert "| c0 | `local/m` | pass → fail | 100.0% | 0.0% |  | rejected | wrong amount |" in text
    assert "| c0 | `local/m` | rejected | Ada | 2026-01-02 | wrong amount |" in text
    assert "| `review` | **failed** | 0 | 1 |" in text


def test_slices_flaky_cases_and_looks_are_folded() -> None:
    given = gate_cases.given({"a": "pf", "b": "pp"}, {"a": "pp", "b": "pp"}, tags={"a": ["x|y"], "b": ["z"]})
    look = LookResult(1, 2, "inconclusive", 0.1, (-0.05, 0.25), 0.2, 0.033, 12, 0.5)
    text = told(given, looks=(look,))
    assert text.count("<details>") == text.count("</details>") == 4
    assert "| a | `local/m` | 1 of 2 | 2 of 2 |" in text
    assert "<code>x&#124;y</code>" in text
    assert "| 1 | 2 | inconclusive | 10.0 points | -5.0 points to 25.0 points | 0.2000 | 0.033 | 12 |" in text


def test_an_exploratory_verdict_says_so_and_a_fact_does_not() -> None:
    assert "exploratory" in told(failing())
    fact = told(failing(fact=True))
    assert "exploratory" not in fact
    assert "| a fact |" in fact


@pytest.mark.parametrize(
    "hostile", ["<script>x</script>", "# heading", "a | b | c", "[x](http://e.vil)", "@everyone"]
)
def test_case_ids_and_notes_stay_text(hostile: str) -> None:
    given = gate_cases.given({hostile: "p"}, {hostile: "f"}, fact=True, known_failing=[hostile])
    decision = Decision("bench", hostile, gate_cases.MODEL, "accepted", (), (), hostile, hostile, hostile)
    given = msgspec.structs.replace(given, decisions={(hostile, gate_cases.MODEL): decision})
    rendered = GITHUB.render(told(given))
    assert "<script>" not in rendered
    assert "<a " not in rendered
    assert "<h1>" not in rendered
    shown = html.unescape(re.sub(r"<[^>]*>", "", rendered)).replace("\u200b", "")
    assert hostile in shown
    assert re.search(r"@\w", rendered) is None
