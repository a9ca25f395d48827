"""The best of many scores, and two rankings as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: A list that is fused holds at least so many chunks.
FUSED = 50


def best(scores: Any, most: int, above: float | None = None) -> list[int]:
    """Places of the `most` highest scores, highest first; of equal ones the first place.

    Args:
        scores: numpy array, shape (n,).
        above: only scores greater than this.
    """
    import numpy as np

    places = np.arange(len(scores)) if above is None else np.flatnonzero(scores > above)
    found = scores[places]
    if 0 < most < len(places):
        # Everything equal to the last that is taken stays in, so that places decide among equals.
        least = np.partition(found, len(found) - most)[len(found) - most]
        places = places[found >= least]
        found = scores[places]
    order = np.lexsort((places, -found))[:most]
    return [int(place) for place in places[order]]


def fused(rankings: Sequence[Sequence[int]], rank_constant: int, most: int) -> list[tuple[int, float]]:
    """(place, score) of the best by reciprocal rank fusion, best first; of equal ones the first place.

    A place scores the sum over the rankings that have it of 1 / (rank_constant + rank), ranks from 1
    (Cormack, Clarke, Büttcher: "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", SIGIR 2009).
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, 1):
            scores[place] = scores.get(place, 0.0) + 1.0 / (rank_constant + rank)
    return sorted(scores.items(), key=lambda found: (-found[1], found[0]))[:most]


def cut_for(top_k: int) -> int:
    """How long a list is that goes into the fusion."""
    return max(FUSED, 4 * top_k)
