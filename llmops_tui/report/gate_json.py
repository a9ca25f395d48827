"""The verdict of a gate as the stable JSON shape of `gate --json`; `docs/json.md` describes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llmops_tui.domain.errors import Problem
from llmops_tui.domain.gate.result import FlakyResult, FlipResult, GateResult, LookResult, RuleResult
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.review import PairKey
from llmops_tui.domain.statistics.assess import Evidence
from llmops_tui.report.json import Json, error_json
from llmops_tui.report.shapes import Gated


def gate_json(gated: Gated, changes: Sequence[PartChange], exit_code: int) -> Json:
    """One gate in full.

    Args:
        exit_code: of the command; differs from the verdict's own where the gate was cut short.
    """
    result = gated.result
    return {
        "config": gated.candidate.config,
        "baseline": gated.baseline.name,
        "candidate": gated.candidate.name,
        "baseline_hash": gated.baseline.hash,
        "candidate_hash": gated.candidate.hash,
        "changed_parts": [c.label for c in changes],
        "verdict": result.verdict,
        "exit_code": exit_code,
        "headline": result.headline,
        "decided_by": result.decided_by or None,
        "reasons": list(result.reasons),
        "rules": [_rule(rule) for rule in result.rules],
        "flips": [_flip(flip) for flip in result.flips],
        "flaky": [_flaky(found) for found in result.flaky],
        "accepted": [_row(key) for key in result.accepted],
        **_counts(result),
        "cost_usd": gated.cost_usd,
        "exploratory": result.exploratory,
        "by_fact": result.by_fact,
        "looks": [_look(look) for look in result.looks],
        "adapted": list(gated.adapted),
        "failures": list(gated.failures),
    }


def refused_json(config: str, problems: Sequence[Problem], exit_code: int) -> Json:
    """A configuration among several whose gate could not be held."""
    return {"config": config, "verdict": None, "exit_code": exit_code, **error_json(problems, exit_code)}


def _counts(result: GateResult) -> Json:
    return {
        "rows": result.rows,
        "clusters": result.clusters,
        "trials": result.trials,
        "trials_spent": result.trials_spent,
        "provider_calls": result.provider_calls,
    }


def _rule(rule: RuleResult) -> Json:
    return {
        "rule": rule.rule,
        "kind": rule.kind,
        "limit": _finite(rule.limit),
        "limit_is_auto": rule.limit_is_auto,
        "observed": _finite(rule.observed),
        "interval": _interval(rule.interval),
        "ok": rule.ok,
        "judged": rule.judged,
        "by_fact": rule.by_fact,
        "p_value": rule.p_value,
        "p_adjusted": rule.p_adjusted,
        "alpha": rule.alpha,
        "why": rule.why,
        "cases": [_row(key) for key in rule.cases],
        "would_decide": rule.would_decide,
        "evidence": _evidence(rule.evidence) if rule.evidence is not None else None,
    }


def _evidence(found: Evidence) -> Json:
    return {
        "rows": found.rows,
        "clusters": found.clusters,
        "trials": found.trials,
        "baseline_mean": found.baseline,
        "candidate_mean": found.candidate,
        "delta": found.delta,
        "lost": found.lost,
        "won": found.won,
        "p_drop": None if found.by_fact else found.p_drop,
        "p_rise": None if found.by_fact else found.p_rise,
        "test": found.test,
        "interval_method": found.interval,
    }


def _flip(flip: FlipResult) -> Json:
    return {
        "id": flip.case_id,
        "model": flip.model,
        "flip": flip.direction,
        "baseline_share": flip.shares[0],
        "candidate_share": flip.shares[1],
        "critical": flip.critical,
        "is_flaky": flip.flaky,
        "decision": flip.decision or None,
        "known_failing": flip.known_failing,
    }


def _flaky(found: FlakyResult) -> Json:
    return {
        "id": found.case_id,
        "model": found.model,
        "baseline_passed": found.passed[0],
        "candidate_passed": found.passed[1],
        "baseline_trials": found.trials[0],
        "candidate_trials": found.trials[1],
    }


def _look(look: LookResult) -> Json:
    return {
        "look": look.look,
        "trials": look.trials,
        "verdict": look.verdict,
        "drop": look.drop,
        "interval": _interval(look.interval),
        "p_value": look.p_value,
        "alpha": look.alpha,
        "provider_calls": look.spent_calls,
        "cost_usd": look.cost_usd,
    }


def _row(key: PairKey) -> Json:
    return {"id": key[0], "model": key[1]}


def _interval(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else [_finite(end) for end in interval]


def _finite(value: float) -> Any:
    """Beyond all bounds (a cost that was nothing before) is null: JSON has no infinity."""
    return value if math.isfinite(value) else None
