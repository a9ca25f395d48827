"""Whether the joint intervals of an explanation are right as often as they say, by simulation.

    python tests/benchmarks/attribution.py                  # 4,000 explanations a line, as in docs/explain.md
    python tests/benchmarks/attribution.py --runs 500       # a quick look

Each explanation is drawn: cases of unequal difficulty answer at random at every corner, each part moves
each case by an amount of its own, the first two of three or more interact, and the last does nothing.
It is then computed by the functions that `llmops-tui explain` uses. Prints markdown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
import numpy as np

from llmops_tui.domain.statistics.joint import joint_intervals
from llmops_tui.domain.statistics.proportion import clopper_pearson_upper
from llmops_tui.domain.statistics.shapley import Design, exact, sampled

LEVEL = 0.95
#: What each part does on the mean; the last of them nothing.
EFFECTS = (-0.25, 0.1, -0.1, 0.05, 0.05, -0.05)
TOGETHER = -0.15


class Setting(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        group: cases in a cluster; they are alike, and in half of the trials share their luck.
        pairs: drawn orders, each with its reverse; 0: all of them.
    """

    estimand: Literal["these_cases", "population"]
    cases: int
    trials: int = 1
    group: int = 1
    parts: int = 3
    pairs: int = 0


class Found(msgspec.Struct, frozen=True):
    """What came of a setting.

    Attributes:
        missed: explanations in which any interval did not hold the truth.
        width: mean width of the first part's interval.
        first, idle: explanations that show the first part (which does −25 points), and the last (nothing).
    """

    runs: int
    missed: int
    width: float
    first: int
    idle: int


def simulate(setting: Setting, runs: int, seed: int) -> Found:
    """Draw and compute `runs` explanations."""
    rng = np.random.default_rng(seed)
    whole = exact(setting.parts)
    design = sampled(setting.parts, setting.pairs, seed=1) if setting.pairs else whole
    missed = first = idle = 0
    width = 0.0
    for run in range(runs):
        if setting.pairs:
            design = sampled(setting.parts, setting.pairs, seed=run)
        p = _chances(rng, setting)
        if setting.estimand == "population":
            true = _shares_of_population(setting.parts)
        else:
            true = whole.weights @ p.mean(axis=0)
        place = {corner: n for n, corner in enumerate(whole.corners)}
        seen = _answers(rng, p[:, [place[c] for c in design.corners]], setting)
        intervals = _intervals(setting, design, seen)
        missed += any(not low <= t <= high for t, (low, high) in zip(true, intervals, strict=True))
        width += (intervals[0][1] - intervals[0][0]) / runs
        first += intervals[0][1] < 0
        idle += not intervals[-1][0] <= 0 <= intervals[-1][1]
    return Found(runs, missed, width, first, idle)


def _intervals(setting: Setting, design: Design, seen: Any) -> Sequence[tuple[float, float]]:
    return joint_intervals(
        seen @ design.weights.T,
        np.full(setting.cases, setting.trials),
        np.arange(setting.cases) // setting.group,
        estimand=setting.estimand,
        alpha=1 - LEVEL,
        draws=None if design.exact else design.draws @ seen.mean(axis=(0, 1)),
    )


def _chances(rng: Any, setting: Setting, cases: int | None = None) -> Any:
    """(cases, corners): how often each case passes at each corner."""
    n, corners = cases or setting.cases, exact(setting.parts).corners
    bits = np.array([[c >> i & 1 for i in range(setting.parts)] for c in corners])
    effects = np.array([*EFFECTS[: setting.parts - 1], 0.0])
    clusters = n // setting.group
    easy = np.repeat(rng.beta(1.0, 0.5, clusters), setting.group)
    strength = np.repeat(rng.uniform(0, 2, (clusters, setting.parts)), setting.group, axis=0)
    moved = (strength * effects) @ bits.T
    if setting.parts > 2:
        moved += TOGETHER * (bits[:, 0] * bits[:, 1])
    return np.clip(easy[:, None] + moved, 0, 1)


def _answers(rng: Any, p: Any, setting: Setting) -> Any:
    """(cases, trials, corners): 1 where it passed."""
    shape = (len(p), setting.trials, p.shape[1])
    luck = rng.random(shape)
    if setting.group > 1:
        shared = rng.random((len(p) // setting.group, *shape[1:]))
        of = np.arange(len(p)) // setting.group
        luck = np.where((rng.random(shared.shape) < 0.5)[of], shared[of], luck)
    return (luck < p[:, None, :]).astype(float)


@lru_cache
def _shares_of_population(parts: int) -> Any:
    setting = Setting("population", 1_000_000, parts=parts)
    chances = [_chances(np.random.default_rng(n), setting, 50_000).mean(axis=0) for n in range(20)]
    return exact(parts).weights @ np.mean(chances, axis=0)


SETTINGS = (
    *(
        Setting(estimand, n, t, g, k)
        for estimand in ("these_cases", "population")
        for n, t, g, k in (
            (16, 1, 1, 2), (16, 3, 1, 3), (60, 1, 1, 3), (60, 3, 1, 3), (60, 3, 3, 3),
            (200, 1, 1, 4), (200, 3, 1, 5),
        )
    ),
    Setting("these_cases", 60, 3, 1, 7, pairs=8),
    Setting("population", 60, 1, 1, 7, pairs=8),
    Setting("population", 200, 1, 1, 7, pairs=3),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=4_000)
    given = parser.parse_args()
    head = (
        "estimand", "cases", "trials", "groups", "parts", "any interval wrong", "exact upper bound",
        "mean width", "−25 points seen", "nothing taken for something",
    )  # fmt: skip
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for n, setting in enumerate(SETTINGS):
        found = simulate(setting, given.runs, 100 + n)
        cells = (
            setting.estimand.replace("_", " "),
            setting.cases,
            setting.trials,
            f"of {setting.group}" if setting.group > 1 else "–",
            f"{setting.parts}, {2 * setting.pairs} orders" if setting.pairs else setting.parts,
            f"{100 * found.missed / found.runs:.1f} %",
            f"{100 * clopper_pearson_upper(found.missed, found.runs):.1f} %",
            f"{100 * found.width:.0f} points",
            f"{100 * found.first / found.runs:.0f} %",
            f"{100 * found.idle / found.runs:.1f} %",
        )
        print("| " + " | ".join(map(str, cells)) + " |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
