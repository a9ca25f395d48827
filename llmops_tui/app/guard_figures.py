"""Figures of guardrails in words: shares with their intervals, and what is not known yet. Pure."""

from __future__ import annotations

from llmops_tui.app.lines import Span
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import Estimate, GuardFigures

NOT_REVIEWED = "not reviewed"


def share_text(value: float | None, decimals: int = 0) -> str:
    """`92%`, `1.2%`."""
    return fmt.NONE if value is None else f"{value * 100:.{decimals}f}%"


def interval_text(e: Estimate, decimals: int = 0) -> str:
    """`81–97%`; empty where nothing can be said."""
    return f"{e.low * 100:.{decimals}f}–{e.high * 100:.{decimals}f}%" if e.value is not None else ""


def rate_decimals(e: Estimate) -> int:
    """A rate of a few in a thousand needs two."""
    return 2 if e.value is not None and 0 < e.value < 0.001 else 1


def estimate_spans(e: Estimate, *, with_n: bool, decimals: int = 0) -> list[Span]:
    """`92% 81–97% n 36`, or that nothing was reviewed."""
    if e.value is None:
        return [(NOT_REVIEWED, "dim")]
    n = f" n {fmt.count(e.n)}" if with_n else ""
    return [
        (share_text(e.value, decimals), "bold"),
        (f" {interval_text(e, decimals)}{n}", "dim"),
    ]


def to_review(figures: GuardFigures) -> int:
    """Firings, drawn passes and suspected misses that wait."""
    return figures.waiting + figures.unseen + figures.suspected


def queue_counts(figures: GuardFigures | None) -> dict[str, int]:
    """Queue → how many are in it."""
    if figures is None:
        return {}
    return {
        "firings": figures.waiting,
        "sample": figures.unseen,
        "suspected": figures.suspected,
        "failures": figures.failed,
    }
