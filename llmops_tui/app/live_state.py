"""What the Live screen is set to: the window, the filter, the metric, and which requests are listed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import GROUPS, METRICS, Group, metric_of
from llmops_tui.domain.live.overview import Dimension, GroupView, Overview
from llmops_tui.domain.live.request import Request

#: Seconds of a window → how it is called.
WINDOWS: dict[int, str] = {
    3_600: "1 h",
    6 * 3_600: "6 h",
    24 * 3_600: "24 h",
    7 * 86_400: "7 d",
    30 * 86_400: "30 d",
}
BY: tuple[Dimension | None, ...] = (None, "version", "feature", "model", "user")
ORDERS = ("newest", "slowest", "dearest", "lowest")
#: Group → which requests are behind its figure, and in which order they are listed.
BEHIND: dict[Group, tuple[str, str]] = {
    "quality": ("scored", "lowest"),
    "cost": ("", "dearest"),
    "latency": ("", "slowest"),
    "safety": ("flagged", "newest"),
    "signals": ("bad", "newest"),
    "errors": ("failed", "newest"),
}
_REFUSALS = "refusal_rate"
#: What a list is empty of.
_NONE = {
    "bad": "request with a bad signal",
    "low": "request with a low score",
    "worth": "request worth a look",
}


class Listing(msgspec.Struct, frozen=True):
    """Which requests are listed.

    Attributes:
        behind: what they are behind, in words; empty: all that the filter takes.
        only: narrows the filter of the screen.
        of: in place of the screen's filter, window included (an alert's).
    """

    behind: str = ""
    only: str = ""
    order: str = "newest"
    of: LiveFilter | None = None


class LiveState(msgspec.Struct, frozen=True):
    """What a person has set.

    Attributes:
        wanted: without its window.
        metric: what is plotted.
    """

    window_s: int = 24 * 3_600
    wanted: LiveFilter = LiveFilter()
    metric: str = "pass_rate"
    by: Dimension | None = "version"
    listing: Listing = Listing()

    @property
    def window(self) -> str:
        return WINDOWS[self.window_s]

    def filter_at(self, now: float) -> LiveFilter:
        """The filter with the window that ends now."""
        return msgspec.structs.replace(self.wanted, since=now - self.window_s, until=now)

    def listed_at(self, now: float) -> LiveFilter:
        """Which requests the list has."""
        if self.listing.of is not None:
            return self.listing.of
        at = self.filter_at(now)
        return msgspec.structs.replace(at, only=self.listing.only) if self.listing.only else at

    @property
    def wanted_words(self) -> str:
        """What is listed, in the singular: `failed request`."""
        only = self.listing.only or self.wanted.only
        return _NONE.get(only, f"{only} request".strip())

    def other_window(self, step: int) -> LiveState:
        """A longer or a shorter window, round and round."""
        windows = list(WINDOWS)
        now = windows[(windows.index(self.window_s) + step) % len(windows)]
        return msgspec.structs.replace(self, window_s=now)

    def other_split(self) -> LiveState:
        at = BY.index(self.by) if self.by in BY else 0
        return msgspec.structs.replace(self, by=BY[(at + 1) % len(BY)])

    def other_order(self) -> LiveState:
        at = ORDERS.index(self.listing.order)
        listing = msgspec.structs.replace(self.listing, order=ORDERS[(at + 1) % len(ORDERS)])
        return msgspec.structs.replace(self, listing=listing)

    def behind(self, group: Group) -> LiveState:
        """List the requests behind the figure of a group."""
        only, order = BEHIND[group]
        if self.metric == _REFUSALS:
            only = "refused"
        words = {"scored": "lowest scores", "": f"{order} first", "bad": "bad signals"}.get(only, only)
        return msgspec.structs.replace(self, listing=Listing(words, only, order))

    def everything(self) -> LiveState:
        """List all that the filter takes."""
        return msgspec.structs.replace(self, listing=Listing(order=self.listing.order))


def group_of(metric: str) -> Group:
    """The group that a metric belongs to; of traffic and what is not known: the first."""
    found = metric_of(metric)
    return found.group if found is not None and found.group in GROUPS else GROUPS[0]


def metrics_of(view: GroupView) -> list[str]:
    """Names of what can be plotted of a group, the headline first."""
    return [view.headline.metric, *(figure.metric for figure in view.others)]


def all_metrics(overview: Overview | None) -> list[tuple[str, str]]:
    """(name, title) of all that can be plotted: what has figures, then what has none yet."""
    found: dict[str, str] = {}
    for view in overview.groups if overview is not None else ():
        for figure in (view.headline, *view.others):
            found.setdefault(figure.metric, figure.title)
    for figure in overview.traffic if overview is not None else ():
        found.setdefault(figure.metric, figure.title)
    for metric in METRICS.values():
        if not metric.part:
            found.setdefault(metric.name, metric.title)
    return list(found.items())


def is_wrong(request: Request) -> bool:
    """Something about it is worth a look."""
    score = request.score
    return (
        request.failed
        or request.refused
        or request.flagged
        or request.is_bad
        or request.passed is False
        or (score is not None and score < 0.5)
    )


def next_wrong(requests: Sequence[tuple[int, Request]], at: int, step: int) -> int | None:
    """Number of the next request with something wrong, from a place in the list on; None where none is."""
    places = range(at + 1, len(requests)) if step > 0 else range(at - 1, -1, -1)
    return next((requests[n][0] for n in places if is_wrong(requests[n][1])), None)
