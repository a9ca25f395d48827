"""The JSON shape of a rollout. Keys are only ever added."""

from __future__ import annotations

import math
from typing import Any

from llmops_tui.domain.live.rollout_view import Compared, RolloutView

Json = dict[str, Any]


def rollout_json(view: RolloutView) -> Json:
    return {
        "verdict": view.verdict,
        "exit_code": view.exit_code,
        "sentence": view.sentence,
        "config": view.config,
        "old": {
            "version": view.old,
            "since": view.old_since,
            "until": view.old_until,
            "requests": view.n_old,
        },
        "new": {"version": view.new, "since": view.since, "until": view.until, "requests": view.n_new},
        "kind": view.kind,
        "by": view.by,
        "metrics": {each.result.metric: _figure(each) for each in view.figures},
        "notes": list(view.notes),
    }


def _figure(each: Compared) -> Json:
    r = each.result
    return {
        "verdict": r.verdict,
        "about": each.about,
        "unit": each.unit,
        "old": each.old,
        "new": each.new,
        "n_old": r.n_old,
        "n_new": r.n_new,
        "delta": r.delta,
        "interval": [r.low if math.isfinite(r.low) else None, r.high if math.isfinite(r.high) else None],
        "p_drop": r.p_drop,
        "p_adjusted": r.p_adjusted,
        "max_drop": r.max_drop,
        "more_requests": each.more,
    }
