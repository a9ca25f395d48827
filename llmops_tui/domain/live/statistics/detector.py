"""Looking every minute for ever, and crying wolf as seldom as was asked for.

The detector holds the mean of values in [0, 1] against a limit. It is an e-detector of the
Shiryaev–Roberts kind (Shin, Ramdas & Rinaldo, *E-detectors: a nonparametric framework for sequential
change detection*, 2023): at every look a bet against "the mean is at most the limit" is opened anew,
and all open bets are multiplied by what the look was worth to them. A bet opened at minute s is worth,
in expectation, never more than its stake where the limit is kept; stakes are put in at one a day, so

    E[evidence at any time] ≤ days looked at.

An alarm needs evidence of 1/f and starts again from nothing, so in T days at most f·T false alarms are
expected, for every T, however often it is looked, and whatever the traffic does.

What is assumed: values lie in [0, 1], and the mean of each, given all before, is at most the limit.
Requests that come in clumps (one user's session) break the second; see `clumping`.

A look's worth comes from its tally alone. With odds raised by r, r^Σx / (1 + limit·(r − 1))^n has an
expectation of at most 1 for any values in [0, 1] (x ↦ r^x is convex), and is the likelihood ratio for
passes. Values that vary little are worth more by λ·Σy − ψ(λ)·Σy², y = (x − limit)/limit (Fan, Grama &
Liu, *Exponential inequalities for martingales with applications*, 2015). Both are mixed over a grid.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import msgspec

from llmops_tui.domain.live.statistics.moments import Moments

Kind = Literal["share", "values"]

MINUTES_A_DAY = 1440.0
#: By how much the odds of a bad request are bet to have grown. Beyond 7 a clump would be worth too much.
RATIOS = (1.15, 1.3, 1.5, 1.8, 2.3, 3.0, 4.5, 7.0)
#: Bets on values that vary little, as shares of the largest stake.
LEANS = (0.03, 0.1, 0.25, 0.5, 0.8)
#: Log of no evidence at all: a finite number, so that it can be kept as JSON.
NOTHING = -700.0
#: Evidence is kept to so much above the level, in logs, so that an alert can end when its cause has.
HEADROOM = 3.0
#: An alert is over when the evidence is so much below the level, in logs.
CLEARANCE = 3.0
#: A change is suspected from so much below the level on, in logs.
SUSPICION = 6.0
_LOG_RATIOS = tuple(math.log(r) for r in RATIOS)
_PSI = tuple(-math.log1p(-lean) - lean for lean in LEANS)


class Detector(msgspec.Struct, frozen=True):
    """What is known after a look; kept between looks.

    Attributes:
        evidence: natural logarithm of the evidence of each bet, in days.
        onset: of each bet, the minute of this detector's clock at which the change probably began.
        minutes: its clock: how long it has looked.
        waiting: minutes whose stake is not yet put in, as no request came.
        n: requests seen.
    """

    evidence: tuple[float, ...]
    onset: tuple[float, ...]
    minutes: float = 0.0
    waiting: float = 0.0
    n: float = 0.0


def fresh(kind: Kind = "share") -> Detector:
    """One that has seen nothing.

    Args:
        kind: `share`: values are 0 or 1; `values`: anything in [0, 1], which costs little.
    """
    bets = len(RATIOS) + (len(LEANS) if kind == "values" else 0)
    return Detector((NOTHING,) * bets, (0.0,) * bets)


def look(
    state: Detector,
    tally: Moments,
    *,
    mean_limit: float,
    minutes: float = 1.0,
    design_effect: float = 1.0,
) -> Detector:
    """The state after one more look.

    Args:
        tally: of the requests since the look before; n may be 0.
        mean_limit: the mean that is put up with; may differ from look to look, as long as it does not
            depend on this look's values.
        minutes: since the look before. A gap is one look.
        design_effect: how many clumped requests are worth one; see `clumping.design_effect`.

    Raises:
        ValueError: a tally is negative or not finite, or the clock went backwards.
    """
    tally = tally.checked()
    if not (math.isfinite(minutes) and minutes >= 0 and math.isfinite(mean_limit)):
        raise ValueError("minutes and the limit must be finite, and time can't go back")
    clock = state.minutes + minutes
    # A rule without traffic saves up one day's stakes, not a year's.
    waiting = min(state.waiting + minutes, MINUTES_A_DAY)
    if tally.n <= 0 or mean_limit >= 1:
        return Detector(state.evidence, state.onset, clock, waiting, state.n + tally.n)
    bets = len(state.evidence)
    stake = math.log(max(waiting, 1e-9) / (MINUTES_A_DAY * bets))
    began = clock - minutes
    evidence, onset = [], []
    worths = _worths(tally.thinned(design_effect), max(mean_limit, 1e-9), bets)
    for open_, since, worth in zip(state.evidence, state.onset, worths, strict=True):
        staked = _log_sum(open_, stake)
        share = math.exp(stake - staked)
        evidence.append(max(staked + worth, NOTHING))
        onset.append(since + share * (began - since))
    return Detector(tuple(evidence), tuple(onset), clock, 0.0, state.n + tally.n)


def _worths(tally: Moments, limit: float, bets: int) -> list[float]:
    """Logarithm of what a look multiplies each bet by."""
    n, total = tally.n, tally.total
    worths = [
        total * log_ratio - n * cost for log_ratio, cost in zip(_LOG_RATIOS, _costs(limit), strict=True)
    ]
    if bets > len(RATIOS):
        moved = total / limit - n
        spread = tally.squares / (limit * limit) - 2 * total / limit + n
        worths += [lean * moved - psi * spread for lean, psi in zip(LEANS, _PSI, strict=True)]
    return worths


@lru_cache(maxsize=256)
def _costs(limit: float) -> tuple[float, ...]:
    """What a request costs each bet; limits change seldom."""
    return tuple(math.log1p(limit * (ratio - 1)) for ratio in RATIOS)


def _log_sum(a: float, b: float) -> float:
    high, low = (a, b) if a > b else (b, a)
    return high + math.log1p(math.exp(low - high))


def log_evidence(state: Detector) -> float:
    """Natural logarithm of all bets together, in days."""
    high = max(state.evidence)
    return high + math.log(sum(math.exp(e - high) for e in state.evidence))


def log_level(false_alarms_per_day: float) -> float:
    """The evidence that an alarm takes.

    Raises:
        ValueError: not a positive number.
    """
    if not (math.isfinite(false_alarms_per_day) and false_alarms_per_day > 0):
        raise ValueError("false_alarms_per_day must be a positive number")
    return -math.log(false_alarms_per_day)


def fires(state: Detector, false_alarms_per_day: float) -> bool:
    """The mean is above the limit, beyond what chance gives so often."""
    return log_evidence(state) >= log_level(false_alarms_per_day)


def held(state: Detector, false_alarms_per_day: float) -> Detector:
    """With evidence no further above the level than an alert needs, so that it can end. To less evidence
    no promise is broken."""
    excess = log_evidence(state) - log_level(false_alarms_per_day) - HEADROOM
    if excess <= 0:
        return state
    return msgspec.structs.replace(state, evidence=tuple(max(e - excess, NOTHING) for e in state.evidence))


def clears(state: Detector, false_alarms_per_day: float) -> bool:
    """An alert that fired is over; go on from `fresh`."""
    return log_evidence(state) <= log_level(false_alarms_per_day) - CLEARANCE


def suspects(state: Detector, false_alarms_per_day: float) -> bool:
    """Something may be going on: a reference should not be renewed now, lest it learn what is wrong."""
    return log_evidence(state) > log_level(false_alarms_per_day) - SUSPICION


def minutes_since_onset(state: Detector) -> float:
    """How long ago the change probably began: the mean over all open bets, by their evidence."""
    high = max(state.evidence)
    weights = [math.exp(e - high) for e in state.evidence]
    onset = sum(w * o for w, o in zip(weights, state.onset, strict=True)) / sum(weights)
    return max(state.minutes - onset, 0.0)
