"""Figures of live traffic as people read them."""

from __future__ import annotations

import math

from llmops_tui.domain.live.metrics import Unit


def unit_text(value: float | None, unit: Unit) -> str:
    """`4.2 %`, `1.3 s`, `$0.0021`, `0.87`, `1,204`; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    match unit:
        case "share":
            return f"{100 * value:.1f} %"
        case "seconds":
            if value >= 10 or value == 0:
                return f"{value:.0f} s"
            return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"
        case "usd":
            if value >= 1 or value == 0:
                return f"${value:,.2f}"
            return f"${value:.4f}" if value >= 0.0001 else f"${value:.2g}"
        case "score":
            return f"{value:.2f}"
        case _:
            return f"{value:,.0f}"
