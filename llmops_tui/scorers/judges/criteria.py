"""`criteria`: several rules, judged in one reply, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain import judge_wording as wording
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.scorers.judges.form import limit_of, majority, object_schema, split, text_schema
from llmops_tui.scorers.judges.replies import fields, one_of, reason_of
from llmops_tui.scorers.registry import Judgement

Vote = list[tuple[bool, str]]
"""Verdict and reason for each criterion, in order."""


class Criterion(msgspec.Struct, frozen=True):
    """One rule. Its `name` is what people see; `rubric` is None where the name says it all."""

    name: str
    rubric: str | None = None
    weight: float = 1.0


class Criteria:
    """The weighted share of the rules that the answer meets; it passes when it meets all of them."""

    passes_from: float | None = 1.0

    def __init__(self, use: ScorerUse) -> None:
        self._criteria = msgspec.convert(use.options["criteria"], list[Criterion])
        # What a person named a rule may be no good name in a schema.
        self._keys = [f"rule_{n}" for n in range(1, len(self._criteria) + 1)]
        self._limit = limit_of(use)

    def task(self) -> str:
        rules = "\n".join(
            f"- {key}: {c.name}{f' – {c.rubric}' if c.rubric else ''}"
            for key, c in zip(self._keys, self._criteria, strict=True)
        )
        each = '{"reason": "…", "verdict": "pass" or "fail"}'
        form = "{" + ", ".join(f'"{key}": {each}' for key in self._keys) + "}"
        return wording.CRITERIA.format(criteria=rules, form=form)

    def schema(self) -> dict[str, Any]:
        verdict = {"type": "string", "enum": ["pass", "fail"]}
        each = object_schema({"reason": text_schema(self._limit), "verdict": verdict})
        return object_schema(dict.fromkeys(self._keys, each))

    def parts(self, _case: Case) -> dict[str, str]:
        return {}

    def read(self, reply: dict[str, Any]) -> Vote:
        vote = []
        for rule in fields(reply, self._keys):
            reason, verdict = fields(rule, ["reason", "verdict"])
            vote.append((one_of(verdict, ["pass", "fail"], "verdict") == "pass", reason_of(reason)))
        return vote

    def combine(self, votes: Sequence[Vote]) -> Judgement:
        met, told = 0.0, []
        for n, criterion in enumerate(self._criteria):
            passes = [vote[n][0] for vote in votes]
            passed = majority(passes)
            met += criterion.weight if passed else 0.0
            said = split(passes, [vote[n][1] for vote in votes])
            told.append((passed, f"{criterion.name} {'passed' if passed else 'failed'}: {said}"))
        total = sum(c.weight for c in self._criteria)
        # What failed comes first: a reason has room for so much.
        ordered = sorted(told, key=lambda each: each[0])
        return Judgement(min(met / total, 1.0), "; ".join(text for _, text in ordered))
