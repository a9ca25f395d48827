"""Figures of live traffic as people read them."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.metrics import Unit


def unit_text(value: float | None, unit: Unit) -> str:
    """`4.2%`, `1.3 s`, `$0.0021`, `0.87`, `1,204`; a dash where there is none."""
    match unit:
        case "share":
            return fmt.percent(value)
        case "seconds":
            return fmt.seconds(value)
        case "usd":
            return fmt.money(value)
        case "score":
            return fmt.score(value)
        case _:
            return fmt.NONE if value is None else fmt.count(round(value))


def noun(nouns: str, value: float | None) -> str:
    """What a count is of: `requests`, and `request` of one."""
    return nouns.removesuffix("s") if value == 1 else nouns
