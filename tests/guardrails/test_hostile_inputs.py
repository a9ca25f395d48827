"""A thousand hostile inputs: no check does anything but answer, or say that it can't."""

from __future__ import annotations

from typing import Any

import pytest
from hostile_texts import hostile_texts, megabytes

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.guardrails.checks import prepare
from llmops_tui.guardrails.registry import About, CannotCheck, Deadline, Found, TooSlow

#: Those that look at once, in the program itself, with options that give them something to do.
PLAIN: dict[str, dict[str, Any]] = {
    "pii": {},
    "secrets": {},
    "injection": {"phrases": ["buy now", "###", "免费"]},
    "topic": {"allowed": ["orders and returns"], "denied": ["legal advice", "系统"]},
    "regex": {"value": [r"(a+)+$", r"(\w+\s?)*!", r"ignore.*prompt"]},
    "json_schema": {"value": {"type": "object", "required": ["a"]}},
    "grounded": {},
    "max_length": {"value": 100, "words": 10, "tokens": 50},
    "refusal": {},
}


def prepared(kind: str) -> Any:
    options = GUARDRAILS[kind].options.model_validate(PLAIN[kind]).model_dump(mode="json")
    return prepare(kind, options)


def looked(check: Any, text: str, limit_s: float) -> Found | None:
    """What it found, if it is sound; None where it could not tell."""
    about = About("output", context=("Lamps can be returned within 30 days.",))
    try:
        found: Found = check(text, about, Deadline(limit_s))
    except (TooSlow, CannotCheck):
        return None
    assert 0 <= found.score <= 1
    last = 0
    for match in found.matches:
        assert last <= match.start < match.end <= len(text), (found, text[:200])
        last = match.end
    found.reason.encode()
    return found


def test_every_plain_kind_is_here() -> None:
    assert PLAIN.keys() == {name for name, kind in GUARDRAILS.items() if not kind.apart}


@pytest.mark.parametrize("kind", PLAIN)
def test_a_thousand_hostile_texts_break_no_check(kind: str) -> None:
    check = prepared(kind)
    texts = list(hostile_texts())
    assert len(texts) >= 1_000
    answered = sum(looked(check, text, 2.0) is not None for text in texts)
    # It may give up on a few; it does not give up on all that is strange.
    assert answered >= 0.9 * len(texts)


def test_a_megabyte_breaks_no_check() -> None:
    checks = [prepared(kind) for kind in PLAIN]
    for text in megabytes():
        for check in checks:
            looked(check, text, 0.02)


class _Counted(Deadline):
    """Is asked, and never over."""

    asked = 0

    def check(self) -> None:
        self.asked += 1


@pytest.mark.parametrize("kind", ["injection", "topic"])
def test_a_long_look_asks_for_the_time_in_between(kind: str) -> None:
    deadline = _Counted(1.0)
    prepared(kind)("Where is my parcel? " * 50_000, About("input"), deadline)
    assert deadline.asked >= 50
