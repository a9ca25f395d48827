"""A guardrail's threshold set on a person's word: written into the configuration that has it.

It is a save like any other: what watches the workspace makes a new version of it.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.guardrails.catalogue import is_tunable
from llmops_tui.domain.guardrails.kind import NOTHING_TO_TUNE
from llmops_tui.domain.guardrails.use import GuardrailUse

#: Digits behind the point that are written.
DIGITS = 4


class Tuned(msgspec.Struct, frozen=True):
    """A threshold that was written.

    Attributes:
        file: of the configuration, within the workspace.
        before: the threshold that it had.
    """

    config: str
    file: str
    guardrail: str
    before: float
    after: float


def uses_of(workspace: Workspace, guardrail: str) -> dict[str, GuardrailUse]:
    """Configuration → the guardrail as it is on disk, for those that have it."""
    return {
        name: use
        for name, configuration in workspace.configurations.items()
        for use in configuration.target.guardrails
        if use.name == guardrail
    }


def configuration_to_tune(workspace: Workspace, guardrail: str, config: str | None) -> Configuration:
    """The configuration that is meant: the named one, else the only one that has the guardrail.

    Raises:
        UsageError: it has no such guardrail, or several have it and none is named.
    """
    having = uses_of(workspace, guardrail)
    if config is not None:
        if config in having:
            return workspace.configurations[config]
        if config not in workspace.configurations:
            remedy = did_you_mean(config, set(workspace.configurations))
            raise UsageError(Problem(f"there is no configuration '{config}'", remedy))
        known = {use.name for use in workspace.configurations[config].target.guardrails}
        remedy = did_you_mean(guardrail, known) or "name one under its 'guardrails:' first"
        file = workspace.configurations[config].file
        raise UsageError(Problem(f"has no guardrail '{guardrail}'", remedy, file))
    if len(having) == 1:
        return workspace.configurations[next(iter(having))]
    if having:
        problem = f"'{guardrail}' is a guardrail of {len(having)} configurations: {', '.join(having)}"
        raise UsageError(Problem(problem, "name the one to tune with --config"))
    all_ = {use.name for c in workspace.configurations.values() for use in c.target.guardrails}
    remedy = did_you_mean(guardrail, all_) or "name one under 'guardrails:' of a configuration first"
    raise UsageError(Problem(f"no configuration has a guardrail '{guardrail}'", remedy))


def threshold_of(value: float) -> float:
    """A threshold as it is written: rounded down, so that the score it was taken from still fires.

    Raises:
        UsageError: it is not above 0 and at most 1.
    """
    if not 0 < value <= 1:  # NaN too
        raise UsageError(Problem("a threshold is a number above 0, at most 1", "such as 0.62"))
    # 0.57 * 10,000 is 5,699.999…: what is written with so few digits stays as it is.
    exact = round(value, DIGITS)
    below = exact if exact <= value else math.floor(value * 10**DIGITS) / 10**DIGITS
    return below or value


def set_threshold(
    root: Path, workspace: Workspace, guardrail: str, value: float, config: str | None = None
) -> Tuned:
    """Write the threshold of a guardrail; comments and layout of the file are kept.

    Args:
        guardrail: its name.
        value: above 0, at most 1; it fires from this score on.
        config: whose; None: the only one that has it.

    Raises:
        UsageError: see `configuration_to_tune` and `threshold_of`; it knows only 1 and 0; or its file can't
            be edited safely.
        WorkspaceError: the file can't be read or written.
    """
    from llmops_tui.workspace import guardrail_edit

    after = threshold_of(value)
    configuration = configuration_to_tune(workspace, guardrail, config)
    use = next(use for use in configuration.target.guardrails if use.name == guardrail)
    if is_tunable(use) is False:
        raise UsageError(Problem(NOTHING_TO_TUNE, f"'{use.kind}' knows only 1 and 0", configuration.file))
    before = use.threshold
    guardrail_edit.set_threshold(root, configuration.file, guardrail, after)
    return Tuned(configuration.name, configuration.file, guardrail, before, after)
