"""Whether it is safe to go on with a version, as it is told. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.live.metrics import Unit
from llmops_tui.domain.live.statistics.rollout import Rollout, Verdict

#: Both versions answered at the same time, or one after the other.
Kind = Literal["split", "after"]


class Compared(msgspec.Struct, frozen=True):
    """One figure of two versions.

    Attributes:
        result: of values in [0, 1] where higher is better.
        old, new: the figure as people read it, in its unit.
        about: what is compared, as a clause.
        more: requests to the new version that would probably decide it; None where it is decided, or no
            number of them would.
    """

    result: Rollout
    title: str
    unit: Unit
    old: float | None
    new: float | None
    about: str
    more: int | None = None


class RolloutView(msgspec.Struct, frozen=True):
    """A new version's live traffic against an old one's.

    Attributes:
        since, until: Unix seconds, of the new version's traffic that is compared; `old_since`, `old_until` of
            the old one's.
        by: what counts as one observation: `user`, `session` or `request`.
        notes: sentences about how far this can be trusted.
        sentence: the answer.
    """

    config: str
    old: str
    new: str
    kind: Kind
    since: float
    until: float
    old_since: float
    old_until: float
    n_old: int
    n_new: int
    by: str
    figures: tuple[Compared, ...]
    verdict: Verdict
    sentence: str
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """As the gate's: 0 pass, 1 fail, 4 inconclusive."""
        return {"pass": 0, "fail": 1, "inconclusive": 4}[self.verdict]

    @property
    def failed(self) -> tuple[Compared, ...]:
        return tuple(each for each in self.figures if each.result.verdict == "fail")
