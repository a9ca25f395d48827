"""One case, many trials on each side."""

from __future__ import annotations

import math


def fisher_drop(b_passed: int, b_trials: int, c_passed: int, c_trials: int) -> float:
    """One-sided exact p that the candidate passes no less often.

    Source: Fisher, *Statistical Methods for Research Workers*, 1934, §21.02.
    """
    passed, trials = b_passed + c_passed, b_trials + c_trials
    total = math.comb(trials, c_trials)
    ways = sum(
        math.comb(passed, k) * math.comb(trials - passed, c_trials - k)
        for k in range(max(0, c_trials - (trials - passed)), c_passed + 1)
    )
    return min(ways / total, 1.0)
