"""`guards tune`: the threshold of a guardrail, written into its configuration."""

from __future__ import annotations

from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, open_engine


@click.command("tune")
@click.argument("name")
@click.option(
    "--set",
    "value",
    type=float,
    required=True,
    metavar="THRESHOLD",
    help="Above 0, at most 1: it fires from this score on.",
)
@shared_options()
@click.pass_obj
def tune(shell: Shell, name: str, value: float, workspace: Path | None, config: str | None) -> int:
    """Write the threshold of a guardrail into the file of its configuration.

    Comments and layout of the file are kept. It is a save like any other: the next run knows it as a new
    version, and the gate judges it. Asks no model.
    """
    from llmops_tui.engine.tuning import set_threshold

    engine = open_engine(workspace, writing=False)
    try:
        tuned = set_threshold(engine.root, engine.workspace, name, value, config)
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
