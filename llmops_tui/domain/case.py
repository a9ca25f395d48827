"""Cases: what goes in, what is expected, and who judges."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.attack import Attack
from llmops_tui.domain.canonical import digest
from llmops_tui.domain.judge import MODEL_GRADED, Judge


class ScorerUse(msgspec.Struct, frozen=True):
    """One scorer as a case uses it.

    Attributes:
        name: built-in name, or a function of `scorers.py`.
        options: validated options, defaults filled in.
        weight: share in the case's score, > 0.
        threshold: the score passes from this value on; None leaves it to the scorer.
        revision: built-in: its revision; function: hash of its source and what it imports.
        label: what people see; unique within a case (`contains`, `contains#2`).
        uses_expected: the scorer is held against `expected`.
        uses_sources: the scorer is held against `expected_sources`.
        judge: the model that judges, for a scorer that asks one.
    """

    name: str
    options: dict[str, Any] = {}
    weight: float = 1.0
    threshold: float | None = None
    revision: str = "1"
    label: str = ""
    uses_expected: bool = False
    judge: Judge | None = None
    uses_sources: bool = False

    @property
    def is_function(self) -> bool:
        """A function of the workspace: its revision is a hash of source."""
        return len(self.revision) == 64

    @property
    def is_model_graded(self) -> bool:
        """It asks a model: some do so unless they are told to go by words."""
        by_words = self.options.get("method") == "words"
        return self.name in MODEL_GRADED and not by_words and not self.is_function

    def identity(self) -> dict[str, Any]:
        identity = {
            "name": self.name,
            "options": self.options,
            "weight": self.weight,
            "threshold": self.threshold,
            "revision": self.revision,
        }
        return identity if self.judge is None else {**identity, "judge": self.judge.identity(self.name)}


class Case(msgspec.Struct, frozen=True, gc=False):
    """One case of an eval set.

    Attributes:
        id: unique within the eval sets of a configuration.
        vars: inputs of the prompt; JSON values.
        expected: reference for scorers that use one; None where there is none.
        group: cases of one group are one cluster.
        trials: repetitions; None leaves it to the eval file or the configuration.
        known_failing: why it is expected to fail; empty where it is not. The gate leaves it out.
        turns: of a conversation, the variables of each turn beside `vars`; empty: one turn.
        tools: tool → what it gives in this case, without being run.
        expected_sources: documents that should be retrieved: a path, or a part of one: `path#heading`, or
            `path#position` of a chunk.
        planted: texts that stand before what is retrieved, as if somebody had put them among the documents.
        attack: the attack that this case is; None for one that is none.
        file, line: where it is written.
    """

    id: str
    vars: dict[str, Any]
    expected: Any = None
    scorers: tuple[ScorerUse, ...] = ()
    tags: tuple[str, ...] = ()
    group: str | None = None
    trials: int | None = None
    file: str = ""
    line: int | None = None
    known_failing: str = ""
    turns: tuple[dict[str, Any], ...] = ()
    tools: dict[str, Any] = {}
    expected_sources: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()
    attack: Attack | None = None

    def inputs_hash(self) -> str:
        """Of all that can change the answer."""
        if not self.turns and not self.tools:
            return digest([self.vars, list(self.planted)] if self.planted else self.vars)
        more = [list(self.planted)] if self.planted else []
        return digest([self.vars, list(self.turns), self.tools, *more])
