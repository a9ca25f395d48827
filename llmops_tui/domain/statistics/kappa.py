"""Agreement of two judges beyond chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmops_tui.domain.statistics.quantiles import normal_quantile

Kappa = tuple[float, float, float] | tuple[None, None, None]


def cohen_kappa(table: Sequence[Sequence[int]], confidence: float = 0.95) -> Kappa:
    """(κ, low, high) of a square table of counts; all None where chance alone always agrees.

    Sources: Cohen, *A coefficient of agreement for nominal scales*, 1960; the interval by the large-sample
    error of Fleiss, Cohen & Everitt, *Large sample standard errors of kappa and weighted kappa*, 1969.
    """
    n = sum(map(sum, table))
    if not n:
        return None, None, None
    size = range(len(table))
    rows = [sum(row) / n for row in table]
    columns = [sum(row[j] for row in table) / n for j in size]
    agreed = sum(table[i][i] for i in size) / n
    chance = sum(rows[i] * columns[i] for i in size)
    if chance >= 1 - 1e-12:
        return None, None, None
    kappa = (agreed - chance) / (1 - chance)
    a = sum(table[i][i] / n * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in size)
    b = (1 - kappa) ** 2 * sum(
        table[i][j] / n * (columns[i] + rows[j]) ** 2 for i in size for j in size if i != j
    )
    c = (kappa - chance * (1 - kappa)) ** 2
    error = math.sqrt(max(a + b - c, 0.0) / n) / (1 - chance)
    # All agree, or all disagree, in the sample: that is no certainty.
    reach = normal_quantile(0.5 + confidence / 2) * max(error, 1 / n)
    return kappa, max(kappa - reach, -1.0), min(kappa + reach, 1.0)
