"""Attribution: which changed part did how much of the difference between two versions.

The versions are A (the baseline) and B (the candidate). What differs between them is a list of parts; the
mixtures in between are corners (`statistics.shapley`), and every figure here is a linear function of what the
corners answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.comparison import SCORE_EPSILON, Flip, Pair
from llmops_tui.domain.format import delta, points
from llmops_tui.domain.gate.rows import JudgedRow
from llmops_tui.domain.run import Row, VersionInfo, passes
from llmops_tui.domain.statistics.assess import Estimand, Evidence, assess
from llmops_tui.domain.statistics.joint import joint_intervals
from llmops_tui.domain.statistics.margin import cases_to_decide, trials_to_decide
from llmops_tui.domain.statistics.sample import Floats, Ints, make_sample
from llmops_tui.domain.statistics.shapley import Design, interactions

Measure = Literal["pass_rate", "score"]
#: How a measure is called.
MEASURES: dict[Measure, str] = {"pass_rate": "pass rate", "score": "mean score"}
State = Literal["explained", "one part", "nothing changed", "not proven", "incomplete"]
PartKey = tuple[str, str]
"""Kind and name of a part of a version."""
TrialValues = tuple[tuple[float, ...], ...]
"""One figure of a row: for each corner, trial by trial."""


class ChangedPart(msgspec.Struct, frozen=True):
    """What differs and is taken over as one.

    Attributes:
        label: as people see it: `prompt`, `params.temperature`, `prompt + retrieval + corpus`.
        members: the parts of the versions that it is made of.
        why: why several are one, as a clause; empty where it is one.
    """

    label: str
    members: tuple[PartKey, ...]
    why: str = ""


class Share(msgspec.Struct, frozen=True):
    """A part's share of a difference; `low` and `high` are None where it is a fact."""

    part: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_shown(self) -> bool:
        """It is a fact other than 0, or its interval leaves out 0."""
        if self.low is None or self.high is None:
            return abs(self.value) > SCORE_EPSILON
        return self.low > 0 or self.high < 0


class Interaction(msgspec.Struct, frozen=True):
    """Two parts whose effects don't add up.

    Attributes:
        share: how much more both do together than apart, averaged over what else was taken over.
        alone: what each does alone, on top of A.
        together: what both do, on top of A.
    """

    parts: tuple[str, str]
    share: Share
    alone: tuple[float, float]
    together: float

    @property
    def only_together(self) -> bool:
        """Alone they do nothing worth the name."""
        return abs(self.together) > SCORE_EPSILON and all(
            abs(value) <= 0.2 * abs(self.together) for value in self.alone
        )


class Attribution(msgspec.Struct, frozen=True):
    """One measure's difference, shared out.

    Attributes:
        total: the difference, tested as the gate tests it.
        proven: it is a fact, or the test rejects "no change" in one direction.
        would_prove: what would prove it, as a clause; empty where it is proven or nothing would.
        shares: one a part; they add up to `total.delta`. Empty where it is not proven.
        interactions: those that are shown: a fact other than 0, or an interval that leaves out 0.
    """

    measure: Measure
    total: Evidence
    proven: bool
    would_prove: str = ""
    shares: tuple[Share, ...] = ()
    interactions: tuple[Interaction, ...] = ()


class CaseShares(msgspec.Struct, frozen=True):
    """What each part did to one case on one model, largest first; parts that did nothing are left out.

    `delta` is B − A of the measure; it may be 0 where parts cancel each other.
    """

    case_id: str
    model: str
    measure: Measure
    delta: float
    flip: Flip | None
    shares: tuple[tuple[str, float], ...]


class Explanation(msgspec.Struct, frozen=True):
    """The difference between two versions, part by part.

    Attributes:
        sentence: what came of it, in words.
        measures: the gate's first (passes where cases are judged by passing, else scores), then the mean
            score where it says something else.
        cases: those that some part changed, the largest change first.
        notes: what was merged, left out or adapted, as sentences.
        corners: versions in between that were looked at.
        orders: drawn orders of the parts; 0 where all were counted.
        level: probability with which all intervals of a measure are right together.
    """

    baseline: VersionInfo
    candidate: VersionInfo
    state: State
    sentence: str
    parts: tuple[ChangedPart, ...] = ()
    measures: tuple[Attribution, ...] = ()
    cases: tuple[CaseShares, ...] = ()
    notes: tuple[str, ...] = ()
    corners: int = 0
    orders: int = 0
    estimand: Estimand = "these_cases"
    level: float = 0.95

    @property
    def by_fact(self) -> bool:
        """No share has an interval: all are facts."""
        return all(m.total.by_fact and all(s.low is None for s in m.shares) for m in self.measures)


