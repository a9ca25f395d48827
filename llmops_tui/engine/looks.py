"""The looks of an adjudication: which one it is, whether the next may and can help, and what it showed."""

from __future__ import annotations

from llmops_tui.domain.format import money
from llmops_tui.domain.gate.result import GateResult, LookResult, RuleResult
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.statistics.sequential import FACTORS
from llmops_tui.engine.events import Estimate


def look_of(factor: int) -> int:
    """Which look of an adjudication `factor` times the planned trials is."""
    return sum(f <= factor for f in FACTORS) or 1


def over_budget(
    settings: GateSettings, price: Estimate, calls: int = 0, cost_usd: float | None = 0.0
) -> str | None:
    """Why `gate.budget` does not allow to ask what is missing, as a clause, or None.

    Args:
        calls, cost_usd: spent by this gate already.
    """
    budget = settings.budget
    if price.requests == 0:
        return None
    if budget.calls is not None and calls + price.requests > budget.calls:
        return (
            f"it takes up to {price.requests:,} calls{f' after {calls:,}' if calls else ''}, "
            f"and gate.budget.calls is {budget.calls:,}"
        )
    if budget.usd is not None:
        if price.cost_usd is None or cost_usd is None:
            return "the price is not known, and gate.budget.usd sets a limit"
        if cost_usd + price.cost_usd > budget.usd:
            return (
                f"it takes about {money(price.cost_usd)}{f' after {money(cost_usd)}' if cost_usd else ''}, "
                f"and gate.budget.usd is {money(budget.usd)}"
            )
    return None


def pointless(result: GateResult) -> str:
    """Why more trials can't help; empty where they can."""
    if result.verdict != "inconclusive":
        return ""
    if result.errors_decided or result.decided_by == "missing":
        return "more trials were not asked: results are missing, and that comes first"
    if result.settings.estimand == "population":
        return (
            "more trials were not asked: with estimand: population the spread between cases counts, "
            "and only more cases reduce it"
        )
    if result.by_fact:
        return "more trials were not asked: the answers repeat themselves exactly"
    if not result.decided_by:
        return "more trials were not asked: nothing is judged"
    return ""


def look_at(result: GateResult, look: int, calls: int, cost_usd: float | None) -> LookResult:
    rule = _deciding(result)
    return LookResult(
        look=look,
        trials=round(result.trials),
        verdict=result.verdict,
        drop=rule.observed if rule is not None else None,
        interval=rule.interval if rule is not None else None,
        p_value=rule.p_adjusted if rule is not None else None,
        alpha=(rule.alpha if rule is not None else None) or result.settings.alpha,
        spent_calls=calls,
        cost_usd=cost_usd,
    )


def _deciding(result: GateResult) -> RuleResult | None:
    named = [r for r in result.rules if r.rule == result.decided_by and r.p_value is not None]
    return next(iter(named or [r for r in result.rules if r.kind in ("pass_rate", "score")]), None)
