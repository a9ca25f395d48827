"""What people decided about changed cases, and to which outputs a decision belongs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.run import Row

Choice = Literal["accepted", "rejected"]
PairKey = tuple[str, str]
"""Case and the candidate's model: what names a pair within a comparison."""

#: Digits of a text's hash that are written: two answers to one case that share them are one answer.
HASH_DIGITS = 12


class Decision(msgspec.Struct, frozen=True):
    """One person's word on one changed case.

    Attributes:
        config, case_id, model: what it is about; `model` is the candidate's.
        choice: None for a note alone.
        baseline, candidate: the distinct answers of each side, as the first digits of their text's
            hash, sorted. It is these that were judged, whatever versions gave them.
        note: free text, may be empty.
        by: who decided, as git knows them; may be empty.
        at: ISO 8601, UTC.
    """

    config: str
    case_id: str
    model: str
    choice: Choice | None
    baseline: tuple[str, ...]
    candidate: tuple[str, ...]
    note: str = ""
    by: str = ""
    at: str = ""


def answers(row: Row | None) -> tuple[str, ...]:
    """The distinct answers of a side, planned trials only."""
    if row is None:
        return ()
    return tuple(sorted({i.text_hash[:HASH_DIGITS] for i in row.planned if i.text_hash}))


def applies(decision: Decision, pair: Pair) -> bool:
    """Whether a decision is about these outputs.

    It is when both sides gave just the answers that were judged: more trials that give the same answers
    keep a decision. An answer that nobody saw does not, nor does one that is no longer among them: where
    the right ones are gone, what was accepted is something else.
    """
    return set(decision.baseline) == set(answers(pair.baseline)) and set(decision.candidate) == set(
        answers(pair.candidate)
    )


def needs_review(pair: Pair) -> bool:
    """Whether a pair is something to look at: its score, its state or its text changed."""
    if pair.pending or pair.baseline is None or pair.candidate is None:
        return False
    return pair.change in ("regressed", "improved") or bool(pair.output_changed)


def decisions_of(decisions: Iterable[Decision], comparison: Comparison) -> dict[PairKey, Decision]:
    """Pair → the decision that is about its outputs; the newest where there are several."""
    config = comparison.candidate.version.config
    by_case: dict[PairKey, list[Decision]] = {}
    for decision in decisions:
        if decision.config == config:
            by_case.setdefault((decision.case_id, decision.model), []).append(decision)
    if not by_case:
        return {}
    found: dict[PairKey, Decision] = {}
    for pair in comparison.pairs:
        several = [d for d in by_case.get((pair.case_id, pair.model), ()) if applies(d, pair)]
        if several:
            found[pair.case_id, pair.model] = max(several, key=lambda d: d.at)
    return found


def to_review(comparison: Comparison, decided: dict[PairKey, Decision]) -> tuple[Pair, ...]:
    """The queue: changed pairs without a decision, regressed first, then improved, then reworded."""
    order = {"regressed": 0, "error": 1, "improved": 2}
    open_ = [
        p
        for p in comparison.pairs
        if needs_review(p) and ((d := decided.get((p.case_id, p.model))) is None or d.choice is None)
    ]
    return tuple(sorted(open_, key=lambda p: (order.get(p.change, 3), p.delta or 0.0)))