class MixedRow(msgspec.Struct, frozen=True):
    """One case on one model at every corner, with equal trials; a figure is empty where it has none."""

    pair: Pair
    cluster: str
    passes: TrialValues
    scores: TrialValues

    def of(self, measure: Measure) -> TrialValues:
        return self.passes if measure == "pass_rate" else self.scores


def moved(measure: Measure, value: float | None) -> str:
    """A difference of a measure: `−25.0 pts` of a pass rate, `−0.25` of a score."""
    return points(value) if measure == "pass_rate" else delta(value)


# -- rows


def mixed_rows(
    judged: Sequence[JudgedRow], corners: Sequence[Mapping[tuple[str, str], Row]]
) -> tuple[list[MixedRow], list[JudgedRow]]:
    """What every corner answered to the cases that both ends have, and the rows that one of them lacks.

    Args:
        corners: for each corner, rows by case and *candidate's* model.
    """
    rows, lacking = [], []
    for one in judged:
        found = [corner.get(one.key) for corner in corners]
        there = [row for row in found if row is not None and row.status not in ("error", "missing")]
        if len(there) < len(found):
            lacking.append(one)
            continue
        rows.append(
            MixedRow(
                one.pair, one.cluster, _cut([passes(r) for r in there]), _cut([_scores(r) for r in there])
            )
        )
    return rows, lacking


def _scores(row: Row) -> tuple[float, ...]:
    if row.score is None:
        return ()
    return tuple([i.score for i in row.planned if i.score is not None])


def _cut(values: Sequence[tuple[float, ...]]) -> TrialValues:
    """Equal trials at every corner: those that the one with the fewest has."""
    fewest = min(len(v) for v in values)
    return tuple(v[:fewest] for v in values) if fewest else ()


def measures_of(rows: Sequence[MixedRow]) -> tuple[Measure, ...]:
    """What there is to explain: as the gate judges, then the mean score where it is another figure."""
    judged = any(row.passes for row in rows)
    scored = any(row.scores and row.scores != row.passes for row in rows)
    return (*(("pass_rate",) if judged else ()), *(("score",) if scored else ()))


# -- the whole


def total_of(
    rows: Sequence[MixedRow], measure: Measure, *, estimand: Estimand, alpha: float, by_fact: bool
) -> Attribution:
    """The difference between the first corner and the last, and whether it is proven.

    Args:
        alpha: one-sided, in either direction, as the gate has it for a drop.
    """
    counted = [row for row in rows if row.of(measure)]
    sample = make_sample((row.cluster, row.of(measure)[0], row.of(measure)[-1]) for row in counted)
    evidence = assess(sample, estimand=estimand, alpha=alpha, by_fact=by_fact, binary=measure == "pass_rate")
    if evidence.by_fact:
        return Attribution(measure, evidence, evidence.lost + evidence.won > 0)
    if min(evidence.p_drop, evidence.p_rise) <= alpha:
        return Attribution(measure, evidence, True)
    return Attribution(measure, evidence, False, _would_prove(evidence, estimand, alpha))


def _would_prove(evidence: Evidence, estimand: Estimand, alpha: float) -> str:
    if evidence.delta == 0:
        return ""
    if estimand == "these_cases":
        trials = trials_to_decide(evidence, 0.0, alpha)
        if trials is not None:
            return f"about {trials:,} trials of each case would, if it stays as it looks (trials: {trials})"
    cases = cases_to_decide(evidence, 0.0, alpha)
    return f"about {cases:,} cases would, if it stays as it looks" if cases is not None else ""


# -- the shares


