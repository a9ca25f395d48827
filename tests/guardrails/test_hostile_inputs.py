"""A thousand hostile inputs: no check does anything but answer, or say that it can't."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from guard_kinds import Kept
from hostile_texts import MEGABYTE, hostile_texts, megabytes

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.use import GuardrailUse, OnError
from llmops_tui.guardrails.checks import prepare
from llmops_tui.guardrails.guards import Guards
from llmops_tui.guardrails.registry import CHECKS, About, Check, Deadline, Found, Prepare, TooSlow
from llmops_tui.guardrails.watch import Piece

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


def prepared(kind: str) -> Check:
    return prepare(kind, options_of(kind))


def options_of(kind: str) -> dict[str, Any]:
    return GUARDRAILS[kind].options.model_validate(PLAIN[kind]).model_dump(mode="json")


def sound(prepare_check: Prepare) -> Prepare:
    """A check that raises where what it found can't be."""

    def prepare_sound(options: dict[str, Any]) -> Check:
        check = prepare_check(options)

        def checked(text: str, about: About, deadline: Deadline) -> Found:
            found = check(text, about, deadline)
            last = 0
            for match in found.matches:
                assert last <= match.start < match.end <= len(text), (found, text[:200])
                last = match.end
            found.reason.encode()
            return found

        return checked

    return prepare_sound


@pytest.fixture
def all_kinds(monkeypatch: pytest.MonkeyPatch) -> dict[OnError, Guards]:
    """All plain kinds with their default limits, each let look at whatever the others say."""
    made: dict[OnError, Guards] = {}
    for kind in PLAIN:
        prepared(kind)  # registers it
        monkeypatch.setitem(CHECKS, kind, sound(CHECKS[kind]))
    for on_error in ("open", "closed"):
        uses = [
            GuardrailUse(
                kind,
                kind,
                ("output",),
                "flag",
                options_of(kind),
                GUARDRAILS[kind].threshold,
                on_error=on_error,
            )
            for kind in PLAIN
        ]
        made[on_error] = Guards(uses)
        assert made[on_error].prepare() == {}
    return made


def failures(guards: Guards, text: str, on_error: OnError) -> int:
    """How many looks failed, where all is as configured."""
    context = ("Lamps can be returned within 30 days.",)
    decision = guards.check_now("output", [Piece(text)], Kept(), context=context)
    failed = [look for look in decision.looks if look.error]
    for look in failed:
        assert not look.error.startswith("raised"), (look, text[:200])
        assert (look.triggered, look.action) == (False, "" if on_error == "open" else "block")
    if failed and on_error == "closed":
        assert decision.looks[-1] is failed[0]
        assert (decision.texts, decision.refused) == ((None,), True)
    else:
        assert [look.name for look in decision.looks] == list(PLAIN)
        assert (decision.texts, decision.ends) == ((text,), None)
    return len(failed)


def test_every_plain_kind_is_here() -> None:
    assert PLAIN.keys() == {name for name, kind in GUARDRAILS.items() if not kind.apart}


def test_a_thousand_hostile_texts_break_no_guardrail(all_kinds: dict[OnError, Guards]) -> None:
    texts = list(hostile_texts())
    assert len(texts) >= 1_000
    failed = 0
    for n, text in enumerate(texts):
        on_error: OnError = "closed" if n % 2 else "open"
        failed += failures(all_kinds[on_error], text, on_error)
    # They may give up on a few; they do not give up on all that is strange.
    assert failed <= 0.01 * len(texts) * len(PLAIN)


@pytest.mark.parametrize("on_error", ["open", "closed"])
def test_a_look_that_fails_is_told_and_passes_only_where_it_may(
    all_kinds: dict[OnError, Guards], on_error: OnError
) -> None:
    # `grounded` does not look at so much.
    assert failures(all_kinds[on_error], "- " * 150_000, on_error) >= 1


@cache
def _long_texts() -> list[str]:
    ordinary = ("Where is my parcel? ", "Größe — ’ja’ ")
    return [*megabytes(), *(text * (MEGABYTE // len(text)) for text in ordinary)]


class _Over(Deadline):
    """Is over when it was asked so often; no time passes otherwise."""

    def __init__(self, asks: int) -> None:
        super().__init__(60.0)
        self.asks = asks

    def check(self) -> None:
        self.asks -= 1
        if self.asks <= 0:
            raise TooSlow

    @property
    def left_s(self) -> float:
        self.asks -= 1
        return 60.0 if self.asks > 0 else 0.0


#: Whose work grows with the text; `grounded` refuses a megabyte, `json_schema` reads JSON in one go, `regex`
#: lets its engine look at the clock, and `refusal` reads the beginning.
@pytest.mark.parametrize("kind", ["pii", "secrets", "injection", "topic", "max_length"])
def test_of_any_megabyte_the_clock_is_asked_every_50_kilobytes(kind: str) -> None:
    check = prepared(kind)
    for text in _long_texts():
        with pytest.raises(TooSlow):
            check(text, About("output"), _Over(len(text) // 50_000))
