"""How an output was judged, and how the scores of a case become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.canonical import KEY_SCHEMA, digest
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.trace import CallRef


class Score(msgspec.Struct, frozen=True):
    """One scorer's word on one output. Value, passed and error are separate; each may be absent.

    Attributes:
        key: `score_key` without the output: scorer, options, weight, threshold and reference.
        label: the scorer as people see it.
        value: in [0, 1], or None.
        passed: None where the scorer does not say.
        reason: a clause for the person, always there.
        error: why it could not judge (then value and passed are None); never a zero.
        began_at, elapsed_s: when it judged (Unix seconds; 0: not known), and how long it took.
        calls: of the models that it asked, in order.
    """

    key: str
    label: str
    value: float | None
    passed: bool | None
    reason: str
    error: str | None = None
    weight: float = 1.0
    began_at: float = 0.0
    elapsed_s: float = 0.0
    calls: tuple[CallRef, ...] = ()


def score_key(use: ScorerUse, case: Case) -> str:
    """Key of a score beside its output: `expected`, thresholds and weights live here only.

    `expected_sources` too, of scorers that are held against them: sorted, as their order says nothing.
    """
    reference = case.expected if use.uses_expected else None
    seen = {"vars": case.vars, "tags": list(case.tags)} if use.is_function else None
    sources = [sorted(case.expected_sources)] if use.uses_sources and case.expected_sources else []
    return digest([KEY_SCHEMA, "score", use.identity(), reference, seen, *sources])


Status = Literal["passed", "failed", "error", "unscored", "missing"]


class Verdict(msgspec.Struct, frozen=True):
    """The scores of one output as one: weighted mean, and whether every scorer passed."""

    status: Status
    score: float | None


def combine(scores: Sequence[Score]) -> Verdict:
    """A case's score is the weighted mean of its scores; it passes when every scorer passed."""
    if any(s.error is not None for s in scores):
        return Verdict("error", None)
    values = [(s.value, s.weight) for s in scores if s.value is not None]
    total = sum(w for _, w in values)
    mean = sum(v * w for v, w in values) / total if total > 0 else None
    passes = [s.passed for s in scores if s.passed is not None]
    if not passes:
        return Verdict("unscored", mean)
    return Verdict("passed" if all(passes) else "failed", mean)
