"""What attacks came to, as text, markdown and JSON: what got through by name, no idle row."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.attack_figures import AttackFigures, GuardRate, MutationRate
from llmops_tui.domain.attack_outcome import AttackOutcome
from llmops_tui.domain.live.guards import Estimate
from llmops_tui.domain.run import VersionInfo
from llmops_tui.report.attack_json import attack_json
from llmops_tui.report.attack_markdown import attack_document
from llmops_tui.report.attack_text import attack_lines

VERSION = VersionInfo(1, "desk", 1, "a" * 64, "2026-01-01T00:00:00Z")
NONE = Estimate(None, 0.0, 1.0, 0)


def outcome(**figures: Any) -> AttackOutcome:
    return AttackOutcome(VERSION, AttackFigures(Estimate(0.5, 0.3, 0.7, 40), NONE, NONE, **figures), 40, 0)


def text(of: AttackOutcome) -> str:
    return "\n".join("".join(part for part, _style in line) for line in attack_lines(of))


def test_what_got_through_is_named_without_a_baseline_and_critical_ones_are_marked() -> None:
    names = tuple(f"a{n}/input/plain" for n in range(25))
    found = outcome(got_through=names, critical=1)
    said = text(found)
    assert "Got through (25, of which 1 critical)" in said
    assert "a0/input/plain  critical" in said
    assert "a19/input/plain\n" in said
    assert "a20/input/plain" not in said
    assert "and 5 more" in said
    document = attack_document(found)
    assert "- `a0/input/plain` critical" in document
    assert "and 5 more" in document
    told = attack_json(found, (), 0)
    assert told["figures"]["got_through"] == list(names)


def test_mutations_that_say_nothing_are_one_line() -> None:
    rates = [MutationRate("plain", Estimate(0.2, 0.1, 0.5, 10)), MutationRate("hex", Estimate(1, 0.2, 1, 1))]
    rates += [MutationRate(f"m{n}", Estimate(0.0, 0.0, 0.793, 1)) for n in range(22)]
    found = outcome(by_mutation=tuple(rates))
    for said in (text(found), attack_document(found)):
        assert "plain" in said
        assert "hex" in said
        assert "m0" not in said
        assert "22 others: 0 of 22 got through" in said
        assert "The variants of one attack count as one cluster in every interval." in said


def test_what_a_guardrail_fired_on_is_not_said_to_be_caught() -> None:
    guard = GuardRate("pii", Estimate(0.5, 0.2, 0.8, 10), 2, 3, Estimate(0.0, 0.0, 0.2, 12))
    found = outcome(guards=(guard,))
    for said in (text(found), attack_document(found)):
        assert "fired on attacks" in said
        assert "passed, got through" in said
        assert "caught" not in said
    (told,) = attack_json(found, (), 0)["figures"]["guardrails"]
    assert (told["fired"]["value"], told["stopped"], told["got_through"]) == (0.5, 2, 3)


def test_no_false_alarms_are_claimed_where_no_guardrail_looked() -> None:
    guard = GuardRate("pii", Estimate(0.5, 0.2, 0.8, 10), 2, 3, Estimate(0.0, 0.0, 0.2, 12))
    for render in (text, attack_document):
        assert "a guardrail fired on harmless cases" in render(outcome(guards=(guard,)))
        assert "a guardrail fired on harmless cases" not in render(outcome())
