"""Alerts on live traffic: false alarms over 1,000 days of looks every minute, and how fast a change is seen.

    python tests/benchmarks/live_alerts.py                          # as in docs/live-statistics.md
    python tests/benchmarks/live_alerts.py --days 50 --repeats 20   # a quick look

The functions that alert are fed what was drawn, minute after minute. Prints markdown.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal

import msgspec
import numpy as np
from live_traffic import ERRORS, MINUTES, RULES, Day, Rule, draw_day

FALSE_ALARMS_PER_DAY = 0.01
#: A change that was not seen by then is told as such.
MOST_DAYS = 30
TRAFFIC = (50, 500, 5_000, 100_000)
Reference = Literal["days", "hours", "known"]


class Setting(msgspec.Struct, frozen=True):
    """One line of a table.

    Attributes:
        rule: its place in `RULES`.
        reference: `days`: those before (`reference_days`), renewed at midnight; `hours`: their same hour;
            `known`: the true mean, the hardest limit that is kept.
        correct: for clumps: `tempered` by the design effect of the reference, or by averaging `sessions`.
        change: the figure's factor; 1 is A/A.
    """

    rule: int
    requests: int
    reference: Reference = "days"
    clumped: bool = False
    correct: Literal["", "tempered", "sessions"] = ""
    seasonal: float = 0.0
    wandering: float = 0.0
    increase: float = 0.0
    false_alarms_per_day: float = FALSE_ALARMS_PER_DAY
    change: float = 1.0


class Past(msgspec.Struct, frozen=True):
    """What a reference needs of a day that is over."""

    n: int
    tallies: Any
    histogram: dict[int, float]


class Watch:
    """One rule, watched as the collector does it."""

    def __init__(self, setting: Setting, rng: Any) -> None:
        from llmops_tui.domain.live.statistics import detector, reference
        from llmops_tui.domain.live.statistics.reference import DAYS, ENOUGH

        self.setting, self.rng = setting, rng
        self.rule: Rule = RULES[setting.rule]
        self.kind: Any = "values" if self.rule.kind == "values" or setting.correct == "sessions" else "share"
        self.state = detector.fresh(self.kind)
        # Newest first; drawn as far back as a reference goes.
        least, most = DAYS
        self.history: deque[Past] = deque((self.past(self.draw()) for _ in range(least)), most)
        while len(self.history) < most and sum(d.n for d in self.history) < ENOUGH:
            self.history.append(self.past(self.draw()))
        per_day = {"days": 1.0, "hours": 24.0, "known": 0.0}[setting.reference]
        self.budget = reference.budget(setting.false_alarms_per_day, per_day)
        self.level = setting.false_alarms_per_day if not per_day else self.budget.false_alarms_per_day
        self.on = False
        self.looked = MINUTES
        self.limits: list[float] = []
        self.bucket: int | None = None
        self.effect = 1.0
        self.renew()

    def draw(self, change: tuple[int, float] | None = None) -> Day:
        s = self.setting
        day = draw_day(
            self.rng, self.rule, s.requests, clumped=s.clumped, seasonal=s.seasonal, wandering=s.wandering,
            change=change,
        )  # fmt: skip
        return day.averaged() if s.correct == "sessions" else day

    def past(self, day: Day) -> Past:
        return Past(len(day.values), day.tallies(), day.histogram() if self.rule.kind == "p95" else {})

    def renew(self) -> None:
        """Limits of each hour, from the days before."""
        from llmops_tui.domain.live.statistics.clumping import design_effect
        from llmops_tui.domain.live.statistics.moments import Moments
        from llmops_tui.domain.live.statistics.reference import (
            exceedance_limit,
            reference_days,
            reference_mean,
        )

        s, confidence = self.setting, self.budget.confidence
        past = list(self.history)[: reference_days([d.n for d in self.history])]
        tallies = np.stack([day.tallies for day in reversed(past)])
        if s.correct == "tempered":
            self.effect = design_effect([Moments(*row) for row in tallies.reshape(-1, 3).tolist()])
        if s.reference == "known":
            self.limits = [{0: 0.01, 2: 0.1, 3: 0.05}[s.rule]] * 24
            return
        if self.rule.kind == "p95":
            whole: dict[int, float] = {}
            for day in past:
                for bucket, count in day.histogram.items():
                    whole[bucket] = whole.get(bucket, 0.0) + count
            self.bucket = exceedance_limit(whole, 0.95, confidence)
            self.limits = [0.05 if self.bucket is not None else 1.0] * 24
            return
        groups = tallies.reshape(len(past), 24, -1, 3).sum(axis=(0, 2))
        if s.reference == "days":
            groups = np.repeat(groups.sum(axis=0, keepdims=True), 24, axis=0)
        bounds = {
            tuple(g): reference_mean(Moments(*g), confidence, design_effect=self.effect, increase=s.increase)
            for g in groups.tolist()
        }
        self.limits = [bounds[tuple(g)] for g in groups.tolist()]

    def live(self, change: tuple[int, float] | None = None) -> Iterable[int]:
        """A day; gives the minutes at which an alert fires."""
        from llmops_tui.domain.live.statistics import detector
        from llmops_tui.domain.live.statistics.moments import Moments

        day = self.draw(change)
        tallies = day.tallies(self.bucket if self.rule.kind == "p95" and self.bucket is not None else None)
        # Counted from this midnight on.
        self.looked -= MINUTES
        # A minute without requests changes nothing: the next look with some makes up for it.
        busy = np.flatnonzero(tallies[:, 0])
        for minute, row in zip(busy.tolist(), tallies[busy].tolist(), strict=True):
            self.state = detector.look(
                self.state,
                Moments(*row),
                mean_limit=self.limits[minute // 60],
                minutes=minute + 1 - self.looked,
                design_effect=self.effect,
            )
            self.looked = minute + 1
            if self.on:
                self.state = detector.held(self.state, self.level)
                if detector.clears(self.state, self.level):
                    self.on, self.state = False, detector.fresh(self.kind)
            elif detector.fires(self.state, self.level):
                self.on = True
                yield minute
        self.history.appendleft(self.past(day))
        if not detector.suspects(self.state, self.level):
            self.renew()


def false_alarms(setting: Setting, days: int, seed: int) -> int:
    watch = Watch(setting, np.random.default_rng(seed))
    return sum(sum(1 for _ in watch.live()) for _ in range(days))


def delays(setting: Setting, repeats: int, seed: int) -> list[float]:
    """Minutes from the change to the alert, of each repeat; infinite where none came in a month."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(repeats):
        watch = Watch(setting, rng)
        for _ in watch.live():
            pass
        at = int(rng.integers(MINUTES))
        delay = np.inf
        for day in range(MOST_DAYS):
            fired = [m for m in watch.live((at if day == 0 else 0, setting.change)) if day or m >= at]
            if fired:
                delay = day * MINUTES + fired[0] - at + 1
                break
        found.append(float(delay))
    return found


