"""Words that the rules share."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt

#: Names that are listed before the rest is counted.
SHOWN = 3


def names(found: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    rest = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {fmt.count(rest)} more" if rest > 0 else "")


def share(part: int, whole: int) -> str:
    """`93 of 100 (93%)`; a share that is not whole is never said to be."""
    if not whole:
        return "0 of 0"
    percent = part / whole * 100
    # 99.6 % is not all of them, and 0.4 % is not none.
    figure = f"{min(max(round(percent), 1), 99)}%" if 0 < part < whole else f"{percent:.0f}%"
    return f"{fmt.count(part)} of {fmt.count(whole)} ({figure})"


def ago(then: float | None, now: float) -> str:
    """`3 days ago`, as it is said in a sentence; a moment that is yet to come is now."""
    return "never" if then is None else fmt.ago(min(then, now), now)


def days(seconds: float) -> str:
    """`7 days`, `1 day`, `6 h`."""
    whole = seconds / 86_400
    return fmt.plural(round(whole), "day") if whole >= 1 else fmt.seconds(seconds)
