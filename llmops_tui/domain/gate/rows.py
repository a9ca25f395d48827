"""What a gate judges: the rows of a comparison that both sides have, with what is known of their cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.guardrails.failures import NO_FAILURES, GuardFailures
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.run import Row, passes

Values = tuple[tuple[float, ...], tuple[float, ...]]
"""One figure of a row, trial by trial, on the baseline's side and the candidate's."""


class CaseFacts(msgspec.Struct, frozen=True, gc=False):
    """What an eval file says of a case, as far as a gate reads it.

    Attributes:
        trials: planned; None: as many as the others.
        judged_alike: its scorers say the same of the same text every time: no model judges, or one whose
            runtime repeats itself.
    """

    tags: tuple[str, ...] = ()
    group: str | None = None
    known_failing: str = ""
    trials: int | None = None
    judged_alike: bool = True


class GateInput(msgspec.Struct, frozen=True):
    """Everything that a gate decides on.

    Attributes:
        cases: by id; a case that is not in it has no tags.
        decisions: those that are about these outputs (`review.decisions_of`).
        same_request: output → a mark that outputs of one and the same request share.
        deterministic: models that answer alike every time, by their runtime and parameters.
        scorer_values: scorer → (case, model) → its values; only for scorers that a rule names.
        fresh_pairs: both sides were asked anew, side by side: cost and latency can be told.
        look: of an adjudication; 1 without.
        base_trials: planned trials of a case that does not set its own, before any adjudication.
        trials_spent, provider_calls: what this gate took.
        same_requests: what is asked is the same on both sides, in every row and trial.
        cut_short: it was ended before both sides were complete: nothing can pass.
        guard_failures, guard_failures_before: guardrails that failed themselves, of the candidate and of the
            baseline.
    """

    comparison: Comparison
    cases: Mapping[str, CaseFacts] = {}
    decisions: Mapping[PairKey, Decision] = {}
    same_request: Mapping[int, str] = {}
    deterministic: frozenset[str] = frozenset()
    scorer_values: Mapping[str, Mapping[PairKey, Values]] = {}
    fresh_pairs: bool = False
    look: int = 1
    base_trials: float = 1.0
    trials_spent: int = 0
    provider_calls: int = 0
    same_requests: bool = False
    cut_short: bool = False
    guard_failures: GuardFailures = NO_FAILURES
    guard_failures_before: GuardFailures = NO_FAILURES


class JudgedRow(msgspec.Struct, frozen=True, gc=False):
    """A pair that counts.

    Attributes:
        cluster: rows of one group, of one case or of one request are one cluster.
        passes: 1.0 for a trial that passed; empty where the case is not judged by passing.
        scores: of each trial, of a case that is judged by score alone.
        accepted: a person wanted its change: the candidate counts as no worse than the baseline.
        repeats: asked again it would answer, and be judged, exactly so: what is seen is a fact.
    """

    pair: Pair
    facts: CaseFacts
    cluster: str
    passes: Values
    scores: Values
    accepted: bool
    repeats: bool = False

    @property
    def key(self) -> PairKey:
        return self.pair.case_id, self.pair.model

    @property
    def tags(self) -> tuple[str, ...]:
        return self.facts.tags


class Rows(msgspec.Struct, frozen=True):
    """The pairs of a comparison, sorted out.

    Attributes:
        judged: on both sides, whole.
        errors: a side erred.
        pending: a side has no result yet.
        left_out: known to fail, on both sides out of the estimate.
        unpaired: new or removed cases: there is nothing to hold them against.
        guard_failed: a guardrail of the candidate failed itself: what would have come of it is not known.
    """

    judged: tuple[JudgedRow, ...]
    errors: tuple[Pair, ...]
    pending: tuple[Pair, ...]
    left_out: tuple[Pair, ...]
    unpaired: tuple[Pair, ...]
    guard_failed: tuple[Pair, ...] = ()


_NO_FACTS = CaseFacts()


def sort_out(given: GateInput) -> Rows:
    """Which rows count, and which don't and why."""
    judged: list[JudgedRow] = []
    errors, pending, left_out, unpaired, guard_failed = [], [], [], [], []
    failed = frozenset(given.guard_failures.cases)
    cluster_of = clusters(given)
    for pair in given.comparison.pairs:
        facts = given.cases.get(pair.case_id, _NO_FACTS)
        old, new = pair.baseline, pair.candidate
        if pair.change == "error":
            errors.append(pair)
        elif pair.pending:
            pending.append(pair)
        elif new is not None and (pair.case_id, new.model) in failed:
            guard_failed.append(pair)
        elif old is None or new is None:
            unpaired.append(pair)
        elif facts.known_failing:
            left_out.append(pair)
        else:
            decision = given.decisions.get((pair.case_id, pair.model))
            accepted = decision is not None and decision.choice == "accepted"
            marks = _passes(old, new)
            scores = _NOTHING if marks[0] else _scores(old, new)
            if accepted:
                marks, scores = _wanted(marks), _wanted(scores)
            repeats = facts.judged_alike and (given.same_requests or pair.model in given.deterministic)
            judged.append(JudgedRow(pair, facts, cluster_of(pair, facts), marks, scores, accepted, repeats))
    sorted_out = (errors, pending, left_out, unpaired, guard_failed)
    return Rows(tuple(judged), *(tuple(pairs) for pairs in sorted_out))


def clusters(given: GateInput) -> Callable[[Pair, CaseFacts], str]:
    """Names the cluster of a pair: its group, else its case; cases that share a request are one."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.get(name, name)) != name:
            name = above
        return name

    def name_of(pair: Pair, facts: CaseFacts) -> str:
        return f"group {facts.group}" if facts.group else f"case {pair.case_id}"

    seen: dict[int | str, str] = {}
    for pair in given.comparison.pairs:
        for row in (pair.baseline, pair.candidate):
            output = row.items[0].output_id if row is not None else None
            if output is None:
                continue
            mark = given.same_request.get(output, output)
            name = root(name_of(pair, given.cases.get(pair.case_id, _NO_FACTS)))
            other = root(seen.setdefault(mark, name))
            if other != name:
                parent[name] = other

    return lambda pair, facts: root(name_of(pair, facts))


_NOTHING: Values = ((), ())


def _passes(old: Row, new: Row) -> Values:
    before, after = passes(old), passes(new)
    return (before, after) if before and after else _NOTHING


def _scores(old: Row, new: Row) -> Values:
    if old.score is None or new.score is None:
        return (), ()
    before, after = ([i.score for i in row.planned if i.score is not None] for row in (old, new))
    return tuple(before), tuple(after)


def _wanted(values: Values) -> Values:
    """An accepted change counts as unchanged where it would count as a drop."""
    before, after = values
    if before and after and sum(after) / len(after) < sum(before) / len(before):
        return before, before
    return values


def is_flaky(values: Sequence[float]) -> bool:
    """Trials of one side disagree."""
    return len(values) > 1 and min(values) != max(values)
