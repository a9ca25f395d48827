"""What a built-in check is, and where they are found."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain.guardrails.use import Stage


class TooSlow(Exception):
    """A look took longer than it may."""


class CannotCheck(Exception):
    """The check can't do its work on this text; the text is a clause. The guardrail has failed then."""


class Deadline:
    """When a look must be over. Checks ask between portions of bounded work.

    Args:
        limit_s: from now on.
    """

    __slots__ = ("_end", "limit_s")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._end = time.perf_counter() + limit_s

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least 0."""
        return max(self._end - time.perf_counter(), 0.0)

    def check(self) -> None:
        """
        Raises:
            TooSlow: the time is over.
        """
        if time.perf_counter() > self._end:
            raise TooSlow


class Match(msgspec.Struct, frozen=True):
    """A place in the text, for `redact`: characters [start, end), and what stands for them: `[email]`."""

    start: int
    end: int
    label: str


class Found(msgspec.Struct, frozen=True):
    """What a check says of one text.

    Attributes:
        score: in [0, 1]; the guardrail fires from its threshold on.
        reason: why, a clause; it never repeats a secret or personal data.
        matches: where, in order, without overlaps. Where there are none, `redact` replaces the whole text.
    """

    score: float
    reason: str = ""
    matches: tuple[Match, ...] = ()


NOTHING = Found(0.0)


class About(msgspec.Struct, frozen=True):
    """What a check may want to know beside the text.

    Attributes:
        vars: the case's, or what the program told.
        context: texts that were retrieved and not left out.
        tool: name of the tool, for its arguments and its result.
    """

    stage: Stage
    vars: dict[str, Any] = {}
    context: tuple[str, ...] = ()
    tool: str = ""


#: (text, about, deadline) → what was found. Never raises anything but `TooSlow` and `CannotCheck`.
Check = Callable[[str, About, Deadline], Found]
#: Validated options → the check, with everything compiled; made once for a guardrail's life.
Prepare = Callable[[dict[str, Any]], Check]

CHECKS: dict[str, Prepare] = {}


def guardrail(name: str) -> Callable[[Prepare], Prepare]:
    """Register what prepares a built-in check.

    Args:
        name: its name in `domain.guardrails.catalogue.GUARDRAILS`.
    """

    def register(prepare: Prepare) -> Prepare:
        CHECKS[name] = prepare
        return prepare

    return register
