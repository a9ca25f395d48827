"""The detector of `domain.live.statistics` on many streams at once, for simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from llmops_tui.domain.live.statistics import detector
from llmops_tui.domain.live.statistics.moments import Moments


class Detectors:
    """As many detectors as streams: `detector.look` on arrays; `check` holds both together."""

    def __init__(self, streams: int, kind: str) -> None:
        self.bets = len(detector.fresh("values" if kind == "values" else "share").evidence)
        self.evidence = np.full((streams, self.bets), detector.NOTHING)
        self.waiting = np.zeros(streams)

    def look(self, tally: Any, limit: Any, effect: Any) -> None:
        """One minute.

        Args:
            tally: (streams, 3); limit, effect: (streams,).
        """
        self.waiting = np.minimum(self.waiting + 1, detector.MINUTES_A_DAY)
        busy = np.flatnonzero((tally[:, 0] > 0) & (limit < 1))
        if not len(busy):
            return
        n, total, squares = (tally[busy] / effect[busy, None]).T[:, :, None]
        mean = np.maximum(limit[busy], 1e-9)[:, None]
        ratios = np.array(detector.RATIOS)
        worth = total * np.log(ratios) - n * np.log1p(mean * (ratios - 1))
        if self.bets > len(ratios):
            leans = np.array(detector.LEANS)
            psi = -np.log1p(-leans) - leans
            spread = squares / (mean * mean) - 2 * total / mean + n
            worth = np.concatenate([worth, leans * (total / mean - n) - psi * spread], axis=1)
        stake = np.log(self.waiting[busy] / (detector.MINUTES_A_DAY * self.bets))[:, None]
        staked = np.logaddexp(self.evidence[busy], stake) + worth
        self.evidence[busy] = np.maximum(staked, detector.NOTHING)
        self.waiting[busy] = 0.0

    def log_evidence(self) -> Any:
        high = self.evidence.max(axis=1)
        return high + np.log(np.exp(self.evidence - high[:, None]).sum(axis=1))

    def hold(self, which: Any, level: float) -> None:
        """As `detector.held`."""
        excess = np.maximum(self.log_evidence() - level - detector.HEADROOM, 0.0) * which
        self.evidence = np.maximum(self.evidence - excess[:, None], detector.NOTHING)

    def restart(self, which: Any) -> None:
        self.evidence[which] = detector.NOTHING
        self.waiting[which] = 0.0


def check(seed: int = 1, looks: int = 3000) -> None:
    """Both detectors say the same of the same traffic, or this ends the program."""
    rng = np.random.default_rng(seed)
    for kind in ("share", "values"):
        many = Detectors(3, kind)
        one = [detector.fresh("values" if kind == "values" else "share") for _ in range(3)]
        limit, effect = np.array([0.01, 0.2, 0.9]), np.array([1.0, 2.5, 1.0])
        for _ in range(looks):
            n = rng.poisson([0.3, 2, 40])
            values = [rng.beta(1, 4, c) if kind == "values" else rng.random(c) < 0.2 for c in n]
            tally = np.array([[len(v), np.sum(v), np.sum(np.square(v))] for v in values], dtype=float)
            many.look(tally, limit, effect)
            one = [
                detector.look(state, Moments(*row), mean_limit=m, design_effect=e)
                for state, row, m, e in zip(one, tally.tolist(), limit.tolist(), effect.tolist(), strict=True)
            ]
            apart = many.log_evidence() - [detector.log_evidence(state) for state in one]
            if not np.all(np.abs(apart) < 1e-6) or not math.isfinite(float(apart.sum())):
                raise SystemExit("the simulation's detector is not that of the program")
