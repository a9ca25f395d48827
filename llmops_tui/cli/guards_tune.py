"""`guards tune --set`: the threshold of a guardrail, written into its configuration."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.shell import Shell, open_engine, root_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmops_tui.domain.guardrails.use import GuardrailUse

set_option = click.option(
    "--set",
    "value",
    type=float,
    metavar="THRESHOLD",
    help="Write it into the configuration: above 0, at most 1. It fires from this score on.",
)


def uses_on_disk(workspace: Path | None, guardrail: str, config: str | None) -> list[GuardrailUse]:
    """The guardrail in the configurations that are meant."""
    from llmops_tui.engine.tuning import uses_of
    from llmops_tui.workspace import load_cached

    found = uses_of(load_cached(root_of(workspace)), guardrail)
    return [use for name, use in found.items() if config in (None, "", name)]


def write_threshold(
    shell: Shell, guardrail: str, value: float, workspace: Path | None, config: str | None, since: float
) -> int:
    """Write the threshold of a guardrail into the file of its configuration, and say so.

    Args:
        since: of the live traffic that tells whether a function knows only 1 and 0, Unix seconds.

    Raises:
        UsageError: see `engine.tuning.set_threshold`.
    """
    from llmops_tui.engine.tuning import set_threshold

    _refuse_untunable(workspace, guardrail, uses_on_disk(workspace, guardrail, config), since)
    engine = open_engine(workspace, writing=False)
    try:
        tuned = set_threshold(engine.root, engine.workspace, guardrail, value, config)
    finally:
        engine.close()
    if shell.as_json:
        shell.print_json(
            {
                "config": tuned.config,
                "file": tuned.file,
                "guardrail": tuned.guardrail,
                "before": tuned.before,
                "after": tuned.after,
            }
        )
    else:
        shell.print(f"{tuned.file}: threshold of {tuned.guardrail} {tuned.before:g} → {tuned.after:g}")
    return 0


def _refuse_untunable(
    workspace: Path | None, guardrail: str, uses: Sequence[GuardrailUse], since: float
) -> None:
    """Of a function its scores in live traffic tell; of a built-in kind `set_threshold` knows it."""
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.domain.guardrails.catalogue import is_tunable
    from llmops_tui.domain.guardrails.kind import NOTHING_TO_TUNE
    from llmops_tui.domain.live.listing import LiveFilter
    from llmops_tui.monitoring.guards import fires_or_not
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    path = root_of(workspace) / LIVE_DATABASE
    if not uses or any(is_tunable(use) is not None for use in uses) or not path.exists():
        return
    with LiveStore.open(path, read_only=True) as store:
        if fires_or_not(store, guardrail, LiveFilter(since=since), time.time()):
            raise UsageError(Problem(NOTHING_TO_TUNE, f"'{guardrail}' only ever told 1 or 0"))
