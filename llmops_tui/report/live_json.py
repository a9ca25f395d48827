"""The JSON shapes of live traffic. Keys are only ever added; times are Unix seconds, money is USD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.overview import Figure, FiringAlert, Overview, Plot

Json = dict[str, Any]


def overview_json(view: Overview, extra: Sequence[Figure] = ()) -> Json:
    """All of a window.

    Args:
        extra: figures that were asked for by name and are not among the six.
    """
    figures = [f for group in view.groups for f in (group.headline, *group.others)]
    counts = {f.metric: int(f.value or 0) for f in view.traffic}
    return {
        **counts,
        "since": view.filter.since,
        "until": view.filter.until,
        "filter": filter_json(view.filter),
        "resolution_s": view.resolution_s,
        "newest_at": view.newest_at,
        "asides": view.dropped,
        "status": {group.group: group.status for group in view.groups},
        "metrics": {f.metric: figure_json(f) for f in (*figures, *extra)},
        "alerts": [alert_json(alert) for alert in view.alerts],
    }


def filter_json(wanted: LiveFilter) -> Json:
    """What a filter asks for, without its window and what it leaves open."""
    names = ("config", "version", "feature", "model", "provider", "user", "session", "only", "error")
    return {name: value for name in names if (value := getattr(wanted, name))}


def figure_json(figure: Figure, *, points: bool = False) -> Json:
    made: Json = {
        "value": figure.value,
        "n": figure.n,
        "interval": None if figure.low is None else [figure.low, figure.high],
        "before": figure.before,
        "unit": figure.unit,
        "status": figure.status,
        "why": figure.why,
    }
    if points:
        made["points"] = [{"at": p.at, "value": p.value, "n": p.n} for p in figure.points]
    return made


def plots_json(plots: Sequence[Plot]) -> Json:
    """Metrics by a dimension: value → metric → figure with its points."""
    first = plots[0]
    return {
        "by": first.by,
        "resolution_s": first.resolution_s,
        "lines": [
            {
                "name": line.name,
                "metrics": {p.metric: figure_json(p.lines[at].figure, points=True) for p in plots},
            }
            for at, line in enumerate(first.lines)
        ],
    }


def alert_json(alert: FiringAlert) -> Json:
    return {
        "rule": alert.rule,
        "metric": alert.metric,
        "severity": alert.severity,
        "since": alert.since,
        "until": alert.until,
        "sentence": alert.sentence,
        "filter": {"since": alert.filter.since, "until": alert.filter.until, **filter_json(alert.filter)},
    }


def request_json(listed: LiveRequest) -> Json:
    r = listed.request
    return {
        "trace_id": r.trace_id,
        "at": r.start,
        "name": r.name,
        "config": r.config,
        "version": r.version,
        "feature": r.feature,
        "user": r.user,
        "session": r.session,
        "model": r.model,
        "provider": r.provider,
        "latency_s": r.latency_s,
        "ttft_s": r.ttft_s,
        "input_tokens": r.input_tokens,
        "output_tokens": r.output_tokens,
        "cost_usd": r.cost_usd if r.priced else None,
        "failed": r.failed,
        "error": r.error,
        "refused": r.refused,
        "flagged": r.flagged,
        "score": r.score,
        "scores": {name: {"value": v, "passed": p} for name, (v, p) in r.scores.items()},
        "signals": [{"kind": kind, "value": value, "bad": bad} for kind, value, bad in r.signals],
        "input": r.input,
        "output": r.output,
    }


def verdicts_json(scores: Sequence[LiveScore], signals: Sequence[Signal]) -> Json:
    """What scorers and users said of a request."""
    return {
        "scores": [
            {
                "scorer": s.scorer,
                "value": s.value,
                "passed": s.passed,
                "reason": s.reason,
                "error": s.error,
                "at": s.at,
                "source": s.source,
                "cost_usd": s.cost_usd,
            }
            for s in scores
        ],
        "signals": [
            {
                "id": s.id,
                "kind": s.kind,
                "value": s.value,
                "at": s.at,
                "user": s.user,
                "session": s.session,
                "feature": s.feature,
                "comment": s.comment,
                "edited": s.edited,
                "bad": s.is_bad,
            }
            for s in signals
        ],
    }
