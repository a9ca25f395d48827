"""All rules of the ladder, from the ground up."""

from __future__ import annotations

from llmops_tui.domain.ladder import baseline, mature, mature_safety, repeatable
from llmops_tui.domain.ladder.facts import Facts
from llmops_tui.domain.ladder.ladder import Ladder, reached
from llmops_tui.domain.ladder.rule import Rule, decided
from llmops_tui.domain.ladder.thresholds import THRESHOLDS, Thresholds

RULES: tuple[Rule, ...] = (*baseline.RULES, *repeatable.RULES, *mature.RULES, *mature_safety.RULES)


def stand(facts: Facts, thresholds: Thresholds = THRESHOLDS) -> Ladder:
    """Where a workspace stands."""
    items = tuple(decided(rule, facts, thresholds) for rule in RULES)
    return Ladder(reached(items), items, facts.configs, facts.left_out, facts.now)
