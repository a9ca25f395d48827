"""What live traffic and its reviews tell of guardrails: the one place at which the ladder asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llmops_tui.domain.ladder.facts import Guard
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.store.live.rollups import HOUR

if TYPE_CHECKING:
    from llmops_tui.store.live import LiveStore


def guards_in_traffic(
    live: LiveStore, since: float, now: float, concerns: Callable[[str], bool]
) -> tuple[tuple[Guard, ...], float | None]:
    """Each guardrail that looked at a live request, and when one was last reviewed (Unix seconds).

    Args:
        since: Unix seconds: requests from then on count.
        concerns: whether requests of a configuration count.
    """
    sums: dict[str, tuple[int, int]] = {}
    for _at, series, tally in live.tallies(LiveFilter(since, now + 1.0), HOUR, ("config",)):
        for name, (looked, fired) in tally.guardrails.items() if concerns(series.config) else ():
            was = sums.get(name, (0, 0))
            sums[name] = (was[0] + looked, was[1] + fired)
    return tuple(Guard(name, looked, fired) for name, (looked, fired) in sorted(sums.items())), None
