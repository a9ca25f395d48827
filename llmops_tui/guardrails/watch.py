"""What a run of guardrails is given, what it decides, and who watches it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.use import GuardrailUse, Stage
from llmops_tui.domain.model import Model


class Piece(msgspec.Struct, frozen=True):
    """One text that is looked at.

    Attributes:
        where: for people: `question`, `turns.1.question`, `docs/refunds.md#0`; of a tool its name.
    """

    text: str
    where: str = ""


class Decision(msgspec.Struct, frozen=True):
    """What follows from all looks at one stage.

    Attributes:
        texts: of each piece what goes on, perhaps redacted; None: it goes no further. A guardrail sees what
            those before it left.
        ends: what the request ends with as its answer; None: it goes on.
        refused: it ends since something was blocked, not with a fallback.
        told: for the model, in place of what was held back (a tool call, a tool result): a sentence.
    """

    looks: tuple[Look, ...]
    texts: tuple[str | None, ...]
    ends: str | None = None
    refused: bool = False
    told: str = ""


class Watched(Protocol):
    """One look under way: a span of a trace."""

    async def ask(self, model: Model, request: ChatRequest) -> str:
        """What the judge answers; it is kept, priced, and within the span.

        Raises:
            CannotCheck: it does not answer.
        """

    def saw(self, look: Look, evidence: str) -> None:
        """The look is over. evidence: what it fired on with the text around it, bounded; else empty."""


class Watch(Protocol):
    """Told of every look."""

    def look(self, use: GuardrailUse, stage: Stage) -> AbstractContextManager[Watched]: ...
