"""`schema`: the JSON Schema of the files a person writes."""

from __future__ import annotations

from typing import Literal

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell


@click.command()
@click.argument("kind", type=click.Choice(["config", "evals", "attacks", "workspace"]))
@shared_options(workspace=False, config=False)
@click.pass_obj
def schema(shell: Shell, kind: Literal["config", "evals", "attacks", "workspace"]) -> int:
    """Print the JSON Schema of a workspace's files.

    For editors that complete and check YAML: config is configs/*.yaml, evals is evals/*.yaml, attacks is
    attacks/*.yaml, workspace is llmops.yaml.
    """
    from llmops_tui.workspace import json_schema

    shell.print_json(json_schema(kind))
    return 0
