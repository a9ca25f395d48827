"""Two versions paired case by case: what went down, what went up, what stayed."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.run import Row, Snapshot, VersionInfo, passes

Change = Literal["regressed", "improved", "same", "new", "removed", "error"]
Flip = Literal["pass→fail", "fail→pass"]

#: A score that moves by no more than this has not moved.
SCORE_EPSILON = 1e-9


class Pair(msgspec.Struct, frozen=True, gc=False):
    """One case on one model, on both sides.

    Attributes:
        model: the candidate's model (the baseline's where the candidate has none).
        change: `regressed` is pass → fail, else a score lower by more than `SCORE_EPSILON`;
            `improved` the reverse; `error` where a side erred; `new` and `removed` where a side
            does not have the case; else `same`.
        delta: candidate − baseline; None where a side has no score.
        output_changed: the texts differ; None where a side has no output.
        pending: the candidate's result is not there yet (a run is under way, or was cut short).
    """

    case_id: str
    model: str
    change: Change
    flip: Flip | None
    delta: float | None
    output_changed: bool | None
    baseline: Row | None
    candidate: Row | None
    pending: bool = False


class Means(msgspec.Struct, frozen=True):
    """A figure on both sides, over the rows that both sides have it for.

    `n` is the number of those rows; all three figures are None where it is 0.
    """

    baseline: float | None
    candidate: float | None
    delta: float | None
    n: int


class Comparison(msgspec.Struct, frozen=True):
    """Baseline and candidate, paired.

    Attributes:
        pairs: in the order of the candidate's eval set, removed cases last.
        counts: pairs by change; those that are pending count as `pending` alone.
        pass_rate: mean over rows of the share of trials that passed (`pass_shares`), as a gate counts.
    """

    baseline: Snapshot
    candidate: Snapshot
    pairs: tuple[Pair, ...]
    counts: dict[str, int]
    pass_rate: Means
    mean_score: Means

    @property
    def is_alone(self) -> bool:
        """A version (or one model of it) beside itself: nothing is compared."""
        return is_same(self.baseline.version, self.candidate.version)


def is_same(one: VersionInfo, other: VersionInfo) -> bool:
    """The same answers: the same version, and of it the same model where it is about one alone."""
    return (one.id, one.model) == (other.id, other.model)


def compare(baseline: Snapshot, candidate: Snapshot) -> Comparison:
    """Pair two snapshots. Asks no model and reads nothing: O(rows)."""
    partner = pair_models(baseline.models, candidate.models)
    old = {(r.case_id, partner.get(r.model, r.model)): r for r in baseline.rows if r.status != "missing"}
    pairs = [make_pair(old.pop((r.case_id, r.model), None), r) for r in candidate.rows]
    pairs += [make_pair(row, None) for row in old.values()]
    counts = dict.fromkeys(("regressed", "improved", "same", "new", "removed", "error", "pending"), 0)
    for pair in pairs:
        counts["pending" if pair.pending else pair.change] += 1
    return Comparison(baseline, candidate, tuple(pairs), counts, _pass_rate(pairs), _mean_score(pairs))


def pair_models(baseline: tuple[str, ...], candidate: tuple[str, ...]) -> dict[str, str]:
    """Baseline model → candidate model: equal names first, the others in order.

    So a model that was replaced by another is compared with its replacement.
    """
    left = [m for m in baseline if m not in candidate]
    right = [m for m in candidate if m not in baseline]
    return {m: m for m in baseline if m in candidate} | dict(zip(left, right, strict=False))


def make_pair(old: Row | None, new: Row | None) -> Pair:
    """Pair the rows of one case on one model; at least one is there.

    A baseline that misses the case does not have it; a candidate that misses it is pending.
    """
    if old is not None and old.status == "missing":
        old = None
    row = new or old
    if row is None:
        raise ValueError("a pair has at least one side")
    if old is None or new is None:
        change: Change = "new" if old is None else "removed"
        if new is not None and new.status == "error":
            change = "error"
        pending = new is not None and new.status == "missing"
        return Pair(row.case_id, row.model, change, None, None, None, old, new, pending)
    pending = new.status == "missing"
    delta = new.score - old.score if new.score is not None and old.score is not None else None
    changed = None
    if new.first.output_id is not None and old.first.output_id is not None:
        changed = [i.text_hash for i in new.planned] != [i.text_hash for i in old.planned]
    flip: Flip | None = None
    if (old.status, new.status) == ("passed", "failed"):
        flip = "pass→fail"
    elif (old.status, new.status) == ("failed", "passed"):
        flip = "fail→pass"
    change = _change(old, new, flip, delta)
    return Pair(row.case_id, row.model, change, flip, delta, changed, old, new, pending)


def _change(old: Row, new: Row, flip: Flip | None, delta: float | None) -> Change:
    if "error" in (old.status, new.status):
        return "error"
    if flip is not None:
        return "regressed" if flip == "pass→fail" else "improved"
    if delta is not None and abs(delta) > SCORE_EPSILON:
        return "regressed" if delta < 0 else "improved"
    return "same"


def _means(values: list[tuple[float, float]]) -> Means:
    n = len(values)
    if not n:
        return Means(None, None, None, 0)
    before = sum(b for b, _ in values) / n
    after = sum(c for _, c in values) / n
    return Means(before, after, after - before, n)


def pass_shares(old: Row | None, new: Row | None) -> tuple[float, float] | None:
    """The share of trials that passed, on both sides of a row; None where a side is not judged by passing.

    Both sides are cut to the trials that the side with fewer of them has.
    """
    if old is None or new is None:
        return None
    before, after = passes(old), passes(new)
    n = min(len(before), len(after))
    if not n:
        return None
    return sum(before[:n]) / n, sum(after[:n]) / n


def _pass_rate(pairs: list[Pair]) -> Means:
    return _means([shares for p in pairs if (shares := pass_shares(p.baseline, p.candidate)) is not None])


def _mean_score(pairs: list[Pair]) -> Means:
    return _means(
        [
            (p.baseline.score, p.candidate.score)
            for p in pairs
            if p.baseline and p.candidate and p.baseline.score is not None and p.candidate.score is not None
        ]
    )
