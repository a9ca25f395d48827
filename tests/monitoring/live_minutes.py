"""Live traffic for tests: requests put into a real store, minute by minute."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch, LiveScore
from llmops_tui.domain.trace import Span
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

#: A whole day, so that minutes, hours and days begin with it.
DAY0 = 1_790_035_200.0
MINUTE = 60.0
HOUR = 3_600.0


def request(
    n: int,
    at: float,
    *,
    seconds: float = 1.0,
    failed: bool = False,
    version: str = "v1",
    feature: str = "refunds",
    text: str = "Where is my parcel?",
    passed: bool | None = None,
) -> Batch:
    """One request of one span, judged where `passed` says how."""
    trace_id = hashlib.md5(str(n).encode()).hexdigest()
    span = Span(
        trace_id[:16],
        "",
        "answer",
        "model",
        at,
        at + seconds,
        "error" if failed else "ok",
        "timeout" if failed else "",
        {
            a.MODEL: "small",
            a.PROVIDER: "echo",
            a.VERSION: version,
            a.FEATURE: feature,
            a.INPUT: text,
            a.OUTPUT: "On its way.",
            a.COST: 0.001,
        },
    )
    scores = [] if passed is None else [LiveScore(trace_id, "faithful", float(passed), passed, at=at)]
    return Batch([Arrived(trace_id, span)], scores=scores)


class Traffic:
    """Requests that go on being made; each minute has `per_minute` of them.

    Args:
        seed: what is random comes from it.
    """

    def __init__(self, root: Path, *, per_minute: int = 10, seed: int = 1) -> None:
        self.root = root
        self.per_minute = per_minute
        self.random = random.Random(seed)
        self.made = 0
        self.store = LiveStore.open(root / LIVE_DATABASE)

    def go_on(self, since: float, minutes: int, make: Callable[[random.Random], dict[str, object]]) -> float:
        """Put `minutes` of traffic in; gives the end of it."""
        batches = []
        for minute in range(minutes):
            for k in range(self.per_minute):
                at = since + minute * MINUTE + k * MINUTE / self.per_minute
                batches.append(request(self.made, at, **make(self.random)))  # type: ignore[arg-type]
                self.made += 1
        self.store.ingest(batches, since + minutes * MINUTE)
        return since + minutes * MINUTE


def failing(rate: float) -> Callable[[random.Random], dict[str, object]]:
    return lambda random: {"failed": random.random() < rate}


def slow(seconds: float) -> Callable[[random.Random], dict[str, object]]:
    return lambda random: {"seconds": seconds * random.uniform(0.5, 1.5)}


def judged(rate: float, version: str = "v1") -> Callable[[random.Random], dict[str, object]]:
    return lambda random: {"passed": random.random() < rate, "version": version}
