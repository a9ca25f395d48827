"""What the catalogue says of one kind of guardrail."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict

from llmops_tui.domain.guardrails.use import Action, Stage


class GuardrailOptions(BaseModel):
    """Options of a kind. `value` is what stands right behind its name: `{max_length: 2000}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class GuardrailExample(msgspec.Struct, frozen=True):
    """One look: run as a test and shown in the docs.

    Attributes:
        entry: as in `guardrails:` of a configuration.
        text: what it looks at.
        fires: whether it does.
        redacted: what is left of the text, for `action: redact`.
        context: what was retrieved for the answer.
    """

    entry: Any
    text: str
    fires: bool
    redacted: str | None = None
    context: tuple[str, ...] = ()


class GuardrailKind(msgspec.Struct, frozen=True, kw_only=True):
    """One built-in kind.

    Attributes:
        options: pydantic model of its options; `method: judge` among them makes it ask a model.
        shorthand: the option that a bare value sets; None where there is none.
        may: stages where it makes sense. on: those where it looks unless the entry says.
        action: unless the entry says.
        threshold: the score from which it fires, unless the entry says.
        values: what scores it gives, for the docs; a kind that knows only 1 and 0 can't be tuned.
        timeout_s: of one look, unless the entry says; of a judge `JUDGE_TIMEOUT_S`.
        apart: it runs in a process of its own (it is large).
    """

    name: str
    options: type[GuardrailOptions]
    summary: str
    may: tuple[Stage, ...]
    on: tuple[Stage, ...]
    shorthand: str | None = "value"
    action: Action = "block"
    threshold: float = 0.5
    values: str = "1 or 0"
    timeout_s: float = 0.5
    apart: bool = False
    revision: int = 1
    examples: tuple[GuardrailExample, ...] = ()

    @property
    def is_tunable(self) -> bool:
        """Its scores are not only 1 and 0: a threshold changes what it fires on."""
        return self.values != "1 or 0"


#: Seconds for one look of a judge, and of a function of `guardrails.py`.
JUDGE_TIMEOUT_S, FUNCTION_TIMEOUT_S = 20.0, 2.0
#: Of a guardrail that knows only 1 and 0.
NOTHING_TO_TUNE = "it fires or not: there is nothing to tune"
