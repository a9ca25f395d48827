"""Several tests at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values, in the order given: rejecting those ≤ α fails by chance at most α of the time.

    Source: Holm, *A simple sequentially rejective multiple test procedure*, 1979.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min((len(order) - rank) * p_values[i], 1.0))
        adjusted[i] = highest
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """q-values, in the order given: among those ≤ q, a share of at most q is expected to be chance.

    For the display of slices. Source: Benjamini & Hochberg, *Controlling the false discovery rate*, 1995.
    """
    order = sorted(range(len(p_values)), key=lambda i: -p_values[i])
    adjusted = [0.0] * len(p_values)
    lowest = 1.0
    for above, i in enumerate(order):
        lowest = min(lowest, p_values[i] * len(order) / (len(order) - above))
        adjusted[i] = lowest
    return tuple(adjusted)
