"""The core of the gate: evidence and a limit → pass, fail or inconclusive."""

from __future__ import annotations

from typing import Literal

from llmops_tui.domain.statistics.assess import Evidence

#: Sums of shares differ by round-off.
EPSILON = 1e-9


def decide(evidence: Evidence, max_drop: float, alpha: float) -> Literal["pass", "fail", "inconclusive"]:
    """Whether a metric fell by more than is allowed.

    `fail`: it fell by more than `max_drop`, and "no drop" is rejected at `alpha`. `pass`: a drop of
    `max_drop` or more is ruled out by the interval's bound (non-inferiority). A fact is one or the other.
    """
    drop = -evidence.delta
    if evidence.by_fact:
        return "fail" if drop > max_drop + EPSILON else "pass"
    if drop > max_drop + EPSILON and evidence.p_drop <= alpha:
        return "fail"
    return "pass" if -evidence.low < max_drop - EPSILON else "inconclusive"
