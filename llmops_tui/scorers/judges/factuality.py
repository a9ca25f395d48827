"""`factuality`: how the facts of the answer relate to those of the reference.

The five relations are those of the fact comparison of OpenAI's evals (`fact.yaml`, 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from llmops_tui.domain import judge_wording as wording
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.scorers.judges.form import limit_of, object_schema, text_schema
from llmops_tui.scorers.judges.replies import fields, one_of, reason_of
from llmops_tui.scorers.registry import Judgement
from llmops_tui.scorers.wording import as_text, reference

Vote = tuple[str, str]
"""Relation and reason."""

RELATIONS = {
    "subset": "states a part of the reference's facts",
    "superset": "states all facts of the reference, and more",
    "equal": "states the same facts",
    "disagrees": "contradicts the reference",
    "wording": "differs in nothing that matters",
}


class Factuality:
    """The relation, by the value that the options give it. Of several votes the most frequent counts."""

    passes_from: float | None = 0.8

    def __init__(self, use: ScorerUse) -> None:
        self._options = use.options
        self._values: dict[str, float] = use.options["values"]
        self._limit = limit_of(use)

    def task(self) -> str:
        return wording.FACTUALITY

    def schema(self) -> dict[str, Any]:
        relation = {"type": "string", "enum": list(RELATIONS)}
        return object_schema({"reason": text_schema(self._limit), "relation": relation})

    def parts(self, case: Case) -> dict[str, str]:
        """
        Raises:
            CannotJudge: there is no reference.
        """
        return {"REFERENCE": as_text(reference(self._options, case))}

    def read(self, reply: dict[str, Any]) -> Vote:
        reason, relation = fields(reply, ["reason", "relation"])
        return one_of(relation, list(RELATIONS), "relation"), reason_of(reason)

    def combine(self, votes: Sequence[Vote]) -> Judgement:
        counts = Counter(relation for relation, _ in votes)
        most = max(counts.values())
        # Of relations that are named equally often, the worst.
        relation = min((r for r, n in counts.items() if n == most), key=lambda r: (self._values[r], r))
        reason = next(said for named, said in votes if named == relation)
        told = f"{RELATIONS[relation]} ({relation})"
        if len(counts) > 1:
            named = ", ".join(f"{n} × {r}" for r, n in counts.most_common())
            told += f", the votes differ ({named})"
        return Judgement(self._values[relation], f"{told}: {reason}")
