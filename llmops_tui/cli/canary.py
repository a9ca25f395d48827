"""`canary`: has the provider changed the model under us?"""

from __future__ import annotations

from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, with_engine


@click.command()
@click.option("--list", "listed", is_flag=True, help="Show those that were run, and ask nothing.")
@shared_options()
@click.pass_obj
def canary(shell: Shell, listed: bool, workspace: Path | None, config: str | None) -> int:
    """Ask the baseline its eval set anew, and tell whether its provider has changed the model.

    The first canary of a version is what later ones are held against. `collect` runs it on the schedule of
    `live.canary` in llmops.yaml. Exit code 1: its scores have provably dropped.
    """
    from llmops_tui.engine.canary import run_canary
    from llmops_tui.engine.engine import Engine
    from llmops_tui.report.canary import canary_json, canary_line
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    async def body(engine: Engine) -> int:
        with LiveStore.open(engine.root / LIVE_DATABASE) as live:
            if listed:
                results = live.canaries.newest(config or "", 50)
            else:
                results = [await run_canary(engine, live, config)]
        if shell.as_json:
            shell.print_json({"canaries": [canary_json(result) for result in results]})
        else:
            for result in results:
                shell.print(canary_line(result))
            if not results:
                shell.print("no canary was run yet")
        return 1 if not listed and results[0].state == "worse" else 0

    return with_engine(workspace, body, writing=True, evaluating=not listed)
