"""`doctor`: where the workspace stands on the ladder, and what to do next."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 80


@click.command()
@click.option(
    "--require",
    type=click.Choice(["baseline", "repeatable", "mature"]),
    help="Exit with 1 where this rung is not reached.",
)
@shared_options()
@click.pass_obj
def doctor(shell: Shell, require: str | None, workspace: Path | None, config: str | None) -> int:
    """Tell where the workspace stands: Baseline, Repeatable or Mature, item by item, and what to do next.

    Every item is decided by what is in the files, in git, and in the two databases; what can't be read is
    unknown, and not met. Asks no model and writes nothing.
    """
    from llmops_tui.domain.ladder.ladder import RUNGS
    from llmops_tui.engine.doctor import doctor as ladder_of

    ladder = ladder_of(root_of(workspace), config, time.time())
    if shell.as_json:
        from llmops_tui.report.ladder_json import ladder_json

        shell.print_json(ladder_json(ladder))
    else:
        from llmops_tui.report.ladder_text import ladder_lines
        from llmops_tui.report.text import print_lines

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
        print_lines(ladder_lines(ladder, width=min(max(width, 60), 110)), sys.stdout)
    wanted = next((rung for rung in RUNGS if rung == require), None)
    return 0 if wanted is None or ladder.has_reached(wanted) else 1
