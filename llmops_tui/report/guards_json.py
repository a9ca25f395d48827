"""The JSON shapes of guardrails in live traffic. Keys are only ever added; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain.live.guards import (
    Estimate,
    GuardFigures,
    GuardItem,
    GuardReview,
    GuardTrial,
    ThresholdCurve,
)
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.report.live_json import filter_json

Json = dict[str, Any]


def guards_json(figures: Sequence[GuardFigures], trials: Sequence[GuardTrial], wanted: LiveFilter) -> Json:
    return {
        "since": wanted.since,
        "until": wanted.until,
        "filter": filter_json(wanted),
        "guardrails": [_figures(each) for each in figures],
        "evaluations": [msgspec.to_builtins(trial) for trial in trials],
    }


def _figures(f: GuardFigures) -> Json:
    return {
        "name": f.name,
        "looked": f.looked,
        "fired": f.fired,
        "failed": f.failed,
        "failure": f.failure,
        "rate": estimate_json(f.rate),
        "precision": estimate_json(f.precision),
        "recall": estimate_json(f.recall),
        "false_alarms": estimate_json(f.false_alarms),
        "latency_p50_s": f.latency_p50_s,
        "latency_p95_s": f.latency_p95_s,
        "cost_usd": f.cost_usd,
        "thresholds": list(f.thresholds),
        "tunable": f.tunable,
        "queues": {"firings": f.waiting, "sample": f.unseen, "suspected": f.suspected},
        "notes": list(f.notes),
        "versions": [
            {
                "config": v.config,
                "version": v.version,
                "looked": v.looked,
                "fired": v.fired,
                "rate": estimate_json(v.rate),
            }
            for v in f.versions
        ],
        "buckets": [{"at": b.at, "looked": b.looked, "fired": b.fired} for b in f.buckets],
    }


def estimate_json(estimate: Estimate) -> Json:
    return {
        "value": estimate.value,
        "interval": [estimate.low, estimate.high],
        "n": estimate.n,
    }


def items_json(guardrail: str, queue: str, items: Sequence[GuardItem], total: int = 0) -> Json:
    """`count`: how many there are, of which these are the first."""
    count = max(total, len(items))
    return {"guardrail": guardrail, "queue": queue, "count": count, "items": [_item(item) for item in items]}


def _item(item: GuardItem) -> Json:
    row = item.row
    return {
        "trace_id": row.trace_id,
        "at": row.at,
        "config": row.series.config,
        "version": row.series.version,
        "stage": row.stage,
        "triggered": row.triggered,
        "action": row.action,
        "score": row.score,
        "threshold": row.threshold,
        "reason": row.reason,
        "evidence": row.evidence,
        "input": row.input,
        "failed": row.failed,
        "looked_at": list(item.texts),
        "drawn": row.drawn,
        "why": list(item.why),
        "review": None if item.review is None else review_json(item.review),
    }


def review_json(review: GuardReview) -> Json:
    return {
        "trace_id": review.trace_id,
        "guardrail": review.guardrail,
        "triggered": review.triggered,
        "right": review.right,
        "drawn": review.drawn,
        "by": review.by,
        "reviewed_at": review.reviewed_at,
    }


def curve_json(curve: ThresholdCurve) -> Json:
    return {
        "guardrail": curve.guardrail,
        "current": curve.current,
        "others": list(curve.others),
        "reviewed": curve.reviewed,
        "problem": curve.problem,
        "points": [
            {
                "threshold": p.threshold,
                "rate": p.rate,
                "precision": estimate_json(p.precision),
                "recall": estimate_json(p.recall),
                "false_alarms": estimate_json(p.false_alarms),
            }
            for p in curve.points
        ],
    }
