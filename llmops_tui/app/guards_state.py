"""What the Guards screen is set to: the window, the filter, the queue that is gone through. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec

from llmops_tui.app.live_state import WINDOWS
from llmops_tui.domain.live.guards import GuardItem, GuardReview, Queue
from llmops_tui.domain.live.listing import LiveFilter

QUEUES: tuple[Queue, ...] = get_args(Queue)
#: What rows of live guardrails can be asked by.
NAMES = ("config", "version", "feature", "model", "provider")


class GuardsState(msgspec.Struct, frozen=True):
    """What a person has set.

    Attributes:
        wanted: without its window.
        guardrail: whose detail is shown; empty: the first one.
    """

    window_s: int = 24 * 3_600
    wanted: LiveFilter = LiveFilter()
    guardrail: str = ""
    queue: Queue = "firings"

    @property
    def window(self) -> str:
        return WINDOWS[self.window_s]

    def filter_at(self, now: float) -> LiveFilter:
        """The filter with the window that ends now."""
        return msgspec.structs.replace(self.wanted, since=now - self.window_s, until=now)

    def other_window(self, step: int) -> GuardsState:
        """A longer or a shorter window, round and round."""
        windows = list(WINDOWS)
        now = windows[(windows.index(self.window_s) + step) % len(windows)]
        return msgspec.structs.replace(self, window_s=now)

    def other_queue(self, step: int) -> GuardsState:
        """The next queue, round and round."""
        queue = QUEUES[(QUEUES.index(self.queue) + step) % len(QUEUES)]
        return msgspec.structs.replace(self, queue=queue)


def not_asked_by(wanted: LiveFilter) -> str:
    """A sentence on what of a filter there are no figures of; empty where all of it counts."""
    for name in ("user", "session", "error"):
        if getattr(wanted, name):
            return f"guardrails are not counted by {name}; {name}: is left out"
    return f"guardrails are counted over all requests; is:{wanted.only} is left out" if wanted.only else ""


def counted(wanted: LiveFilter) -> LiveFilter:
    """What of a filter guardrails are counted by."""
    return LiveFilter(**{name: getattr(wanted, name) for name in NAMES})


def merged(
    before: Sequence[GuardItem], now: Sequence[GuardItem], said: Mapping[str, GuardReview]
) -> list[GuardItem]:
    """A queue read anew: what was reviewed here stays in sight, above what waits in the order of the queue.

    Args:
        said: trace id → what was said of it on this screen.
    """
    done = [item for item in before if item.row.trace_id in said]
    known = {item.row.trace_id for item in done}
    kept = [msgspec.structs.replace(item, review=said[item.row.trace_id]) for item in done]
    return [*kept, *(item for item in now if item.row.trace_id not in known)]


def next_open(items: Sequence[GuardItem], at: str | None) -> str | None:
    """Trace id of the next item that nothing was said of, from a place on, then from the top."""
    places = [item.row.trace_id for item in items]
    start = places.index(at) + 1 if at in places else 0
    order = [*items[start:], *items[:start]]
    return next((item.row.trace_id for item in order if item.review is None), None)
