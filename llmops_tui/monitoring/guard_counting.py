"""Which reviews rates are made of: those that stand for all requests of a window, whoever chose them.

Firings, and passes of the random sample, have a place by a hash of their trace's id. Those below a place are
a random sample of all, of whatever window, version or feature is asked for; so what was reviewed counts up
to the place from which on rows wait. Traffic that came in since, and versions that a filter left out, then
keep back what does not stand for them; and what somebody picked counts when its turn has come.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain.live.guards import GuardReview
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.sampling import place_of
from llmops_tui.monitoring.guard_queue import AHEAD
from llmops_tui.store.live import LiveStore

#: One may be passed over for so many that were reviewed: more could be what makes the figure.
EACH = 10


class Counting(msgspec.Struct, frozen=True):
    """Reviews of one guardrail.

    Attributes:
        firings, passes: those that count.
        early_firings, early_passes: how many do not count yet: others have their turn first.
    """

    firings: tuple[GuardReview, ...] = ()
    passes: tuple[GuardReview, ...] = ()
    early_firings: int = 0
    early_passes: int = 0


def counting(
    store: LiveStore, guardrail: str, wanted: LiveFilter, reviews: Sequence[GuardReview]
) -> Counting:
    """Those of some reviews that count.

    Args:
        wanted: a window and a series. reviews: of this guardrail and of these requests.
    """
    firings = [each for each in reviews if each.triggered]
    passes = [each for each in reviews if not each.triggered and each.drawn]
    of_firings = _so_far(store, guardrail, wanted, firings, are_firings=True)
    of_passes = _so_far(store, guardrail, wanted, passes, are_firings=False)
    return Counting(of_firings, of_passes, len(firings) - len(of_firings), len(passes) - len(of_passes))


def _so_far(
    store: LiveStore, guardrail: str, wanted: LiveFilter, reviews: Sequence[GuardReview], *, are_firings: bool
) -> tuple[GuardReview, ...]:
    """Those before a row that waits, so that few enough that wait are before it."""
    waiting = store.guards.waiting(wanted, guardrail, firings=are_firings, limit=AHEAD) if reviews else []
    ends = [place_of(row.trace_id) for row in waiting]
    if len(ends) < AHEAD:
        ends.append(1.0)
    places = [place_of(each.trace_id) for each in reviews]
    found = 0.0
    for passed_over, end in enumerate(ends):
        if sum(place < end for place in places) >= EACH * passed_over:
            found = end
    return tuple(each for each, place in zip(reviews, places, strict=True) if place < found)
