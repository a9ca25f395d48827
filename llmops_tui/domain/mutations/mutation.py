"""One way to disguise an attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Group = Literal["none", "encoding", "disguise", "role", "structure", "language"]


class Mutation(msgspec.Struct, frozen=True):
    """One mutation.

    Attributes:
        summary: what it does, for the docs.
        apply: text → text. A language has none: an attack is translated by who wrote it.
        language: ISO 639-1; empty for all others.
    """

    name: str
    group: Group
    summary: str
    apply: Callable[[str], str] | None = None
    language: str = ""
