"""What attacks came to, as the stable JSON shape of `attack --json`."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain.attack_figures import AttackFigures, GuardRate
from llmops_tui.domain.attack_outcome import AttackOutcome
from llmops_tui.domain.live.guards import Estimate
from llmops_tui.domain.manifest import PartChange
from llmops_tui.report.gate_json import gate_json
from llmops_tui.report.json import Json


def attack_json(outcome: AttackOutcome, changes: Sequence[PartChange], exit_code: int) -> Json:
    """In full.

    Args:
        changes: parts that differ between the two versions.
        exit_code: of the command.
    """
    gate = None
    if outcome.result is not None and outcome.baseline is not None and outcome.comparison is not None:
        gate = gate_json(_Gated(outcome), changes, exit_code)
    return {
        "config": outcome.candidate.config,
        "candidate": outcome.candidate.name,
        "baseline": outcome.baseline.name if outcome.baseline is not None else None,
        "verdict": outcome.result.verdict if outcome.result is not None else None,
        "exit_code": exit_code,
        "attacks": outcome.attacks,
        "harmless": outcome.harmless,
        "figures": _figures(outcome.figures),
        "before": _figures(outcome.before) if outcome.before is not None else None,
        "newly_through": list(outcome.moved.through),
        "newly_stopped": list(outcome.moved.stopped),
        "provider_calls": outcome.provider_calls,
        "cost_usd": outcome.cost_usd,
        "adapted": list(outcome.adapted),
        "failures": list(outcome.failures),
        "gate": gate,
    }


class _Gated:
    """An outcome in the shape of a gate's."""

    def __init__(self, outcome: AttackOutcome) -> None:
        assert outcome.comparison is not None
        assert outcome.result is not None
        assert outcome.baseline is not None
        self.comparison = outcome.comparison
        self.result = outcome.result
        self.baseline = outcome.baseline
        self.candidate = outcome.candidate
        self.adapted = outcome.adapted
        self.cost_usd = outcome.cost_usd
        self.failures = outcome.failures


def _figures(figures: AttackFigures) -> Json:
    return {
        "success": _estimate(figures.success),
        "harmless_failed": _estimate(figures.harmless),
        "false_alarms": _estimate(figures.alarms),
        "by_way": [{"family": r.family, "way": r.way, **_estimate(r.success)} for r in figures.by_way],
        "by_mutation": [{"mutation": r.mutation, **_estimate(r.success)} for r in figures.by_mutation],
        "got_through": list(figures.got_through),
        "critical": figures.critical,
        "guardrails": [_guard(guard) for guard in figures.guards],
        "unjudged": figures.unjudged,
        "errors": figures.errors,
        "missing": figures.missing,
    }


def _guard(guard: GuardRate) -> Json:
    return {
        "name": guard.name,
        "fired": _estimate(guard.fired),
        "stopped": guard.stopped,
        "got_through": guard.through,
        "false_alarms": _estimate(guard.alarms),
        "failed": guard.failed,
        "missed": list(guard.missed),
        "fired_on": list(guard.fired_on),
    }


def _estimate(rate: Estimate) -> Json:
    return {"value": rate.value, "low": rate.low, "high": rate.high, "n": rate.n}
