"""Guardrails as rows of a list. Pure."""

from __future__ import annotations

import msgspec

from llmops_tui.app.guard_figures import (
    estimate_spans,
    interval_text,
    rate_decimals,
    share_text,
    to_review,
)
from llmops_tui.app.lines import Line, Span, left, pad_line, right, shown_line
from llmops_tui.app.live_figures import values_of
from llmops_tui.app.sparkline import sparkline
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import GuardFigures
from llmops_tui.domain.live.overview import Figure, Point

_FIRED, _RATE, _ESTIMATE, _N = 8, 8, 15, 8
#: Further columns with their cells, in the order in which they are shown where there is room.
_EXTRA = (("review", 9), ("p95", 9), ("trend", 14), ("interval", 12), ("n", 2 * _N), ("looked", 9))
_MORE = (("cost", 9), ("failed", 9))
_LEAST_NAME, _MOST_NAME, _MOST_TREND = 14, 30, 26


class Columns(msgspec.Struct, frozen=True):
    """Cells of each column; 0: left out. with_n: how many were reviewed is told."""

    name: int
    review: int = 0
    p95: int = 0
    trend: int = 0
    interval: int = 0
    looked: int = 0
    cost: int = 0
    failed: int = 0
    with_n: bool = False

    @property
    def estimate(self) -> int:
        return _ESTIMATE + (_N if self.with_n else 0)


def columns(width: int) -> Columns:
    """What fits into a width."""
    room = width - _LEAST_NAME - _FIRED - _RATE - 2 * _ESTIMATE
    taken: dict[str, int] = {}
    for column, cells in (*_EXTRA, *_MORE):
        if room < cells:
            break
        taken[column] = cells
        room -= cells
    with_n = bool(taken.pop("n", 0))
    room = max(room, 0)
    name = min(_LEAST_NAME + room, _MOST_NAME) if "trend" not in taken else _LEAST_NAME + min(room // 2, 8)
    room -= name - _LEAST_NAME
    if "trend" in taken:
        taken["trend"] = min(taken["trend"] + max(room, 0), _MOST_TREND)
    return Columns(name, with_n=with_n, **taken)


def heading(c: Columns) -> Line:
    text = left("   guardrail", c.name) + right("looked at", c.looked) + right("fired", _FIRED)
    text += right("rate", _RATE) + left("  95 %", c.interval) + left("  trend", c.trend)
    text += left("  precision", c.estimate) + left("  recall", c.estimate)
    text += right("failed", c.failed) + right("p95", c.p95) + right("cost", c.cost)
    return ((text + right("review", c.review), "dim"),)


def guard_row(g: GuardFigures, c: Columns) -> Line:
    """`  injection   148  1.2%  1.0–1.4%  ▁▂▃  92% 81–97% n 36  71% 40–90% n 50  0.9 ms  39`."""
    decimals = rate_decimals(g.rate)
    waits = to_review(g)
    looked = g.looked > 0
    spans: list[Span] = [
        (" ! " if g.failed else "   ", "warning"),
        (left(shown_line(g.name), c.name - 4) + " ", "bold"),
        (right(fmt.count(g.looked), c.looked), "dim"),
        (right(fmt.count(g.fired) if looked else fmt.NONE, _FIRED), ""),
        (right(share_text(g.rate.value, decimals) if looked else fmt.NONE, _RATE), "bold"),
        (left(f"  {interval_text(g.rate, decimals)}", c.interval), "dim"),
    ]
    if c.trend:
        values = values_of(rate_figure(g), c.trend - 3)
        spans.append((left(f"  {sparkline(values, c.trend - 3)}", c.trend), "accent"))
    if looked:
        for estimate in (g.precision, g.recall):
            spans += pad_line((("  ", ""), *estimate_spans(estimate, with_n=c.with_n)), c.estimate)
    else:
        spans.append((left("  has not looked yet", 2 * c.estimate), "dim"))
    failed = fmt.count(g.failed)
    spans += [
        (right(failed, c.failed), "warning" if g.failed else "dim"),
        (right(fmt.latency(g.latency_p95_s), c.p95), ""),
        (right(fmt.money(g.cost_usd) if looked else fmt.NONE, c.cost), "dim"),
        (right(fmt.count(waits) if waits else "", c.review), "accent"),
    ]
    return tuple(spans)


def rate_figure(g: GuardFigures) -> Figure:
    """The share of requests in which it fired, over time, as plots take it."""
    points = tuple(Point(b.at, b.fired / b.looked if b.looked else None, b.looked) for b in g.buckets)
    return Figure("guard_rate", g.name, "share", "", g.rate.value, g.looked, points=points)
