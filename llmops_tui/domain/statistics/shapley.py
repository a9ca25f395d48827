"""Sharing a difference out among the parts that changed.

A corner is a version that has some of the changed parts from B and the others from A, written as a
number whose bit i says that part i is B's: 0 is A, the highest is B. A part's share is what taking it
over from A to B does, averaged over all orders in which the parts could be taken over: Shapley, *A Value
for n-Person Games*, 1953. It is the only division that adds up to the whole (efficiency), gives equal parts
the same (symmetry), gives a part that never does anything nothing (null player), and adds up over cases
(linearity). That last one is why shares are a linear function of the corners' means, and why a case has
shares of its own that average to those of the whole.

Exactly, that takes all 2^k corners. With more parts, orders are drawn: Castro, Gómez & Tejada, *Polynomial
calculation of the Shapley value based on sampling*, 2009; each together with its reverse, so that what is
first in one is last in the other (antithetic; Mitchell et al., *Sampling Permutations for Shapley Value
Estimation*, 2022). Every order adds up to the whole by itself, so the estimate does too.
"""

from __future__ import annotations

import math
import random
from itertools import combinations

import msgspec

from llmops_tui.domain.statistics.sample import Floats


class Design(msgspec.Struct, frozen=True):
    """Which corners are looked at, and how they make up the shares.

    Attributes:
        parts: how many.
        corners: those that are looked at, A (0) first and B last.
        draws: float64, (draws, parts, corners): shares = draws.mean(axis=0) @ means of the corners. One
            draw where it is exact; else one for each drawn order with its reverse, all alike in law.
        exact: nothing was drawn.
    """

    parts: int
    corners: tuple[int, ...]
    draws: Floats
    exact: bool

    @property
    def weights(self) -> Floats:
        """(parts, corners)."""
        mean: Floats = self.draws.mean(axis=0)
        return mean

    @property
    def orders(self) -> int:
        """Orders that were drawn; 0 where it is exact."""
        return 0 if self.exact else 2 * len(self.draws)


def exact(parts: int) -> Design:
    """All corners, for one part and more."""
    import numpy as np

    corners = _sorted(range(1 << parts))
    place = {corner: n for n, corner in enumerate(corners)}
    weights = np.zeros((1, parts, len(corners)))
    for corner in corners:
        taken = corner.bit_count()
        for part in range(parts):
            if corner >> part & 1:
                continue
            weight = math.factorial(taken) * math.factorial(parts - taken - 1) / math.factorial(parts)
            weights[0, part, place[corner | 1 << part]] += weight
            weights[0, part, place[corner]] -= weight
    return Design(parts, corners, weights, True)


def sampled(parts: int, pairs: int, seed: int) -> Design:
    """The corners on the way of `pairs` drawn orders and their reverses.

    The same seed draws the same orders: those of fewer pairs are the first of those of more.
    """
    import numpy as np

    draw = random.Random(seed)
    orders: list[tuple[list[int], list[int]]] = []
    for _ in range(pairs):
        order = list(range(parts))
        draw.shuffle(order)
        orders.append((order, order[::-1]))
    ways = [[_way(order) for order in pair] for pair in orders]
    corners = _sorted({corner for pair in ways for way in pair for corner in way})
    place = {corner: n for n, corner in enumerate(corners)}
    draws = np.zeros((pairs, parts, len(corners)))
    for n, (pair, both) in enumerate(zip(orders, ways, strict=True)):
        for order, way in zip(pair, both, strict=True):
            for part, before, after in zip(order, way, way[1:], strict=False):
                draws[n, part, place[after]] += 0.5
                draws[n, part, place[before]] -= 0.5
    return Design(parts, corners, draws, False)


def _way(order: list[int]) -> list[int]:
    """The corners from A to B when parts are taken over in this order."""
    way = [0]
    for part in order:
        way.append(way[-1] | 1 << part)
    return way


def _sorted(corners: range | set[int]) -> tuple[int, ...]:
    return tuple(sorted(corners, key=lambda corner: (corner.bit_count(), corner)))


def interactions(parts: int) -> tuple[tuple[tuple[int, int], ...], Floats]:
    """(pairs of parts, (pairs, corners of `exact`)): how much more two parts do together than apart.

    Averaged over what else was taken over before: the Shapley interaction index of Grabisch & Roubens,
    *An axiomatic approach to the concept of interaction among players in cooperative games*, 1999. 0 for
    every pair where effects add up.
    """
    import numpy as np

    corners = exact(parts).corners
    place = {corner: n for n, corner in enumerate(corners)}
    pairs = tuple(combinations(range(parts), 2))
    weights = np.zeros((len(pairs), len(corners)))
    for n, (i, j) in enumerate(pairs):
        both = 1 << i | 1 << j
        for corner in corners:
            if corner & both:
                continue
            taken = corner.bit_count()
            weight = math.factorial(taken) * math.factorial(parts - taken - 2) / math.factorial(parts - 1)
            for other, sign in ((both, 1), (1 << i, -1), (1 << j, -1), (0, 1)):
                weights[n, place[corner | other]] += sign * weight
    return pairs, weights
