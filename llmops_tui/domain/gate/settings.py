"""`gate:` of `llmops.yaml`, as plain types."""

from __future__ import annotations

from typing import Literal

import msgspec

Estimand = Literal["these_cases", "population"]


class MaxDrop(msgspec.Struct, frozen=True):
    """How much a figure may fall, as shares (0.05 is five points); None is `auto`.

    `auto` is the margin that the set can prove, from the number of cases and trials alone.
    `scorers` and `tags` name further rules: a scorer's mean value, the pass rate of a tag's cases.
    """

    pass_rate: float | None = None
    scorers: dict[str, float | None] = {}
    tags: dict[str, float | None] = {}


class GateBudget(msgspec.Struct, frozen=True):
    """What one gate may spend, adjudication included; None: no limit of its own."""

    calls: int | None = None
    usd: float | None = None


class GateSettings(msgspec.Struct, frozen=True):
    """The rules of a gate.

    Attributes:
        estimand: what is claimed: about these cases asked again, or about the users' requests that
            they are a sample of.
        alpha: the share of false alarms that is put up with where nothing got worse.
        critical: tag of the cases that may not regress at all.
        max_cost_increase, max_latency_increase: as shares of the baseline's; None: not judged.
        max_errors: rows without a result, on either side, that are put up with.
        on_inconclusive: what an inconclusive verdict does to the exit code.
    """

    estimand: Estimand = "these_cases"
    alpha: float = 0.05
    max_drop: MaxDrop = MaxDrop()
    critical: str = "critical"
    max_cost_increase: float | None = None
    max_latency_increase: float | None = None
    max_errors: int = 0
    budget: GateBudget = GateBudget()
    on_inconclusive: Literal["fail", "pass"] = "fail"
