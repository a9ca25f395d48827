"""Two traces held against each other, step by step: what comes of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from llmops_tui.domain.trace import Span, Trace

PairState = Literal["same", "changed", "new", "gone"]


class FieldDiff(msgspec.Struct, frozen=True):
    """One thing about a step that differs.

    Attributes:
        name: for people: `query`, `prompt`, `argument order`, `temperature`, `answer`, `chunk 2`.
        before, after: JSON values, untrusted; None where that side has none. Messages and chunks are as in
            the span's attributes.
        given: what went into the step; else what came out of it.
    """

    name: str
    before: Any
    after: Any
    given: bool = False


class Pairing(msgspec.Struct, frozen=True):
    """A step of both traces, or of one of them.

    Attributes:
        depth: of the step in the tree; roots have 0.
        fields: what differs, what went in first; empty for a step that only one side has.
    """

    before: Span | None
    after: Span | None
    state: PairState
    depth: int
    fields: tuple[FieldDiff, ...] = ()

    @property
    def span(self) -> Span:
        """The step as it came after, or as it was where it is gone."""
        span = self.after or self.before
        assert span is not None
        return span

    @property
    def given_differs(self) -> bool:
        return any(field.given for field in self.fields)


class TraceDiff(msgspec.Struct, frozen=True):
    """All steps of both traces, as a tree is read.

    Attributes:
        first: place in `pairings` of the first step where they part; None where they never do.
        headline: that, as a clause without a full stop; one line, cleaned.
    """

    before: Trace
    after: Trace
    pairings: tuple[Pairing, ...]
    first: int | None
    headline: str

    @property
    def parting(self) -> Pairing | None:
        return None if self.first is None else self.pairings[self.first]
