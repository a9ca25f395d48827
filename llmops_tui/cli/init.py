"""`init`: a workspace from the template."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@shared_options(workspace=False, config=False)
@click.pass_obj
def init(shell: Shell, folder: Path) -> int:
    """Make a workspace from the template.

    It is a help-desk assistant over a few documents, on the embedded model: it runs without a key. DIR is
    made if it is not there, and has to be empty; by default it is the current folder.
    """
    from llmops_tui.workspace import template

    template.create(folder)
    found = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    files = sorted(str(p) for p in found if p.parts[0] != ".llmops")
    if shell.as_json:
        shell.print_json({"workspace": str(folder.resolve()), "files": files})
        return 0
    shell.print(f"A workspace is in {folder.resolve()}:")
    for name in files:
        shell.print(f"  {name}")
    shell.print("Next:")
    if folder.resolve() != Path.cwd():
        shell.print(f"  cd {shlex.quote(str(folder))}")
    shell.print("  llmops-tui run      evaluate it: the first complete run is the baseline")
    shell.print("  llmops-tui          open the app, and edit prompts/ in an editor beside it")
    return 0
