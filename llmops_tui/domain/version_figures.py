"""The figures of one version on its own: how much passed and within which bounds, how fast, how dear. Pure.

Intervals are of one version's own rows and are for looking at; what two versions prove about each other
is the gate's business, which pairs them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.run import Row, passes

CONFIDENCE = 0.95


class Rate(msgspec.Struct, frozen=True):
    """A mean in [0, 1] with its interval.

    Attributes:
        low, high: two-sided at `CONFIDENCE`.
        rows, clusters: what was counted; rows of one case, or of cases of one group, are one cluster.
        method: of the interval, in words.
    """

    value: float
    low: float
    high: float
    rows: int
    clusters: int
    method: str


class GateMark(msgspec.Struct, frozen=True):
    """The newest verdict on a version.

    Attributes:
        verdict: `pass`, `fail` or `inconclusive`.
        against: name of the version that it was held against.
        exploratory: on results that were there, and not drawn anew.
        at: Unix seconds.
    """

    verdict: str
    against: str
    exploratory: bool
    headline: str
    at: float


class PromotionMark(msgspec.Struct, frozen=True):
    """A promotion at `at` (Unix seconds); `forced`: its gate did not pass, and `note` says why."""

    forced: bool
    note: str
    at: float


class VersionFigures(msgspec.Struct, frozen=True):
    """What the plots of the History show of a version.

    Attributes:
        pass_rate: over passed and failed rows, of the share of their planned trials that passed.
        mean_score: over rows that have a score.
        tags: tag (as the cases on disk have it) → pass rate of its rows, by name.
        latency_p50_s, latency_p95_s: of planned outputs, nearest rank.
        mean_cost_usd: of a planned output; None where one of them is not known.
    """

    pass_rate: Rate | None = None
    mean_score: Rate | None = None
    tags: dict[str, Rate] = {}
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    mean_cost_usd: float | None = None
    gate: GateMark | None = None
    promotion: PromotionMark | None = None


def figures_of(
    rows: Sequence[Row],
    cases: Mapping[str, Case],
    gate: GateMark | None = None,
    promotion: PromotionMark | None = None,
) -> VersionFigures:
    """The figures of a version's rows.

    Args:
        cases: by id, for tags and groups; a case that is not in it has neither.
    """
    judged = [(row, sum(p) / len(p)) for row in rows if (p := passes(row))]
    scored = [(row, row.score) for row in rows if row.score is not None]
    by_tag: dict[str, list[tuple[Row, float]]] = {}
    for row, share in judged:
        case = cases.get(row.case_id)
        for tag in dict.fromkeys(case.tags) if case is not None else ():
            by_tag.setdefault(tag, []).append((row, share))
    items = [item for row in rows for item in row.planned if item.output_id is not None]
    latencies = sorted(item.latency_s for item in items if item.latency_s is not None)
    costs = [item.cost_usd for item in items]
    known = [cost for cost in costs if cost is not None]
    return VersionFigures(
        _rate(judged, cases),
        _rate(scored, cases),
        {tag: rate for tag in sorted(by_tag) if (rate := _rate(by_tag[tag], cases)) is not None},
        _rank(latencies, 50),
        _rank(latencies, 95),
        sum(known) / len(known) if known and len(known) == len(costs) else None,
        gate,
        promotion,
    )


def _rate(values: Sequence[tuple[Row, float]], cases: Mapping[str, Case]) -> Rate | None:
    """A mean with its interval over clusters: Wilson's (1927) where all is 0 or 1 (or there is one cluster),
    else Student's t on the spread between clusters (`statistics.proportion.mean_interval`)."""
    if not values:
        return None
    from llmops_tui.domain.statistics.proportion import mean_interval

    clusters: list[Hashable] = []
    for row, _ in values:
        case = cases.get(row.case_id)
        clusters.append(("group", case.group) if case is not None and case.group else ("case", row.case_id))
    figures = [value for _, value in values]
    mean, low, high = mean_interval(figures, clusters, CONFIDENCE)
    count = len(set(clusters))
    whole = count == 1 or all(value in (0.0, 1.0) for value in figures)
    noun = "cases" if count == len(values) else "clusters"
    method = f"{'Wilson' if whole else 't'}, {count:,} {noun if count != 1 else noun[:-1]}"
    return Rate(mean, min(low, mean), max(high, mean), len(values), count, method)


def _rank(ordered: Sequence[float], percent: int) -> float | None:
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
