"""`guards tune --set`: the threshold of a guardrail, written into its configuration."""

from __future__ import annotations

from pathlib import Path

import click

from llmops_tui.cli.shell import Shell, open_engine

set_option = click.option(
    "--set",
    "value",
    type=float,
    metavar="THRESHOLD",
    help="Write it into the configuration: above 0, at most 1. It fires from this score on.",
)


def write_threshold(
    shell: Shell, guardrail: str, value: float, workspace: Path | None, config: str | None
) -> int:
    """Write the threshold of a guardrail into the file of its configuration, and say so."""
    from llmops_tui.engine.tuning import set_threshold

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
