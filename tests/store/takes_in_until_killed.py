"""Run as a process: takes live traffic in for ever and says, on a line each, what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

from live_traffic import NOW, answered, trace_id

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Batch, LiveScore, Signal
from llmops_tui.store.live import LiveStore


def main(path: Path, first: int, batches: int, shared: int) -> None:
    """`shared`: traces that the other process sends spans of too."""
    with LiveStore.open(path) as store:
        print("open", flush=True)
        for batch in range(batches):
            numbers = range(first + batch * 5, first + batch * 5 + 5)
            spans = [x for n in numbers for x in answered(n, -(n % 5_000))]
            if shared:
                n = 900_000 + batch % shared
                # Each sends half of the spans of a trace.
                spans += answered(n, 0.0, **{a.SESSION: "shared"})[first % 2 :: 2]
            made = Batch(
                spans=spans,
                signals=[Signal(f"s{numbers[0]}", "thumb", 0, NOW, trace_id(numbers[0]))],
                scores=[LiveScore(trace_id(numbers[1]), "words", 1.0, True, at=NOW)],
            )
            store.ingest([made], NOW)
            print(*numbers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
