"""One figure over a window: value, interval, points, the window before, and whether it is plainly worse."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.metrics import (
    METRICS,
    Metric,
    interval,
    is_testable,
    measure,
)
from llmops_tui.domain.live.overview import Figure, Point, Status
from llmops_tui.domain.live.tally import Tally
from llmops_tui.monitoring.windows import Window

#: Two intervals of this confidence that don't meet are no chance: of thousands of looks, hardly one errs.
PLAIN = 0.999
#: Observations on either side below which nothing is called plainly worse.
LEAST = 30


def figure(name: str, window: Window) -> Figure:
    """A metric over a window.

    Raises:
        KeyError: there is no such metric.
    """
    metric = METRICS[name.partition(".")[0]]
    found = measure(name, window.total)
    between = interval(name, window.total)
    made = Figure(
        name,
        title_of(metric, name),
        metric.unit,
        metric.worse,
        found.value,
        found.n,
        low=between[0] if between else None,
        high=between[1] if between else None,
        before=None if window.before is None else measure(name, window.before).value,
        points=tuple(_point(name, start, window.buckets.get(start)) for start in window.starts),
    )
    status, why = judged(made, metric, window)
    return msgspec.structs.replace(made, status=status, why=why)


def title_of(metric: Metric, name: str) -> str:
    """`faithfulness score`, `search step p95`, `refusals`."""
    part = name.partition(".")[2]
    return f"{part} {metric.title}" if part else metric.title


def _point(name: str, start: int, tally: Tally | None) -> Point:
    if tally is None:
        return Point(start, None, 0)
    found = measure(name, tally)
    return Point(start, found.value, found.n)


def judged(made: Figure, metric: Metric, window: Window) -> tuple[Status, str]:
    """What can be said of it without a rule: nothing is known of it, or it is plainly worse than before."""
    if made.value is None:
        return "unknown", "nothing to tell it from came in this window"
    if made.before is None or window.before is None or not metric.worse or not is_testable(made.metric):
        return "ok", ""
    if not is_plainly_worse(made.metric, window.total, window.before):
        return "ok", ""
    was, now = unit_text(made.before, made.unit), unit_text(made.value, made.unit)
    return "warning", f"{made.title} went {metric.worse} from {was} to {now}, which is more than chance"


def is_plainly_worse(name: str, now: Tally, before: Tally) -> bool:
    """Intervals of now and before don't meet, and what came now is the worse one."""
    mine, theirs = interval(name, now, PLAIN), interval(name, before, PLAIN)
    if mine is None or theirs is None or min(measure(name, now).n, measure(name, before).n) < LEAST:
        return False
    falling = METRICS[name.partition(".")[0]].worse == "down"
    return mine[1] < theirs[0] if falling else mine[0] > theirs[1]
