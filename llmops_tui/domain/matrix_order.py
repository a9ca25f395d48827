"""The orders of the matrix's rows: trouble on top. Pure."""

from __future__ import annotations

import math
from itertools import pairwise

from llmops_tui.domain.matrix import CODE, Matrix, RowKey

ABSENT, PASSED, FAILED = CODE["absent"], CODE["passed"], CODE["failed"]
ERROR, MISSING = CODE["error"], CODE["missing"]

States = tuple[int, ...]
"""Of one row, column by column."""


def order(matrix: Matrix, name: str) -> list[int]:
    """Rows in one of `ORDERS`; the order of the eval set decides between equals."""
    if name == "as in the file" or not matrix.columns:
        return list(range(len(matrix.rows)))
    if name == "by name":
        return sorted(range(len(matrix.rows)), key=lambda n: matrix.rows[n][0].lower())
    by = {"trouble first": _trouble if matrix.by == "versions" else _disagreeing, "most flips first": _flips}
    key = by[name]
    # Most rows look alike: each pattern is looked at once.
    known: dict[States, tuple[float, ...]] = {}
    keys = []
    scored = name == "trouble first" and matrix.by == "models"
    for states in zip(*(column.states for column in matrix.columns), strict=True):
        found = known.get(states)
        if found is None:
            found = known[states] = key(states)
        keys.append(found)
    if scored:
        lowest = [
            min((s for c in matrix.columns if not math.isnan(s := c.scores[n])), default=2.0)
            for n in range(len(keys))
        ]
        return sorted(range(len(keys)), key=lambda n: (keys[n], lowest[n]))
    return sorted(range(len(keys)), key=keys.__getitem__)


def ordered(matrix: Matrix, name: str) -> list[RowKey]:
    """The same as keys."""
    return [matrix.rows[n] for n in order(matrix, name)]


def in_place(matrix: Matrix, before: list[RowKey]) -> list[RowKey]:
    """The rows where they were; new ones come last."""
    there = set(matrix.rows)
    return list(dict.fromkeys((*(key for key in before if key in there), *matrix.rows)))


def _trouble(states: States) -> tuple[float, ...]:
    """What failed or erred most lately first; of those, what broke most lately, then what flips most."""
    if FAILED not in states and ERROR not in states:
        return (len(states) + 1, 0, 0)
    there = [s for s in reversed(states) if s not in (ABSENT, MISSING)]
    last = next(k for k, s in enumerate(there) if s in (FAILED, ERROR))
    broke = next((k for k, s in enumerate(there[last:]) if s == PASSED), len(states))
    return (last, broke, -_count_flips(states))


def _flips(states: States) -> tuple[float, ...]:
    return (-_count_flips(states), *_trouble(states))


def _count_flips(states: States) -> int:
    judged = [s for s in states if s in (PASSED, FAILED)]
    return sum(a != b for a, b in pairwise(judged))


def _disagreeing(states: States) -> tuple[float, ...]:
    """Models that disagree first, then errors, then what all fail."""
    if PASSED in states and FAILED in states:
        return (0,)
    return (1,) if ERROR in states else (2,) if FAILED in states else (3,)


#: Names of the orders, the default first.
ORDERS = ("trouble first", "as in the file", "by name", "most flips first")
MODEL_ORDERS = ("trouble first", "as in the file", "by name")
