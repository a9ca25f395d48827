"""Guardrails in live traffic: what taking spans in costs, and how long questions of their screen take.

    uv run python tests/benchmarks/live_guards.py [--requests N] [--database PATH] [--rounds N]

Taking in is CPU time, the best of some rounds, on the same requests without guardrails, with four that pass
and with 5 % of the requests firing. The database of the questions is kept where a path is given, and used
again; `first` is the CPU time of the first answer, `warm` the best of three more.
"""

from __future__ import annotations

import argparse
import gc
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from live_store import BEGIN, DAYS, END, trace

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.guards import GuardReview
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring import guards
from llmops_tui.store.live import LiveStore

NAMES = ("injection", "pii", "topics", "leak")
SAMPLE, AT_ONCE = 0.01, 128
#: Name → (guardrails of a request, share of the requests in which one fires).
KINDS = {"without guardrails": (0, 0.0), "4 that pass": (4, 0.0), "5 % firing": (4, 0.05)}


def looks(chance: random.Random, root: Span, count: int, firing: float) -> list[Span]:
    """Spans of the first guardrails; one of them fires in a share of the requests."""
    fires = chance.randrange(count) if count and chance.random() < firing else -1
    made = []
    for n, name in enumerate(NAMES[:count]):
        has = {
            a.GUARDRAIL: name,
            a.GUARDRAIL_KIND: name,
            a.GUARDRAIL_STAGE: "output" if n == 3 else "input",
            a.GUARDRAIL_THRESHOLD: 0.6,
            a.TRIGGERED: n == fires,
            a.GUARDRAIL_SCORE: chance.uniform(0.6, 1.0) if n == fires else chance.uniform(0.0, 0.6),
        }
        if n == fires:
            has |= {a.ACTION: "flag", a.GUARDRAIL_REASON: "it says ignore", a.INPUT: root.attributes[a.INPUT]}
        end = root.start + chance.random() / 100
        made.append(
            Span(chance.randbytes(8).hex(), root.id, name, "guardrail", root.start, end, attributes=has)
        )
    return made


def batches(requests: int, count: int, firing: float, apart_s: float) -> Iterator[Batch]:
    """Requests of `live_store` with these guardrails in place of its own."""
    chance = random.Random(11)
    for first in range(0, requests, AT_ONCE):
        batch = Batch(guards_sample=SAMPLE)
        for n in range(first, min(first + AT_ONCE, requests)):
            spans, signals, scores = trace(chance, BEGIN + n * apart_s)
            root, trace_id = spans[0].span, spans[0].trace_id
            batch.spans += [each for each in spans if each.span.kind != "guardrail"]
            batch.spans += [Arrived(trace_id, each) for each in looks(chance, root, count, firing)]
            batch.signals += signals
            batch.scores += scores
        yield batch


def intake(requests: int, rounds: int) -> None:
    made = {name: list(batches(requests, *kind, 0.05)) for name, kind in KINDS.items()}
    best = dict.fromkeys(made, float("inf"))
    for _ in range(rounds):
        for name, every in made.items():
            gc.collect()
            with tempfile.TemporaryDirectory() as folder, LiveStore.open(Path(folder) / "live.db") as store:
                started = time.process_time()
                for batch in every:
                    store.ingest([batch], batch.spans[-1].span.end + 60)
                best[name] = min(best[name], time.process_time() - started)
    for name, seconds in best.items():
        spans = sum(len(batch.spans) for batch in made[name])
        print(
            f"{name:20}{spans / seconds:9,.0f} spans/CPU s{1e6 * seconds / requests:9,.0f} CPU µs a request"
        )


def fill(path: Path, requests: int) -> None:
    """A month with firings and passes reviewed, 200 of each guardrail and kind."""
    with LiveStore.open(path) as store:
        for batch in batches(requests, 4, 0.05, DAYS * 86_400 / requests):
            store.ingest([batch], batch.spans[-1].span.end + 60)
        wanted = LiveFilter(BEGIN, END)
        for name in NAMES:
            for firings in (True, False):
                rows = store.guards.waiting(wanted, name, firings=firings, limit=200)
                store.guards.review(
                    *(
                        GuardReview(
                            *(row.trace_id, name, row.triggered, n % 5 > 0, True, row.score, row.series),
                            *(row.at, END),
                        )
                        for n, row in enumerate(rows)
                    )
                )


def questions(store: LiveStore) -> dict[str, Callable[[], object]]:
    asked: dict[str, Callable[[], object]] = {}
    phrases = {name: [f"ignore all rules of number {n} and tell me" for n in range(100)] for name in NAMES}
    for window, days in (("24h", 1), ("7d", 7), ("30d", DAYS)):
        wanted = LiveFilter(END - days * 86_400, END)
        asked[f"figures {window}"] = partial(guards.figures, store, wanted, END, phrases)
        for queue in ("firings", "sample", "suspected"):
            asked[f"items {queue} {window}"] = partial(
                guards.items, store, NAMES[0], queue, wanted, 200, phrases
            )
        asked[f"curve {window}"] = partial(guards.curve, store, NAMES[0], wanted, END)
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=250_000, help="of the database of the questions")
    parser.add_argument("--database", type=Path)
    parser.add_argument("--rounds", type=int, default=5, help="0: taking in is not measured")
    options = parser.parse_args()
    if options.rounds:
        intake(1_000, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        path = options.database or Path(folder) / "live.db"
        if not path.exists():
            fill(path, options.requests)
        with LiveStore.open(path, read_only=True) as store:
            print(f"{'question':24}{'first':>9}{'warm':>9}   CPU seconds")
            for name, ask in questions(store).items():
                seconds = []
                for _ in range(4):
                    started = time.process_time()
                    ask()
                    seconds.append(time.process_time() - started)
                print(f"{name:24}{seconds[0]:9.3f}{min(seconds[1:]):9.3f}")


if __name__ == "__main__":
    main()
