"""Made-up live traffic: an overview with something wrong in it, plots, requests, a trace."""

from __future__ import annotations

import math
from typing import Any

from made_up import NOW
from made_up_traces import after

from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.metrics import GROUPS, METRICS
from llmops_tui.domain.live.overview import (
    Dimension,
    Figure,
    FiringAlert,
    GroupView,
    Line,
    Overview,
    Plot,
    Point,
)
from llmops_tui.domain.live.request import Request
from llmops_tui.domain.live.rollout_view import Compared, RolloutView
from llmops_tui.domain.live.statistics.rollout import Rollout
from llmops_tui.domain.playground import NewCase
from llmops_tui.engine.live_events import LiveDraft
from llmops_tui.engine.live_traces import view_of_live
from llmops_tui.engine.trace_events import TraceView

#: Group → headline, its value, the one before, the status, why, and further figures.
HEADLINES: dict[str, tuple[str, float, float, str, str, tuple[tuple[str, float], ...]]] = {
    "quality": (
        *("pass_rate", 0.871, 0.942, "warning", "pass rate fell by 7.1 points since v12"),
        (("score.faithfulness", 0.81), ("score.relevance", 0.9), ("hallucination_rate", 0.042)),
    ),
    "cost": ("cost_per_request", 0.0042, 0.0041, "ok", "", (("cost", 52.4), ("tokens", 5_234_567.0))),
    "latency": (
        *("latency_p95", 8.1, 2.4, "critical", "p95 is above 5 s, the limit of slow-answers"),
        (("latency_p50", 1.9), ("latency_p99", 14.2), ("ttft_p95", 1.1), ("step_p95.search", 0.4)),
    ),
    "safety": ("guardrail_rate", 0.012, 0.012, "ok", "", (("refusal_rate", 0.004),)),
    "signals": ("complaint_rate", 0.021, 0.034, "ok", "", (("thumbs_down_rate", 0.11),)),
    "errors": ("error_rate", 0.006, 0.005, "ok", "", (("error.openai · timeout", 0.004),)),
}


def points(value: float, n: int = 96, wave: float = 0.2) -> tuple[Point, ...]:
    return tuple(
        Point(NOW - (n - k) * 900, max(value * (1 + wave * math.sin(k / 5)), 0.0), 130) for k in range(n)
    )


def figure(name: str, value: float | None, before: float | None = None, **how: Any) -> Figure:
    """A figure as `monitoring.figures` makes them."""
    metric = METRICS[name.partition(".")[0]]
    part = name.partition(".")[2]
    title = f"{metric.title} {part}".strip()
    drawn = () if value is None else points(value)
    given = {"points": drawn, **how}
    return Figure(name, title, metric.unit, metric.worse, value, 12_345, before=before, **given)


def group(name: Any) -> GroupView:
    metric, value, before, status, why, others = HEADLINES[name]
    close = (value * 0.9, value * 1.1) if name in ("cost", "errors") else (None, None)
    headline = figure(metric, value, before, low=close[0], high=close[1], status=status, why=why)
    return GroupView(name, headline, tuple(figure(n, v) for n, v in others), status)  # type: ignore[arg-type]


def alert(rule: str = "slow-answers", **how: Any) -> FiringAlert:
    given = {
        "metric": "latency_p95",
        "severity": "critical",
        "since": NOW - 720,
        "until": None,
        "sentence": "p95 of latency is 8.1 s over the last 15 min; the limit is 5 s",
        "filter": LiveFilter(since=NOW - 900, until=NOW, feature="refunds"),
        **how,
    }
    return FiringAlert(rule, **given)


def overview(**how: Any) -> Overview:
    given: dict[str, Any] = {
        "filter": LiveFilter(),
        "resolution_s": 900,
        "groups": tuple(group(name) for name in GROUPS),
        "traffic": (
            figure("spans", 52_100.0, 50_000.0),
            figure("traces", 13_000.0, 12_600.0),
            figure("requests", 12_345.0, 11_985.0),
        ),
        "alerts": (alert(),),
        "newest_at": NOW - 12,
        "dropped": 3,
        **how,
    }
    return Overview(**given)


