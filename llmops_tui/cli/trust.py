"""`trust`: let the workspace's Python run."""

from __future__ import annotations

from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of


@click.command()
@shared_options(config=False)
@click.pass_obj
def trust(shell: Shell, workspace: Path | None) -> int:
    """Allow the Python of this workspace to run.

    Functions of scorers.py run with your rights: look at them first. Until then nothing of them runs. It is
    noted for you and this folder, outside the workspace.
    """
    from llmops_tui.workspace import trust as trusted

    root = root_of(workspace)
    trusted.trust(root)
    if shell.as_json:
        shell.print_json({"workspace": str(root), "trusted": True})
    else:
        shell.print(f"The Python of {root} may run now.")
    return 0
