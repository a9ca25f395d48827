"""Adjudication: planned looks at growing evidence, with the error that is put up with spent over all of them.

Source: Lan & DeMets, *Discrete sequential boundaries for clinical trials*, 1983. The statistics of two
looks correlate by the root of their share of trials, which is used to spend what is left.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from llmops_tui.domain.statistics.quantiles import normal_cdf, normal_quantile
from llmops_tui.domain.statistics.sample import Floats

#: Trials at each look, as multiples of the first one's.
FACTORS = (1, 2, 4)
#: Share of the error spent by the end of each look. The first leaves five flips one way (1/32) enough.
SPENT = (0.65, 0.85, 1.0)


class Plan(msgspec.Struct, frozen=True):
    """Looks, and the one-sided level that each is held against."""

    factors: tuple[int, ...]
    nominal: tuple[float, ...]


@lru_cache(maxsize=64)
def plan(alpha: float) -> Plan:
    """The looks of an adjudication whose error is `alpha` over all of them."""
    bounds: list[float] = []
    for look, share in enumerate(SPENT):
        spent = alpha * (share - (SPENT[look - 1] if look else 0.0))
        bounds.append(_bound(tuple(bounds), spent))
    return Plan(FACTORS, tuple(1 - normal_cdf(b) for b in bounds))


def nominal_alpha(alpha: float, look: int) -> float:
    """The level of one look, counted from 1; the last one's beyond the plan."""
    nominal = plan(alpha).nominal
    return nominal[min(look, len(nominal)) - 1]


def _bound(before: tuple[float, ...], spent: float) -> float:
    """c with P(no earlier bound is crossed, this one is) = `spent`."""
    if not before:
        return normal_quantile(1 - spent)
    grid, density = _density(before)
    step = float(grid[1] - grid[0])
    # Probability beyond each point of the grid, from the right.
    beyond = (density[::-1].cumsum()[::-1] - density / 2) * step
    place = int((beyond > spent).sum())
    over, under = float(beyond[place - 1]), float(beyond[place])
    return float(grid[place - 1]) + step * (over - spent) / (over - under)


def _density(bounds: tuple[float, ...]) -> tuple[Floats, Floats]:
    """The next look's statistic where no bound was crossed, by the recursion of Armitage et al. (1969)."""
    import numpy as np

    grid = np.linspace(-8.0, 8.0, 641)
    step = float(grid[1] - grid[0])
    density = np.exp(-grid * grid / 2) / math.sqrt(2 * math.pi)
    for look, bound in enumerate(bounds, 1):
        inside = np.where(grid < bound, density, 0.0)
        cut = int(np.searchsorted(grid, bound))
        # The cell around the last point inside is cut by the bound.
        inside[cut - 1] *= 0.5 + (bound - float(grid[cut - 1])) / step
        rho = math.sqrt(FACTORS[look - 1] / FACTORS[look])
        spread = math.sqrt(1 - rho * rho)
        away = (grid[:, None] - rho * grid[None, :]) / spread
        density = (np.exp(-away * away / 2) / (spread * math.sqrt(2 * math.pi))) @ inside * step
    return grid, density
