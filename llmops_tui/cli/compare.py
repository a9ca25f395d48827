"""`compare`: two versions, case by case."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, with_engine
from llmops_tui.cli.stored import comparable

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100


@click.command()
@version_argument("a", required=False)
@version_argument("b", required=False)
@shared_options()
@click.pass_obj
def compare(shell: Shell, a: str | None, b: str | None, workspace: Path | None, config: str | None) -> int:
    """Show what changed between two versions, case by case.

    A is the baseline and B the candidate; by default the promoted baseline and the latest version. Asks no
    model: what was not evaluated is shown as such.
    """

    async def body(engine: Engine) -> int:
        name = choose_config(engine, config)
        comparison, changes = await comparable(shell, engine, name, a, b)
        if shell.as_json:
            from llmops_tui.report.json import compare_json, output_ids

            texts = engine.store.outputs.texts(output_ids(comparison))
            shell.print_json(compare_json(comparison, changes, texts, engine.queries.drift(comparison)))
        else:
            print_comparison(engine, name, a, b)
        return 0

    return with_engine(workspace, body, writing=False)


def print_comparison(engine: Engine, config: str, a: str | None, b: str | None) -> None:
    """The comparison as text on stdout, in colour on a terminal."""
    from llmops_tui.report.text import comparison_lines, print_lines

    comparison, changes = engine.queries.compare(config, a, b)
    texts = engine.queries.texts(comparison.baseline.version, comparison.candidate.version)
    drift = engine.queries.drift(comparison)
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if sys.stdout.isatty() else PIPE_WIDTH
    lines = comparison_lines(
        comparison, changes, texts, engine.queries.detail, width=max(width, 60), drift=drift
    )
    print_lines(lines, sys.stdout)
