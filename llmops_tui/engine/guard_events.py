"""What the Guards screen is told: part of `engine.session_api`."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.live.guards import Estimate, GuardFigures

_UNKNOWN = Estimate(None, 0.0, 1.0, 0)


class GuardsView(msgspec.Struct, frozen=True):
    """Every guardrail at a glance.

    Attributes:
        figures: one a guardrail: those that looked in the window, and those that a configuration has.
        uses: (configuration, guardrail as it is on disk).
        newest_at: when the newest request began, Unix seconds; None: nothing was ever collected.
    """

    figures: tuple[GuardFigures, ...] = ()
    uses: tuple[tuple[str, GuardrailUse], ...] = ()
    newest_at: float | None = None

    def uses_of(self, guardrail: str) -> tuple[tuple[str, GuardrailUse], ...]:
        """Where a guardrail is in use, on disk."""
        return tuple((config, use) for config, use in self.uses if use.name == guardrail)


def with_configured(
    figures: tuple[GuardFigures, ...], uses: tuple[tuple[str, GuardrailUse], ...]
) -> tuple[GuardFigures, ...]:
    """The figures, and empty ones of guardrails that looked at nothing yet."""
    known = {each.name for each in figures}
    idle = dict.fromkeys(use.name for _, use in uses if use.name not in known)
    return (*figures, *(GuardFigures(name, 0, 0, *(_UNKNOWN,) * 4) for name in idle))