def empty_window() -> Overview:
    """There has been traffic, and none in this window."""
    groups = tuple(
        GroupView(name, figure(HEADLINES[name][0], None, status="unknown"), (), "unknown") for name in GROUPS
    )
    none = tuple(figure(name, 0.0) for name in ("spans", "traces", "requests"))
    return overview(groups=groups, traffic=none, alerts=(), newest_at=NOW - 3 * 86_400, dropped=0)


def plot(metric: str, by: Dimension | None) -> Plot:
    if by is None:
        return Plot(metric, by, 900, (Line("", figure(metric, 0.5)),))
    lines = (("v12", 0.87, 0.03), ("v11", 0.94, 0.02))
    return Plot(
        metric, by, 900, tuple(Line(n, figure(metric, v, points=points(v, wave=w))) for n, v, w in lines)
    )


def request(number: int, **how: Any) -> LiveRequest:
    """The n-th newest one."""
    start = NOW - 10 * number
    given: dict[str, Any] = {
        "has_root": True,
        "is_request": True,
        "feature": ("refunds", "orders", "search")[number % 3],
        "version": ("v12", "v11")[number % 2],
        "config": "helpdesk",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "user": f"u{number}",
        "calls": 1,
        "priced": 1,
        "cost_usd": 0.0042 + number / 1e5,
        "input": f"How many days do I have to ask for a refund? ({number})",
        "scores": {"faithfulness": (0.9, True)},
        **how,
    }
    return LiveRequest(1_000 - number, Request(f"{number:032x}", start, start + 1.5 + number / 10, **given))


def requests(n: int = 60) -> tuple[LiveRequest, ...]:
    """Newest first; the 4th failed, the 7th got a thumb down, the 9th was flagged."""
    rows = [request(k) for k in range(n)]
    for at, how in (
        (4, {"failed": True, "error": "openai · timeout", "scores": {}}),
        (7, {"signals": [("thumb", 0.0, True), ("copy", 1.0, False)]}),
        (9, {"guardrails": {"pii": (1, 1)}}),
    ):
        if at < n:
            rows[at] = request(at, **how)
    return tuple(rows)


def rollout(old: str = "v11", new: str = "v12") -> RolloutView:
    result = Rollout(
        *("pass_rate", 685, 486, 0.94, 0.87, -0.07, -0.11, -0.03),
        *(0.0004, 0.05, "fail", 0.0008),
    )
    about = "share of judged requests that passed every scorer"
    figure = Compared(result, "pass rate", "share", 0.94, 0.87, about)
    times = (NOW - 43_200, NOW, NOW - 86_400, NOW - 43_200)
    sentence = "Stop: the pass rate has fallen by 7.0 points, and chance alone does not do that."
    return RolloutView(
        *("helpdesk", old, new, "after", *times, 685, 486, "user", (figure,), "fail", sentence),
        notes=("The versions answered one after the other: what else has changed since is in it.",),
    )


def draft() -> LiveDraft:
    new = NewCase("how-many-days", {"question": "How many days?"}, tags=("live", "refunds"))
    files = ("evals/live.yaml", "evals/helpdesk.yaml")
    return LiveDraft(
        "helpdesk", new, "You have [60] days.", files, ("refund-window: How many days do I have?",)
    )


def trace() -> TraceView:
    """A trace with two scores and a signal."""
    scores = [
        LiveScore("", "faithfulness", 0.25, False, "the answer names 60 days; the context says 30", at=NOW),
        LiveScore("", "language", None, None, error="the judge did not answer"),
    ]
    return view_of_live(after(), scores, [Signal("s1", "thumb", 0.0, NOW + 60, comment="wrong [bold]number")])
