"""From a kind and its options to what checks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from llmops_tui.guardrails.registry import CHECKS, Check

#: kind → the module that registers it. Each is imported when it is first used: a program that looks for
#: e-mail addresses loads no language model.
MODULES = {
    "pii": "personal",
    "secrets": "secrets",
    "injection": "injection",
    "topic": "topic",
    "regex": "pattern",
    "json_schema": "json_",
    "grounded": "grounded",
    "max_length": "length",
    "refusal": "refusal",
    "language": "language",
}


def prepare(kind: str, options: dict[str, Any]) -> Check:
    """The check of a kind, compiled.

    Args:
        kind: a name in `domain.guardrails.catalogue.GUARDRAILS`; no function of `guardrails.py`, no judge.
        options: validated by the kind's model, all of them.

    Raises:
        CannotCheck: the check can't be made here; the text is a clause.
    """
    import_module(f"{__package__}.{MODULES[kind]}")
    return CHECKS[kind](options)
