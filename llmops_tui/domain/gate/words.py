"""The sentences of a gate. Each says what was seen, and what was held against it."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.format import plural
from llmops_tui.domain.statistics.assess import Evidence

#: Cases named in a sentence before it says how many more there are.
NAMED = 6


def points(share: float) -> str:
    """0.125 → `12.5 points`."""
    return f"{100 * share:.1f} points"


def span(low: float, high: float) -> str:
    """Where a drop may lie: `a rise of 16.8 points and a drop of 10.1 points`."""

    def end(drop: float) -> str:
        return f"a drop of {points(drop)}" if drop >= 0 else f"a rise of {points(-drop)}"

    return f"{end(low)} and {end(high)}"


def share(value: float) -> str:
    return f"{100 * value:.1f}%"


def names(keys: Sequence[tuple[str, str]]) -> str:
    """`refund-window, cancel-order and 3 more`; a case on several models is named once."""
    unique = list(dict.fromkeys(case for case, _ in keys))
    shown, more = unique[:NAMED], len(unique) - NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def key_of(pair: Pair) -> tuple[str, str]:
    return pair.case_id, pair.model


def moved(what: str, evidence: Evidence) -> str:
    """`the pass rate fell by 12.5 points, from 81.2% to 68.8%`."""
    if evidence.delta == 0:
        return f"{what} is unchanged at {share(evidence.candidate)}"
    verb = "fell" if evidence.delta < 0 else "rose"
    span = f"from {share(evidence.baseline)} to {share(evidence.candidate)}"
    return f"{what} {verb} by {points(abs(evidence.delta))}, {span}"


def allowed(limit: float, is_auto: bool, *, by_fact: bool, same_requests: bool = False) -> str:
    """What a drop is held against."""
    if same_requests:
        return "what is asked is the same on both sides in every case, so nothing can be worse"
    if is_auto and by_fact:
        return "any drop counts, since the answers repeat themselves exactly"
    if is_auto:
        return f"{points(limit)} is what so many cases and trials can prove (max_drop: auto)"
    return f"max_drop is {points(limit)}"


def over(evidence: Evidence) -> str:
    """What it was judged on."""
    text = plural(evidence.rows, "case")
    if evidence.clusters != evidence.rows:
        text += f" in {plural(evidence.clusters, 'cluster')}"
    if evidence.trials > 1:
        text += f", {evidence.trials:g} trials each"
    return text


def p_text(p: float) -> str:
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}" if p < 0.01 else f"p = {p:.3f}"


def tested(evidence: Evidence, p_value: float, alpha: float) -> str:
    """`p = 0.021 by the sign-flip test, alpha 0.05`."""
    return f"{p_text(p_value)} by the {evidence.test}, alpha {alpha:.3g}"
