"""Bisects of simulated cases with one planted change: how often they are wrong, and what they ask.

uv run python tests/benchmarks/bisects.py        # prints the table of docs/bisect.md
"""

from __future__ import annotations

import random

from llmops_tui.domain.bisecting import Bisection

BISECTS = 2_000
STEPS = 30
RATES = ((1.0, 0.0), (0.95, 0.05), (0.8, 0.2), (0.9, 0.5), (1.0, 0.7), (0.8, 0.5))


def one(first: int, before: float, after: float, rng: random.Random) -> tuple[Bisection, int]:
    """A bisect whose change is at step `first`, and the answers that it asked for."""
    bisection = Bisection([False] * STEPS)
    seen: dict[int, list[bool]] = {}
    while wants := bisection.wants():
        for want in wants:
            trials = seen.setdefault(want.step, [])
            while len(trials) < want.trials:
                trials.append(rng.random() < (before if want.step < first else after))
            bisection.saw(want.step, trials)
    return bisection, sum(map(len, seen.values()))


def row(before: float, after: float) -> str:
    rng = random.Random(1)
    ended = dict.fromkeys(("found", "range", "not worse"), 0)
    wrong = asked = 0
    for _ in range(BISECTS):
        first = rng.randrange(1, STEPS)
        bisection, answers = one(first, before, after, rng)
        asked += answers
        ended[str(bisection.ended)] += 1
        wrong += bisection.ended != "not worse" and first not in bisection.search.suspects
    shares = [f"{100 * n / BISECTS:.2f} %" for n in (wrong, *ended.values())]
    return f"| {before:.0%} → {after:.0%} | {STEPS} | {' | '.join(shares)} | {asked / BISECTS:.0f} |"


def main() -> None:
    print("| passes before → after | steps | wrong | found | a range | refused | answers |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for before, after in RATES:
        print(row(before, after))


if __name__ == "__main__":
    main()
