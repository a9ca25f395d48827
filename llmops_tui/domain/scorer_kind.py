"""What the catalogue says of one built-in scorer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from llmops_tui.domain.judge import MODEL_GRADED
from llmops_tui.domain.scorer_options import Options


class Example(msgspec.Struct, frozen=True):
    """One judgement: run as a test and shown in the docs.

    Attributes:
        entry: as in the `scorers:` list of a case.
        output: text of the output.
        value: what the scorer gives; None where it can't say.
        passed: whether that passes.
        expected: the case's.
        latency_s, cost_usd: of the output.
        tools: what the output called, in order: name and arguments.
        calls: of models, that the output is made of.
        retrieved: texts that were retrieved for it.
        expected_sources: the case's.
        found: documents that were retrieved, best first: `path`, or `path#position`.
        vars: of the case.
        fired: names of guardrails that fired on the way to it.
    """

    entry: Any
    output: str
    value: float | None
    passed: bool | None
    expected: Any = None
    latency_s: float = 0.0
    cost_usd: float | None = None
    tools: tuple[tuple[str, dict[str, Any]], ...] = ()
    calls: int = 0
    retrieved: tuple[str, ...] = ()
    expected_sources: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    vars: dict[str, Any] = {}
    fired: tuple[str, ...] = ()


class ScorerKind(msgspec.Struct, frozen=True, kw_only=True):
    """One built-in scorer.

    Attributes:
        name: as written in an eval file.
        options: pydantic model of its options.
        shorthand: the option that a bare value sets (`{max_words: 60}`); None where there is none. A
            mapping behind the name is always options.
        reference: the option that is judged against; where it is not set, the case's `expected` is.
        may_use_expected, may_use_sources: it looks at `expected`, or `expected_sources`, where a case has
            them.
        needs_sources: a case without `expected_sources` is a mistake.
        passes_from: the value from which it passes, unless the entry has a `threshold`.
        values: what values it gives, for the docs.
        entries: for one that asks a model, entries to show in the docs in place of examples.
        summary: a paragraph for the docs; its first sentence stands alone.
    """

    name: str
    options: type[Options]
    shorthand: str | None = "value"
    reference: str | None = None
    may_use_expected: bool = False
    may_use_sources: bool = False
    needs_sources: bool = False
    passes_from: float = 1.0
    values: str = "1 or 0"
    revision: int = 1
    summary: str
    examples: tuple[Example, ...] = ()
    entries: tuple[Any, ...] = ()

    @property
    def is_model_graded(self) -> bool:
        """It asks a model, unless an entry says `method: words`: its score costs money, and is not the same
        each time."""
        return self.name in MODEL_GRADED

    @property
    def uses_expected(self) -> bool:
        """It can be held against `expected`; `needs_reference` says whether an entry is."""
        return self.reference is not None

    def needs_reference(self, options: Mapping[str, Any]) -> bool:
        """Whether an entry with these options is judged against the case's `expected`.

        A case that has none is then a mistake; and `ScorerUse.uses_expected` is this.
        """
        unset = self.reference is not None and options.get(self.reference) is None
        return unset or "expected" in (options.get("sees") or ())
