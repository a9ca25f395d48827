"""False alarms, power and price of the gate's statistics, by simulation of pairs of runs.

    python tests/benchmarks/simulation.py                   # 20,000 pairs a line, as in docs/statistics.md
    python tests/benchmarks/simulation.py --pairs 1000      # a quick look

Each pair of runs is drawn, judged by the functions that the gate judges with (`assess`, `decide`, the
levels of `sequential`, the margin of `provable_margin`), and counted. Prints markdown.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal

import msgspec
import numpy as np

PAIRS = 20_000
ALPHA = 0.05
Difficulty = Literal["equal", "unequal"]


class Setting(msgspec.Struct, frozen=True):
    """One line of a table.

    Attributes:
        cases, trials: planned; adjudication multiplies the trials.
        group: cases in a cluster; half of the time a whole cluster shares its luck.
        difficulty: `equal`: every case fails with `wrong`; `unequal`: drawn from a beta distribution of
            that mean with most of its mass near 0 and 1.
        wrong, worse: how often the baseline fails, and the candidate.
        reshuffled: the candidate's difficulties are drawn anew: no case stays the same, the mean does.
        adjudicated: undecided pairs go on to the later looks.
        at_margin: the candidate is worse by exactly the margin (to pass it is false).
    """

    estimand: Literal["these_cases", "population"]
    cases: int
    trials: int = 1
    group: int = 1
    difficulty: Difficulty = "equal"
    wrong: float = 0.2
    worse: float = 0.2
    reshuffled: bool = False
    adjudicated: bool = True
    at_margin: bool = False


class Counted(msgspec.Struct, frozen=True):
    """What came of a setting."""

    setting: Setting
    pairs: int
    verdicts: dict[str, int]
    outputs: int
    margin: float

    def share(self, verdict: str) -> float:
        return self.verdicts.get(verdict, 0) / self.pairs

    def upper(self, verdict: str) -> float:
        from llmops_tui.domain.statistics.proportion import clopper_pearson_upper

        return clopper_pearson_upper(self.verdicts.get(verdict, 0), self.pairs)

    @property
    def spent(self) -> float:
        """Outputs asked, as a multiple of one gate with the planned trials."""
        return self.outputs / (self.pairs * 2 * self.setting.cases * self.setting.trials)


def simulate(setting: Setting, pairs: int, seed: int) -> Counted:
    """Draw and judge `pairs` pairs of runs."""
    from llmops_tui.domain.statistics.assess import assess
    from llmops_tui.domain.statistics.decide import decide
    from llmops_tui.domain.statistics.margin import provable_margin
    from llmops_tui.domain.statistics.sample import Sample
    from llmops_tui.domain.statistics.sequential import FACTORS, nominal_alpha

    rng = np.random.default_rng(seed)
    n, looks = setting.cases, FACTORS if setting.adjudicated else FACTORS[:1]
    clusters = np.arange(n) // setting.group
    margin = provable_margin(
        int(clusters[-1]) + 1, setting.trials, estimand=setting.estimand, alpha=nominal_alpha(ALPHA, 1)
    )
    verdicts: Counter[str] = Counter()
    outputs = 0
    for _ in range(pairs):
        p_before, p_after = _difficulties(rng, setting, margin)
        most = setting.trials * looks[-1]
        before = _passes(rng, p_before, most, clusters, setting.group)
        after = _passes(rng, p_after, most, clusters, setting.group)
        for look, factor in enumerate(looks, 1):
            k = setting.trials * factor
            level = nominal_alpha(ALPHA, look)
            sample = Sample(before[:, :k], after[:, :k], np.full(n, k), clusters)
            evidence = assess(sample, estimand=setting.estimand, alpha=level)
            verdict = decide(evidence, margin, level)
            if verdict != "inconclusive" or setting.estimand == "population":
                break
        verdicts[verdict] += 1
        outputs += 2 * n * k
    return Counted(setting, pairs, dict(verdicts), outputs, margin)


def _difficulties(rng: Any, setting: Setting, margin: float) -> tuple[Any, Any]:
    """How often each case passes, on both sides."""

    def draw(wrong: float) -> Any:
        if setting.difficulty == "equal":
            return np.full(setting.cases, 1 - wrong)
        return 1 - rng.beta(wrong, 1 - wrong, setting.cases)

    before = draw(setting.wrong)
    if setting.at_margin:
        # The mean falls by the margin over these very cases, each in proportion to what it has to lose.
        return before, before * (1 - margin / max(float(before.mean()), margin))
    if setting.reshuffled:
        return before, draw(setting.worse)
    if setting.worse == setting.wrong:
        return before, before
    return before, before * (1 - setting.worse) / (1 - setting.wrong)


def _passes(rng: Any, p: Any, trials: int, clusters: Any, group: int) -> Any:
    luck = rng.random((len(p), trials))
    if group > 1:
        shared = rng.random((int(clusters[-1]) + 1, trials))
        together = rng.random(shared.shape) < 0.5
        luck = np.where(together[clusters], shared[clusters], luck)
    return (luck < p[:, None]).astype(float)


# -- the tables


def false_alarms() -> list[Setting]:
    """Nothing got worse; adjudication on."""
    these = [
        Setting("these_cases", n, t, difficulty=d)
        for n in (20, 50, 60, 200)
        for t in (1, 3)
        for d in ("equal", "unequal")
    ]
    grouped = [Setting("these_cases", 60, t, group=4, difficulty="unequal") for t in (1, 3)]
    population = [
        Setting("population", n, t, group=g, difficulty="unequal", reshuffled=True)
        for n, t, g in ((20, 1, 1), (60, 1, 1), (60, 3, 4), (200, 1, 4), (200, 3, 1))
    ]
    return [*these, *grouped, *population]


def false_passes() -> list[Setting]:
    """The candidate is worse by exactly the margin; adjudication on."""
    return [
        *(
            Setting("these_cases", n, t, difficulty=d, at_margin=True)
            for n, t in ((20, 1), (60, 1), (60, 3), (200, 1))
            for d in ("equal", "unequal")
        ),
        *(
            Setting("population", n, t, group=g, difficulty="unequal", at_margin=True)
            for n, t, g in ((60, 1, 1), (200, 1, 4))
        ),
    ]


def power() -> list[Setting]:
    """It got worse: from 20 % wrong to 30 % and to 50 %; and nothing changed."""
    return [
        Setting("these_cases", n, worse=worse, adjudicated=adjudicated)
        for n in (20, 50, 60, 200)
        for worse in (0.2, 0.3, 0.5)
        for adjudicated in (False, True)
    ]


def price() -> list[Setting]:
    """Adjudication against the trials of its last look from the start."""
    return [
        Setting("these_cases", n, trials, worse=worse, adjudicated=trials == 1)
        for n in (50, 200)
        for worse in (0.2, 0.3, 0.5)
        for trials in (1, 4)
    ]


def _run(job: tuple[Setting, int, int]) -> Counted:
    return simulate(*job)


def run(settings: Iterable[Setting], pairs: int, jobs: int) -> list[Counted]:
    """All of them, in order; seeds follow from the place in the table."""
    work = [(setting, pairs, 1_000 + i) for i, setting in enumerate(settings)]
    if jobs == 1:
        return [_run(job) for job in work]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(_run, work))


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.split("|")
    lines = ["| " + " | ".join(c.strip() for c in columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def described(setting: Setting) -> list[str]:
    groups = "–" if setting.group == 1 else f"of {setting.group}"
    return [
        setting.estimand.replace("_", " "),
        f"{setting.cases}",
        f"{setting.trials}",
        groups,
        setting.difficulty + (", redrawn" if setting.reshuffled else ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=["false-alarms", "false-passes", "power", "price"])
    given = parser.parse_args()
    head = "estimand | cases | trials | groups | difficulty |"
    tables: dict[str, Callable[[], str]] = {
        "false-alarms": lambda: table(
            head + " false alarms | exact upper bound | inconclusive | asked",
            (
                [
                    *(*described(c.setting), percent(c.share("fail")), percent(c.upper("fail"))),
                    *(percent(c.share("inconclusive")), f"{c.spent:.1f}×"),
                ]
                for c in run(false_alarms(), given.pairs, given.jobs)
            ),
        ),
        "false-passes": lambda: table(
            head + " margin | false passes | exact upper bound | fail | inconclusive",
            (
                [
                    *(*described(c.setting), f"{100 * c.margin:.1f} points", percent(c.share("pass"))),
                    *(percent(c.upper("pass")), percent(c.share("fail"))),
                    percent(c.share("inconclusive")),
                ]
                for c in run(false_passes(), given.pairs, given.jobs)
            ),
        ),
        "power": lambda: table(
            "cases | wrong before → after | adjudication | margin | fail | pass | inconclusive | asked",
            (
                [f"{c.setting.cases}", f"{c.setting.wrong:.0%} → {c.setting.worse:.0%}"]
                + ["on" if c.setting.adjudicated else "off", f"{100 * c.margin:.1f} points"]
                + [percent(c.share(v)) for v in ("fail", "pass", "inconclusive")]
                + [f"{c.spent:.1f}×"]
                for c in run(power(), given.pairs, given.jobs)
            ),
        ),
        "price": lambda: table(
            "cases | wrong before → after | trials | fail | pass | inconclusive | outputs asked",
            (
                [f"{c.setting.cases}", f"{c.setting.wrong:.0%} → {c.setting.worse:.0%}"]
                + ["adjudicated: 1, 2, 4" if c.setting.adjudicated else "4 from the start"]
                + [percent(c.share(v)) for v in ("fail", "pass", "inconclusive")]
                + [f"{c.outputs / c.pairs:,.0f}"]
                for c in run(price(), given.pairs, given.jobs)
            ),
        ),
    }
    for name, make in tables.items():
        if given.only in (None, name):
            sys.stdout.write(f"### {name}\n\n{make()}\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
