"""Rungs, what belongs to each, and the rung that was reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Rung = Literal["none", "baseline", "repeatable", "mature"]
#: From the ground up.
RUNGS: tuple[Rung, ...] = ("none", "baseline", "repeatable", "mature")
#: As people read them: below Baseline a team is starting.
RUNG_WORDS: dict[Rung, str] = {
    "none": "Starting",
    "baseline": "Baseline",
    "repeatable": "Repeatable",
    "mature": "Mature",
}

Status = Literal["met", "partly", "unmet", "unknown"]


class Item(msgspec.Struct, frozen=True):
    """One thing that a rung asks for.

    Attributes:
        id: never changes, for scripts.
        rung: that asks for it; never `none`.
        title: a claim, without a full stop.
        status: `unknown` where what it would be told from can't be read: that is not met.
        evidence: what was found, with figures, as a clause. Names in it come from outside.
        remedy: what to do, with the very command or key; empty where it is met.
        seen_at: Unix seconds of the newest evidence that it was so; None where there is none.
    """

    id: str
    rung: Rung
    title: str
    status: Status
    evidence: str
    remedy: str = ""
    seen_at: float | None = None


class Ladder(msgspec.Struct, frozen=True):
    """Where a workspace stands.

    Attributes:
        rung: the highest one for which all of its items are met, and all of those below.
        items: of all rungs, from the ground up.
        configs: that were looked at. left_out: other configurations of the workspace.
        at: when that was so, Unix seconds.
    """

    rung: Rung
    items: tuple[Item, ...]
    configs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    at: float = 0.0

    @property
    def above(self) -> Rung | None:
        """The rung to be reached next; None at the top."""
        at = RUNGS.index(self.rung) + 1
        return RUNGS[at] if at < len(RUNGS) else None

    @property
    def next(self) -> tuple[Item, ...]:
        """What is lacking for the next rung."""
        return tuple(i for i in self.items if i.rung == self.above and i.status != "met")

    def of(self, rung: Rung) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.rung == rung)

    def has_reached(self, rung: Rung) -> bool:
        return RUNGS.index(self.rung) >= RUNGS.index(rung)


class Step(msgspec.Struct, frozen=True):
    """An item that stands otherwise than it did; `before` is None where it was not there."""

    before: Item | None
    after: Item

    @property
    def is_up(self) -> bool:
        return self.after.status == "met"


def reached(items: Iterable[Item]) -> Rung:
    """The highest rung for which everything is met up to it."""
    lacking = {item.rung for item in items if item.status != "met"}
    rung: Rung = "none"
    for each in RUNGS[1:]:
        if each in lacking:
            break
        rung = each
    return rung


def changes(before: Ladder | None, after: Ladder) -> tuple[Step, ...]:
    """Items that came to be met, or are not any more; between two ladders of one workspace."""
    known = {item.id: item for item in before.items} if before is not None else {}
    return tuple(
        Step(known.get(item.id), item)
        for item in after.items
        if (item.id in known and known[item.id].status != item.status)
        or (item.id not in known and item.status == "met")
    )
