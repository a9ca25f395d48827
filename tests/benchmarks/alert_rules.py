"""How soon a rule fires after a change, and how often where nothing changed, by simulation.

    python tests/benchmarks/alert_rules.py                  # delays as in docs/alerts.md, some three minutes
    python tests/benchmarks/alert_rules.py --days 500       # false alarms too, a second a day

Whole rules are simulated, with references, windows and phases, by the functions that the collector uses;
`live_alerts.py` is about the detector alone. Requests come at random (Poisson) and fail with one
probability; a reference is made each day of the day before. Prints markdown.
"""

from __future__ import annotations

import argparse
import math
import statistics

import msgspec
import numpy as np

from llmops_tui.domain.live.alert_limits import reference_of
from llmops_tui.domain.live.alerting import AlertState, begin, look
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.live.tally import Tally

DAY = 1440
#: Errors before the change, and after it.
USUAL, AFTER = 0.02, (0.08, 0.1, 0.2, 0.5)
RATES = (2, 10, 60)
RULES = (
    ("above: 5%", AlertRule("errors", "error_rate", 900.0, above=0.05)),
    ("increase: 100%", AlertRule("errors", "error_rate", 900.0, increase=1.0)),
)
#: The change comes after so many minutes, and is waited for until the end.
CHANGE, END = 2 * DAY + 100, 3 * DAY
RUNS = 15
#: Of the rule that has false alarms looked for.
AT_MOST = 0.2


class Minutes:
    """Requests and failures by minute, of which sums can be told."""

    def __init__(self, n: int, per_minute: float, rates: np.ndarray, seed: int) -> None:
        chance = np.random.default_rng(seed)
        came = chance.poisson(per_minute, n)
        self._n = np.concatenate([[0], np.cumsum(came)])
        self._failed = np.concatenate([[0], np.cumsum(chance.binomial(came, rates))])

    def tally(self, since: int, until: int) -> Tally:
        n = int(self._n[until] - self._n[since])
        return Tally(traces=n, requests=n, failed=int(self._failed[until] - self._failed[since]))


def fired(rule: AlertRule, minutes: Minutes, until: int, since: int = DAY) -> list[int]:
    """The minutes at which a rule fired."""
    window = int(rule.window_s // 60)
    state, found = begin(rule, since * 60.0), []
    for minute in range(since, until):
        if state.phase == "quiet" and (state.reference is None or minute % DAY == 0):
            state = _referred(rule, state, minutes, minute, window)
        sums = minutes.tally(minute, minute + 1), minutes.tally(minute + 1 - window, minute + 1)
        state, change = look(rule, state, *sums, (minute + 1) * 60.0)
        if change is not None and change.what == "fired":
            found.append(minute)
    return found


def _referred(rule: AlertRule, state: AlertState, minutes: Minutes, at: int, window: int) -> AlertState:
    last = at - window
    blocks = [minutes.tally(m, m + 1) for m in range(max(last - DAY, 0), last)]
    made = reference_of(rule, blocks, at=at * 60.0, since=0.0, until=last * 60.0)
    return msgspec.structs.replace(state, reference=made)


def delays(rule: AlertRule, per_minute: float, after: float) -> list[float]:
    """Minutes from the change until it is told, infinite where it is not told for most of a day."""
    made = []
    for seed in range(RUNS):
        rates = np.full(END, USUAL)
        rates[CHANGE:] = after
        found = fired(rule, Minutes(END, per_minute, rates, seed), END, DAY)
        later = [minute for minute in found if minute >= CHANGE]
        made.append(later[0] + 1 - CHANGE if later else math.inf)
    return made


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", type=int, default=0, help="Days without a change.")
    days = arguments.parse_args().days
    print("| rule | requests a minute |" + "".join(f" to {rate:.0%} |" for rate in AFTER))
    print("| --- | --- |" + " --- |" * len(AFTER))
    for name, rule in RULES:
        for per_minute in RATES:
            cells = [statistics.median(delays(rule, per_minute, after)) for after in AFTER]
            print(f"| `{name}` | {per_minute} |" + "".join(f" {cell:g} |" for cell in cells), flush=True)
    if days:
        rule = AlertRule("errors", "error_rate", 900.0, increase=0.0, false_alarms_per_day=AT_MOST)
        end = (days + 1) * DAY
        alarms = len(fired(rule, Minutes(end, 10, np.full(end, USUAL), 1), end, DAY))
        print(f"\n{alarms} false alarms in {days} days; at most {AT_MOST * days:g} are promised")


if __name__ == "__main__":
    main()
