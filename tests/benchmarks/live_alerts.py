"""Alerts on live traffic: false alarms over 1,000 days of looks every minute, and how fast a change is seen.

    python tests/benchmarks/live_alerts.py                          # as in docs/live-statistics.md
    python tests/benchmarks/live_alerts.py --days 50 --repeats 20   # a quick look

Many streams are watched at once by the program's own detector written for arrays, which is held against the
program's on the same traffic before anything is counted; references are the program's. Prints markdown.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal

import msgspec
import numpy as np
from live_detectors import Detectors, check
from live_traffic import ERRORS, MINUTES, RULES, Days, Rule, draw_clumped, draw_days, seasonal

FALSE_ALARMS_PER_DAY = 0.01
#: A change that was not seen by then is told as such.
MOST_DAYS = 30
#: Days of one stream, of the thousand.
STREAM_DAYS = 40
TRAFFIC = (50, 500, 5_000, 100_000)
Reference = Literal["days", "hours", "known"]


class Setting(msgspec.Struct, frozen=True):
    """One line of a table.

    Attributes:
        rule: its place in `RULES`.
        reference: `days`: those before (`reference_days`), renewed at midnight; `hours`: their same hour;
            `known`: the true mean, the hardest limit that is kept.
        correct: for clumps: `tempered` by the design effect of the reference, or by averaging `sessions`.
        swing, wandering: how the figure follows the hour, and differs from day to day, as shares.
        change: the figure's factor; 1 is A/A.
    """

    rule: int
    requests: int
    reference: Reference = "days"
    clumped: bool = False
    correct: Literal["", "tempered", "sessions"] = ""
    swing: float = 0.0
    wandering: float = 0.0
    increase: float = 0.0
    false_alarms_per_day: float = FALSE_ALARMS_PER_DAY
    change: float = 1.0


class Past(msgspec.Struct, frozen=True):
    """What references need of a day that is over: requests, tallies of hours (of minutes where tempered),
    histograms; of all streams."""

    n: Any
    tallies: Any
    histograms: Any


class Watch:
    """One rule on many streams, watched as the collector does it."""

    def __init__(self, setting: Setting, streams: int, rng: Any) -> None:
        from llmops_tui.domain.live.statistics.reference import DAYS, ENOUGH, budget

        self.setting, self.streams, self.rng = setting, streams, rng
        self.rule: Rule = RULES[setting.rule]
        values = self.rule.kind == "values" or setting.correct == "sessions"
        self.detectors = Detectors(streams, "values" if values else "share")
        per_day = {"days": 1.0, "hours": 24.0, "known": 0.0}[setting.reference]
        shared = budget(setting.false_alarms_per_day, per_day)
        self.confidence = shared.confidence
        self.level = -np.log(shared.false_alarms_per_day if per_day else setting.false_alarms_per_day)
        self.on = np.zeros(streams, dtype=bool)
        self.limits = np.ones((streams, 24))
        self.buckets = np.zeros(streams)
        self.effects = np.ones(streams)
        least, most = DAYS
        self.history: deque[Past] = deque(maxlen=most)
        while len(self.history) < least or (
            len(self.history) < most and sum(day.n for day in self.history).min() < ENOUGH
        ):
            self.remember(self.draw())
        self.renew(np.ones(streams, dtype=bool))

    def draw(self, times: Any = 1.0) -> Days:
        s = self.setting
        if s.clumped:
            averaged = s.correct == "sessions"
            return draw_clumped(self.rng, self.rule, s.requests, self.streams, averaged=averaged)
        raised = seasonal(self.streams, s.swing) * times
        if s.wandering:
            raised *= np.exp(self.rng.normal(0, s.wandering, (self.streams, 1)))
        return draw_days(self.rng, self.rule, s.requests, raised, self.buckets)

    def remember(self, day: Days) -> None:
        each = day.tallies
        hours = (
            each if self.setting.correct == "tempered" else each.reshape(self.streams, 24, 60, 3).sum(axis=2)
        )
        self.history.appendleft(Past(each[:, :, 0].sum(axis=1), hours, day.histograms))

    def renew(self, which: Any) -> None:
        """Limits of each hour, from the days before."""
        if self.setting.reference == "known" and self.setting.correct != "tempered":
            self.limits[:] = self.rule.share
            return
        for i in np.flatnonzero(which).tolist():
            self._renew(i)

    def _renew(self, i: int) -> None:
        from llmops_tui.domain.live.statistics.clumping import design_effect
        from llmops_tui.domain.live.statistics.moments import Moments
        from llmops_tui.domain.live.statistics.reference import (
            exceedance_limit,
            reference_days,
            reference_mean,
        )

        s = self.setting
        days = reference_days([float(day.n[i]) for day in self.history])
        past = list(self.history)[:days]
        if self.rule.kind == "p95":
            whole = sum(day.histograms[i] for day in past)
            seen = {b: float(whole[b]) for b in np.flatnonzero(whole).tolist()}
            bucket = exceedance_limit(seen, 0.95, self.confidence)
            self.buckets[i] = 0 if bucket is None else bucket
            self.limits[i] = 1.0 if bucket is None else 0.05
            return
        tallies = np.stack([day.tallies[i] for day in reversed(past)])
        if s.correct == "tempered":
            self.effects[i] = design_effect([Moments(*row) for row in tallies.reshape(-1, 3).tolist()])
        if s.reference == "known":
            self.limits[i] = self.rule.share
            return
        groups = tallies.reshape(days, 24, -1, 3).sum(axis=(0, 2))
        if s.reference == "days":
            groups = groups.sum(axis=0, keepdims=True)
        options = {"design_effect": float(self.effects[i]), "increase": s.increase}
        self.limits[i] = [reference_mean(Moments(*g), self.confidence, **options) for g in groups.tolist()]

    def live(self, times: Any = 1.0, still: Any = None) -> Any:
        """A day; gives (streams, 1440): whether an alert begins.

        Args:
            still: (streams,): those whose references are wanted afterwards; all by default.
        """
        from llmops_tui.domain.live.statistics.detector import CLEARANCE, SUSPICION

        day = self.draw(times)
        began = np.zeros((self.streams, MINUTES), dtype=bool)
        for minute in range(MINUTES):
            self.detectors.look(day.tallies[:, minute], self.limits[:, minute // 60], self.effects)
            if self.on.any():
                self.detectors.hold(self.on, self.level)
            evidence = self.detectors.log_evidence()
            over = self.on & (evidence <= self.level - CLEARANCE)
            began[:, minute] = ~self.on & (evidence >= self.level)
            self.on = (self.on | began[:, minute]) & ~over
            if over.any():
                self.detectors.restart(over)
        self.remember(day)
        calm = self.detectors.log_evidence() <= self.level - SUSPICION
        self.renew(calm if still is None else calm & still)
        return began


def false_alarms(setting: Setting, days: int, seed: int) -> int:
    length = min(STREAM_DAYS, days)
    watch = Watch(setting, max(days // length, 1), np.random.default_rng(seed))
    return sum(int(watch.live().sum()) for _ in range(length))


def delays(setting: Setting, repeats: int, seed: int) -> list[float]:
    """Minutes from the change to the alert, of each repeat; infinite where none came in a month."""
    rng = np.random.default_rng(seed)
    watch = Watch(setting, repeats, rng)
    watch.live()
    at = rng.integers(MINUTES, size=repeats)
    found = np.full(repeats, np.inf)
    for day in range(MOST_DAYS):
        still = np.isinf(found)
        if not still.any():
            break
        changed = (np.arange(MINUTES) >= at[:, None]) | (day > 0)
        began = watch.live(np.where(changed, setting.change, 1.0), still) & changed
        seen = began.any(axis=1) & still
        found[seen] = (day * MINUTES + began.argmax(axis=1) - at + 1)[seen]
    return found.tolist()


# -- the rule that most tools have


def naive(requests: int, times: float, days: int, repeats: int, seed: int) -> tuple[float, list[float]]:
    """(false alerts a day, delays in minutes to 3 %) of "errors of the last 15 minutes over 1 % × times"."""
    rng = np.random.default_rng(seed)
    quiet = np.ones((days, MINUTES))
    alarms = int(_begins(draw_days(rng, ERRORS, requests, quiet), times).sum())
    at = rng.integers(MINUTES, size=repeats)
    found = np.full(repeats, np.inf)
    for day in range(MOST_DAYS):
        changed = (np.arange(MINUTES) >= at[:, None]) | (day > 0)
        drawn = draw_days(rng, ERRORS, requests, np.where(changed, 3.0, 1.0))
        began = _begins(drawn, times) & changed
        seen = began.any(axis=1) & np.isinf(found)
        found[seen] = (day * MINUTES + began.argmax(axis=1) - at + 1)[seen]
    return alarms / days, found.tolist()


def _begins(day: Days, times: float, fewest: int = 10) -> Any:
    """(streams, 1440): whether it begins to fire."""
    sums = np.cumsum(day.tallies, axis=1)
    sums[:, 15:] -= sums[:, :-15].copy()
    n, k = sums[:, :, 0], sums[:, :, 1]
    on = (n >= fewest) & (k > 0.01 * times * n)
    began = on.copy()
    began[:, 1:] &= ~on[:, :-1]
    return began


# -- telling


def span(minutes: float) -> str:
    if not np.isfinite(minutes):
        return f"> {MOST_DAYS} d"
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 2880 else f"{minutes / MINUTES:.1f} d"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(head: list[str]) -> None:
    say("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))


def row(*cells: object) -> None:
    say("| " + " | ".join(str(c) for c in cells) + " |")


def alarm_row(words: str, setting: Setting, alarms: int, days: int) -> None:
    from llmops_tui.domain.statistics.proportion import clopper_pearson_lower, clopper_pearson_upper

    looks = days * MINUTES
    low = clopper_pearson_lower(alarms, looks, 0.975) * MINUTES
    high = clopper_pearson_upper(alarms, looks, 0.975) * MINUTES
    row(words, f"{setting.requests:,}", f"{days:,}", alarms, f"{alarms / days:.4f}",
        f"{low:.4f} to {high:.4f}", f"{setting.false_alarms_per_day:g}")  # fmt: skip


ALARM_HEAD = [
    "rule",
    "requests a day",
    "days",
    "false alerts",
    "a rule-day",
    "exact 95 % bounds",
    "configured",
]

CHANGES = (
    ("error rate 1 % → 3 %", 0, 3.0),
    ("error rate 1 % → 10 %", 0, 10.0),
    ("p95 latency × 1.5", 1, 1.5),
    ("p95 latency × 2", 1, 2.0),
    ("pass rate 0.9 → 0.7 (a tenth is scored)", 2, 3.0),
    ("thumbs down 5 % → 15 % (a twentieth gives one)", 3, 3.0),
    ("mean cost × 1.5", 4, 1.5),
)


def _hard() -> list[tuple[str, Setting]]:
    """What could break the promise, at ten times the default so that there is something to count."""
    tenth: dict[str, Any] = {"false_alarms_per_day": 0.1}
    clumps: dict[str, Any] = {"clumped": True, **tenth}
    slow: dict[str, Any] = {"swing": 0.3, **tenth}
    return [
        ("the limit is the true mean: errors", Setting(0, 500, "known", **tenth)),
        ("the limit is the true mean: errors", Setting(0, 5_000, "known", **tenth)),
        ("the limit is the true mean: errors", Setting(0, 100_000, "known", **tenth)),
        ("the limit is the true mean: scores", Setting(2, 5_000, "known", **tenth)),
        ("clumped scores, not corrected", Setting(2, 20_000, **clumps)),
        ("clumped scores, tempered", Setting(2, 20_000, correct="tempered", **clumps)),
        ("clumped scores, sessions averaged", Setting(2, 20_000, correct="sessions", **clumps)),
        ("clumped, true mean, not corrected", Setting(2, 20_000, "known", **clumps)),
        ("clumped, true mean, tempered", Setting(2, 20_000, "known", correct="tempered", **clumps)),
        ("clumped, true mean, sessions averaged", Setting(2, 20_000, "known", correct="sessions", **clumps)),
        ("±30 % by the hour, days before", Setting(0, 100_000, **slow)),
        ("±30 % by the hour, same hours before", Setting(0, 100_000, "hours", **slow)),
        ("±10 % from day to day, no margin", Setting(0, 100_000, wandering=0.1, **tenth)),
        ("±10 % from day to day, `increase: 30%`", Setting(0, 100_000, wandering=0.1, increase=0.3, **tenth)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--part", choices=["aa", "hard", "delay", "naive"], action="append")
    given = parser.parse_args()
    check()
    parts = given.part or ["aa", "hard", "delay", "naive"]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        if "aa" in parts:
            say("\n**A/A**: nothing changes.")
            _tell_alarms(
                pool, [(r.name, Setting(i, n)) for i, r in enumerate(RULES) for n in TRAFFIC], given.days
            )
        if "hard" in parts:
            say("\n**Hard cases**, A/A.")
            _tell_alarms(pool, _hard(), given.days)
        if "delay" in parts:
            _tell_delays(pool, given.repeats)
        if "naive" in parts:
            _tell_naive(pool, given.days, given.repeats)


def _tell_alarms(pool: ProcessPoolExecutor, lines: list[tuple[str, Setting]], days: int) -> None:
    table(ALARM_HEAD)
    jobs = [pool.submit(false_alarms, s, days, 100 + i) for i, (_, s) in enumerate(lines)]
    alarms = [job.result() for job in jobs]
    for (words, setting), count in zip(lines, alarms, strict=True):
        alarm_row(words, setting, count, days)
    if len({s.false_alarms_per_day for _, s in lines}) == 1 and all(s.reference == "days" for _, s in lines):
        alarm_row("**all**", msgspec.structs.replace(lines[0][1], requests=0), sum(alarms), days * len(lines))


def _tell_delays(pool: ProcessPoolExecutor, repeats: int) -> None:
    say(f"\n**Delay** from the change to the alert, {repeats} changes a line: median, 90 %.")
    table(["change", *[f"{n:,} a day" for n in TRAFFIC]])
    jobs = [
        [pool.submit(delays, Setting(r, n, change=times), repeats, 7 + r) for n in TRAFFIC]
        for _, r, times in CHANGES
    ]
    for (words, _, _), cells in zip(CHANGES, jobs, strict=True):
        found = [np.sort(cell.result()) for cell in cells]
        row(words, *(f"{span(d[len(d) // 2])}, {span(d[int(len(d) * 0.9)])}" for d in found))


def _tell_naive(pool: ProcessPoolExecutor, days: int, repeats: int) -> None:
    say("\n**The usual rule**: errors of the last 15 minutes, of at least 10 requests, over a fixed limit.")
    table(["limit", "requests a day", "false alerts a day", "delay to 3 % (median)", "ours: delay"])
    for requests in TRAFFIC[1:]:
        ours = pool.submit(delays, Setting(0, requests, change=3.0), repeats, 7)
        for times in (1.5, 2.0, 2.5):
            rate, found = naive(requests, times, days, repeats, 5)
            median = span(float(np.sort(found)[len(found) // 2]))
            own = np.sort(ours.result())
            row(f"{times:.1f} %", f"{requests:,}", f"{rate:.2f}", median, span(own[len(own) // 2]))


if __name__ == "__main__":
    main()
