"""A pattern of a person: where it matches, that it is missing, and that it never takes longer than it may."""

from __future__ import annotations

from typing import Any

import pytest

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.guardrails.pattern import pattern
from llmops_tui.guardrails.registry import About, Deadline, Found, Match, TooSlow


def look(text: str, value: str | list[str], *, limit_s: float = 60.0, **options: Any) -> Found:
    given = GUARDRAILS["regex"].options.model_validate({"value": value, **options}).model_dump()
    return pattern(given)(text, About("output"), Deadline(limit_s))


def test_every_match_is_told_and_overlapping_ones_are_one() -> None:
    found = look("EMP-1234, emp-77", [r"EMP-\d+", r"P-12", "none"])
    assert found.score == 1.0
    assert found.matches == (Match(0, 8, "[redacted]"), Match(10, 16, "[redacted]"))


def test_case_may_matter() -> None:
    assert look("internal", "INTERNAL").score == 1.0
    assert look("internal", "INTERNAL", case_sensitive=True).score == 0.0


def test_what_is_required_and_missing_fires_and_redacts_the_whole() -> None:
    assert look("Yours, Lark Desk", "lark desk", require=True).score == 0.0
    found = look("Yours", ["yours", "lark desk"], require=True)
    assert (found.score, found.matches) == (1.0, ())
    assert found.reason == '"lark desk" matches nothing'


def test_the_reason_has_the_pattern_and_not_what_matched() -> None:
    assert look("EMP-1234 EMP-77", r"EMP-\d+").reason == '"EMP-\\d+" matches'


def test_an_empty_match_fires_and_is_no_place() -> None:
    found = look("  ", r"^\s*$")
    assert (found.score, found.matches) == (1.0, (Match(0, 2, "[redacted]"),))
    assert (look("", "^$").score, look("", "^$").matches) == (1.0, ())


@pytest.mark.parametrize("require", [True, False])
def test_a_pattern_that_would_take_for_ever_is_too_slow(require: bool) -> None:
    with pytest.raises(TooSlow):
        look("a" * 5_000 + "!", r"^(a|aa)+$", require=require, limit_s=0.05)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("(a", "the pattern '\\(a' can't be read: missing"),
        (["ok", "[z-a]"], "the pattern '\\[z-a\\]' can't be"),
    ],
)
def test_a_pattern_that_can_not_be_read_is_a_mistake_of_the_configuration(value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        look("", value)


@pytest.mark.parametrize("value", ["", []])
def test_no_pattern_is_a_mistake(value: Any) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        look("", value)
