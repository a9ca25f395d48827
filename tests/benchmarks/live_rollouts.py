"""Two versions live: how often bounds that may be looked at any time miss, how wide they are, and verdicts.

    python tests/benchmarks/live_rollouts.py                          # as in docs/live-statistics.md
    python tests/benchmarks/live_rollouts.py --streams 100 --gates 20 # a quick look

Held against the asymptotic confidence sequence that is usual. Prints markdown.
"""

from __future__ import annotations

import argparse
import math
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import msgspec
import numpy as np
from live_alerts import row, say, span, table
from live_traffic import MINUTES, PROFILE

ALPHA = 0.05
#: Numbers of requests of the new version at which it is looked; between them the bounds hardly move.
LOOKS = (
    1,
    2,
    3,
    5,
    8,
    12,
    17,
    25,
    35,
    50,
    70,
    100,
    140,
    200,
    280,
    400,
    560,
    800,
    1_100,
    1_600,
    2_300,
    3_200,
    5_000,
)


class Stream(msgspec.Struct, frozen=True):
    """One line of the table of coverage.

    Attributes:
        old, new: pass rates, or (a, b) of beta distributions.
        ratio: requests of the old version for each of the new.
    """

    words: str
    old: Any
    new: Any
    ratio: float = 1.0


STREAMS = (
    Stream("pass rate 0.9, both", 0.9, 0.9),
    Stream("pass rate 0.5, both", 0.5, 0.5),
    Stream("pass rate 0.99, both", 0.99, 0.99),
    Stream("pass rate 0.999, both", 0.999, 0.999),
    Stream("0.9 → 0.7", 0.9, 0.7),
    Stream("1 → 0.98", 1.0, 0.98),
    Stream("0.99, new has a tenth", 0.99, 0.99, 9.0),
    Stream("scores beta(8, 2), both", (8.0, 2.0), (8.0, 2.0)),
    Stream("scores beta(0.2, 0.05) → beta(8, 2)", (0.2, 0.05), (8.0, 2.0)),
    Stream("scores always 0.8, both", (8e9, 2e9), (8e9, 2e9)),
)


def _draw(rng: Any, what: Any, n: int) -> tuple[Any, float]:
    if isinstance(what, tuple):
        return rng.beta(*what, n), what[0] / sum(what)
    return (rng.random(n) < what).astype(float), what


def _sums(values: Any) -> Callable[[int], Any]:
    from llmops_tui.domain.live.statistics.moments import Moments

    total, squares = np.cumsum(values), np.cumsum(values * values)
    return lambda n: Moments(n, float(total[n - 1]), float(squares[n - 1]))


def asymptotic(old: Any, new: Any, prior: float = 0.05) -> tuple[float, float]:
    """(delta, reach) of Robbins' normal mixture, two-sided at 2α (Waudby-Smith et al., 2024)."""
    variance = old.variance / old.n + new.variance / new.n
    if variance <= 0:
        return new.mean - old.mean, 0.0
    both = variance + prior * prior
    log = math.log(math.sqrt(both / variance) / (2 * ALPHA))
    return new.mean - old.mean, math.sqrt(2 * variance * both / (prior * prior) * log)


def coverage(stream: Stream, count: int, seed: int) -> tuple[Counter[str], list[float]]:
    """Streams of which a bound ever missed, ours and asymptotic; half-widths at 1,000."""
    from llmops_tui.domain.live.statistics.rollout import Metric, compare
    from llmops_tui.domain.live.statistics.streams import log_evidence

    rng = np.random.default_rng(seed)
    missed: Counter[str] = Counter()
    most = math.log(1 / ALPHA)
    widths: list[list[float]] = []
    for i in range(count):
        values, mean_old = _draw(rng, stream.old, math.ceil(LOOKS[-1] * stream.ratio))
        old = _sums(values)
        values, mean_new = _draw(rng, stream.new, LOOKS[-1])
        new = _sums(values)
        delta = mean_new - mean_old
        ever: set[str] = set()
        for n in LOOKS:
            a, b = old(max(int(n * stream.ratio), 1)), new(n)
            if log_evidence(b, a, delta) >= most:
                ever.add("low")
            if log_evidence(a, b, -delta) >= most:
                ever.add("high")
            seen, reach = asymptotic(a, b)
            if n >= 20 and not abs(seen - delta) <= reach + 1e-9:
                ever.add("asymptotic low" if seen > delta else "asymptotic high")
        missed.update(ever)
        if i < 20:
            a, b = old(int(1_100 * stream.ratio)), new(1_100)
            found = compare(Metric("", a, b, 0.5))
            widths.append([(found.high - found.low) / 2, asymptotic(a, b)[1]])
    return missed, np.mean(widths, axis=0).tolist()


