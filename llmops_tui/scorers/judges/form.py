"""What a model-graded scorer wants said, and what it makes of the votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.scorers.registry import Judgement

V = TypeVar("V")


class Form(Protocol[V]):
    """One kind of judging, set up by the options of a use.

    `passes_from` is the value from which it passes without a `threshold`; None: that is not said.
    """

    passes_from: float | None

    def task(self) -> str:
        """The rules and the form of the reply, for the first message."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the reply. Reasons come before verdicts: what is said first steers the rest."""

    def parts(self, case: Case) -> dict[str, str]:
        """Further parts to show the judge (name → text), besides those of `sees`."""

    def read(self, reply: dict[str, Any]) -> V:
        """One vote.

        Raises:
            NotInForm: the reply is of another form.
        """

    def combine(self, votes: Sequence[V]) -> Judgement:
        """All votes as one word. A tie is decided against the answer."""


def text_schema(most: int | None) -> dict[str, Any]:
    """A text; `most` characters, where what answers keeps such a limit."""
    return {"type": "string"} if most is None else {"type": "string", "minLength": 1, "maxLength": most}


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these properties, in this order."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def majority(passes: Sequence[bool]) -> bool:
    """Whether more than half say so."""
    return 2 * sum(passes) > len(passes)


def split(passes: Sequence[bool], reasons: Sequence[str]) -> str:
    """The reason of a vote of the larger side; where votes differ, how many, and a reason of the others."""
    passed = majority(passes)
    said = next(r for p, r in zip(passes, reasons, strict=True) if p == passed)
    if len(set(passes)) == 1:
        return said if len(passes) == 1 else f"{len(passes)} of {len(passes)} votes agree: {said}"
    other = next(r for p, r in zip(passes, reasons, strict=True) if p != passed)
    return f"the votes differ, {sum(passes)} of {len(passes)} pass: {said} | against that: {other}"


def limit_of(use: ScorerUse) -> int | None:
    """Most characters of a reason that the schema asks for.

    The embedded server writes within a schema until its end: a small model would never come to the
    verdict. Endpoints differ in whether they take a limit, and reach the verdict without one.
    """
    return 240 if use.judge is not None and use.judge.model.client == "local" else None
