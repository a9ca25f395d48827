"""What a program gets back."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.guardrails.look import Look


class Checked(msgspec.Struct, frozen=True):
    """What became of one text, or of what a tool takes or gives. True where it goes on.

    Attributes:
        text: what goes on, perhaps redacted. Where it does not: the answer for the user (`ends`), else what
            the model is told in place of the tool's result.
        value: of a tool, what goes on in the shape it came in; else `text`.
        blocked: it goes no further.
        ends: the request ends with `text` as its answer.
        looks: of each guardrail that looked, in order.
    """

    text: str
    value: Any
    blocked: bool
    ends: bool
    looks: tuple[Look, ...]

    def __bool__(self) -> bool:
        return not self.blocked

    def __str__(self) -> str:
        return self.text


class CheckedDocuments(list[Any]):
    """The documents that may go on, in their order and shape; texts in them may be redacted.

    Attributes:
        places: where each was among those that were given.
        ends: the request ends with `text` as its answer; there are no documents then.
        looks: of each guardrail that looked, in order.
    """

    def __init__(
        self, documents: list[Any], places: tuple[int, ...], text: str, ends: bool, looks: tuple[Look, ...]
    ) -> None:
        super().__init__(documents)
        self.places = places
        self.text = text
        self.ends = ends
        self.looks = looks
