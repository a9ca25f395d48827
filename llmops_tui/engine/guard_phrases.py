"""Phrases of attacks that the workspace knows, for the guardrails that are there to find them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from llmops_tui.domain.attack import Family
from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import LlmopsError

#: Kind of a guardrail → what its attacks try. A text that is like one of them should have been found.
_FAMILIES: dict[str, frozenset[Family]] = {"injection": frozenset(["injection", "jailbreak", "leakage"])}


def phrases_of(root: Path, workspace: Workspace) -> dict[str, list[str]]:
    """Guardrail → what a user says in the attacks that it is there for, undisguised.

    Configurations without attacks, and those whose files have mistakes, have none.
    """
    found: dict[str, list[str]] = {}
    for configuration in workspace.configurations.values():
        uses = [use for use in configuration.target.guardrails if use.kind in _FAMILIES]
        if not uses:
            continue
        with contextlib.suppress(LlmopsError):
            said = _said(root, configuration)
            for use in uses:
                texts = [text for family, text in said if family in _FAMILIES[use.kind]]
                found[use.name] = list(dict.fromkeys([*found.get(use.name, ()), *texts]))
    return found


def _said(root: Path, configuration: Configuration) -> list[tuple[Family, str]]:
    from llmops_tui.workspace.attack_sets import read_attack_set

    return [
        (case.attack.family, value)
        for case in read_attack_set(root, configuration).cases
        if case.attack is not None and case.attack.way == "input" and case.attack.mutation == "plain"
        for value in case.vars.values()
        if isinstance(value, str)
    ]
