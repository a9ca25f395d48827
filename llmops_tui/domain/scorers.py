"""The catalogue of built-in scorers: names, options, revisions, one example each.

The catalogue is data, so that the workspace can say "unknown option" without importing what
scores; `llmops_tui.scorers` holds the functions, one small file a family, and a test says that
the two agree. Raise `revision` when a scorer's judgement changes: its scores are then new.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model


class Options(BaseModel):
    """Options of a scorer. `value` is what stands right behind its name: `{contains: "30 days"}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScorerKind:
    """One built-in scorer.

    Attributes:
        name: as written in an eval file.
        options: pydantic model of its options.
        shorthand: the option that a bare value sets; None where there is none.
        uses_expected: judged against `expected` (or against its shorthand option where that is set).
        summary: one sentence for the docs.
        example: `(scorer entry, output text, expected, value)`; run as a test and shown in the docs.
    """

    def __init__(
        self,
        name: str,
        options: type[Options],
        *,
        shorthand: str | None = None,
        uses_expected: bool = False,
        revision: int = 1,
        summary: str,
        example: tuple[Any, str, Any, float | None],
    ) -> None:
        self.name = name
        self.options = options
        self.shorthand = shorthand
        self.uses_expected = uses_expected
        self.revision = revision
        self.summary = summary
        self.example = example


def _options(name: str, **fields: Any) -> type[Options]:
    return create_model(f"{name}_options", __base__=Options, **fields)


_CASE = (bool, Field(True, description="Upper and lower case differ."))

SCORERS: dict[str, ScorerKind] = {}


def _add(kind: ScorerKind) -> None:
    SCORERS[kind.name] = kind