def share_out(
    rows: Sequence[MixedRow],
    parts: Sequence[ChangedPart],
    design: Design,
    measure: Measure,
    *,
    estimand: Estimand,
    alpha: float,
    level: float,
    facts: tuple[bool, bool],
) -> Attribution:
    """One measure's difference, shared out among the parts where it is proven.

    Args:
        rows: their corners are those of the design.
        level: of the joint intervals.
        facts: both ends repeat themselves exactly; all corners do.
    """
    found = total_of(rows, measure, estimand=estimand, alpha=alpha, by_fact=facts[0])
    if not found.proven:
        return found
    counted = [row for row in rows if row.of(measure)]
    values, trials, clusters = _table(counted, measure)
    means = _corner_means(values, trials)
    labels = [part.label for part in parts]
    fact = found.total.by_fact and facts[1]

    def shared(
        names: Sequence[str], weights: Floats, draws: Floats | None = None, reach: float = 1.0
    ) -> list[Share]:
        estimates = [float(v) for v in weights @ means]
        if fact and design.exact:
            return [Share(name, _flat(v)) for name, v in zip(names, estimates, strict=True)]
        intervals = joint_intervals(
            values @ weights.T / reach,
            trials,
            clusters,
            estimand=estimand,
            alpha=1 - level,
            by_fact=fact,
            draws=draws,
        )
        return [
            Share(name, _flat(v), low * reach, high * reach)
            for name, v, (low, high) in zip(names, estimates, intervals, strict=True)
        ]

    drawn = None if design.exact else design.draws @ means
    shares = shared(labels, design.weights, drawn)
    return msgspec.structs.replace(
        found,
        shares=tuple(shares),
        interactions=_interactions(labels, design, means, shared) if design.exact else (),
    )


def _interactions(
    labels: Sequence[str], design: Design, means: Floats, shared: Callable[..., list[Share]]
) -> tuple[Interaction, ...]:
    pairs, weights = interactions(design.parts)
    if not pairs:
        return ()
    # What each mixture does on top of A.
    does = {c: _flat(float(v) - float(means[0])) for c, v in zip(design.corners, means, strict=True)}
    names = [f"{labels[i]} × {labels[j]}" for i, j in pairs]
    # An interaction lies in [−2, 2].
    shares = shared(names, weights, reach=2.0)
    found = [
        Interaction((labels[i], labels[j]), share, (does[1 << i], does[1 << j]), does[1 << i | 1 << j])
        for (i, j), share in zip(pairs, shares, strict=True)
        if share.is_shown
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.share.value)))


def _table(rows: Sequence[MixedRow], measure: Measure) -> tuple[Floats, Ints, Ints]:
    """(rows, most trials, corners) with 0 beyond a row's trials; trials of each row; cluster of each row."""
    import numpy as np

    trials = np.array([len(row.of(measure)[0]) for row in rows], dtype=np.int64)
    numbers: dict[str, int] = {}
    clusters = np.array([numbers.setdefault(row.cluster, len(numbers)) for row in rows], dtype=np.int64)
    corners = len(rows[0].of(measure))
    values = np.zeros((len(rows), int(trials.max()), corners))
    for n, row in enumerate(rows):
        values[n, : trials[n], :] = np.array(row.of(measure)).T
    return values, trials, clusters


def _corner_means(values: Floats, trials: Ints) -> Floats:
    means: Floats = (values.sum(axis=1) / trials[:, None]).mean(axis=0)
    return means


def _flat(value: float) -> float:
    """Round-off of a sum that is 0."""
    return 0.0 if abs(value) < SCORE_EPSILON else float(value)


# -- case by case


def case_shares(
    rows: Sequence[MixedRow], parts: Sequence[ChangedPart], design: Design
) -> tuple[CaseShares, ...]:
    """What each part did to each case, in passes where any part moved them, else in scores."""
    import numpy as np

    weights = design.weights
    found = []
    for row in rows:
        for measure in ("pass_rate", "score"):
            values = row.of(measure)
            if not values:
                continue
            means = np.array([sum(v) / len(v) for v in values])
            shares = [
                (part.label, float(v))
                for part, v in zip(parts, weights @ means, strict=True)
                if abs(v) > SCORE_EPSILON
            ]
            if shares:
                shares.sort(key=lambda one: -abs(one[1]))
                pair = row.pair
                difference = _flat(float(means[-1] - means[0]))
                found.append(
                    CaseShares(pair.case_id, pair.model, measure, difference, pair.flip, tuple(shares))
                )
                break
    return tuple(sorted(found, key=lambda one: (one.flip is None, -abs(one.delta), one.delta > 0)))
