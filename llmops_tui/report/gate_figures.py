"""The numbers of a rule as people read them, each in its own unit; for every place that shows a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.result import RuleResult
from llmops_tui.domain.gate.settings import GateSettings

_COUNTED = ("errors", "review", "critical")
_INCREASES = ("cost", "latency")


def result_word(rule: RuleResult) -> str:
    """`passed`, `failed`, `open`, `not judged`."""
    if not rule.judged:
        return "not judged"
    return {True: "passed", False: "failed", None: "open"}[rule.ok]


def figure(rule: RuleResult, value: float) -> str:
    """A limit or what was observed: `2`, `+12.0%`, `drop of 5.0 points`."""
    if rule.kind in _COUNTED:
        return fmt.count(round(value))
    if rule.kind in _INCREASES:
        return "∞" if math.isinf(value) else f"{'+' if value > 0 else ''}{words.share(value)}"
    if value == 0:
        return "0 points"
    return f"drop of {words.points(value)}" if value > 0 else f"rise of {words.points(-value)}"


def limit(rule: RuleResult) -> str:
    """What is allowed; `(auto)` where it was computed from the set."""
    if not rule.judged:
        return fmt.NONE
    return figure(rule, rule.limit) + (" (auto)" if rule.limit_is_auto else "")


def observed(rule: RuleResult) -> str:
    return figure(rule, rule.observed) if rule.judged else fmt.NONE


def interval(rule: RuleResult) -> str:
    """Of what was observed: `rise of 3.0 points to drop of 12.1 points`."""
    if rule.interval is None:
        return fmt.NONE
    return f"{figure(rule, rule.interval[0])} to {figure(rule, rule.interval[1])}"


def p_value(value: float | None) -> str:
    """`0.0312`, `< 0.0001`."""
    if value is None:
        return fmt.NONE
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def alpha(rule: RuleResult) -> str:
    return f"{rule.alpha:.3g}" if rule.alpha is not None else fmt.NONE


def method(rule: RuleResult) -> str:
    """Test and interval in words; a fact has neither."""
    if rule.evidence is not None and not rule.by_fact:
        return f"{rule.evidence.test}, {rule.evidence.interval}"
    return "a fact" if rule.by_fact else fmt.NONE


def setting_rows(settings: GateSettings) -> Sequence[tuple[str, str]]:
    """`gate:` of `llmops.yaml` as it was applied, key by key."""

    def drop(value: float | None) -> str:
        return "auto" if value is None else words.points(value)

    def more(value: float | None) -> str:
        return "not judged" if value is None else f"+{words.share(value)}"

    budget = settings.budget
    limits = [fmt.plural(budget.calls, "call") if budget.calls is not None else ""]
    limits += [fmt.money(budget.usd) if budget.usd is not None else ""]
    rows = [
        ("estimand", settings.estimand.replace("_", " ")),
        ("alpha", f"{settings.alpha:g}"),
        ("max_drop", drop(settings.max_drop.pass_rate)),
        *((f"max_drop of tag:{name}", drop(value)) for name, value in settings.max_drop.tags.items()),
        *((f"max_drop of {name}", drop(value)) for name, value in settings.max_drop.scorers.items()),
        ("critical", f"tag {settings.critical}"),
        ("max_errors", fmt.count(settings.max_errors)),
        ("max_cost_increase", more(settings.max_cost_increase)),
        ("max_latency_increase", more(settings.max_latency_increase)),
        ("budget", ", ".join(x for x in limits if x) or "none of its own"),
        ("on_inconclusive", settings.on_inconclusive),
    ]
    return rows
