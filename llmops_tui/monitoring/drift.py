"""Drift: what comes in, what goes out and how it is scored, held against a reference window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.tally import Sums, Tally, sum_of

if TYPE_CHECKING:
    from llmops_tui.domain.live.statistics.drift import Drift
    from llmops_tui.store.live import LiveStore

HOUR_S, DAY_S = 3_600, 86_400
#: The last day against the week before it.
WINDOW_S, REFERENCE_S = float(DAY_S), 7.0 * DAY_S
#: Histograms of a tally that may drift.
_NUMERIC = ("input_words", "output_words", "latency")


def drifts(
    store: LiveStore,
    wanted: LiveFilter,
    now: float,
    *,
    window_s: float = WINDOW_S,
    reference_s: float = REFERENCE_S,
    alpha: float = 0.01,
) -> tuple[Drift, ...]:
    """What drifted in the last `window_s`, against `reference_s` before it; those that drifted first.

    Lengths of input and output, latency, how every scorer judged, and every trait (`language`, `terms`).

    Args:
        wanted: which requests; its own times are left aside. Only what sums are kept of (see
            `LiveFilter.is_of_series`) is quick.
        alpha: of any false one among them.
    """
    from llmops_tui.domain.live.statistics.drift import judge_together

    until = now // HOUR_S * HOUR_S
    since = until - window_s // HOUR_S * HOUR_S
    current = _sum(store, wanted, since, until)
    reference = _sum(store, wanted, since - reference_s, since)
    found = judge_together(compared(reference, current), alpha=alpha)
    return tuple(sorted(found, key=lambda drift: (not drift.drifted, drift.p_adjusted, drift.name)))


def _sum(store: LiveStore, wanted: LiveFilter, since: float, until: float) -> Tally:
    found = msgspec.structs.replace(wanted, since=since, until=until)
    return sum_of(store.totals(found, HOUR_S).values())


def compared(reference: Tally, current: Tally) -> list[Drift]:
    """Everything that both windows have, one by one and not yet judged together. Names come from outside."""
    from llmops_tui.domain.live.statistics.drift import categorical, numeric

    found = [
        numeric(name, getattr(reference, name).counts, getattr(current, name).counts) for name in _NUMERIC
    ]
    found += [
        categorical(f"score.{name}", _passes(reference.scores[name]), _passes(current.scores[name]))
        for name in sorted(reference.scores.keys() & current.scores.keys())
    ]
    found += [
        categorical(
            name,
            reference.traits[name],
            current.traits[name],
            design_effect=max(_each(reference, name), _each(current, name)),
        )
        for name in sorted(reference.traits.keys() & current.traits.keys())
    ]
    return found


def _each(tally: Tally, name: str) -> float:
    """Values that a request has of a trait; of those of one request no two are independent."""
    described = sum(tally.traits.get("language", {}).values())
    return max(sum(tally.traits[name].values()) / described, 1.0) if described else 1.0


def _passes(sums: Sums) -> dict[str, float]:
    """Passes and failures; of a scorer that does not decide its values as shares of one, which vary less."""
    if sums.decided:
        return {"passed": sums.passed, "failed": sums.decided - sums.passed}
    return {"passed": sums.total, "failed": max(sums.n - sums.total, 0.0)}
