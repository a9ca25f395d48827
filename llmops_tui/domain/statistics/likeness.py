"""Is this share of passes like that of one side, or like that of the other? Asked trial by trial.

Two sides are known by bounds: the good one passes at least `high` of the time, the bad one at most `low`.
A step is like the good one once "at most `low`" is refuted, and like the bad one once "at least `high`" is.
Each is refuted by a likelihood ratio that reaches 1/α (Wald, *Sequential tests of statistical hypotheses*,
1945): under what it refutes the ratio is a supermartingale, whatever alternative it is held against, so it
ever gets there with probability α at most, wherever one stops (Ville's inequality, 1939; Ramdas et al.,
*Game-theoretic statistics and safe anytime-valid inference*, 2023). The alternative is what was seen of the
side, which costs no certainty and saves trials.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from llmops_tui.domain.statistics.proportion import clopper_pearson_lower, clopper_pearson_upper

#: A side that never failed (or never passed) is still taken to do so this often.
LEAST = 0.02


class Sides(msgspec.Struct, frozen=True):
    """What is known of two sides.

    Attributes:
        good, bad: shares of passes that were seen.
        high: bounds the good side's share from below.
        low: bounds the bad side's share from above.
    """

    good: float
    bad: float
    high: float
    low: float

    @property
    def apart(self) -> bool:
        """The good side passes more often, for certain as far as the bounds are."""
        return self.high > self.low


def sides(good: Sequence[bool], bad: Sequence[bool], alpha: float) -> Sides:
    """Both sides with exact bounds; each fails with probability `alpha` at most (Clopper & Pearson, 1934)."""
    return Sides(
        sum(good) / len(good),
        sum(bad) / len(bad),
        clopper_pearson_lower(sum(good), len(good), 1 - alpha),
        clopper_pearson_upper(sum(bad), len(bad), 1 - alpha),
    )


class Refuting(msgspec.Struct, frozen=True):
    """A likelihood ratio against one claim: what a pass adds to its logarithm, and what a failure does."""

    passed: float
    failed: float

    def after(self, evidence: float, passed: bool) -> float:
        return evidence + (self.passed if passed else self.failed)

    def expected(self, share: float, enough: float) -> float:
        """Trials that it takes about at this share of passes."""
        drift = share * self.passed + (1 - share) * self.failed
        return enough / drift if drift > 0 else math.inf


class Likeness(msgspec.Struct, frozen=True):
    """The test between two sides that are apart.

    Attributes:
        not_bad, not_good: against "as rarely as the bad side", and against "as often as the good side".
        enough: logarithm at which a claim is refuted.
    """

    not_bad: Refuting
    not_good: Refuting
    enough: float

    def told(self, outcomes: Sequence[bool]) -> tuple[bool | None, int, int]:
        """(like the good side, trials that it took, trials that are needed more at the least).

        None: not sure yet.
        """
        up = down = 0.0
        for n, passed in enumerate(outcomes, 1):
            up, down = self.not_bad.after(up, passed), self.not_good.after(down, passed)
            if up >= self.enough or down >= self.enough:
                return up >= down, n, 0
        more = min(
            math.ceil((self.enough - up) / self.not_bad.passed - 1e-9),
            math.ceil((self.enough - down) / self.not_good.failed - 1e-9),
        )
        return None, len(outcomes), max(more, 1)

    def expected(self, known: Sides) -> float:
        """Trials that a step takes about, of the side that takes longer."""
        good, bad = _inside(known.good), _inside(known.bad)
        return max(self.not_bad.expected(good, self.enough), self.not_good.expected(bad, self.enough))


def likeness(known: Sides, alpha: float) -> Likeness:
    """The test between two sides that are apart; either mistake has probability `alpha` at most."""
    low = min(max(known.low, LEAST), 1 - 2 * LEAST)
    high = max(min(known.high, 1 - LEAST), 2 * LEAST)
    return Likeness(
        _against(low, max(_inside(known.good), low + LEAST / 2)),
        _against(high, min(_inside(known.bad), high - LEAST / 2)),
        math.log(1 / alpha),
    )


def _against(claim: float, other: float) -> Refuting:
    return Refuting(math.log(other / claim), math.log((1 - other) / (1 - claim)))


def _inside(share: float) -> float:
    return min(max(share, LEAST), 1 - LEAST)
