"""Guardrails that failed themselves in an evaluation: in which cases, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.format import plural
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.review import PairKey
from llmops_tui.domain.run import Row
from llmops_tui.domain.safe_text import clean_line

#: Guardrails that a sentence names.
NAMED = 3


class GuardFailures(msgspec.Struct, frozen=True):
    """What failed on the way to the outputs of one version.

    Attributes:
        cases: (case, model) of rows in which one failed, in any planned trial, in order.
        how: guardrail → how it failed first, a clause.
    """

    cases: tuple[PairKey, ...] = ()
    how: dict[str, str] = {}

    @property
    def sentence(self) -> str:
        """`a guardrail failed itself in 3 cases: slow (took longer than 2 s)`; empty where none did."""
        if not self.cases:
            return ""
        named = [clean_line(f"{name} ({how})") for name, how in list(self.how.items())[:NAMED]]
        if len(self.how) > NAMED:
            named.append(f"and {len(self.how) - NAMED} more")
        return f"a guardrail failed itself in {plural(len(self.cases), 'case')}: {', '.join(named)}"

    def json(self) -> dict[str, Any]:
        """As it is told to other programs."""
        return {"cases": [{"id": id_, "model": model} for id_, model in self.cases], "guardrails": self.how}


#: None of them did.
NO_FAILURES = GuardFailures()


def failures_in(rows: Iterable[Row], looks: Mapping[int, Sequence[Look]]) -> GuardFailures:
    """What failed in these rows.

    Args:
        looks: output → what guardrails saw; outputs on which none failed may be left out.
    """
    cases: list[PairKey] = []
    how: dict[str, str] = {}
    for row in rows:
        mine = [look for item in row.planned for look in looks.get(item.output_id or 0, ()) if look.error]
        if mine:
            cases.append((row.case_id, row.model))
        for look in mine:
            how.setdefault(look.name, look.error)
    return GuardFailures(tuple(cases), how)
