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

Rows = list[tuple[int, Series, Tally]]


class Traffic:
    """What one pass over all rules reads of the store: each stretch of time once.

    Args:
        until: up to when traffic will be asked for.
    """

    def __init__(self, store: LiveStore, until: float) -> None:
        self._store = store
        self._until = until
        self._read: dict[int, tuple[int, int, Rows]] = {}
        self._hours: dict[int, Rows] = {}

    def rows(self, resolution: int, since: float, until: float) -> Rows:
        """Sums of all series of buckets that begin in [since, until), at whole buckets."""
        low, high = int(since // resolution) * resolution, int(until // resolution) * resolution
        has = self._read.get(resolution)
        if has is None or low < has[0] or high > has[1]:
            last = int(max(high, self._until) // resolution) * resolution
            first, last = (low, last) if has is None else (min(low, has[0]), max(last, has[1]))
            has = self._read[resolution] = (first, last, self._rows(resolution, first, last))
        rows = has[2]
        return rows[bisect_left(rows, low, key=_start) : bisect_left(rows, high, key=_start)]

    def _rows(self, resolution: int, since: int, until: int) -> Rows:
        return self._store.tallies(LiveFilter(since=since, until=until), resolution)

    def of(self, rule: AlertRule, about: str, rows: Rows) -> dict[int, Tally]:
        """Sums of the requests that a rule is about, by bucket.

        Args:
            about: the version that it is about just now; empty: any.
        """
        wanted = rule.filter()
        if about:
            wanted = msgspec.structs.replace(wanted, version=about)
        found: dict[int, Tally] = {}
        for at, series, tally in rows:
            if wanted.takes(series):
                if at not in found:
                    found[at] = Tally()
                found[at].merge(tally)
        return found

    def minutes(
        self, rule: AlertRule, about: str, since: float, until: float
    ) -> Iterator[tuple[int, Tally, Tally]]:
        """(start, its sums, sums of the window that ends with it) of each minute of [since, until)."""
        resolution = MINUTE_S
        if rule.window_s > _OF_MINUTES:
            resolution = TEN_MINUTES_S if rule.window_s <= _OF_TEN else HOUR_S
        before = rule.window_s if resolution == MINUTE_S else 0
        minutes = self.of(rule, about, self.rows(MINUTE_S, since - before, until))
        buckets = minutes
        if resolution != MINUTE_S:
            buckets = self.of(rule, about, self.rows(resolution, since - rule.window_s, until))
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
            yield minute, minutes.get(minute) or Tally(), window

    # -- references

    def reference(self, rule: AlertRule, state: AlertState, at: int) -> Reference:
        """What was usual for a rule before `at`."""
        if rule.is_change and rule.reference == "same_hours":
            return self._same_hours(rule, state, at)
        if rule.is_change and rule.reference == "version":
            return self._version_before(rule, at)
        until = int((at - rule.window_s) // MINUTE_S) * MINUTE_S
        found = self.of(rule, "", self.rows(MINUTE_S, until - DAY_S, until))
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
            if start not in self._hours:
                self._hours[start] = self._rows(MINUTE_S, start, start + HOUR_S)
            found = self.of(rule, "", self._hours[start])
            if found:
                since = min(since, start)
                blocks += _in_order(found, start, start + HOUR_S, MINUTE_S, state)
        return reference_of(rule, blocks, at=at, since=since, until=hour)

    def newest_version(self, rule: AlertRule, at: int) -> tuple[str, str]:
        """(the version that came last, the one before it) of the last week; empty where there is none."""
        until = at // TEN_MINUTES_S * TEN_MINUTES_S
        first: dict[str, int] = {}
        for bucket, series, tally in self.rows(TEN_MINUTES_S, until - _DAYS * DAY_S, until):
            if series.version and tally.requests and rule.takes(series):
                first.setdefault(series.version, bucket)
        ordered = sorted(first, key=lambda version: first[version])
        return (ordered[-1], ordered[-2]) if len(ordered) > 1 else ("", "")

    def _version_before(self, rule: AlertRule, at: int) -> Reference:
        newest, before = self.newest_version(rule, at)
        until = at // TEN_MINUTES_S * TEN_MINUTES_S
        if not newest:
            return Reference(at, until, until)
        found = self.of(rule, before, self.rows(TEN_MINUTES_S, until - _DAYS * DAY_S, until))
        end = max(found, default=until) + TEN_MINUTES_S
        since = max(min(found, default=until), end - DAY_S)
        blocks = _in_order(found, since, end, TEN_MINUTES_S, None)
        return reference_of(rule, blocks, at=at, since=since, until=end, about=newest)


def _start(row: tuple[int, Series, Tally]) -> int:
    return row[0]


def _in_order(
    found: dict[int, Tally], since: int, until: int, resolution: int, state: AlertState | None
) -> list[Tally]:
    """One for each piece of time, empty ones included; without what was not usual."""
    return [
        found.get(at) or Tally()
        for at in range(since, until, resolution)
        if state is None or not was_unusual(state, at, at + resolution)
    ]
