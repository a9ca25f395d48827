"""Guardrails in live traffic: what each did, what people said of it, and what follows.

The unit is a request and a guardrail: it fired in it or it did not, and that was right or not. Precision is
of the firings that were reviewed; recall needs the passes too, and only those of the random sample count.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.live.calls import within
from llmops_tui.domain.live.request import Request, Series


class GuardRow(msgspec.Struct, frozen=True):
    """One guardrail in one request. Kept of every firing and failure, and of a random share of passes.

    Attributes:
        at: when the request began, Unix seconds.
        stage: where it fired; else where its score was highest. triggered: it fired at least once.
        failed: `open`, `closed`, or empty.
        score: the highest; None where it told none.
        reason, evidence, input: why, what it fired on, and what the user asked: bounded, untrusted.
        elapsed_s: all its looks in this request together.
        cost_usd: of what it asked; 0 where it asked nothing.
        drawn: of the random sample (of firings too), by a hash of the trace's id: nobody chose it.
    """

    trace_id: str
    guardrail: str
    at: float
    series: Series
    stage: str = ""
    triggered: bool = False
    failed: str = ""
    action: str = ""
    score: float | None = None
    threshold: float | None = None
    reason: str = ""
    evidence: str = ""
    input: str = ""
    elapsed_s: float = 0.0
    cost_usd: float = 0.0
    drawn: bool = False


def row_of(request: Request, guardrail: str, *, drawn: bool = False) -> GuardRow | None:
    """What a guardrail did in a request; None where it did not look."""
    found = request.guarded.get(guardrail)
    if found is None:
        return None
    calls = [request.called[id_] for id_ in within(request.called, found.looks)]
    asked = sum(call.cost_usd or 0.0 for call in calls if call.counts)
    return GuardRow(
        request.trace_id,
        guardrail,
        request.start,
        request.series,
        found.stage,
        found.fired > 0,
        found.failed,
        found.action,
        found.score,
        found.threshold,
        found.reason,
        found.evidence,
        request.input,
        found.elapsed_s,
        # Its spans may tell what those that they made tell as well.
        found.cost_usd or asked,
        drawn,
    )


class GuardReview(msgspec.Struct, frozen=True):
    """What a person said of one row. It outlives the request, so it has all that is counted by.

    Attributes:
        right: of a firing: it should have fired; of a pass: it should not have.
        drawn: nobody chose it: the row was drawn, or it was a firing whose turn it was in the queue's random
            order. A pass that was picked since it looked suspicious counts for no rate; when a firing counts
            is told by its place in the queue (`monitoring.guard_counting`).
        at: of the request; reviewed_at: of the review, Unix seconds.
        by: who, where that is known.
    """

    trace_id: str
    guardrail: str
    triggered: bool
    right: bool
    drawn: bool
    score: float | None
    series: Series
    at: float
    reviewed_at: float
    by: str = ""


class Estimate(msgspec.Struct, frozen=True):
    """A share with its 95 % interval, and what it stands on.

    Attributes:
        n: reviewed; nothing can be said where it is 0, and the interval is [0, 1].
    """

    value: float | None
    low: float
    high: float
    n: int


class GuardBucket(msgspec.Struct, frozen=True):
    """Requests in one bucket of time. at: its start, Unix seconds."""

    at: float
    looked: int
    fired: int


class GuardVersion(msgspec.Struct, frozen=True):
    """A guardrail within the traffic of one version."""

    config: str
    version: str
    looked: int
    fired: int
    rate: Estimate


class GuardFigures(msgspec.Struct, frozen=True):
    """One guardrail over a window.

    Attributes:
        looked, fired: requests, from the sums: exact. failed: requests in which it failed itself.
        failure: how it failed most often, of the newest failures that are kept: a sentence, untrusted.
        precision: of its firings, the share that was right.
        recall: of what it should have fired on, the share on which it did.
        false_alarms: of requests that it should have left alone, the share it fired on.
        latency_p50_s, latency_p95_s: of a request, from kept rows; None where there are none.
        cost_usd: of all requests in the window, estimated from the rows kept at random.
        waiting: firings not reviewed yet. unseen: drawn passes not reviewed yet. suspected: passes that look
            like misses.
        thresholds: those that it had, the newest last.
        tunable: its scores are told, and are not only 1 and 0.
        notes: what the figures do not stand on, a sentence each.
    """

    name: str
    looked: int
    fired: int
    rate: Estimate
    precision: Estimate
    recall: Estimate
    false_alarms: Estimate
    failed: int = 0
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    cost_usd: float = 0.0
    buckets: tuple[GuardBucket, ...] = ()
    versions: tuple[GuardVersion, ...] = ()
    waiting: int = 0
    unseen: int = 0
    suspected: int = 0
    thresholds: tuple[float, ...] = ()
    tunable: bool = False
    notes: tuple[str, ...] = ()
    failure: str = ""


#: Firings; the random sample of passes; passes that look like misses; requests in which it failed itself, of
#: which there is nothing to judge.
Queue = Literal["firings", "sample", "suspected", "failures"]


class GuardItem(msgspec.Struct, frozen=True):
    """A row to be reviewed.

    Attributes:
        why: of a suspected miss, what speaks for it: a sentence each, the weightiest first.
        review: what was said of it already.
        texts: what it looked at (`looked_at`): bounded, untrusted; empty where no trace is kept.
    """

    row: GuardRow
    why: tuple[str, ...] = ()
    review: GuardReview | None = None
    texts: tuple[str, ...] = ()


class ThresholdPoint(msgspec.Struct, frozen=True):
    """What would be with this threshold, from reviewed rows weighted by how they were drawn.

    Attributes:
        rate: share of requests on which it would fire.
    """

    threshold: float
    precision: Estimate
    recall: Estimate
    false_alarms: Estimate
    rate: float


class ThresholdCurve(msgspec.Struct, frozen=True):
    """The points from the lowest threshold to the highest; a point for each score that was reviewed.

    Attributes:
        current: the threshold that it has now: on disk, where that is known, else in the newest traffic.
        others: thresholds that traffic of the window had beside it.
        reviewed: rows it stands on. problem: a sentence, where there is no curve.
    """

    guardrail: str
    current: float | None
    points: tuple[ThresholdPoint, ...] = ()
    reviewed: int = 0
    problem: str = ""
    others: tuple[float, ...] = ()


class GuardTrial(msgspec.Struct, frozen=True):
    """A guardrail of one version in evaluations: the newest run over attacks and harmless cases.

    Attributes:
        attacks: attack cases that ran with it; caught: those on which it fired in every trial;
            succeeded: those that got through in a trial in which it did not fire.
        harmless: other cases; alarms: those on which it fired.
        at: when it ran, Unix seconds.
    """

    config: str
    version: int
    guardrail: str
    attacks: int
    caught: int
    succeeded: int
    harmless: int
    alarms: int
    at: float
