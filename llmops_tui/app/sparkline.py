"""Values as bars on one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Values as bars, the newest at the right; a dot where there is none."""
    shown = values[-width:] if width > 0 else []
    known = [v for v in shown if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    span = high - low
    return "".join(
        "·" if v is None else _BARS[round((v - low) / span * 7)] if span > 1e-9 else _BARS[3] for v in shown
    )
