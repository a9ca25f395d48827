"""What a rule holds its figure against: a limit somebody wrote, or one made from what was usual.

The limit of a change is made from a bound of the reference and not from its figure: an estimate that was
lucky is no reason to call anybody. Half of the false alarms that a rule may give are for that, half for
chance in the traffic (`statistics.reference.budget`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.live.histogram import GROWTH
from llmops_tui.domain.live.metrics import evidence, is_testable, measure, metric_of
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.live.statistics.clumping import design_effect
from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.live.statistics.reference import budget, reference_mean
from llmops_tui.domain.live.tally import Tally, sum_of

#: How many references take turns in a day, the first day's among them.
TURNS_PER_DAY = {"before": 2.0, "same_hours": 24.0, "version": 2.0}
#: A reference has so many times the observations that a window needs.
TIMES_N = 4
#: Buckets of a histogram between which a limit is looked for: 1 ns to about 10^12.
_LOWEST, _HIGHEST = -528, 705


class Reference(msgspec.Struct, frozen=True):
    """What was usual when it was made.

    Attributes:
        at: Unix seconds, when it was made. since, until: the traffic that it was made of.
        value, n: its figure, and of how many observations.
        limit: what the window's figure is held against; None: too little is known.
        design_effect: how many requests are worth one independent request.
        about: the version that it is about, of the rules that compare versions.
    """

    at: float
    since: float
    until: float
    value: float | None = None
    n: int = 0
    limit: float | None = None
    design_effect: float = 1.0
    about: str = ""


class Share(msgspec.Struct, frozen=True):
    """How often a rule may cry wolf because of chance, and how sure its reference is."""

    false_alarms_per_day: float
    confidence: float


def share_of(rule: AlertRule) -> Share:
    """How the false alarms of a rule are shared out: without a reference all are the detector's."""
    if not rule.is_change:
        return Share(rule.false_alarms_per_day, 0.95)
    parts = budget(rule.false_alarms_per_day, TURNS_PER_DAY[rule.reference])
    return Share(parts.false_alarms_per_day, parts.confidence)


def kind_of(rule: AlertRule) -> Literal["share", "values"]:
    """What the observations of its metric are: zeros and ones, or anything between."""
    metric = metric_of(rule.metric)
    return "share" if metric is None or metric.unit in ("share", "seconds", "count") else "values"


def reference_of(
    rule: AlertRule, blocks: Sequence[Tally], *, at: float, since: float, until: float, about: str = ""
) -> Reference:
    """The reference of a rule about what its metric measures.

    Args:
        blocks: traffic of [since, until) in pieces of equal length, in order of time, empty ones included.
    """
    whole = sum_of(blocks)
    measured = measure(rule.metric, whole)
    made = Reference(at, since, until, measured.value, measured.n, about=about)
    if not is_testable(rule.metric):
        limit = _changed(rule, measured.value) if rule.is_change else _written(rule)
        return msgspec.structs.replace(made, limit=limit)
    near = _written(rule) if not rule.is_change else measured.value
    if near is not None:
        effect = design_effect([moments(rule, block, near)[0] for block in blocks])
        made = msgspec.structs.replace(made, design_effect=effect)
    if not rule.is_change:
        return msgspec.structs.replace(made, limit=_written(rule))
    if measured.n < TIMES_N * rule.min_n:
        return made
    bound = _bound(rule, whole, share_of(rule).confidence, made.design_effect)
    return msgspec.structs.replace(made, limit=_changed(rule, bound))


def moments(rule: AlertRule, tally: Tally, limit: float) -> tuple[Moments, float]:
    """The observations of a tally, and the mean that they are held against."""
    seen, bound = evidence(rule.metric, tally, limit, falling=rule.is_falling)
    return Moments(seen.n, seen.total, seen.squares), bound


def _written(rule: AlertRule) -> float | None:
    return rule.above if rule.above is not None else rule.below


def _changed(rule: AlertRule, usual: float | None) -> float | None:
    """The limit that a usual figure gives."""
    if usual is None:
        return None
    return (
        usual * (1 + (rule.increase or 0.0))
        if rule.increase is not None
        else usual * (1 - (rule.decrease or 0.0))
    )


def _bound(rule: AlertRule, whole: Tally, confidence: float, effect: float) -> float | None:
    """What the true usual figure is not beyond, at a confidence."""
    metric = metric_of(rule.metric)
    if metric is None or metric.unit in ("share", "score"):
        seen, _ = moments(rule, whole, 0.5)
        bound = reference_mean(seen, confidence, design_effect=effect)
        return 1 - bound if rule.is_falling else bound

    def keeps(bucket: int) -> bool:
        seen, most = moments(rule, whole, GROWTH**bucket)
        return reference_mean(seen, confidence, design_effect=effect) <= most

    # The further out the limit, the fewer are beyond it.
    good, bad = (_LOWEST, _HIGHEST) if rule.is_falling else (_HIGHEST, _LOWEST)
    if not keeps(good):
        return None
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        if keeps(middle):
            good = middle
        else:
            bad = middle
    return GROWTH**good


def edge_of(rule: AlertRule, reference: Reference) -> float | None:
    """From which figure on it is clearly back: half of the way from the limit to what was usual, or a tenth
    of a limit that somebody wrote."""
    limit = reference.limit
    if limit is None:
        return None
    if rule.is_change and reference.value is not None:
        return (limit + reference.value) / 2
    metric = metric_of(rule.metric)
    room = limit
    if rule.is_falling and metric is not None and metric.unit in ("share", "score"):
        room = min(limit, 1 - limit)
    return limit + (0.1 if rule.is_falling else -0.1) * abs(room)
