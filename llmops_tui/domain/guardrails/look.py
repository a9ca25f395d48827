"""What came of one guardrail's look at one stage of one request."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.guardrails.use import Action, Stage

#: Characters of `Look.reason`, and of the text around a finding that a span keeps.
REASON, EVIDENCE = 300, 1_000


class Look(msgspec.Struct, frozen=True, array_like=True):
    """One look, as an output keeps it.

    Attributes:
        triggered: it fired. Never true for one that failed.
        action: what was done; empty where nothing was: it passed, or it failed open.
        score: in [0, 1], the highest of all pieces; None where it failed.
        reason: why it fired, a clause; redacted: it may quote what was found, never a secret itself.
        error: how it failed itself, a sentence; empty where it did not.
        pieces: which of the pieces that it looked at it fired on (of `context`: places of chunks).
    """

    name: str
    stage: Stage
    triggered: bool
    action: Action | str = ""
    score: float | None = None
    reason: str = ""
    error: str = ""
    pieces: tuple[int, ...] = ()

    @property
    def stopped(self) -> bool:
        """What it looked at did not go on as it was, whether it fired or failed closed."""
        return self.action in ("block", "fallback")
