"""Versions held against one of them, and against the best of them: which is better, and what is only luck.

Every version is compared with the one on disk, paired case by case. "Better" and "worse" are claimed by the
gate's test, two-sided, with Holm's correction for so many comparisons; the intervals hold all at once
(Bonferroni). A version belongs to the best where the test against the first in rank, at alpha/(k − 1) for k
versions, does not tell it apart: so the truly best one is missing from them with probability alpha at most,
whichever came out first (the union bound over the k − 1 that could have beaten it by luck; cf. Hsu,
*Multiple Comparisons*, 1996, ch. 4).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.statistics.assess import Estimand, Evidence, assess
from llmops_tui.domain.statistics.margin import cases_to_decide, trials_to_decide
from llmops_tui.domain.statistics.multiplicity import holm
from llmops_tui.domain.statistics.sample import make_sample

Claim = Literal["on disk", "better", "worse", "not told apart", "equal", "not ranked"]
Metric = Literal["pass_rate", "score"]

PairedRow = tuple[Hashable, Sequence[float], Sequence[float]]
"""Cluster, and the trials of the left and of the right side."""


class Held(msgspec.Struct, frozen=True):
    """Two versions on the rows that both have.

    Attributes:
        by_fact: both answer alike every time.
        binary: the values are passes.
    """

    rows: tuple[PairedRow, ...]
    by_fact: bool = False
    binary: bool = True


class Standing(msgspec.Struct, frozen=True):
    """What is known of one version before it is ranked.

    Attributes:
        label: what it changes; empty: the version on disk.
        same_as: labels of further variants that come to the very same version.
        value: its pass rate or mean score over its own rows; None where nothing is judged.
        unranked: why it can't be ranked, as a clause; empty where it can.
        errors, missing: rows.
        cost_usd: of one answer, on the mean; None where it is not known.
        p50_s, p95_s: latency of an answer.
        critical: critical cases that pass on disk and fail here.
    """

    label: str
    version: VersionInfo
    value: float | None
    same_as: tuple[str, ...] = ()
    unranked: str = ""
    errors: int = 0
    missing: int = 0
    cost_usd: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    critical: tuple[str, ...] = ()


class Ranked(msgspec.Struct, frozen=True):
    """One version in its place.

    Attributes:
        evidence: against the version on disk, with an interval that holds for all at once.
        p_value: of the claim, corrected; None of a fact and where nothing is tested.
        is_best: not told apart from the first in rank.
        to_best: against the first in rank (from it to this one); None of the first itself.
    """

    standing: Standing
    claim: Claim
    evidence: Evidence | None = None
    p_value: float | None = None
    is_best: bool = False
    to_best: Evidence | None = None

    @property
    def version(self) -> VersionInfo:
        return self.standing.version


class Ranking(msgspec.Struct, frozen=True):
    """All of them, best first; those that can't be ranked are last.

    Attributes:
        by_fact: every comparison is a fact about these cases.
        best_alpha: level of each test against the first in rank.
    """

    rows: tuple[Ranked, ...]
    metric: Metric
    estimand: Estimand
    alpha: float
    best_alpha: float
    by_fact: bool

    @property
    def best(self) -> tuple[Ranked, ...]:
        """The first in rank and what is not told apart from it."""
        return tuple(r for r in self.rows if r.is_best)

    @property
    def on_disk(self) -> Ranked:
        return next(r for r in self.rows if r.claim == "on disk")


def rank(
    standings: Sequence[Standing],
    held: Callable[[int, int], Held],
    *,
    metric: Metric,
    estimand: Estimand,
    alpha: float,
) -> Ranking:
    """Rank versions by what they gain on the first of them, which is the one on disk.

    Args:
        standings: the version on disk first.
        held: two of them by their numbers, the left one first.
        alpha: put up with for all claims together.
    """
    others = [n for n in range(1, len(standings)) if not standings[n].unranked]
    if standings[0].unranked:
        others = []
    pairs = {n: held(0, n) for n in others}
    others = [n for n in others if pairs[n].rows]
    # Both bounds of every interval, all at once.
    level = alpha / (2 * max(len(others), 1))
    evidence = {n: _assess(pairs[n], estimand, level) for n in others}
    claims = _claims(evidence, alpha)
    gain = {n: evidence[n].delta for n in others}
    able = [0, *others] if not standings[0].unranked else []
    order = sorted(able, key=lambda n: (-round(gain.get(n, 0.0), 9), _cost(standings[n]), n))
    best_alpha = alpha / max(len(order) - 1, 1)
    to_best = {n: _assess(held(order[0], n), estimand, best_alpha) for n in order[1:]}
    rows = []
    for n in order:
        against = to_best.get(n)
        claim, p_value = claims.get(n, ("on disk", None))
        is_best = against is None or not _is_beaten(against, best_alpha)
        rows.append(Ranked(standings[n], claim, evidence.get(n), p_value, is_best, against))
    for n, standing in enumerate(standings):
        if n not in order:
            rows.append(Ranked(standing, "not ranked" if n else "on disk"))
    by_fact = bool(evidence) and all(e.by_fact for e in (*evidence.values(), *to_best.values()))
    return Ranking(tuple(rows), metric, estimand, alpha, best_alpha, by_fact)


def _assess(held: Held, estimand: Estimand, alpha: float) -> Evidence:
    sample = make_sample(held.rows)
    return assess(sample, estimand=estimand, alpha=alpha, by_fact=held.by_fact, binary=held.binary)


def _claims(evidence: dict[int, Evidence], alpha: float) -> dict[int, tuple[Claim, float | None]]:
    tested = [n for n, e in evidence.items() if not e.by_fact]
    raw = [min(2 * min(evidence[n].p_drop, evidence[n].p_rise), 1.0) for n in tested]
    p_values = dict(zip(tested, holm(raw), strict=True))
    claims: dict[int, tuple[Claim, float | None]] = {}
    for n, e in evidence.items():
        p_value = p_values.get(n)
        way: Claim = "better" if e.delta > 0 else "worse"
        if p_value is None:
            claims[n] = (way if e.delta else "equal"), None
        else:
            claims[n] = (way if e.delta and p_value <= alpha else "not told apart"), p_value
    return claims


def _is_beaten(against: Evidence, alpha: float) -> bool:
    return against.delta < 0 and (against.by_fact or against.p_drop <= alpha)


def _cost(standing: Standing) -> float:
    return float("inf") if standing.cost_usd is None else standing.cost_usd


class Needed(msgspec.Struct, frozen=True):
    """What would probably tell two versions apart, if things stay as they look; None beyond any reason.

    Attributes:
        cases: in all.
        trials: of each case.
    """

    cases: int | None
    trials: int | None


def to_tell_apart(ranking: Ranking) -> tuple[Ranked, Needed] | None:
    """The nearest rival of the first in rank that is seen to be behind it and not told apart.

    With what would tell the two apart with 80 % power; None where there is no such rival.
    """
    behind = [(r, r.to_best) for r in ranking.best if r.to_best is not None and r.to_best.delta < 0]
    if not behind:
        return None
    rival, evidence = max(behind, key=lambda pair: pair[1].delta)
    cases = cases_to_decide(evidence, 0.0, ranking.best_alpha)
    trials = trials_to_decide(evidence, 0.0, ranking.best_alpha)
    return rival, Needed(cases, trials if ranking.estimand == "these_cases" else None)


def cheapest(rows: Sequence[Ranked]) -> Ranked | None:
    """The one whose answers cost least; None where a price is not known or they all cost the same."""
    costs = [r.standing.cost_usd for r in rows]
    known = [c for c in costs if c is not None]
    if len(known) < len(costs) or len(set(known)) < 2:
        return None
    return min(rows, key=lambda r: _cost(r.standing))
