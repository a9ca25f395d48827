"""What trying attacks on a version came to."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.attack_figures import AttackFigures, Moved
from llmops_tui.domain.comparison import Comparison
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.run import VersionInfo


class AttackOutcome(msgspec.Struct, frozen=True):
    """Attacks that were tried.

    Attributes:
        figures: of the candidate. before: of the baseline, where there is another version to hold it against.
        attacks, harmless: cases that were chosen.
        comparison, result: of the two, where there are two.
        moved: attacks that newly get through, and those that are newly stopped.
        adapted, cost_usd, failures, cancelled, over_budget: as of a gate.
    """

    candidate: VersionInfo
    figures: AttackFigures
    attacks: int
    harmless: int
    baseline: VersionInfo | None = None
    before: AttackFigures | None = None
    comparison: Comparison | None = None
    result: GateResult | None = None
    moved: Moved = Moved()
    adapted: tuple[str, ...] = ()
    provider_calls: int = 0
    cost_usd: float | None = 0.0
    failures: tuple[str, ...] = ()
    cancelled: bool = False
    over_budget: bool = False
