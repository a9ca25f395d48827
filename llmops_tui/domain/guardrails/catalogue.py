"""The catalogue of built-in guardrails: names, options, stages, examples.

The catalogue is data, so that the workspace can say "unknown option" without importing what checks;
`llmops_tui.guardrails` holds the functions, and a test says that the two agree. Raise `revision` when what a
kind fires on changes: versions that use it are then new.
"""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.guardrails import options as options_of
from llmops_tui.domain.guardrails.kind import GuardrailExample as Example
from llmops_tui.domain.guardrails.kind import GuardrailKind, GuardrailOptions
from llmops_tui.domain.guardrails.use import STAGES, Stage

GUARDRAILS: dict[str, GuardrailKind] = {}

_ANY = STAGES
_READ: tuple[Stage, ...] = ("input", "context", "tool_result")


def _add(name: str, options: type[GuardrailOptions], summary: str, *examples: Example, **more: Any) -> None:
    GUARDRAILS[name] = GuardrailKind(name=name, options=options, summary=summary, examples=examples, **more)


_add(
    "pii",
    options_of.Pii,
    "Personal data: e-mail addresses, telephone numbers, card numbers, bank accounts, IP addresses.",
    may=_ANY,
    on=("input", "output"),
    action="redact",
)
_add(
    "secrets",
    options_of.Secrets,
    "Keys, tokens and passwords of the usual providers, private keys.",
    may=_ANY,
    on=("input", "output"),
    action="redact",
    shorthand="allow",
)
_add(
    "injection",
    options_of.Injection,
    "Text that gives orders to the model: to drop its instructions, to play another part, to tell them.",
    may=_ANY,
    on=_READ,
    shorthand="method",
    values="from 0 to 1",
)
_add(
    "topic",
    options_of.Topic,
    "What it is about is not allowed.",
    may=_ANY,
    on=("input",),
    shorthand="allowed",
    values="from 0 to 1",
)
_add("regex", options_of.Pattern, "A pattern is there, or is missing.", may=_ANY, on=("output",))
_add(
    "json_schema",
    options_of.Schema,
    "It is no JSON, or does not fit the schema.",
    may=("tool_call", "tool_result", "output"),
    on=("output",),
)
_add(
    "grounded",
    options_of.Grounded,
    "The answer says what is not in what was retrieved.",
    may=("output",),
    on=("output",),
    action="flag",
    shorthand="method",
    values="the share of sentences that nothing supports",
)
_add("max_length", options_of.MaxLength, "It is too long.", may=_ANY, on=("input",))
_add(
    "refusal",
    options_of.Refusal,
    "The model would not answer.",
    may=("output",),
    on=("output",),
    action="flag",
    shorthand=None,
)
_add(
    "language",
    options_of.Language,
    "It is in none of these languages.",
    may=("input", "output"),
    on=("input", "output"),
    action="flag",
    values="from 0 to 1",
    apart=True,
    timeout_s=2.0,
)
