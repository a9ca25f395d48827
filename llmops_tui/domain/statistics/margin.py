"""What a set can prove before anything is looked at, and what would decide afterwards."""

from __future__ import annotations

import math

from llmops_tui.domain.statistics.assess import Estimand, Evidence
from llmops_tui.domain.statistics.quantiles import normal_quantile

#: No more cases or trials than this are suggested.
MOST_TRIALS = 1_000
MOST_CASES = 1_000_000


def provable_margin(
    clusters: int,
    trials: float,
    *,
    estimand: Estimand,
    alpha: float,
    by_fact: bool = False,
    power: float = 0.8,
    discordance: float = 0.1,
) -> float:
    """`max_drop: auto`: the drop that a set of this size rules out with 80 % power, where none is there.

    (z_α + z_power)·√(discordance/n), the size of a paired non-inferiority trial solved for its margin
    (Liu et al., *Tests for equivalence or non-inferiority for paired binary data*, 2002), and no less than
    what n pairs without one flip can prove, z²/(n + z²). Two points take some 1,500 cases at 10 %
    discordance, and 133 without a flip.

    Args:
        trials: of a case; they count as draws for `these_cases` alone. Where cases differ, their harmonic
            mean: cases weigh alike.
        by_fact: nothing is uncertain, so any net drop counts.
        discordance: share of cases that are expected to flip by chance, in either direction.
    """
    if by_fact:
        return 0.0
    n = clusters * (trials if estimand == "these_cases" else 1.0)
    z = normal_quantile(1 - alpha)
    planned = (z + normal_quantile(power)) * math.sqrt(discordance / n)
    return min(max(planned, z * z / (n + z * z)), 1.0)


def flips_to_fail(n: int, alpha: float) -> int | None:
    """One-way flips among n cases of one trial that reject "no drop"; None where n is too few."""
    k = math.ceil(-math.log2(alpha) - 1e-9)
    return k if k <= n else None


def cases_to_decide(evidence: Evidence, margin: float, alpha: float, *, power: float = 0.8) -> int | None:
    """How many clusters would probably settle it, if things stay as they look; None beyond any reason."""
    needed = evidence.clusters * _times(evidence, margin, alpha, power)
    return None if needed > MOST_CASES else max(math.ceil(needed), evidence.clusters + 1)


def trials_to_decide(evidence: Evidence, margin: float, alpha: float, *, power: float = 0.8) -> int | None:
    """How many trials of each case would; None beyond any reason."""
    needed = evidence.trials * _times(evidence, margin, alpha, power)
    return None if needed > MOST_TRIALS else max(math.ceil(needed), math.floor(evidence.trials) + 1)


def _times(evidence: Evidence, margin: float, alpha: float, power: float) -> float:
    """How many times the evidence: the standard error must come down to what the decision takes."""
    drop = -evidence.delta
    z = normal_quantile(1 - alpha)
    error = max(evidence.high - evidence.low, 1e-9) / (2 * z)
    distance = drop if drop > margin else margin - drop
    if distance <= 1e-9:
        return math.inf
    return max((error * (z + normal_quantile(power)) / distance) ** 2, 1.0)
