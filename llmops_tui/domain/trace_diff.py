"""Two traces held against each other, step by step: the types that the screen draws."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from llmops_tui.domain.trace import Span, Trace

PairState = Literal["same", "changed", "new", "gone"]


class FieldDiff(msgspec.Struct, frozen=True):
    """One attribute that differs. `given`: it went into the step, and is no result of it."""

    name: str
    before: Any
    after: Any
    given: bool = False


class Pairing(msgspec.Struct, frozen=True):
    """A step of both traces, or of one of them."""

    before: Span | None
    after: Span | None
    state: PairState
    depth: int
    fields: tuple[FieldDiff, ...] = ()


class TraceDiff(msgspec.Struct, frozen=True):
    """All steps, in the order in which a tree is read.

    Attributes:
        first: place of the first step where they part; None where they do not.
        headline: that, as a sentence.
    """

    before: Trace
    after: Trace
    pairings: tuple[Pairing, ...]
    first: int | None
    headline: str
