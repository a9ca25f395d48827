"""A comparison made ready for the screen: by key, in order and counted. Pure.

Of 100,000 rows that takes a third of a second: the app does it on the engine's thread, so that the
screen goes on answering.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from copy import copy

import msgspec

from llmops_tui.app.case_order import ORDERS
from llmops_tui.domain.comparison import Comparison, Pair, pass_shares
from llmops_tui.domain.review import needs_review

#: Rows that are freed before the screen has its turn.
FREED_AT_ONCE = 2_000

Key = tuple[str, str]
"""Case and model: what names a row."""


class Totals:
    """Counts and means over the pairs that are not pending; kept up to date pair by pair."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("regressed", "improved", "same", "new", "removed", "error"), 0)
        self.pending = 0
        self.text_changed = 0
        self.statuses = dict.fromkeys(("passed", "failed", "error", "unscored", "missing"), 0)
        self.models: dict[str, int] = {}
        self.judged = self.scored = 0
        self._passed_before = self._passed_after = 0.0
        self._score_before = self._score_after = 0.0

    def count(self, pair: Pair, sign: int = 1) -> None:
        """Count a pair in, or out with `sign=-1`."""
        self.models[pair.model] = self.models.get(pair.model, 0) + sign
        if pair.pending:
            self.pending += sign
            return
        if pair.candidate is not None:
            self.statuses[pair.candidate.status] += sign
        self.counts[pair.change] += sign
        self.text_changed += sign * bool(pair.change == "same" and pair.output_changed)
        old, new = pair.baseline, pair.candidate
        if old is None or new is None:
            return
        shares = pass_shares(old, new)
        if shares is not None:
            self.judged += sign
            self._passed_before += sign * shares[0]
            self._passed_after += sign * shares[1]
        if old.score is not None and new.score is not None:
            self.scored += sign
            self._score_before += sign * old.score
            self._score_after += sign * new.score

    def copy(self) -> Totals:
        """One that counts on by itself."""
        made = copy(self)
        made.counts, made.statuses, made.models = dict(self.counts), dict(self.statuses), dict(self.models)
        return made

    @property
    def pass_rate(self) -> tuple[float, float] | None:
        # Thirds that are counted in and out again leave crumbs: unchanged must stay unchanged.
        n = self.judged
        return (round(self._passed_before / n, 12), round(self._passed_after / n, 12)) if n else None

    @property
    def mean_score(self) -> tuple[float, float] | None:
        n = self.scored
        return (self._score_before / n, self._score_after / n) if n else None


class Arranged(msgspec.Struct, frozen=True):
    """A comparison of which every row is there.

    Attributes:
        order: by which `keys` are in order.
        to_review: rows that there is something to decide on, whether or not it was decided.
    """

    comparison: Comparison
    pairs: dict[Key, Pair]
    totals: Totals
    latency_p95: float | None
    order: str
    keys: list[Key]
    to_review: frozenset[Key]


def arrange(comparison: Comparison, order: str) -> Arranged | None:
    """The comparison in an order of `case_order.ORDERS`; None where rows are still to come."""
    run = comparison.candidate.run
    if run.state == "running" or (run.id == 0 and comparison.baseline.rows):
        return None
    whole = run.state == "complete"
    totals, pairs, reviewable = Totals(), {}, set()
    for pair in comparison.pairs:
        if pair.pending or (pair.candidate is None and not whole):
            return None
        key = (pair.case_id, pair.model)
        pairs[key] = pair
        totals.count(pair)
        if needs_review(pair):
            reviewable.add(key)
    rank = ORDERS[order]
    keys = sorted(pairs, key=lambda k: rank(pairs[k]))
    p95 = latency_p95(pairs.values())
    return Arranged(comparison, pairs, totals, p95, order, keys, frozenset(reviewable))


def let_go(held: list[Comparison]) -> None:
    """Free comparisons a little at a time, in a thread of its own: all at once the screen would stand still.

    Args:
        held: nothing else holds them; it is empty afterwards.
    """
    parts: list[list[object]] = []
    while held:
        one = held.pop()
        parts += [list(one.pairs), list(one.baseline.rows), list(one.candidate.rows)]
        del one
    for part in parts:
        while part:
            del part[-FREED_AT_ONCE:]
            time.sleep(0)


def latency_p95(pairs: Iterable[Pair]) -> float | None:
    """95th percentile of the candidate's latencies in seconds, nearest rank."""
    values = sorted(
        item.latency_s
        for pair in pairs
        if pair.candidate is not None and not pair.pending
        for item in pair.candidate.planned
        if item.latency_s is not None
    )
    return values[-(-len(values) * 95 // 100) - 1] if values else None