# -- the rule that most tools have


def naive(requests: int, times: float, days: int, repeats: int, seed: int) -> tuple[float, list[float]]:
    """(false alerts a day, delays in minutes to 3 %) of "errors of the last 15 minutes over 1 % × times"."""
    rng = np.random.default_rng(seed)
    alarms = sum(len(_naive_fires(draw_day(rng, ERRORS, requests), times)) for _ in range(days))
    found = []
    for _ in range(repeats):
        at = int(rng.integers(MINUTES))
        delay = np.inf
        for day in range(MOST_DAYS):
            drawn = draw_day(rng, ERRORS, requests, change=(at if day == 0 else 0, 3.0))
            fired = [m for m in _naive_fires(drawn, times) if day or m >= at]
            if fired:
                delay = day * MINUTES + fired[0] - at + 1
                break
        found.append(float(delay))
    return alarms / days, found


def _naive_fires(day: Day, times: float, fewest: int = 10) -> list[int]:
    """Minutes at which it begins to fire."""
    sums = np.cumsum(day.tallies(), axis=0)
    sums[15:] -= sums[:-15].copy()
    n, k = sums[:, 0], sums[:, 1]
    on = (n >= fewest) & (k > 0.01 * times * n)
    return np.flatnonzero(on & ~np.concatenate([[False], on[:-1]])).tolist()


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
    slow: dict[str, Any] = {"seasonal": 0.3, **tenth}
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
