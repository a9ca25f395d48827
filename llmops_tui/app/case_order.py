"""The orders of the case list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmops_tui.domain.comparison import Pair

#: Errors come right after what went down: both need somebody.
_RANK = {"regressed": 0, "error": 1, "improved": 2, "new": 4, "removed": 5, "same": 6}


def _regressed_first(pair: Pair) -> Any:
    if pair.pending:
        return (7, False, 0.0, True)
    rank = 3 if pair.change == "same" and pair.output_changed else _RANK[pair.change]
    passes = pair.candidate is None or pair.candidate.status != "failed"
    return (rank, pair.flip is None, -abs(pair.delta or 0.0), passes)


def _low(pair: Pair) -> Any:
    score = pair.candidate.score if pair.candidate is not None else None
    return (score is None, score or 0.0)


def _slow(pair: Pair) -> Any:
    latency = pair.candidate.first.latency_s if pair.candidate is not None else None
    return -(latency or 0.0)


#: Name (as the list's title says it) → key; the order of the eval set decides between equals.
ORDERS: dict[str, Callable[[Pair], Any]] = {
    "regressed first": _regressed_first,
    "as in the file": lambda _pair: 0,
    "by name": lambda pair: pair.case_id.lower(),
    "lowest score first": _low,
    "largest change first": lambda pair: -abs(pair.delta or 0.0),
    "slowest first": _slow,
}


def next_order(name: str) -> str:
    """The order after this one, round and round."""
    names = list(ORDERS)
    return names[(names.index(name) + 1) % len(names)]
