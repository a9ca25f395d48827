"""What a built-in scorer is, and where they are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output


class Judgement(msgspec.Struct, frozen=True):
    """What a scorer says: `value` in [0, 1], or None where it can't say; `reason` a clause."""

    value: float | None
    reason: str


class CannotJudge(Exception):
    """The scorer can't do its work on this output or with this reference; the text is a clause."""


Judge = Callable[[dict[str, Any], Output, Case], Judgement]


class BuiltIn(msgspec.Struct, frozen=True):
    """A registered scorer. `passes_from`: the value from which it passes without a `threshold`."""

    judge: Judge
    passes_from: float = 1.0


BUILT_INS: dict[str, BuiltIn] = {}


def scorer(name: str, *, passes_from: float = 1.0) -> Callable[[Judge], Judge]:
    """Register a function as a built-in scorer.

    Args:
        name: its name in `domain.scorers.SCORERS`.
        passes_from: as the catalogue says.
    """

    def register(judge: Judge) -> Judge:
        BUILT_INS[name] = BuiltIn(judge, passes_from)
        return judge

    return register


def either(yes: bool, reason: str) -> Judgement:
    """1 or 0."""
    return Judgement(1.0 if yes else 0.0, reason)
