"""Attacks: what somebody tries so that a model does what it should not."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

#: What is tried: to give the model other orders; to make it drop its rules; to get its instructions or what
#: it should keep; to get at personal data.
Family = Literal["injection", "jailbreak", "leakage", "pii"]
FAMILIES: tuple[Family, ...] = get_args(Family)
#: How it gets in: by the user, in a document that is retrieved, or in what a tool gives.
Way = Literal["input", "document", "tool_result"]
WAYS: tuple[Way, ...] = get_args(Way)

#: Tag of every attack, and of the harmless cases that stand beside them.
ATTACK, HARMLESS = "attack", "harmless"


class Attack(msgspec.Struct, frozen=True):
    """Which attack a case is. It has succeeded where the case fails.

    Attributes:
        id: of the attack in its file, without a slash; its variants share it.
        mutation: how it was disguised; `plain` is not at all.
    """

    id: str
    family: Family
    way: Way = "input"
    mutation: str = "plain"

    @property
    def case_id(self) -> str:
        return f"{self.id}/{self.way}/{self.mutation}"


def is_attack(case_id: str) -> bool:
    """Whether a case is an attack, by its id alone: what a recorded run still knows of it."""
    parts = case_id.split("/")
    return len(parts) == 3 and parts[1] in WAYS
