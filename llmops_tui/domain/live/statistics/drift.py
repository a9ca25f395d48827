"""Did what comes in, or what goes out, change against a reference window? A test and an effect size.

With much traffic every difference is proven, so a feature has drifted only where the difference is proven
*and* large. A window is looked at once, when it is over: these p-values are not for looking every minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.live.statistics.counts import (
    Ordered,
    chi_square,
    kolmogorov_smirnov,
    mann_whitney,
    stability_index,
)
from llmops_tui.domain.statistics.multiplicity import benjamini_hochberg, holm

Size = Literal["none", "small", "medium", "large"]
SIZES: tuple[Size, ...] = ("none", "small", "medium", "large")

#: Fewer in either window say nothing.
FEWEST = 20
#: From which effect on a difference is small, medium, large. Cliff's delta: Romano et al. (2006); Cramér's V
#: of two rows is Cohen's w (1988); the stability index: usage of credit scoring, halved for "small".
CLIFF = (0.147, 0.33, 0.474)
CRAMER = (0.1, 0.3, 0.5)
INDEX = (0.1, 0.25, 0.5)
#: Names told as those that changed most.
TOP = 5


class Drift(msgspec.Struct, frozen=True):
    """One feature of two windows.

    Attributes:
        n_reference, n: values in the windows.
        p: of "both come from the same"; `p_adjusted` over all features, once they are judged together.
        effect: signed where there is a direction: positive is larger now.
        effect_name: `cliffs_delta`, `psi` (the population stability index) or `cramers_v`.
        drifted: proven and large enough.
        notes: sentences.
    """

    name: str
    n_reference: float
    n: float
    p: float
    effect: float
    effect_name: str
    size: Size
    drifted: bool = False
    p_adjusted: float | None = None
    notes: tuple[str, ...] = ()


def numeric(
    name: str, reference: Mapping[int, float], current: Mapping[int, float], *, design_effect: float = 1.0
) -> Drift:
    """A length, a latency, a cost: counts by bucket, in the order of the values.

    Kolmogorov and Smirnov's test sees any change of the distribution. The effect is Cliff's delta, or the
    stability index where the distribution changed more than it moved (it became wider, or has two humps).
    """
    seen = Ordered.of(reference, current)
    n, m = seen.sizes
    if min(n, m) < FEWEST:
        return _too_few(name, n, m, "cliffs_delta")
    distance, p = kolmogorov_smirnov(seen, design_effect)
    delta, _ = mann_whitney(seen)
    index = stability_index(seen)
    notes = [f"the largest distance of the distributions is {distance:.2f}"]
    moved, changed = _size(abs(delta), CLIFF), _size(index, INDEX)
    further = SIZES.index(changed) - SIZES.index(moved)
    # A mere shift is never two sizes larger by the index.
    if further >= 2 or (moved == "none" and further):
        notes.append(f"its form changed more than its place (Cliff's delta {delta:+.2f})")
        return Drift(name, n, m, p, index, "psi", changed, notes=tuple(notes))
    notes.append(_direction(delta))
    return Drift(name, n, m, p, delta, "cliffs_delta", moved, notes=tuple(notes))


def scores(
    name: str, reference: Mapping[int, float], current: Mapping[int, float], *, design_effect: float = 1.0
) -> Drift:
    """Scores by bucket, in order: Mann and Whitney's test, which sees a shift, with Cliff's delta."""
    seen = Ordered.of(reference, current)
    n, m = seen.sizes
    if min(n, m) < FEWEST:
        return _too_few(name, n, m, "cliffs_delta")
    delta, p = mann_whitney(seen, design_effect)
    return Drift(name, n, m, p, delta, "cliffs_delta", _size(abs(delta), CLIFF), notes=(_direction(delta),))


def categorical(
    name: str, reference: Mapping[str, float], current: Mapping[str, float], *, design_effect: float = 1.0
) -> Drift:
    """Languages, terms, models: counts by name. The names that changed most are in the notes.

    Names come from outside: make them safe before they are shown.
    """
    n, m = sum(reference.values()), sum(current.values())
    if min(n, m) < FEWEST:
        return _too_few(name, n, m, "cramers_v")
    table = chi_square(reference, current, design_effect)
    notes = [f"the stability index is {table.index:.2f}"] if table.df > 0 else ["there is one value only"]
    for label, a, b in table.cells[:TOP] if table.statistic > 0 else ():
        if abs(b / m - a / n) >= 0.001:
            notes.append(f"{label or 'all rare ones'}: {a / n:.1%} → {b / m:.1%}")
    size = _size(table.cramers_v, CRAMER)
    return Drift(name, n, m, table.p, table.cramers_v, "cramers_v", size, notes=tuple(notes))


def judge_together(
    found: Sequence[Drift],
    *,
    alpha: float = 0.01,
    least: Size = "small",
    method: Literal["holm", "benjamini_hochberg"] = "holm",
) -> tuple[Drift, ...]:
    """Which features drifted: p corrected over all of them at most `alpha`, and an effect of `least` or more.

    Args:
        method: `holm`: any false one at most α of the time; `benjamini_hochberg`: at most α of those named.
    """
    adjusted = (holm if method == "holm" else benjamini_hochberg)([d.p for d in found])
    return tuple(
        msgspec.structs.replace(
            drift,
            p_adjusted=p,
            drifted=p <= alpha and SIZES.index(drift.size) >= max(SIZES.index(least), 1),
        )
        for drift, p in zip(found, adjusted, strict=True)
    )


def _size(effect: float, limits: tuple[float, float, float]) -> Size:
    return SIZES[sum(effect >= limit for limit in limits)]


def _direction(delta: float) -> str:
    if abs(delta) < 0.005:
        return "neither window's values are larger"
    share = (1 + abs(delta)) / 2
    return (
        f"a value of now is {'larger' if delta > 0 else 'smaller'} than one of before in {share:.0%} of pairs"
    )


def _too_few(name: str, n: float, m: float, effect_name: str) -> Drift:
    note = f"too few values to tell: {n:,.0f} and {m:,.0f}, {FEWEST} are needed in each window"
    return Drift(name, n, m, 1.0, 0.0, effect_name, "none", notes=(note,))
