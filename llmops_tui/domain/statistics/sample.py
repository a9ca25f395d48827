"""Paired results of one metric, ready to be counted."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
else:
    Floats = Ints = Any


class Sample(msgspec.Struct, frozen=True):
    """One metric on the same rows (case × model) of both sides.

    Attributes:
        baseline, candidate: float64, (rows, most trials), values in [0, 1]; NaN where a row has fewer
            trials. Both sides have the same trials in every row.
        trials: int64, (rows,): trials of each row, at least 1.
        clusters: int64, (rows,): rows of one cluster share a number, from 0 on.
    """

    baseline: Floats
    candidate: Floats
    trials: Ints
    clusters: Ints

    @property
    def rows(self) -> int:
        return len(self.trials)


def make_sample(rows: Iterable[tuple[Hashable, Sequence[float], Sequence[float]]]) -> Sample:
    """(cluster, baseline's trials, candidate's trials) of each row → a sample.

    A row is cut to the side with fewer trials; one without any is left out.
    """
    import numpy as np

    numbers: dict[Hashable, int] = {}
    clusters: list[int] = []
    trials: list[int] = []
    before: list[float] = []
    after: list[float] = []
    for cluster, b, c in rows:
        k = min(len(b), len(c))
        if not k:
            continue
        clusters.append(numbers.setdefault(cluster, len(numbers)))
        trials.append(k)
        before.extend(b if len(b) == k else b[:k])
        after.extend(c if len(c) == k else c[:k])
    count = np.array(trials, dtype=np.int64)
    most = int(count.max()) if len(count) else 0
    there = np.arange(most)[None, :] < count[:, None]

    def table(values: list[float]) -> Floats:
        filled = np.full(there.shape, np.nan)
        filled[there] = values
        return filled

    return Sample(table(before), table(after), count, np.array(clusters, dtype=np.int64))


def cluster_sums(sample: Sample) -> tuple[Floats, Floats]:
    """(candidate − baseline summed over its rows, rows) of each cluster."""
    import numpy as np

    rows = (np.nansum(sample.candidate, axis=1) - np.nansum(sample.baseline, axis=1)) / sample.trials
    sums = np.bincount(sample.clusters, weights=rows)
    return sums.astype(float), np.bincount(sample.clusters).astype(float)
