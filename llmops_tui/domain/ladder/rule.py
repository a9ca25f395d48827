"""What a rule is: a claim, and a pure function that decides it from facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from llmops_tui.domain.ladder.facts import Facts, Unknown
from llmops_tui.domain.ladder.ladder import Item, Rung, Status
from llmops_tui.domain.ladder.thresholds import Thresholds

T = TypeVar("T")


class Said(msgspec.Struct, frozen=True):
    """What a rule found; see `Item`."""

    status: Status
    evidence: str
    remedy: str = ""
    seen_at: float | None = None


class Rule(msgspec.Struct, frozen=True):
    """One item of the ladder.

    Attributes:
        decide: may ask for facts with `had`.
    """

    id: str
    rung: Rung
    title: str
    decide: Callable[[Facts, Thresholds], Said]


class NotKnown(Exception):
    """Facts that a rule needs could not be had."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.why)
        self.unknown = unknown


def had(found: T | Unknown) -> T:
    """The facts themselves.

    Raises:
        NotKnown: they could not be had.
    """
    if isinstance(found, Unknown):
        raise NotKnown(found)
    return found


def decided(rule: Rule, facts: Facts, thresholds: Thresholds) -> Item:
    """The item that a rule makes of facts."""
    try:
        said = rule.decide(facts, thresholds)
    except NotKnown as error:
        said = Said("unknown", error.unknown.why, error.unknown.remedy)
    remedy = "" if said.status == "met" else said.remedy
    return Item(rule.id, rule.rung, rule.title, said.status, said.evidence, remedy, said.seen_at)
