"""Which of several steps broke a case: what to ask next, and when it is known. Pure.

The steps are in order; the first is the good end, the last the bad one. What is found is a pair of
neighbours of which the one is like the good end and the other like the bad one: with one change that
matters, that change.

Where answers differ from time to time, every statement is a test, and all of them together are wrong with
probability `ALPHA` at most, whatever the rates are: first both ends are held apart by exact bounds in a few
planned looks, then each step is told to be like the one or the other by a sequential test between these
bounds (`statistics.likeness`). A step is sure before the next is taken, so that nothing rests on the rates
being equal on each side of one change, which a posterior over its position (probabilistic bisection:
Horstein, 1963; Waeber, Frazier & Henderson, 2013) takes for granted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.statistics.likeness import Likeness, Sides, likeness, sides

#: How often a bisect may be wrong at all, and what part of that goes to holding the ends apart.
ALPHA = 0.05
ALPHA_OF_ENDS = 0.03
#: Trials of each end at each look, and the share of the error that each look may spend.
LOOKS = (12, 24, 48, 96)
SPENT = (0.25, 0.15, 0.2, 0.4)
#: Drop that must be seen at a look for the next one to be worth its trials.
WORTH = (0.0, 0.1, 0.1, 0.0)
#: Trials of one step at most.
MOST = 96

Verdict = Literal["good", "bad", "undecided", "skipped"]
Ending = Literal["found", "range", "not worse", "stopped"]


class Search(msgspec.Struct, frozen=True):
    """A search over steps: `good` is the last one known to be good, `bad` the first known to be bad.

    Attributes:
        aside: steps in between that nothing can be said of.
    """

    good: int
    bad: int
    aside: frozenset[int] = frozenset()

    @property
    def open(self) -> tuple[int, ...]:
        """Steps that may still be asked."""
        return tuple(n for n in range(self.good + 1, self.bad) if n not in self.aside)

    @property
    def suspects(self) -> tuple[int, ...]:
        """Steps of which one is the first bad one."""
        return tuple(range(self.good + 1, self.bad + 1))

    @property
    def middle(self) -> int | None:
        """The step to ask next: the one that halves what is left; None where none is left."""
        left = self.open
        return left[len(left) // 2] if left else None

    @property
    def steps_left(self) -> int:
        """Steps to ask at most, where none is put aside."""
        return len(self.open).bit_length()

    def after(self, step: int, verdict: Verdict) -> Search:
        """What is known once a step of `open` was looked at."""
        if verdict == "good":
            return Search(step, self.bad, self.aside)
        if verdict == "bad":
            return Search(self.good, step, self.aside)
        return Search(self.good, self.bad, self.aside | {step})


class Want(msgspec.Struct, frozen=True):
    """So many trials of a step, in all, must be known before the bisect can go on."""

    step: int
    trials: int


class Told(msgspec.Struct, frozen=True):
    """What was told of a step: passes among the trials that it rests on.

    `by_fact`: it answers alike every time.
    """

    step: int
    verdict: Verdict
    passed: int
    trials: int
    by_fact: bool = False


class Bisection:
    """One bisect, told what was seen and asked what it wants to see.

    Args:
        facts: for each step, whether its answers repeat themselves exactly: one trial is a fact then.
        aside: steps that can't be asked.
    """

    def __init__(self, facts: Sequence[bool], aside: frozenset[int] = frozenset()) -> None:
        if len(facts) < 2:
            raise ValueError("a bisect has two ends")
        self.search = Search(0, len(facts) - 1, aside)
        self.ended: Ending | None = None
        self.told: list[Told] = []
        self.known: Sides | None = None
        self.facts = facts
        self._ends = (0, len(facts) - 1)
        self._look = 0
        self._seen: dict[int, tuple[bool, ...]] = {}
        self._left = ALPHA - ALPHA_OF_ENDS
        self._test: tuple[int, Likeness] | None = None

    # -- what is seen

    def saw(self, step: int, outcomes: Sequence[bool]) -> None:
        """All trials of a step that are known, in their order: whether each passed."""
        self._seen[step] = tuple(outcomes)

    def put_aside(self, step: int, verdict: Verdict = "skipped") -> None:
        """Nothing can be said of a step, however much it is asked."""
        told = self._seen.get(step, ())
        self.told.append(Told(step, verdict, sum(told), len(told), self.facts[step]))
        self.search = self.search.after(step, verdict)
        self._test = None

    def wants(self) -> tuple[Want, ...]:
        """What must be seen next; nothing once it has `ended`."""
        while self.ended is None:
            wanted = self._for_ends() if self.known is None else self._for_step()
            if wanted:
                return wanted
        return ()

    # -- the ends

    def _for_ends(self) -> tuple[Want, ...]:
        """Trials that a look at the ends lacks; goes on where it lacks none."""
        n = LOOKS[self._look]
        wanted = [Want(end, 1 if self.facts[end] else n) for end in self._ends]
        lacking = tuple(w for w in wanted if len(self._seen.get(w.step, ())) < w.trials)
        if lacking:
            return lacking
        now = self._sides(self._look)
        if now.apart and not self._is_worth_more(now):
            self._hold(now)
        elif self._look + 1 < len(LOOKS) and not all(self.facts[e] for e in self._ends):
            if now.good - now.bad <= WORTH[self._look]:
                self._give_up()
            else:
                self._look += 1
        elif now.apart:
            self._hold(now)
        else:
            self._give_up()
        return ()

    def _at_look(self, end: int) -> tuple[bool, ...]:
        return self._seen[end][: 1 if self.facts[end] else LOOKS[self._look]]

    def _sides(self, look: int, scale: int = 1) -> Sides:
        """Both rates with their bounds; a fact bounds its own exactly.

        Args:
            scale: as if each trial had been seen so often.
        """
        good, bad = (self._at_look(end) * scale for end in self._ends)
        known = sides(good, bad, ALPHA_OF_ENDS / 2 * SPENT[look])
        return Sides(
            known.good,
            known.bad,
            known.good if self.facts[self._ends[0]] else known.high,
            known.bad if self.facts[self._ends[1]] else known.low,
        )

    def _is_worth_more(self, now: Sides) -> bool:
        """Whether knowing the ends better saves more trials of the steps than it costs."""
        steps = self.search.steps_left
        noisy_ends = sum(not self.facts[end] for end in self._ends)
        if self._look + 1 == len(LOOKS) or not noisy_ends or not steps:
            return False
        if all(self.facts[n] for n in self.search.open):
            return False
        alpha = self._left / (steps + 1)
        then = self._sides(self._look + 1, LOOKS[self._look + 1] // LOOKS[self._look])
        cost = noisy_ends * (LOOKS[self._look + 1] - LOOKS[self._look])
        here, there = likeness(now, alpha).expected(now), likeness(then, alpha).expected(then)
        return here > MOST / 2 or steps * here > cost + steps * there

    def _hold(self, now: Sides) -> None:
        self.known = now
        self._tell_end(self._ends[0], "good")
        self._tell_end(self._ends[1], "bad")

    def _give_up(self) -> None:
        self.ended = "not worse"
        for end in self._ends:
            self._tell_end(end, "undecided")

    def _tell_end(self, end: int, verdict: Verdict) -> None:
        rests_on = self._at_look(end)
        self.told.append(Told(end, verdict, sum(rests_on), len(rests_on), self.facts[end]))

    # -- the steps

    def _for_step(self) -> tuple[Want, ...]:
        assert self.known is not None
        step = self.search.middle
        if step is None:
            self.ended = "found" if len(self.search.suspects) == 1 else "range"
            return ()
        seen = self._seen.get(step, ())
        if self.facts[step]:
            if not seen:
                return (Want(step, 1),)
            self._tell(step, seen[0], 1)
            return ()
        test = self._likeness(step)
        like_good, n, more = test.told(seen[:MOST])
        if like_good is not None:
            self._tell(step, like_good, n)
        elif n >= MOST:
            self.put_aside(step, "undecided")
        else:
            return (Want(step, min(n + more, MOST)),)
        return ()

    def _likeness(self, step: int) -> Likeness:
        """The test of a step. Its error is a share of what is left: all of them stay within the whole.

        One share is kept back each time: a step that stays undecided has spent its own, and another follows.
        """
        if self._test is None or self._test[0] != step:
            assert self.known is not None
            alpha = self._left / (self.search.steps_left + 1)
            self._left -= alpha
            self._test = (step, likeness(self.known, alpha))
        return self._test[1]

    def _tell(self, step: int, like_good: bool, n: int) -> None:
        verdict: Verdict = "good" if like_good else "bad"
        passed = sum(self._seen[step][:n])
        self.told.append(Told(step, verdict, passed, n, self.facts[step]))
        self.search = self.search.after(step, verdict)
        self._test = None