def rollouts(
    share: float, requests: int, after: float, count: int, seed: int
) -> tuple[Counter[str], list[float]]:
    """Verdicts within three days of a deployment at noon, looked at every 15 minutes; minutes to each."""
    from llmops_tui.domain.live.statistics.moments import Moments
    from llmops_tui.domain.live.statistics.rollout import Metric, verdict_of

    rng = np.random.default_rng(seed)
    verdicts: Counter[str] = Counter()
    took = []
    quarter = PROFILE.reshape(-1, 15).sum(axis=1)
    for _ in range(count):
        verdict, minutes = "inconclusive", math.inf
        old, new = Moments(), Moments()
        for look in range(3 * 96):
            rate = requests * quarter[(48 + look) % 96]
            n_old, n_new = rng.poisson(rate * (1 - share)), rng.poisson(rate * share)
            old += Moments.of_share(float(rng.binomial(n_old, 0.9)), n_old)
            new += Moments.of_share(float(rng.binomial(n_new, after)), n_new)
            verdict = verdict_of(Metric("pass rate", old, new, 0.05), alpha=ALPHA)
            if verdict != "inconclusive":
                minutes = (look + 1) * 15.0
                break
        verdicts[verdict] += 1
        took.append(minutes)
    return verdicts, took


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--gates", type=int, default=200)
    given = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        _tell_coverage(pool, given.streams)
        _tell_rollouts(pool, given.gates)


def _tell_coverage(pool: ProcessPoolExecutor, count: int) -> None:
    from llmops_tui.domain.statistics.proportion import clopper_pearson_upper

    say(
        f"\n**Bounds**, α = {ALPHA} each, {len(LOOKS)} looks from 1 to {LOOKS[-1]:,} requests, "
        f"{count:,} pairs of streams."
    )
    table(["streams", "low ever missed", "high ever missed", "exact upper bound", "± at 1,100",
           "asymptotic: ever missed", "± at 1,100"])  # fmt: skip
    jobs = [pool.submit(coverage, s, count, 11 + i) for i, s in enumerate(STREAMS)]
    for stream, job in zip(STREAMS, jobs, strict=True):
        missed, (ours, theirs) = job.result()
        worst = max(missed["low"], missed["high"])
        usual = max(missed["asymptotic low"], missed["asymptotic high"])
        bound = f"{clopper_pearson_upper(worst, count):.2%}"
        row(stream.words, f"{missed['low'] / count:.2%}", f"{missed['high'] / count:.2%}",
            bound, f"{ours:.4f}", f"{usual / count:.2%}", f"{theirs:.4f}")  # fmt: skip


def _tell_rollouts(pool: ProcessPoolExecutor, count: int) -> None:
    say(
        "\n**Deployments at noon**, pass rate 0.9 before, `max_drop` 0.05, looked at every 15 minutes for "
        f"three days, {count} a line."
    )
    table(
        [
            "values a day",
            "new has",
            "pass rate after",
            "fail",
            "pass",
            "inconclusive",
            "time to the verdict (median, 90 %)",
        ]
    )
    settings = [(n, share, after) for n, share in ((500, 0.5), (5_000, 0.5), (5_000, 0.1), (50_000, 0.1))
                for after in (0.9, 0.85, 0.8, 0.7)]  # fmt: skip
    jobs = [pool.submit(rollouts, share, n, after, count, 23) for n, share, after in settings]
    for (n, share, after), job in zip(settings, jobs, strict=True):
        verdicts, took = job.result()
        took.sort()
        shares = [f"{verdicts[v] / count:.1%}" for v in ("fail", "pass", "inconclusive")]
        median, late = took[len(took) // 2], took[int(len(took) * 0.9)]
        times = [span(t) if t <= 3 * MINUTES else "> 3 d" for t in (median, late)]
        row(f"{n:,}", f"{share:.0%}", f"{after:.2f}", *shares, ", ".join(times))


if __name__ == "__main__":
    main()
