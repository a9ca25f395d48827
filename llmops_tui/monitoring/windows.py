"""A window of time and the one before it, read once and summed by bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Series
from llmops_tui.domain.live.tally import Tally, sum_of
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.rollups import DAY, MINUTE, RESOLUTIONS, resolution_for

Bucket = tuple[int, Series, Tally]


class Window(msgspec.Struct, frozen=True):
    """Sums over a window, by bucket, and over as long a time before it.

    Attributes:
        buckets: start → sums; those in which nothing came are not there.
        starts: of every bucket of the window, in order.
        before: None where nothing is known of it.
    """

    resolution_s: int
    starts: tuple[int, ...]
    buckets: dict[int, Tally]
    total: Tally
    before: Tally | None


class Frame(msgspec.Struct, frozen=True):
    """Where the buckets of a window lie.

    Attributes:
        wanted: the filter with its window filled in; `reading` also takes in the window before.
    """

    wanted: LiveFilter
    reading: LiveFilter
    resolution_s: int
    starts: tuple[int, ...]


def frame(store: LiveStore, wanted: LiveFilter, now: float) -> Frame:
    """The window of a filter, in buckets; one without a beginning begins with the first request of all."""
    until = min(wanted.until, now)
    since = wanted.since
    if since <= 0:
        since = store.rollups.first() or until - DAY
    since = min(since, until - 1)
    resolution = resolution_for(until - since, now - (2 * since - until))
    first = int(since // resolution * resolution)
    last = max(int(-(-until // resolution)) * resolution, first + resolution)
    starts = tuple(range(first, last, resolution))
    replace = msgspec.structs.replace
    return Frame(
        replace(wanted, since=since, until=until),
        replace(
            wanted, since=first - len(starts) * resolution, until=max(-(-until // MINUTE) * MINUTE, first + 1)
        ),
        resolution,
        starts,
    )


def read(store: LiveStore, place: Frame, by: Sequence[str] = ()) -> list[Bucket]:
    """What is in the window, and in the one before: of that only the sum is told, so large buckets do.

    Args:
        by: dimensions that are to be told apart; without any, what is asked for is read as one.
    """
    first, start, until = place.starts[0], int(place.reading.since), place.reading.until
    parts = [(float(first), until, place.resolution_s)]
    coarse = next((r for r in RESOLUTIONS if r > place.resolution_s), place.resolution_s)
    low, high = -(-start // coarse) * coarse, first // coarse * coarse
    edges = [(start, first, place.resolution_s)]
    if low < high:
        edges = [(start, low, place.resolution_s), (low, high, coarse), (high, first, place.resolution_s)]
    parts += [(float(since), float(until), resolution) for since, until, resolution in edges if since < until]
    found: list[Bucket] = []
    for since, end, resolution in parts:
        wanted = msgspec.structs.replace(place.reading, since=since, until=end)
        found += store.tallies(wanted, resolution, by)
    return found


def summed(place: Frame, buckets: Iterable[Bucket]) -> Window:
    """Sums of all of them together; each is merged once by its bucket."""
    made: dict[int, Tally] = {}
    before: Tally | None = None
    first = place.starts[0]
    for bucket, _series, tally in buckets:
        if bucket < first:
            before = before or Tally()
            before.merge(tally)
            continue
        found = made.get(bucket)
        if found is None:
            found = made[bucket] = Tally()
        found.merge(tally)
    return Window(place.resolution_s, place.starts, made, sum_of(made.values()), before)


def split(place: Frame, buckets: Iterable[Bucket], key: Callable[[Series], str]) -> dict[str, Window]:
    """The same, for each value of a dimension."""
    parts: dict[str, list[Bucket]] = {}
    for each in buckets:
        parts.setdefault(key(each[1]), []).append(each)
    return {value: summed(place, part) for value, part in parts.items()}


def without(whole: Window, parts: Iterable[Window]) -> Window:
    """What is left of a window when parts of it are taken away."""
    left = {start: sum_of([tally]) for start, tally in whole.buckets.items()}
    before = sum_of([whole.before]) if whole.before is not None else None
    for part in parts:
        for start, tally in part.buckets.items():
            if start in left:
                left[start].merge(tally, -1)
        if before is not None and part.before is not None:
            before.merge(part.before, -1)
    left = {start: tally for start, tally in left.items() if tally.requests > 0}
    return Window(whole.resolution_s, whole.starts, left, sum_of(left.values()), before)
