"""`judge`: one rule, one verdict: pass or fail, or a grade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops_tui.domain import judge_wording as wording
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.judge import scale_ends
from llmops_tui.scorers.judges.form import limit_of, majority, object_schema, split, text_schema
from llmops_tui.scorers.judges.replies import fields, one_of, reason_of
from llmops_tui.scorers.registry import Judgement

Vote = tuple[Any, str]
"""Verdict and reason."""


class PassOrFail:
    """The answer meets the rule, or it does not."""

    passes_from: float | None = 1.0

    def __init__(self, use: ScorerUse) -> None:
        self._rubric = use.options["rubric"]
        self._limit = limit_of(use)

    def task(self) -> str:
        return f"{wording.RUBRIC.format(rubric=self._rubric)}\n\n{wording.VERDICT}"

    def schema(self) -> dict[str, Any]:
        verdict = {"type": "string", "enum": ["pass", "fail"]}
        return object_schema({"reason": text_schema(self._limit), "verdict": verdict})

    def parts(self, _case: Case) -> dict[str, str]:
        return {}

    def read(self, reply: dict[str, Any]) -> Vote:
        reason, verdict = fields(reply, ["reason", "verdict"])
        return one_of(verdict, ["pass", "fail"], "verdict") == "pass", reason_of(reason)

    def combine(self, votes: Sequence[Vote]) -> Judgement:
        passes = [passed for passed, _ in votes]
        return Judgement(float(majority(passes)), split(passes, [reason for _, reason in votes]))


class Grade(PassOrFail):
    """How far the answer meets the rule, on a scale of whole numbers. Passes by a `threshold` only."""

    passes_from = None

    def __init__(self, use: ScorerUse, low: int, high: int) -> None:
        super().__init__(use)
        self._low, self._high = low, high

    def task(self) -> str:
        scale = wording.SCALE.format(low=self._low, high=self._high)
        return f"{wording.RUBRIC.format(rubric=self._rubric)}\n\n{scale}"

    def schema(self) -> dict[str, Any]:
        verdict = {"type": "integer", "enum": self._grades()}
        return object_schema({"reason": text_schema(self._limit), "verdict": verdict})

    def read(self, reply: dict[str, Any]) -> Vote:
        reason, verdict = fields(reply, ["reason", "verdict"])
        return one_of(verdict, self._grades(), "verdict"), reason_of(reason)

    def combine(self, votes: Sequence[Vote]) -> Judgement:
        grades = [grade for grade, _ in votes]
        mean = sum(grades) / len(grades)
        nearest = min(votes, key=lambda vote: abs(vote[0] - mean))
        said = f"{mean:.3g} on a scale of {self._low}-{self._high}"
        if len(set(grades)) > 1:
            said += f", the votes differ ({', '.join(map(str, grades))})"
        elif len(grades) > 1:
            said += f", {len(grades)} of {len(grades)} votes agree"
        return Judgement((mean - self._low) / (self._high - self._low), f"{said}: {nearest[1]}")

    def _grades(self) -> list[int]:
        return list(range(self._low, self._high + 1))


def rubric_form(use: ScorerUse) -> PassOrFail:
    ends = scale_ends(use.options["scale"])
    return PassOrFail(use) if ends is None else Grade(use, *ends)
