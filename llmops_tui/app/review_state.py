"""What is decided on the pairs of the Bench, and what is open. Pure.

A decision is about answers: it is a pair's where it applies to the answers that the pair has now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.review import Choice, Decision, PairKey, answers, applies, needs_review

Standing = Literal["accepted", "rejected", "open", ""]
"""Where a pair is in the review; empty: there is nothing to decide on it."""


class ReviewState:
    """The verdict on the comparison on screen, its decisions, and its queue.

    Attributes:
        gate: None where nothing was judged yet, or can't be.
        decisions: as the engine has them.
        open: the pairs that wait for a decision.
    """

    def __init__(self) -> None:
        self.gate: GateResult | None = None
        self.open: set[PairKey] = set()
        self.flaky: frozenset[PairKey] = frozenset()
        self.decisions: dict[PairKey, Decision] = {}
        #: Decided here and not yet confirmed by the engine.
        self._sent: dict[PairKey, Decision] = {}

    # -- what came

    def take(
        self,
        gate: GateResult | None,
        decisions: Iterable[Decision],
        pairs: Mapping[PairKey, Pair],
        to_review: Iterable[PairKey] | None = None,
    ) -> None:
        """The verdict and the decisions as the engine has them.

        Args:
            to_review: the pairs that there is something to decide on, where that is known.
        """
        self.gate = gate
        self.flaky = frozenset((f.case_id, f.model) for f in gate.flaky) if gate is not None else frozenset()
        self.decisions = {(d.case_id, d.model): d for d in decisions}
        # Without a verdict it is not known what was decided: nothing is called open then.
        if to_review is None:
            to_review = {k for k, p in pairs.items() if needs_review(p)}
        self.open = set(to_review) if gate is not None else set()
        # Only these can be closed: there may be a hundred thousand pairs.
        decided = self.open & (self.decisions.keys() | self._sent.keys())
        self.open -= {k for k in decided if not self._is_open(k, pairs[k])}

    def look_at(self, key: PairKey, pair: Pair) -> None:
        """A pair has another answer now."""
        if self._is_open(key, pair):
            self.open.add(key)
        else:
            self.open.discard(key)

    def send(self, pair: Pair, choice: Choice | None, note: str | None = None) -> Decision:
        """Take a decision for made until the engine says otherwise; `look_at` the pair afterwards."""
        key = (pair.case_id, pair.model)
        old = self.decision(key, pair)
        made = Decision(
            "",
            *key,
            choice or (old.choice if old else None),
            answers(pair.baseline),
            answers(pair.candidate),
            note if note is not None else old.note if old else "",
        )
        self._sent[key] = made
        return made

    def settle(self, made: Decision, pair: Pair | None, kept: Decision | None) -> None:
        """A decision that was sent was made; `kept` is how it was written, None: nothing is left of it."""
        key = (made.case_id, made.model)
        if kept is not None:
            self.decisions[key] = kept
        else:
            self.decisions.pop(key, None)
        self.unsend(made, pair)

    def unsend(self, made: Decision, pair: Pair | None) -> None:
        """A decision is under way no more."""
        key = (made.case_id, made.model)
        if self._sent.get(key) is made:
            del self._sent[key]
        if pair is not None:
            self.look_at(key, pair)

    # -- what is so

    def decision(self, key: PairKey, pair: Pair | None) -> Decision | None:
        """The decision or note on a pair's answers."""
        if pair is None:
            return None
        for known in (self._sent.get(key), self.decisions.get(key)):
            if known is not None and applies(known, pair):
                return known
        return None

    def standing(self, key: PairKey, pair: Pair) -> Standing:
        decision = self.decision(key, pair)
        if decision is not None and decision.choice is not None:
            return decision.choice
        return "open" if key in self.open else ""

    def decided(self, pairs: Mapping[PairKey, Pair]) -> dict[Choice, int]:
        """How many pairs were decided on, and how."""
        found: dict[Choice, int] = {"accepted": 0, "rejected": 0}
        for key in {**self.decisions, **self._sent}:
            decision = self.decision(key, pairs.get(key))
            if decision is not None and decision.choice is not None:
                found[decision.choice] += 1
        return found

    def holds(self, word: str, pair: Pair, case: Case | None, critical: str) -> bool:
        """Whether `is:<word>` of the filter is so of a pair.

        Args:
            critical: the tag of cases that may not regress.
        """
        key = (pair.case_id, pair.model)
        match word:
            case "open":
                return key in self.open
            case "accepted" | "rejected":
                return self.standing(key, pair) == word
            case "flaky":
                return key in self.flaky
            case "critical":
                return case is not None and critical in case.tags
            case "known-failing":
                return case is not None and bool(case.known_failing)
        return False

    def _is_open(self, key: PairKey, pair: Pair) -> bool:
        if not needs_review(pair):
            return False
        decision = self.decision(key, pair)
        return decision is None or decision.choice is None
