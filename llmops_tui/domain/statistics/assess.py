"""One metric on both sides: how far it moved, whether that may be chance, and within which bounds."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.statistics.sample import Sample

Estimand = Literal["these_cases", "population"]


class Evidence(msgspec.Struct, frozen=True):
    """The numbers behind a verdict.

    Attributes:
        rows, clusters: what was counted; `trials` is the mean of a row and side.
        baseline, candidate, delta: means over rows, trials averaged first; delta is candidate − baseline.
        low, high: interval of delta; each bound is one-sided at alpha. Both are delta where it is a fact.
        p_drop, p_rise: one-sided, of "it did not drop" and "it did not rise".
        by_fact: the runtime is deterministic by property: what is seen on these cases is so.
        test, interval: the methods, in words.
        lost, won: rows whose mean went down, and up.
    """

    rows: int
    clusters: int
    trials: float
    baseline: float
    candidate: float
    delta: float
    low: float
    high: float
    p_drop: float
    p_rise: float
    by_fact: bool
    test: str
    interval: str
    lost: int = 0
    won: int = 0


def assess(
    sample: Sample, *, estimand: Estimand, alpha: float, by_fact: bool = False, binary: bool = True
) -> Evidence:
    """Test and interval of a sample with at least one row.

    Args:
        estimand: `these_cases`: only the model's noise counts, trials reduce it. `population`: the
            spread between clusters counts too, and only more of them reduce it.
        alpha: one-sided level of the interval's bounds.
        by_fact: on a deterministic runtime, of these cases: nothing is tested.
        binary: values are passes; else scores.
    """
    import numpy as np

    from llmops_tui.domain.statistics import intervals
    from llmops_tui.domain.statistics.permutation import drop_and_rise

    before = np.nansum(sample.baseline, axis=1) / sample.trials
    after = np.nansum(sample.candidate, axis=1) / sample.trials
    moved = after - before
    baseline, candidate, delta = float(before.mean()), float(after.mean()), float(moved.mean())
    if abs(delta) < 1e-12:
        delta = 0.0
    lost, won = int((moved < -1e-9).sum()), int((moved > 1e-9).sum())
    clusters = int(sample.clusters.max()) + 1
    trials = float(sample.trials.mean())
    head = (sample.rows, clusters, trials, baseline, candidate, delta)
    if by_fact and estimand == "these_cases":
        words = "no test: the runtime repeats itself exactly"
        certain = (0.0, 1.0) if delta < 0 else (1.0, 0.0) if delta > 0 else (1.0, 1.0)
        return Evidence(*head, delta, delta, *certain, True, words, "a fact", lost, won)
    one_trial = int(sample.trials.max()) == 1
    alone = clusters == sample.rows
    by_trials = estimand == "these_cases" and not one_trial
    p_drop, p_rise = drop_and_rise(sample, by_trials=by_trials)
    if by_trials:
        test = "exact permutation test of the trials within each case"
        (low, high), how = intervals.between_trials(sample, alpha)
    elif one_trial and alone and binary:
        test = "exact McNemar test"
        low, high = intervals.tango(lost, won, sample.rows, alpha)
        how = "Tango score interval"
    else:
        test = "exact sign-flip test of the clusters" if not alone else "exact sign-flip test of the cases"
        (low, high), how = intervals.between_clusters(sample, alpha)
    return Evidence(*head, low, high, p_drop, p_rise, False, test, how, lost, won)
