"""Traffic as alert rules look at it: minute by minute, a window up to it, and what was usual before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.live.alert_limits import Reference, reference_of
from llmops_tui.domain.live.alerting import AlertState, was_unusual
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Series
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.live.tally import Tally

if TYPE_CHECKING:
    from llmops_tui.store.live import LiveStore

MINUTE_S, TEN_MINUTES_S, HOUR_S, DAY_S = 60, 600, 3_600, 86_400
#: Longer windows are made of coarser sums.
_OF_MINUTES, _OF_TEN = 6 * HOUR_S, 3 * DAY_S
#: Days whose same hour is a reference; minutes are kept for 8.
_DAYS = 7
#: A reference is not made of less.
LEAST_SPAN_S = HOUR_S

#: Buckets that are read at once.
_PIECE = 60


class Traffic:
    """What one pass over all rules reads of the store: each stretch of time once for the same requests.

    Sums of all series are added up while they are read, a piece of time at a time: a day of minutes of a
    hundred series would not fit beside the collector.

    Args:
        until: up to when traffic will be asked for.
    """

    def __init__(self, store: LiveStore, until: float) -> None:
        self._store = store
        self._until = until
        self._read: dict[tuple[LiveFilter, int], _Stretch] = {}
        self._hours: dict[tuple[LiveFilter, int], dict[int, Tally]] = {}
        self._versions: dict[LiveFilter, tuple[int, dict[str, list[int]]]] = {}

    def of(
        self, rule: AlertRule, about: str, resolution: int, since: float, until: float
    ) -> dict[int, Tally]:
        """Sums of the requests that a rule is about, by the start of their bucket, of [since, until).

        They are shared: not to be changed.

        Args:
            about: the version that it is about just now; empty: any.
        """
        wanted = _wanted(rule, about)
        low, high = int(since // resolution) * resolution, int(until // resolution) * resolution
        has = self._read.get((wanted, resolution))
        if has is None:
            has = self._read[(wanted, resolution)] = _Stretch(low, low, {})
        if low < has.since:
            has.sums.update(self._summed(wanted, resolution, low, has.since))
            has.since = low
        if high > has.until:
            last = int(max(high, self._until) // resolution) * resolution
            has.sums.update(self._summed(wanted, resolution, has.until, last))
            has.until = last
        return {at: has.sums[at] for at in range(low, high, resolution) if at in has.sums}

    def _summed(self, wanted: LiveFilter, resolution: int, since: int, until: int) -> dict[int, Tally]:
        found: dict[int, Tally] = {}
        for at, series, tally in self._rows(resolution, since, until):
            if wanted.takes(series):
                if at not in found:
                    found[at] = Tally()
                found[at].merge(tally)
        return found

    def _rows(self, resolution: int, since: int, until: int) -> Iterator[tuple[int, Series, Tally]]:
        for start in range(since, until, resolution * _PIECE):
            end = min(start + resolution * _PIECE, until)
            yield from self._store.tallies(LiveFilter(since=start, until=end), resolution)

    def minutes(
        self, rule: AlertRule, about: str, since: float, until: float
    ) -> Iterator[tuple[Tally, Tally]]:
        """(its sums, sums of the window that ends with it) of each minute of [since, until).

        The window is the same object each time.
        """
        resolution = MINUTE_S
        if rule.window_s > _OF_MINUTES:
            resolution = TEN_MINUTES_S if rule.window_s <= _OF_TEN else HOUR_S
        minutes = self.of(rule, about, MINUTE_S, since, until)
        buckets = self.of(rule, about, resolution, since - rule.window_s, until)
        ordered, first, last = sorted(buckets), 0, 0
        window = Tally()
        for minute in range(int(since), int(until), MINUTE_S):
            end = minute + MINUTE_S
            while last < len(ordered) and ordered[last] + resolution <= end:
                window.merge(buckets[ordered[last]])
                last += 1
            while first < last and ordered[first] < end - rule.window_s:
                window.merge(buckets[ordered[first]], -1)
                first += 1
            yield minutes.get(minute) or Tally(), window

    # -- references

    def reference(self, rule: AlertRule, state: AlertState, at: int) -> Reference:
        """What was usual for a rule before `at`."""
        if rule.is_change and rule.reference == "same_hours":
            return self._same_hours(rule, state, at)
        if rule.is_change and rule.reference == "version":
            return self._version_before(rule, at)
        until = int((at - rule.window_s) // MINUTE_S) * MINUTE_S
        found = self.of(rule, "", MINUTE_S, until - DAY_S, until)
        since = min(found, default=until)
        blocks = _in_order(found, since, until, MINUTE_S, state)
        made = reference_of(rule, blocks, at=at, since=since, until=until)
        if rule.is_change and until - since < LEAST_SPAN_S:
            return Reference(at, since, until, made.value, made.n)
        return made

    def _same_hours(self, rule: AlertRule, state: AlertState, at: int) -> Reference:
        hour = at // HOUR_S * HOUR_S
        blocks: list[Tally] = []
        since = hour
        for days in range(_DAYS, 0, -1):
            start = hour - days * DAY_S
            key = (_wanted(rule, ""), start)
            if key not in self._hours:
                self._hours[key] = self._summed(key[0], MINUTE_S, start, start + HOUR_S)
            found = self._hours[key]
            if found:
                since = min(since, start)
                blocks += _in_order(found, start, start + HOUR_S, MINUTE_S, state)
        return reference_of(rule, blocks, at=at, since=since, until=hour)

    def newest_version(self, rule: AlertRule, at: int) -> tuple[str, str]:
        """(the version that came last, the one before it) of the last week; empty where there is none."""
        until = at // TEN_MINUTES_S * TEN_MINUTES_S
        since = until - _DAYS * DAY_S
        wanted = _wanted(rule, "")
        has = self._versions.get(wanted)
        if has is None or since < has[0]:
            has = self._versions[wanted] = (since, self._seen_versions(wanted, since))
        first: dict[str, int] = {}
        for version, buckets in has[1].items():
            place = bisect_left(buckets, since)
            if place < len(buckets) and buckets[place] < until:
                first[version] = buckets[place]
        ordered = sorted(first, key=lambda version: first[version])
        return (ordered[-1], ordered[-2]) if len(ordered) > 1 else ("", "")

    def _seen_versions(self, wanted: LiveFilter, since: int) -> dict[str, list[int]]:
        """Version → when it had traffic, in order."""
        seen: dict[str, list[int]] = {}
        last = int(self._until // TEN_MINUTES_S) * TEN_MINUTES_S
        for bucket, series, tally in self._rows(TEN_MINUTES_S, since, last):
            if series.version and tally.requests and wanted.takes(series):
                seen.setdefault(series.version, []).append(bucket)
        return seen

    def _version_before(self, rule: AlertRule, at: int) -> Reference:
        newest, before = self.newest_version(rule, at)
        until = at // TEN_MINUTES_S * TEN_MINUTES_S
        if not newest:
            return Reference(at, until, until)
        found = self.of(rule, before, TEN_MINUTES_S, until - _DAYS * DAY_S, until)
        end = max(found, default=until) + TEN_MINUTES_S
        since = max(min(found, default=until), end - DAY_S)
        blocks = _in_order(found, since, end, TEN_MINUTES_S, None)
        return reference_of(rule, blocks, at=at, since=since, until=end, about=newest)


class _Stretch(msgspec.Struct):
    """Sums of [since, until) by the start of their bucket."""

    since: int
    until: int
    sums: dict[int, Tally]


def _wanted(rule: AlertRule, about: str) -> LiveFilter:
    wanted = rule.filter()
    return msgspec.structs.replace(wanted, version=about) if about else wanted


def _in_order(
    found: dict[int, Tally], since: int, until: int, resolution: int, state: AlertState | None
) -> list[Tally]:
    """One for each piece of time, empty ones included; without what was not usual."""
    return [
        found.get(at) or Tally()
        for at in range(since, until, resolution)
        if state is None or not was_unusual(state, at, at + resolution)
    ]
