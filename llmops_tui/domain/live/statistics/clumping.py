"""Requests of one user or session come together and fail together: how many of them are worth one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmops_tui.domain.live.statistics.moments import Moments
from llmops_tui.domain.statistics.quantiles import normal_quantile

#: Lengths of the blocks, in those given: a session may last for an hour.
LENGTHS = (1, 4, 16, 64)
#: Fewer blocks with traffic say too little.
FEWEST = 30
#: The evidence of a detector grows with the tail of a clump and not only with its variance. With so much
#: on top it is valid for clumps of geometric size that share one fate, for odds raised up to sevenfold.
TAIL = 1.5


def design_effect(blocks: Sequence[Moments], *, confidence: float = 0.95) -> float:
    """How many requests are worth one independent request, at least 1; an upper bound.

    The variance of the blocks' totals over what independent requests would give (Kish, *Survey Sampling*,
    1965), the largest of several lengths of blocks, with the error of a ratio estimate on top. What else
    makes blocks differ, such as day and night, is counted as clumping too: rather too much than too little.

    Where sessions are known, averaging each first and tallying sessions is better: it loses nothing.

    Args:
        blocks: tallies of the reference window in order of time, of equal lengths (minutes), those without
            traffic included.
    """
    worst = 1.0
    for length in LENGTHS:
        merged = [
            block
            for at in range(0, len(blocks) - length + 1, length)
            if (block := sum(blocks[at : at + length], Moments())).n > 0
        ]
        if len(merged) >= FEWEST:
            worst = max(worst, _upper(merged, confidence))
    return 1 + TAIL * (worst - 1)


def _upper(blocks: Sequence[Moments], confidence: float) -> float:
    whole = sum(blocks, Moments())
    mean = whole.mean
    variance = whole.squares / whole.n - mean * mean
    if variance <= 1e-15:
        return 1.0
    expected = [variance * b.n * (1 - b.n / whole.n) for b in blocks]
    seen = [(b.total - b.n * mean) ** 2 for b in blocks]
    scale = sum(expected)
    if scale <= 0:
        return 1.0
    ratio = sum(seen) / scale
    error = math.sqrt(sum((s - ratio * e) ** 2 for s, e in zip(seen, expected, strict=True))) / scale
    return ratio + normal_quantile(confidence) * error
