"""Canaries as text and JSON."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.canary import CanaryResult
from llmops_tui.domain.safe_text import clean_line


def canary_line(result: CanaryResult) -> str:
    run = result.run
    return clean_line(f"{fmt.moment(run.at)}  {run.config} {run.version}  {result.state}: {result.sentence}")


def canary_json(result: CanaryResult) -> dict[str, Any]:
    run = result.run
    return {
        "config": run.config,
        "version": run.version,
        "at": run.at,
        "state": result.state,
        "sentence": result.sentence,
        "look": result.look,
        "since": result.since,
        "mean_before": result.before,
        "mean_now": result.after,
        "rows": result.rows,
        "answers_that_differ": result.differ,
        "p": result.p,
        "served": run.served,
        "missing": run.missing,
        "cost_usd": run.cost_usd,
    }
