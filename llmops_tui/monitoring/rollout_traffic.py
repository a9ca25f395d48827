"""Which two versions are compared, and over which times."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

import msgspec

from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.rollout_view import Kind
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.rollups import DAY, HOUR, MINUTE, TEN_MINUTES

#: Both are live at once where the old version has so many requests after the new one came, at least such
#: a share of the new one's beside them, and they cover so much of its traffic. Less is one that leaves.
LEAST_BESIDE, BESIDE_SHARE, COVERED = 20, 0.05, 0.25
#: A version is away where it would have had so many requests at its share of the traffic, and has none: it
#: happens by chance once in a thousand times (e⁻⁷).
_MISSED = 7.0
_NUMBERED = re.compile(r"v(\d+)")


class VersionTraffic(msgspec.Struct, frozen=True):
    """When a version had traffic.

    Attributes:
        first, last: Unix seconds: starts of its first and last bucket. counts: start of a bucket → requests.
    """

    version: str
    first: int
    last: int
    requests: int
    counts: dict[int, int]


class Times(msgspec.Struct, frozen=True):
    """What is compared: [since, until) of the new version, [old_since, old_until) of the old one.

    Attributes:
        calm_since: the old version's traffic from then until `since` was before the new one came; limits are
            read off it.
    """

    kind: Kind
    since: float
    until: float
    old_since: float
    old_until: float
    calm_since: float


def fine_enough(since: float, now: float) -> int:
    """Seconds of a bucket that is fine enough to see when a version came."""
    age = now - since
    return MINUTE if age <= 4 * DAY else TEN_MINUTES if age <= 30 * DAY else HOUR


def versions_of(store: LiveStore, wanted: LiveFilter, now: float) -> tuple[list[VersionTraffic], int]:
    """Versions with traffic, the oldest first, and seconds of a bucket."""
    resolution = fine_enough(wanted.since, now)
    counts: dict[str, dict[int, int]] = {}
    for at, series, tally in store.tallies(wanted, resolution, ("version",)):
        if series.version and tally.requests:
            mine = counts.setdefault(series.version, {})
            mine[at] = mine.get(at, 0) + tally.requests
    found = [VersionTraffic(v, min(c), max(c), sum(c.values()), c) for v, c in counts.items()]
    return _in_order(found), resolution


def _in_order(found: Sequence[VersionTraffic]) -> list[VersionTraffic]:
    """By number where all have one (what came back is still the older one), else by first traffic."""
    numbers = {each.version: int(m[1]) for each in found if (m := _NUMBERED.fullmatch(each.version))}
    return sorted(
        found,
        key=lambda each: (
            numbers[each.version] if len(numbers) == len(found) else 0,
            each.first,
            each.version,
        ),
    )


def config_with_versions(store: LiveStore, config: str, wanted: LiveFilter) -> str:
    """The configuration that is meant: the named one, or the only one with several versions.

    Raises:
        UsageError: there are several.
    """
    if config:
        return config
    versions: dict[str, set[str]] = {}
    for _at, series, tally in store.tallies(wanted, DAY, ("config", "version")):
        if series.version and tally.requests:
            versions.setdefault(series.config, set()).add(series.version)
    several = sorted(name for name, each in versions.items() if len(each) > 1) or sorted(versions)
    if len(several) > 1:
        named = [name for name in several if name]
        raise UsageError(
            Problem(
                f"{len(several)} configurations have live versions",
                f"name one with --config: {', '.join(named)}",
            )
        )
    return several[0] if several else ""


def chosen(
    found: Sequence[VersionTraffic], old: str | None, new: str | None
) -> tuple[VersionTraffic, VersionTraffic]:
    """(old, new): those that were named, else the newest with traffic and the one before it.

    Raises:
        UsageError: there are not two, or one that was named has no traffic.
    """
    by_name = {each.version: each for each in found}
    for name in (old, new):
        if name is not None and name not in by_name:
            remedy = did_you_mean(name, set(by_name)) or f"there are {', '.join(by_name) or 'none'}"
            raise UsageError(Problem(f"{name} has no live traffic in this time", remedy))
    if new is None and found:
        later = [each for each in found if each.version != old]
        new = later[-1].version if later else None
    if old is None and new is not None:
        at = next(n for n, each in enumerate(found) if each.version == new)
        old = found[at - 1].version if at else None
    if old is None or new is None or old == new:
        remedy = "look further back with --since, or let your program say its version (llmops.version)"
        raise UsageError(Problem("there are no two versions with live traffic to compare", remedy))
    return by_name[old], by_name[new]


def times_of(old: VersionTraffic, new: VersionTraffic, resolution: int, now: float) -> Times:
    """Over which times two versions are compared.

    Args:
        resolution: seconds of a bucket of theirs.
    """
    end = min(old.last, new.last)
    beside = sum(n for at, n in old.counts.items() if new.first <= at <= end)
    news = sum(n for at, n in new.counts.items() if at <= end)
    if _is_beside(beside, news) and news >= COVERED * new.requests:
        since, last = float(max(old.first, new.first)), float(min(end + resolution, now))
        return Times("split", since, last, since, last, since - DAY)
    return after_the_other(old, new, resolution, now)


def only_shared(
    times: Times, new: VersionTraffic, olds: Mapping[int, int], news: Mapping[int, int]
) -> Times | None:
    """Of the time of a split, the stretch in which neither version is away; of several, the one with most
    requests to both. None where too little is left of it.

    Args:
        olds, news: start of a minute → requests to the version, of that time.
    """
    if not olds or not news:
        return times
    away = [*_away(olds, news), *_away(news, olds)]
    begins = {max(min(olds), min(news)), *(back for _gone, back in away)}
    ends = sorted([min(max(olds), max(news)), *(gone for gone, _back in away)])
    stretches = [
        (at, next((end for end in ends if end >= at), at))
        for at in begins
        if not any(gone < at < back for gone, back in away)
    ]

    def within(counts: Mapping[int, int], stretch: tuple[int, int]) -> int:
        return sum(n for at, n in counts.items() if stretch[0] <= at <= stretch[1])

    best = max(stretches, key=lambda each: (min(within(olds, each), within(news, each)), each))
    upto = sum(n for at, n in new.counts.items() if at <= best[1])
    if not _is_beside(within(olds, best), within(news, best)) or upto < COVERED * new.requests:
        return None
    since, until = max(times.since, float(best[0])), min(times.until, float(best[1] + MINUTE))
    return Times("split", since, until, since, until, since - DAY)


def _is_beside(olds: int, news: int) -> bool:
    return olds >= max(LEAST_BESIDE, BESIDE_SHARE * news)


def _away(mine: Mapping[int, int], others: Mapping[int, int]) -> list[tuple[int, int]]:
    """(last minute before, first minute after) of times in which a version is away while the other is not."""
    minutes = sorted(others)
    upto = [0, *accumulate(others[at] for at in minutes)]
    share = sum(mine.values()) / upto[-1]
    return [
        (gone, back)
        for gone, back in pairwise(sorted(mine))
        if (upto[bisect_left(minutes, back)] - upto[bisect_right(minutes, gone)]) * share >= _MISSED
    ]


def after_the_other(old: VersionTraffic, new: VersionTraffic, resolution: int, now: float) -> Times:
    """As `times_of`, of versions of which one came after the other."""
    since, until = float(new.first), float(min(new.last + resolution, now))
    lived = until - since
    # Whole days, so that each hour of the day weighs alike.
    span = max(min(lived // DAY, 7), 1) * DAY
    before = [at for at in old.counts if at < since]
    if before and max(before) < since - span:
        # A pause lies between: its last days are older than that.
        end = float(min(max(before) + HOUR, since))
        return Times("after", since, until, end - span, end, end - span)
    if lived >= DAY:
        return Times("after", since, until, since - span, since, since - span)
    same = sum(n for at, n in old.counts.items() if since - DAY <= at < until - DAY)
    if same >= LEAST_BESIDE:
        return Times("after", since, until, since - DAY, until - DAY, since - DAY)
    return Times("after", since, until, since - DAY, since, since - DAY)
