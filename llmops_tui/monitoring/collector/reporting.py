"""A line about what comes in, once a minute at most and only where something came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmops_tui.domain import format as fmt
from llmops_tui.monitoring.collector.figures import Figures
from llmops_tui.monitoring.collector.telling import Say
from llmops_tui.monitoring.pausing import pause

EVERY_S = 60.0


class Report:
    """A task beside the receiver: `12.5 spans/s · 45,678 spans kept · 2 alerts`.

    Args:
        alerts: how many are firing.
    """

    name = "the report"

    def __init__(
        self, figures: Figures, say: Say, alerts: Callable[[], int] = lambda: 0, every_s: float = EVERY_S
    ) -> None:
        self._figures = figures
        self._say = say
        self._alerts = alerts
        self._every_s = every_s

    async def run(self, stop: asyncio.Event) -> None:
        before = self._figures.spans
        while not stop.is_set():
            await pause(self._every_s, stop)
            now = self._figures.spans
            if now > before and not stop.is_set():
                self._say(line(self._figures, (now - before) / self._every_s, self._alerts()))
            before = now


def line(figures: Figures, spans_per_s: float, alerts: int) -> str:
    parts = [f"{spans_per_s:,.1f} spans/s", f"{fmt.plural(figures.spans, 'span')} kept"]
    if figures.signals:
        parts.append(fmt.plural(figures.signals, "signal"))
    if figures.aside:
        parts.append(f"{fmt.count(figures.aside)} set aside")
    if alerts:
        parts.append(fmt.plural(alerts, "alert"))
    return " · ".join(parts)
