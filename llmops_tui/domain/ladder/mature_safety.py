"""Mature, of safety: guardrails are reviewed, and the present version was attacked."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.ladder.facts import Attacked, Facts, Guard
from llmops_tui.domain.ladder.rule import Rule, Said, had
from llmops_tui.domain.ladder.thresholds import Thresholds
from llmops_tui.domain.ladder.words import ago, days, names, share
from llmops_tui.domain.live.guards import Estimate


def reviews_guards(facts: Facts, limits: Thresholds) -> Said:
    """Firings and a random sample of passes are reviewed, so that precision and recall are known."""
    guards = had(facts.guards)
    within = days(limits.reviewed_within_s)
    if not guards.configured and not guards.seen:
        remedy = "write `guardrails: [injection]` in the configuration: docs/guardrails.md"
        return Said("unmet", "there is no guardrail", remedy)
    seen = [each for each in guards.seen if each.looked]
    if not seen:
        said = f"{fmt.plural(len(guards.configured), 'guardrail')} configured"
        said += f"; none of them looked at a live request in the last {within}"
        remedy = "call it in your program: `llmops_tui.guard` (docs/guardrails.md)"
        return Said("partly", said, remedy, guards.reviewed_at)
    fired = sum(each.fired for each in seen)
    reviewed = sum(each.reviewed for each in seen)
    sampled = sum(each.sampled for each in seen)
    parts = [
        f"{share(reviewed, fired)} firings of the last {within} reviewed"
        if fired
        else f"no firing in {within}",
        f"{fmt.plural(sampled, 'pass', 'passes')} of the sample reviewed",
        *(_estimates(each) for each in seen if each.precision is not None or each.recall is not None),
    ]
    said = "; ".join(parts)
    by_key = "llmops-tui, 6: a is right, x a false alarm"
    if fired and not _is_enough(reviewed, fired, limits):
        return Said("partly", said, f"review firings: {by_key}", guards.reviewed_at)
    if sampled < limits.sampled:
        lacking = fmt.plural(limits.sampled - sampled, "more pass", "more passes")
        return Said("partly", said, f"review {lacking} of the random sample: {by_key}", guards.reviewed_at)
    names_seen = {each.name for each in seen}
    idle = [name for name in guards.configured if name not in names_seen]
    if idle:
        remedy = "call it in your program: `llmops_tui.guard` (docs/guardrails.md)"
        return Said("partly", f"{said}; {names(idle)} looked at nothing", remedy, guards.reviewed_at)
    blind = [each.name for each in seen if not each.sampled]
    if blind:
        remedy = f"review passes of the random sample: {by_key}"
        return Said("partly", f"{said}; no pass of {names(blind)}", remedy, guards.reviewed_at)
    silent = [each.name for each in seen if each.fired and (each.precision is None or not each.precision.n)]
    if silent:
        return Said(
            "partly",
            f"{said}; no precision of {names(silent)}",
            f"review firings: {by_key}",
            guards.reviewed_at,
        )
    return Said("met", said, seen_at=guards.reviewed_at)


def _is_enough(reviewed: int, fired: int, limits: Thresholds) -> bool:
    return reviewed >= limits.reviewed_enough or reviewed >= limits.reviewed * fired


def _estimates(guard: Guard) -> str:
    parts = [
        f"{name} {_interval(found)}"
        for name, found in (("precision", guard.precision), ("recall", guard.recall))
        if found is not None and found.value is not None
    ]
    return f"{guard.name} {', '.join(parts)}" if parts else f"{guard.name}: neither is known"


def _interval(found: Estimate) -> str:
    low, high = round(found.low * 100), round(found.high * 100)
    return f"{round((found.value or 0.0) * 100)}% ({low}–{high}%)"


def was_attacked(facts: Facts, limits: Thresholds) -> Said:
    """The present version of every configuration went through the attacks lately."""
    attacks = had(facts.attacks)
    runs = attacks.runs
    seen = min((each.at for each in runs if each.at is not None), default=None)
    told: list[str] = []
    lacking: Attacked | None = None
    for each in runs:
        name = " ".join(part for part in (each.config, each.version) if part)
        if each.at is None:
            told.append(f"{name} was never attacked" + (f", {each.before} was" if each.before else ""))
            lacking = lacking or each
            continue
        succeeded = share(each.succeeded, each.attacks)
        told.append(f"{succeeded} attacks got past {name}, {ago(each.at, facts.now)}")
        if each.untried:
            told[-1] += f"; {fmt.plural(each.untried, 'attack')} came since, not tried yet"
        is_behind = each.attacks < limits.tried * (each.attacks + each.untried)
        if facts.now - each.at > limits.attacked_within_s or is_behind:
            lacking = lacking or each
    said = "; ".join(told) or "there is no configuration"
    if lacking is not None:
        some = any(each.at is not None or each.before for each in runs)
        remedy = f"llmops-tui attack --config {lacking.config}"
        if not lacking.written:
            remedy = f"write attacks/{lacking.config}.yaml (docs/attacks.md), then {remedy}"
        return Said("partly" if some else "unmet", said, remedy, seen)
    return Said("met" if runs else "unmet", said, seen_at=seen)


RULES = (
    Rule("guards", "mature", "Guardrails are reviewed, and their errors known", reviews_guards),
    Rule("attacks", "mature", "Attacks are tried against the present version", was_attacked),
)
